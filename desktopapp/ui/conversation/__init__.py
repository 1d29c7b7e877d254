"""What is inside the scrolling conversation: messages, streamed Markdown, thoughts, code, tables."""

from desktopapp.ui.conversation.view import ConversationView

__all__ = ["ConversationView"]

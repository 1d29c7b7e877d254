"""A reply that broke off and goes on: what was streamed of it becomes the begin of the assistant's turn."""

from __future__ import annotations

from dataclasses import dataclass

from desktopapp.engine.prompt_parts import TextPart
from desktopapp.engine.reasoning.stage_prompts import THOUGHT_CLOSING
from desktopapp.engine.reasoning.thought_parser import OPENING

_OPENED = f"{OPENING}\n"


@dataclass(frozen=True, slots=True)
class BegunReply:
    """What stands of a reply.

    Where the answer had not begun, the thought counts as open: closing it is left to the model once more.

    Args:
        thought: without the tags around it.
        text: behind the thought.
        thought_tokens: of the thought.
        text_tokens: of the text.
    """

    thought: str
    text: str
    thought_tokens: int = 0
    text_tokens: int = 0

    def parts(self, *, opens_thought: bool) -> list[TextPart]:
        """What goes behind the prompt. What the model wrote is plain text, and parts of the tokenizer's own.

        Args:
            opens_thought: the prompt ends inside a thought.
        """
        opening, closing = self._tags(opens_thought)
        pieces = ((opening, True), (self.thought, False), (closing, True), (self.text, False))
        return [TextPart(text, parse_special) for text, parse_special in pieces if text]

    def written(self, *, opens_thought: bool) -> str:
        """The same as one text."""
        opening, closing = self._tags(opens_thought)
        return opening + self.thought + closing + self.text

    def _tags(self, opens_thought: bool) -> tuple[str, str]:
        opening = _OPENED if self.thought and not opens_thought else ""
        closing = THOUGHT_CLOSING if self.text and (self.thought or opens_thought) else ""
        return opening, closing

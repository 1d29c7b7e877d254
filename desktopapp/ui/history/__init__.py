"""The list of earlier conversations beside the conversation."""

from desktopapp.ui.history.panel import HistoryPanel

__all__ = ["HistoryPanel"]

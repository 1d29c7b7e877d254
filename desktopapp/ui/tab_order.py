"""Where Tab goes: through what is seen in the order in which it is read, also to what was added later.

Qt keeps widgets in the order in which they were made, so cards and messages of later would all come last.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QScrollArea, QWidget


def move_focus(areas: Sequence[QWidget], current: QWidget | None, forward: bool) -> bool:
    """Give the keyboard to the next stop, and scroll it into view.

    Args:
        areas: parts of one window in order; inside each the stops go from top to bottom.
        current: has the keyboard now.
        forward: Tab; else Shift+Tab.

    Returns:
        False where there is no other stop.
    """
    stops = [stop for area in areas for stop in _stops(area)]
    if not stops or stops == [current]:
        return False
    # From outside, Tab comes to the first stop and Shift+Tab to the last.
    before = stops.index(current) if current in stops else -1 if forward else 0
    stop = stops[(before + (1 if forward else -1)) % len(stops)]
    reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
    stop.setFocus(reason)
    _scroll_to(stop)
    return True


def _stops(area: QWidget) -> list[QWidget]:
    # On macOS the system may leave buttons out.
    everything = QGuiApplication.styleHints().tabFocusBehavior() == Qt.TabFocusBehavior.TabFocusAllControls
    wanted = Qt.FocusPolicy.TabFocus if everything else Qt.FocusPolicy.StrongFocus
    found = [
        widget
        for widget in (area, *area.findChildren(QWidget))
        if widget.focusPolicy() & wanted == wanted
        and widget.isVisible()
        and widget.isEnabled()
        and widget.focusProxy() is None
    ]
    return sorted(found, key=_place)


def _place(widget: QWidget) -> tuple[int, int]:
    corner = widget.mapTo(widget.window(), QPoint(0, 0))
    return corner.y(), corner.x()


def _scroll_to(widget: QWidget) -> None:
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QScrollArea):
            parent.ensureWidgetVisible(widget)
        parent = parent.parentWidget()

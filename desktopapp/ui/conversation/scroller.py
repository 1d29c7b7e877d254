"""Keeps the end of the conversation in view while the person is at the end, and only then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QScrollBar, QWidget

_NEAR_END_PX = 24


class FollowingScrollArea(QScrollArea):
    """Scrolls upright, and follows its end.

    Signals:
        following_changed: the person left the end, or came back to it.
    """

    following_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_following = True
        self._is_held = False
        self._stays_at_top = False
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # The bar keeps its room, so that the column does not move when the first screen is full; without anything
        # to scroll it is not seen. As much room at the left keeps the column in the middle.
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.verticalScrollBar().setStyleSheet("QScrollBar::handle:disabled { background: transparent; }")
        self.verticalScrollBar().setEnabled(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setAutoFillBackground(False)
        bar = self.verticalScrollBar()
        bar.setSingleStep(40)
        bar.rangeChanged.connect(self._on_range_changed)
        bar.valueChanged.connect(self._on_value_changed)

    def jump_to_end(self) -> None:
        """Show the end, and follow it from now on."""
        self._set_following(True)
        self.verticalScrollBar().setValue(self.verticalScrollBar().maximum())

    def stay_at_top(self, stays: bool) -> None:
        """Show the beginning, as what is there has no end worth following; or follow it again."""
        if stays != self._stays_at_top:
            self._stays_at_top = stays
            self._set_following(True)
            self.verticalScrollBar().setValue(0 if stays else self.verticalScrollBar().maximum())

    @contextmanager
    def held(self) -> Iterator[None]:
        """Stay at the same place while everything is laid out anew; following stays as it was."""
        value = self.verticalScrollBar().value()
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False
        if self._is_following and not self._stays_at_top:
            value = self.verticalScrollBar().maximum()
        self.verticalScrollBar().setValue(value)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Home and End reach the ends."""
        bar = self.verticalScrollBar()
        if event.key() == Qt.Key.Key_Home:
            bar.triggerAction(QScrollBar.SliderAction.SliderToMinimum)
        elif event.key() == Qt.Key.Key_End:
            self.jump_to_end()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        """The style is known now."""
        super().showEvent(event)
        self.setViewportMargins(self.verticalScrollBar().sizeHint().width(), 0, 0, 0)

    def _on_range_changed(self, _minimum: int, maximum: int) -> None:
        self.verticalScrollBar().setEnabled(maximum > 0)
        if self._is_held or self._stays_at_top:
            return
        if self._is_following:
            self.verticalScrollBar().setValue(maximum)
        else:
            self._set_following(maximum == 0)

    def _on_value_changed(self, value: int) -> None:
        if self._is_held or self._stays_at_top:
            return
        self._set_following(value >= self.verticalScrollBar().maximum() - _NEAR_END_PX)

    def _set_following(self, following: bool) -> None:
        if following != self._is_following:
            self._is_following = following
            self.following_changed.emit(following)

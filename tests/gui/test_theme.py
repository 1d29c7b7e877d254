"""The theme follows the desktop's scheme, and the person's choice."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from desktopapp.ui.theme import ThemeChoice, ThemeController, colors_of, fonts
from desktopapp.ui.tokens import DARK, LIGHT


@pytest.fixture
def controller(qapp: QApplication) -> Iterator[ThemeController]:
    palette, sheet = qapp.palette(), qapp.styleSheet()
    controller = ThemeController(qapp, ThemeChoice.LIGHT)
    yield controller
    controller.deleteLater()
    qapp.setStyleSheet(sheet)
    qapp.setPalette(palette)


def test_choice_changes_the_colours_of_every_widget(controller: ThemeController, qtbot: QtBot) -> None:
    label = QLabel("text")
    qtbot.addWidget(label)
    assert colors_of(label) is LIGHT
    with qtbot.waitSignal(controller.changed) as changed:
        controller.choose(ThemeChoice.DARK)
    assert changed.args == [DARK]
    assert colors_of(label) is DARK


def test_system_choice_follows_the_desktop(
    controller: ThemeController, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    hints = qapp.styleHints()

    dark = SimpleNamespace(colorScheme=lambda: Qt.ColorScheme.Dark)
    monkeypatch.setattr(controller, "_application", _WithHints(qapp, dark))
    controller.choose(ThemeChoice.SYSTEM)
    assert controller.colors is DARK
    monkeypatch.undo()
    hints.colorSchemeChanged.emit(hints.colorScheme())
    assert controller.colors is LIGHT


class _WithHints:
    """The application with another desktop under it."""

    def __init__(self, application: QApplication, hints: object) -> None:
        self._application = application
        self.styleHints = lambda: hints

    def __getattr__(self, name: str) -> object:
        return getattr(self._application, name)


def test_fonts_have_steps(qapp: QApplication) -> None:
    made = fonts()
    assert made.small.pointSizeF() < made.body.pointSizeF() < made.title.pointSizeF()

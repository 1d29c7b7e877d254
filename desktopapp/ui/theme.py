"""Colours, spacing and type of the window, in light and dark.

A widget asks `colors_of(self)` while it paints, and repaints on `QEvent.Type.PaletteChange`, which Qt sends
when the scheme changes. `ThemeController` is what sets the application's palette and style sheet.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from desktopapp.ui.stylesheet import build_stylesheet
from desktopapp.ui.tokens import DARK, LIGHT, Colors


class ThemeChoice(StrEnum):
    """What the person chose in the settings menu."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Fonts:
    """The fonts of the window, all from the desktop's own.

    Args:
        body: running text.
        small: secondary text, one point smaller.
        title: three points larger, semi-bold.
        mono: code, at the body's size.
    """

    body: QFont
    small: QFont
    title: QFont
    mono: QFont


def fonts() -> Fonts:
    """The fonts, derived from the application's font."""
    body = QGuiApplication.font()
    points = body.pointSizeF() if body.pointSizeF() > 0 else 10.0
    small, title = QFont(body), QFont(body)
    small.setPointSizeF(points - 1)
    title.setPointSizeF(points + 3)
    title.setWeight(QFont.Weight.DemiBold)
    mono = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    mono.setPointSizeF(points)
    return Fonts(body, small, title, mono)


def colors_of(widget: QWidget) -> Colors:
    """The colours of the scheme that the widget is shown in."""
    # Not the widget's own palette: a style sheet writes its backgrounds into that, `transparent` as black.
    return DARK if is_dark(QApplication.palette(widget)) else LIGHT


def is_dark(palette: QPalette) -> bool:
    """True where text is lighter than what it stands on."""
    window = palette.color(QPalette.ColorRole.Window)
    return window.lightnessF() < palette.color(QPalette.ColorRole.WindowText).lightnessF()


def palette_of(colors: Colors) -> QPalette:
    """A Qt palette with these colours, for everything that the style sheet does not reach."""
    role = QPalette.ColorRole
    palette = QPalette(QColor(colors.surface), QColor(colors.window))
    for target, color in {
        role.WindowText: colors.text,
        role.Text: colors.text,
        role.ButtonText: colors.text,
        role.ToolTipText: colors.text,
        role.ToolTipBase: colors.raised,
        role.Base: colors.surface,
        role.AlternateBase: colors.sunken,
        role.PlaceholderText: colors.text_secondary,
        role.Highlight: colors.selection,
        role.HighlightedText: colors.text,
        role.Accent: colors.accent,
        role.Link: colors.link,
        role.LinkVisited: colors.link,
    }.items():
        palette.setColor(target, QColor(color))
    for target in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, target, QColor(colors.text_disabled))
    return palette


class ThemeController(QObject):
    """Keeps the application's palette and style sheet in step with the choice and the desktop's scheme.

    Signals:
        changed: the colours are others now; carries `Colors`.
    """

    changed = Signal(object)

    def __init__(self, application: QApplication, choice: ThemeChoice = ThemeChoice.SYSTEM) -> None:
        super().__init__(application)
        self._application = application
        self._choice = choice
        self._colors: Colors | None = None
        application.styleHints().colorSchemeChanged.connect(self.apply)
        self.apply()

    @property
    def choice(self) -> ThemeChoice:
        """What is chosen."""
        return self._choice

    @property
    def colors(self) -> Colors:
        """The colours in use."""
        if self._choice is ThemeChoice.SYSTEM:
            scheme = self._application.styleHints().colorScheme()
            return DARK if scheme is Qt.ColorScheme.Dark else LIGHT
        return DARK if self._choice is ThemeChoice.DARK else LIGHT

    def choose(self, choice: ThemeChoice) -> None:
        """Change the choice and show it at once."""
        self._choice = choice
        self.apply()

    def apply(self) -> None:
        """Set palette and style sheet where they differ from what is shown."""
        colors = self.colors
        if colors is self._colors:
            return
        self._colors = colors
        self._application.setPalette(palette_of(colors))
        self._application.setStyleSheet(build_stylesheet(colors, fonts().small.pointSizeF()))
        self.changed.emit(colors)


def set_style_property(widget: QWidget, name: str, value: object) -> None:
    """Set a property that the style sheet asks for; Qt applies the sheet again where it is told to only."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def is_palette_change(event: QEvent) -> bool:
    """True for the events after which painted colours and tinted icons must be made again."""
    return event.type() in (QEvent.Type.PaletteChange, QEvent.Type.ApplicationPaletteChange)

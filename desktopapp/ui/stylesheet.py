"""The application's style sheet, built from the tokens.

Widgets opt in through object names and the `role` property (`primary`, `quiet`, `danger`, `chip`, `secondary`);
what a widget paints by itself takes its colours from `theme.colors_of`.
"""

from __future__ import annotations

from string import Template

from desktopapp.ui.tokens import CONTROL_HEIGHT, RADIUS_L, RADIUS_M, RADIUS_S, Colors

_SHEET = Template("""
* { selection-background-color: $selection; selection-color: $text; }
QMainWindow, QDialog { background: $window; }
QLabel { background: transparent; }
QLabel[role="secondary"] { color: $text_secondary; font-size: ${small}pt; }
QLabel[role="title"] { font-weight: 600; }
QLabel[role="chip"] {
  color: $on_accent_soft; background: $accent_soft; border-radius: ${radius_s}px;
  padding: 1px 8px; font-size: ${small}pt;
}
QLabel[role="warning"] { color: $warning; font-size: ${small}pt; }
QLabel[role="danger"] { color: $danger; font-size: ${small}pt; }

QPushButton, QToolButton {
  color: $text; background: $surface; border: 1px solid $border; border-radius: ${radius_m}px;
  padding: 0 12px; min-height: ${inner_height}px;
}
QPushButton:hover, QToolButton:hover { background: $hover; }
QPushButton:pressed, QToolButton:pressed { background: $sunken; }
QPushButton:focus, QToolButton:focus { border: 2px solid $accent; padding: 0 11px; }
QPushButton:disabled, QToolButton:disabled { color: $text_disabled; }
QPushButton[role="quiet"], QToolButton[role="quiet"] { background: transparent; border-color: transparent; }
QPushButton[role="quiet"]:hover, QToolButton[role="quiet"]:hover { background: $hover; }
QPushButton[role="quiet"]:focus, QToolButton[role="quiet"]:focus { border-color: $accent; }
QPushButton[role="primary"], QToolButton[role="primary"] {
  color: $on_accent; background: $accent; border-color: $accent;
}
QPushButton[role="primary"]:hover, QToolButton[role="primary"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[role="primary"]:focus, QToolButton[role="primary"]:focus { border: 2px solid $text; }
QPushButton[role="primary"]:disabled, QToolButton[role="primary"]:disabled {
  color: $text_disabled; background: $hover; border-color: $hover;
}
QToolButton[role="quiet"]:checked { background: $hover; }
QToolButton[role="gauge"] {
  color: $text_secondary; background: transparent; border: 1px solid transparent; border-radius: ${radius_s}px;
  padding: 0 4px; min-height: 18px; font-size: ${small}pt;
}
QToolButton[role="gauge"]:hover { background: $hover; }
QToolButton[role="gauge"]:focus { border: 1px solid $accent; padding: 0 4px; }
QToolButton[role="gauge"][alarm="slight"] { color: $warning; }
QToolButton[role="gauge"][alarm="serious"] { color: $danger; font-weight: 600; }
QToolButton[shape="square"] { padding: 0; min-width: ${inner_height}px; max-width: ${inner_height}px; }
QToolButton[shape="small"] {
  padding: 0; min-width: 22px; max-width: 22px; min-height: 22px; max-height: 22px; border-radius: ${radius_s}px;
}
QToolButton::menu-indicator, QPushButton::menu-indicator { image: none; width: 0; }

QMenu { background: $raised; border: 1px solid $border; border-radius: ${radius_m}px; padding: 6px; }
QMenu::item { padding: 6px 24px 6px 12px; border-radius: ${radius_s}px; color: $text; }
QMenu::item:selected { background: $hover; }
QMenu::item:disabled { color: $text_disabled; }
QMenu::indicator { width: 14px; height: 14px; margin-left: 6px; }
QMenu::separator { height: 1px; background: $border; margin: 6px 8px; }
QToolTip { color: $text; background: $raised; border: 1px solid $border; padding: 4px 6px; }

QScrollBar:vertical { background: transparent; width: 12px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 0; }
QScrollBar::handle { background: $border; border-radius: 4px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::handle:hover { background: $border_strong; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QFrame[role="card"] { background: $surface; border: 1px solid $border; border-radius: ${radius_m}px; }
QFrame[role="popup"] { background: $raised; border: 1px solid $border; }
QFrame[role="hairline"] { background: $border; border: none; max-height: 1px; min-height: 1px; }

QFrame#composer { background: $surface; border: 1px solid $border; border-radius: ${radius_l}px; }
QFrame#composer[active="true"] { border: 1px solid $accent; }
QPlainTextEdit#composerEdit { background: transparent; border: none; padding: 0; color: $text; }

QFrame#attachmentCard { background: $surface; border: 1px solid $border; border-radius: ${radius_m}px; }
QFrame#attachmentCard[broken="true"] { background: $danger_soft; border-color: $danger; }
QScrollArea#attachmentStrip, QScrollArea#attachmentStrip > QWidget > QWidget { background: transparent; border: none; }

QFrame[notice="info"] { background: $accent_soft; border: none; border-radius: ${radius_m}px; }
QFrame[notice="warning"] { background: $warning_soft; border: none; border-radius: ${radius_m}px; }
QFrame[notice="error"] { background: $danger_soft; border: none; border-radius: ${radius_m}px; }

QLineEdit, QComboBox {
  color: $text; background: $surface; border: 1px solid $border_strong; border-radius: ${radius_s}px;
  padding: 3px 8px; min-height: 20px;
}
QLineEdit:focus, QComboBox:focus { border: 2px solid $accent; padding: 2px 7px; }
QLineEdit[wrong="true"] { border: 2px solid $danger; padding: 2px 7px; }
QComboBox::drop-down { border: none; width: 26px; }
QComboBox::down-arrow { image: none; }
QComboBox QAbstractItemView { color: $text; background: $raised; border: 1px solid $border; }

QCheckBox::indicator {
  width: 14px; height: 14px; border: 1px solid $border_strong; border-radius: 4px; background: $surface;
}
QCheckBox::indicator:checked { border-color: $accent; background: $accent; }
QCheckBox::indicator:disabled { border-color: $border; background: $hover; }
QCheckBox:focus { color: $accent; text-decoration: underline; }

QAbstractSpinBox {
  color: $text; background: $surface; border: 1px solid $border_strong; border-radius: ${radius_s}px;
  padding: 3px 8px; min-height: 20px;
}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 0; border: none; }
QAbstractSpinBox:focus { border: 2px solid $accent; padding: 2px 7px; }

QListWidget#placesList { background: $surface; border: 1px solid $border; border-radius: ${radius_s}px; color: $text; }
QListWidget#placesList::item { padding: 3px 4px; }
QListWidget#placesList::item:selected, QListWidget#placesList::item:hover { background: $hover; color: $text; }
QListWidget#placesList:focus { border-color: $accent; }
QFrame#historyPanel { background: $sunken; border: none; border-right: 1px solid $border; }
QFrame#historyPanel > QLineEdit { border-color: $border; border-radius: ${radius_m}px; min-height: 26px; }
QFrame#historyPanel > QLineEdit:focus { border-color: $accent; }
QLineEdit QToolButton { min-height: 0; padding: 0; border: none; background: transparent; }
QListView#historyList { background: transparent; border: none; outline: none; }
QListView#modelList { background: transparent; border: none; outline: none; }
QPlainTextEdit#crashReport {
  background: $sunken; border: 1px solid $border; border-radius: ${radius_m}px; padding: 8px; color: $text;
}
QPlainTextEdit#crashReport:focus { border: 2px solid $accent; padding: 7px; }
""")


def build_stylesheet(colors: Colors, small_points: float) -> str:
    """Fill the style sheet.

    Args:
        colors: the scheme.
        small_points: size of secondary text, in points.
    """
    values = {name: getattr(colors, name) for name in Colors.__dataclass_fields__}
    return _SHEET.substitute(
        values,
        small=f"{small_points:g}",
        radius_s=RADIUS_S,
        radius_m=RADIUS_M,
        radius_l=RADIUS_L,
        inner_height=CONTROL_HEIGHT - 4,
    )

"""A box that is ticked looks so in both themes."""

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QStyle, QStyleOptionButton
from pytestqt.qtbot import QtBot

from desktopapp.ui.check_box import CheckBox
from desktopapp.ui.theme import ThemeChoice, ThemeController
from desktopapp.ui.tokens import DARK, LIGHT, Colors


@pytest.mark.parametrize(
    ("theme", "colors"), [(ThemeChoice.LIGHT, LIGHT), (ThemeChoice.DARK, DARK)], ids=["light", "dark"]
)
def test_a_tick_stands_in_the_box(
    qapp: QApplication, qtbot: QtBot, theme: ThemeChoice, colors: Colors
) -> None:
    palette, sheet = qapp.palette(), qapp.styleSheet()
    controller = ThemeController(qapp, theme)
    try:
        box = CheckBox("Words")
        qtbot.addWidget(box)
        box.show()
        assert pixels_like(colors.accent, box) == 0
        box.setChecked(True)
        assert pixels_like(colors.accent, box) > pixels_like(colors.on_accent, box) > 3
    finally:
        controller.deleteLater()
        qapp.setStyleSheet(sheet)
        qapp.setPalette(palette)


def pixels_like(color: str, box: CheckBox) -> int:
    """How many pixels of the box have a colour; a screen of 16 bits rounds it."""
    option = QStyleOptionButton()
    box.initStyleOption(option)
    area = box.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, box)
    image, wanted = box.grab(area).toImage(), QColor(color)
    found = (QColor(image.pixel(x, y)) for x in range(image.width()) for y in range(image.height()))
    return sum(
        max(
            abs(one.red() - wanted.red()),
            abs(one.green() - wanted.green()),
            abs(one.blue() - wanted.blue()),
        )
        < 12
        for one in found
    )

"""Labels that shorten their text: as many lines as they may have, and never more width than they get."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktopapp.ui.elided_label import ElidedLabel, elide

pytestmark = pytest.mark.usefixtures("qapp")
WIDTH_PX = 130


def test_short_text_stays_as_it_is() -> None:
    assert elide("two words", QFont(), WIDTH_PX, 2) == "two words"
    assert elide("", QFont(), WIDTH_PX, 2) == ""


def test_what_does_not_fit_into_the_lines_is_left_out_at_the_end() -> None:
    first, second = elide("one word after another, " * 9, QFont(), WIDTH_PX, 2).split("\n")
    assert first.startswith("one word")
    assert second.endswith("…")


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"])), st.integers(1, 3))
def test_never_more_lines_than_allowed_and_the_last_one_fits(text: str, most: int) -> None:
    lines = elide(text, QFont(), WIDTH_PX, most).split("\n")
    assert len(lines) <= most
    assert QFontMetrics(QFont()).horizontalAdvance(lines[-1]) <= WIDTH_PX


def test_label_takes_no_more_height_than_its_lines(qtbot: QtBot, qapp: QApplication) -> None:
    label = ElidedLabel(lines=2)
    qtbot.addWidget(label)
    label.set_full_text("a sentence that needs many lines " * 5)
    assert label.heightForWidth(WIDTH_PX) == 2 * label.fontMetrics().lineSpacing()
    assert "many lines" in label.toolTip()

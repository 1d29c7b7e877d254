"""Earlier conversations: listed, searched, opened, renamed, deleted and taken back, by mouse and keyboard."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from desktopapp.app import Desktop
from desktopapp.settings import Settings, load_settings
from desktopapp.ui.history import HistoryPanel
from desktopapp.ui.history.rows import HistoryRow, Period
from tests.gui.scripted_worker import script_of
from tests.gui.window_actions import ask, roles


def _panel(desktop: Desktop) -> HistoryPanel:
    return desktop.session.history.panel


def _titles(desktop: Desktop) -> list[str]:
    rows: list[HistoryRow] = _panel(desktop)._model.rows
    return [row.conversation.title if row.conversation else f"[{row.period}]" for row in rows]


def _point_at(desktop: Desktop, title: str) -> QPoint:
    view, place = _panel(desktop).view, _titles(desktop).index(title)
    return view.visualRect(_panel(desktop)._model.index(place)).center()


@pytest.fixture
def two(desktop: Desktop, qtbot: QtBot) -> Desktop:
    """A window with an answered conversation and a newer one, the list open."""
    ask(desktop, "What is on the receipt?")
    script_of(desktop).say("Bread and milk.")
    script_of(desktop).finish("Bread and milk.")
    desktop.window.new_requested.emit()
    ask(desktop, "Count the boats")
    script_of(desktop).say("Three.")
    script_of(desktop).finish("Three.")
    qtbot.keyClick(desktop.window, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    expected = ["[today]", "Count the boats", "What is on the receipt?"]
    qtbot.waitUntil(lambda: _titles(desktop) == expected)
    return desktop


def _open(desktop: Desktop, qtbot: QtBot, title: str) -> None:
    viewport = _panel(desktop).view.viewport()
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=_point_at(desktop, title))


def test_a_click_opens_an_earlier_conversation(two: Desktop, qtbot: QtBot) -> None:
    two.window.composer.set_text("half a question")
    _open(two, qtbot, "What is on the receipt?")
    qtbot.waitUntil(lambda: two.window.windowTitle().startswith("What is on the receipt?"))
    assert roles(two) == ["user:sent", "assistant:done"]
    assert "Bread and milk." in two.session.chat.messages[1].text
    assert two.window.composer.is_empty
    qtbot.waitUntil(lambda: _panel(two)._delegate.shown == two.session.saver.conversation_id)
    _open(two, qtbot, "Count the boats")
    qtbot.waitUntil(lambda: two.window.composer.draft.text == "half a question")
    assert _titles(two)[1] == "Count the boats"


def test_a_running_answer_is_kept_as_far_as_it_got(two: Desktop, qtbot: QtBot) -> None:
    ask(two, "And the people?")
    script_of(two).say("There are fo")
    _open(two, qtbot, "What is on the receipt?")
    qtbot.waitUntil(lambda: two.window.windowTitle().startswith("What is"))
    _open(two, qtbot, "Count the boats")
    qtbot.waitUntil(lambda: len(roles(two)) == 4)
    assert two.session.chat.messages[3].text == "There are fo"
    assert two.session.chat.messages[3].finish_reason == "cancelled"


def test_two_clicks_in_a_row_show_the_last_and_lose_no_draft(two: Desktop, qtbot: QtBot) -> None:
    two.window.composer.set_text("half a question")
    panel, places = _panel(two), {title: _point_at(two, title) for title in _titles(two)[1:]}
    for title in ("What is on the receipt?", "Count the boats"):
        qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=places[title])
    qtbot.waitUntil(two.window.composer.isEnabled)
    qtbot.waitUntil(lambda: two.window.composer.draft.text == "half a question")
    assert [message.text for message in two.session.chat.messages] == ["Count the boats", "Three."]
    assert two.window.windowTitle().startswith("Count the boats")


@pytest.mark.parametrize("key", [Qt.Key.Key_K, Qt.Key.Key_F], ids=["Ctrl+K", "Ctrl+F"])
def test_search_finds_words_of_any_message(two: Desktop, qtbot: QtBot, key: Qt.Key) -> None:
    qtbot.keyClick(two.window, key, Qt.KeyboardModifier.ControlModifier)
    panel = _panel(two)
    assert panel.search.hasFocus()
    qtbot.keyClicks(panel.search, "milk")
    qtbot.waitUntil(lambda: _titles(two) == ["[today]", "What is on the receipt?"])
    qtbot.keyClick(panel.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: two.window.windowTitle().startswith("What is"))
    panel.search.setText("nowhere")
    qtbot.waitUntil(lambda: panel._empty.isVisible() and "nowhere" in panel._empty.text())


def test_a_title_is_changed_in_its_place(two: Desktop, qtbot: QtBot) -> None:
    panel = _panel(two)
    panel.search.setFocus()
    qtbot.keyClick(panel.search, Qt.Key.Key_Down)
    assert panel.view.hasFocus()
    qtbot.keyClick(panel.view, Qt.Key.Key_F2)
    field = panel.view.findChild(QLineEdit)
    assert isinstance(field, QLineEdit)
    field.setText("Boats")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: _titles(two)[1] == "Boats")


def test_what_is_deleted_can_be_taken_back(two: Desktop, qtbot: QtBot) -> None:
    panel = _panel(two)
    panel.view.setFocus()
    panel.view.setCurrentIndex(panel._model.index(1))
    qtbot.keyClick(panel.view, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: _titles(two) == ["[today]", "What is on the receipt?"])
    assert roles(two) == []
    assert panel._undo_row.isVisible()
    qtbot.mouseClick(panel._undo, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Count the boats" in _titles(two))
    assert not panel._undo_row.isVisible()
    _open(two, qtbot, "Count the boats")
    qtbot.waitUntil(lambda: len(roles(two)) == 2)


def test_the_list_is_open_again_at_the_next_start(
    two: Desktop, open_desktop: Callable[..., Desktop], qtbot: QtBot
) -> None:
    assert load_settings().settings.show_history
    assert two.window.minimumWidth() > 560
    two.window.close()
    again = open_desktop(Settings(language="en", show_history=True))
    qtbot.waitUntil(lambda: len(_titles(again)) == 3)
    qtbot.keyClick(again.window, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    assert not _panel(again).isVisible()
    assert again.window.composer.edit.hasFocus()
    again.session.models.settings_changed.emit(again.session.models._settings)
    assert not load_settings().settings.show_history


def test_days_are_told_apart() -> None:
    from datetime import date, datetime

    from desktopapp.ui.history.rows import period_of

    today = date(2026, 3, 30)
    changed = {
        Period.TODAY: datetime(2026, 3, 30, 0, 1),
        Period.YESTERDAY: datetime(2026, 3, 29, 23, 59),
        Period.WEEK: datetime(2026, 3, 23, 12, 0),
        Period.MONTH: datetime(2026, 3, 1, 12, 0),
        Period.EARLIER: datetime(2025, 12, 31, 12, 0),
    }
    assert {period: period_of(when.timestamp(), today) for period, when in changed.items()} == {
        period: period for period in Period
    }
    assert period_of(datetime(2026, 4, 2, 12, 0).timestamp(), today) is Period.TODAY

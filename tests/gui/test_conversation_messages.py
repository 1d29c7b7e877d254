"""Messages, answers and what their buttons do."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt, QTranslator
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from desktopapp.engine.events import Channel, FinishReason
from desktopapp.ui.conversation import ConversationView
from desktopapp.ui.conversation.message import Message
from tests.gui.conversation import STATS, answer, show_answer, user_message


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def view(qtbot: QtBot, clock: Clock) -> ConversationView:
    view = ConversationView(clock=clock)
    qtbot.addWidget(view)
    view.resize(900, 600)
    view.show()
    view.activateWindow()  # without a window manager nobody else does
    qtbot.waitUntil(view.isActiveWindow)
    return view


def messages_in_order(view: ConversationView) -> list[str]:
    found = view.findChildren(Message)
    view.flush()
    return [message.message_id for message in sorted(found, key=lambda m: m.y()) if message.isVisible()]


def test_chips_suggest_prompts(view: ConversationView, qtbot: QtBot) -> None:
    chip = view.empty.chips[0]
    with qtbot.waitSignal(view.prompt_suggested) as suggested:
        qtbot.mouseClick(chip, Qt.MouseButton.LeftButton)
    assert suggested.args == [chip.text(), ""]
    view.add_user_message("u", "hello", [])
    assert not view.empty.isVisible()
    view.remove_message("u")
    assert view.empty.isVisible()


def test_an_empty_conversation_begins_at_its_top_also_in_a_small_window(
    view: ConversationView, qtbot: QtBot
) -> None:
    view.resize(420, 200)
    bar = view.scroll_area.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    assert bar.value() == 0
    bar.setValue(bar.maximum())
    assert not view.jump_button.isVisible()
    for number in range(9):
        view.add_user_message(f"u{number}", "hello\n" * 9, [])
    qtbot.waitUntil(lambda: 0 < bar.maximum() == bar.value())
    view.clear()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    assert bar.value() == 0


def test_a_message_is_shown_as_typed(view: ConversationView) -> None:
    text = "<b>bold</b> **no** `markdown`\n  indented"
    view.add_user_message("u", text, [])
    assert user_message(view).pane.toPlainText() == text


def test_a_long_message_is_folded_until_asked(view: ConversationView, qtbot: QtBot) -> None:
    text = "\n".join(f"line {number}" for number in range(500))
    view.add_user_message("u", text, [])
    message = user_message(view)
    assert len(message.pane.toPlainText()) < 500
    assert message.message_text() == text
    folded_px = message.pane.height()
    qtbot.mouseClick(message.more_button, Qt.MouseButton.LeftButton)
    assert message.pane.toPlainText() == text
    assert message.pane.height() > 5 * folded_px


def test_thumbnails_come_early_or_late(view: ConversationView) -> None:
    image = QImage(40, 20, QImage.Format.Format_RGB32)
    image.fill(QColor("red"))
    view.add_user_message("u", "look", ["/p/a.png", "/p/b.png"])
    view.set_thumbnail("/p/a.png", image)
    assert user_message(view).thumbnails.has_image("/p/a.png")
    assert not user_message(view).thumbnails.has_image("/p/b.png")
    view.add_user_message("u2", "again", ["/p/a.png"])
    assert user_message(view, "u2").thumbnails.has_image("/p/a.png")
    assert "b.png" in user_message(view).thumbnails.accessibleName()


def test_a_queued_message_can_be_removed(view: ConversationView, qtbot: QtBot) -> None:
    view.add_user_message("u", "wait", [], queued=True)
    message = user_message(view)
    assert message.queue_label.isVisible()
    with qtbot.waitSignal(view.message_removed) as removed:
        qtbot.mouseClick(message.remove_button, Qt.MouseButton.LeftButton)
    assert removed.args == ["u"]


def test_messages_stand_in_the_order_in_which_they_came(view: ConversationView) -> None:
    view.add_user_message("u1", "first", [])
    view.begin_answer("a1", "model")
    view.add_user_message("u2", "second", [], queued=True)
    view.add_user_message("u2", "second", [])
    view.begin_answer("a2", "model")
    assert messages_in_order(view) == ["u1", "a1", "u2", "a2"]
    view.remove_message("a1")
    assert messages_in_order(view) == ["u1", "u2", "a2"]
    view.clear()
    assert messages_in_order(view) == []
    assert view.empty.isVisible()


def test_status_until_the_first_text(view: ConversationView) -> None:
    view.begin_answer("a", "model")
    view.set_status("a", "Reading the prompt, 40 %")
    assert answer(view).status.isVisible()
    assert answer(view).status.text() == "Reading the prompt, 40 %"
    view.append_text("a", Channel.ANSWER, "Hi")
    view.flush()
    assert not answer(view).status.isVisible()
    view.set_status("a", "Stopping")
    assert answer(view).status.isVisible()
    view.finish_answer("a", FinishReason.CANCELLED, None)
    assert not answer(view).status.isVisible()


def test_a_thought_folds_when_the_answer_begins(view: ConversationView, clock: Clock, qtbot: QtBot) -> None:
    view.begin_answer("a", "model")
    view.append_text("a", Channel.THOUGHT, "Let me see.")
    view.flush()
    thought = answer(view).thought
    assert thought is not None
    assert thought.body.isVisible()
    assert thought.header.text() == "Thinking…"
    clock.now_s += 12
    view.append_text("a", Channel.ANSWER, "It is a cat.")
    view.flush()
    assert not thought.body.isVisible()
    assert thought.header.text() == "Thought for 12 s"
    thought.header.setFocus()
    qtbot.keyClick(thought.header, Qt.Key.Key_Space)
    assert thought.body.isVisible()
    assert thought.body.plain_text() == "Let me see."
    qtbot.keyClick(thought.header, Qt.Key.Key_Return)
    assert thought.is_folded()
    assert view.answer_text("a") == "It is a cat."


def test_a_thought_unfolded_by_hand_stays_unfolded(view: ConversationView, qtbot: QtBot) -> None:
    view.begin_answer("a", "model")
    view.append_text("a", Channel.THOUGHT, "Let me see.")
    view.flush()
    thought = answer(view).thought
    assert thought is not None
    qtbot.mouseClick(thought.header, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(thought.header, Qt.MouseButton.LeftButton)
    view.append_text("a", Channel.ANSWER, "It is a cat.")
    view.flush()
    assert not thought.is_folded()


def test_a_folded_thought_is_not_laid_out(view: ConversationView) -> None:
    view.begin_answer("a", "model")
    view.append_text("a", Channel.THOUGHT, "one ")
    view.flush()
    thought = answer(view).thought
    assert thought is not None
    thought.set_folded(True)
    view.append_text("a", Channel.THOUGHT, "two")
    view.flush()
    assert thought.body.plain_text() == "one"
    thought.set_folded(False)
    view.flush()
    assert thought.body.plain_text() == "one two"


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        (FinishReason.STOP, ""),
        (FinishReason.LENGTH, "Cut at the length limit"),
        (FinishReason.CANCELLED, "Stopped"),
    ],
)
def test_footer_says_how_it_ended(view: ConversationView, reason: FinishReason, word: str) -> None:
    view.begin_answer("a", "model")
    view.append_text("a", Channel.ANSWER, "Hi")
    view.finish_answer("a", reason, STATS)
    footer = answer(view).footer
    assert footer.isVisible()
    assert footer.label.text().startswith(word)
    assert "38.3 tokens/s" in footer.label.text()
    assert "0.42 s to the first token" in footer.label.text()
    assert "Qwen3-VL 4B" in footer.label.toolTip()
    assert footer.retry_button.isVisible() == (reason is FinishReason.CANCELLED)


def test_send_again_after_stop_and_after_failure(view: ConversationView, qtbot: QtBot) -> None:
    view.begin_answer("a", "model")
    view.finish_answer("a", FinishReason.CANCELLED, None)
    with qtbot.waitSignal(view.retry_requested) as retried:
        qtbot.mouseClick(answer(view).footer.retry_button, Qt.MouseButton.LeftButton)
    assert retried.args == ["a"]
    view.begin_answer("b", "model")
    view.append_text("b", Channel.ANSWER, "Half an ans")
    view.fail_answer("b", "The engine stopped.", "Send it again.")
    card = answer(view, "b").error_card
    assert card is not None
    assert card.message.text() == "The engine stopped."
    assert card.remedy.text() == "Send it again."
    view.flush()
    assert answer(view, "b").body.plain_text() == "Half an ans"
    with qtbot.waitSignal(view.retry_requested) as retried:
        qtbot.mouseClick(card.retry_button, Qt.MouseButton.LeftButton)
    assert retried.args == ["b"]


def test_copy_buttons(view: ConversationView, qtbot: QtBot) -> None:
    text = "Run **this**:\n\n```sh\nmake  run\n\t# tab\n```\n"
    shown = show_answer(view, text)
    qtbot.mouseClick(shown.footer.copy_button, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == text
    assert shown.footer.copy_button.accessibleName() == "Copied"
    (piece,) = shown.body.code_pieces()
    qtbot.mouseClick(piece.copy_button, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == "make  run\n\t# tab"
    assert piece.copy_button.text() == "Copied"


def test_copied_code_is_exact_even_where_it_is_shown_otherwise(view: ConversationView) -> None:
    code = "a = '\u202e\u2066x'  # " + "y" * 5000 + "\n\n\nend  "
    (piece,) = show_answer(view, f"```py\n{code}\n```").body.code_pieces()
    assert piece.code() == code.replace("\u202e", "")
    assert "⟨U+2066⟩" in piece.pane.plain_text()
    assert piece.pane.plain_text().count("\n") == 3


def test_select_all_and_copy_take_the_whole_message(view: ConversationView, qtbot: QtBot) -> None:
    shown = show_answer(
        view, "First.\n\n- one\n- two\n\n```py\nx = 1\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nLast."
    )
    pane = shown.body.panes()[0]
    pane.setFocus()
    qtbot.keyClick(pane, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(pane, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == "First.\n• one\n• two\nx = 1\na\tb\n1\t2\nLast."


def test_a_drag_selects_over_panes(view: ConversationView) -> None:
    shown = show_answer(view, "First words.\n\n```py\nx = 1\n```\n\nLast words.")
    first, code, last = shown.body.panes()
    cursor = first.textCursor()
    cursor.setPosition(6)
    first.setTextCursor(cursor)
    cursor = last.textCursor()
    cursor.setPosition(0)
    point = last.viewport().mapToGlobal(last.cursorRect(cursor).center())
    assert shown.group().extend(first, point)
    assert shown.group().selected_text().startswith("words.\nx = 1")
    assert not last.textCursor().hasSelection()
    shown.group().clear_others(first)
    assert not code.textCursor().hasSelection()


def test_context_menus_copy(view: ConversationView) -> None:
    shown = show_answer(view, "See [here](https://e.example/x).")
    pane = shown.body.panes()[0]
    cursor = pane.textCursor()
    cursor.setPosition(pane.link_spans()[0][0] + 1)
    position = pane.cursorRect(cursor).center()
    assert pane.address_at(position) == "https://e.example/x"
    actions = {action.text(): action for action in pane.build_menu(position).actions()}
    assert not actions["Copy"].isEnabled()
    actions["Copy link address"].trigger()
    assert QApplication.clipboard().text() == "https://e.example/x"
    {a.text(): a for a in shown.build_menu().actions()}["Copy message"].trigger()
    assert QApplication.clipboard().text() == "See [here](https://e.example/x)."


def test_restored_answers(view: ConversationView) -> None:
    view.restore_answer("a", "model", "Hello *there*", "A thought", FinishReason.LENGTH, None)
    view.restore_answer("b", "model", "Half", "", None, ("It broke.", "Try again."))
    view.flush()
    first = answer(view)
    assert first.body.plain_text() == "Hello there"
    assert first.thought is not None
    assert first.thought.is_folded()
    assert first.thought.header.text() == "Thought"
    assert first.footer.label.text() == "Cut at the length limit"
    assert answer(view, "b").error_card is not None
    assert view.answer_text("b") == "Half"


def test_everything_is_reached_by_tab(view: ConversationView, qtbot: QtBot) -> None:
    view.add_user_message("u", "hi", [], queued=True)
    view.begin_answer("a", "model")
    view.append_text("a", Channel.THOUGHT, "hm")
    view.append_text("a", Channel.ANSWER, "A [link](https://e.example).\n\n```py\nx\n```\n")
    view.finish_answer("a", FinishReason.CANCELLED, STATS)
    view.flush()
    view.scroll_area.setFocus()
    seen: list[QWidget] = []
    widget = QApplication.focusWidget()
    for _ in range(40):
        if widget is None:
            break
        seen.append(widget)
        widget.focusNextChild()
        widget = QApplication.focusWidget()
    shown = answer(view)
    assert shown.thought is not None
    wanted = [
        *(user_message(view), user_message(view).remove_button, shown, shown.thought.header),
        *(shown.body.panes()[0], shown.body.code_pieces()[0].copy_button),
        *(shown.footer.copy_button, shown.footer.retry_button),
    ]
    assert [type(w).__name__ for w in wanted if w not in seen] == []
    assert all(widget.accessibleName() for widget in wanted if widget is not shown.body.panes()[0])


def test_enter_follows_the_link_that_tab_selected(view: ConversationView, qtbot: QtBot) -> None:
    pane = show_answer(view, "A [one](https://e.example/1) and [two](https://e.example/2).").body.panes()[0]
    pane.setFocus(Qt.FocusReason.TabFocusReason)
    with qtbot.waitSignal(view.link_clicked) as clicked:
        qtbot.keyClick(pane, Qt.Key.Key_Return)
    assert clicked.args == ["https://e.example/1"]
    qtbot.keyClick(pane, Qt.Key.Key_Tab)
    with qtbot.waitSignal(view.link_clicked) as clicked:
        qtbot.keyClick(pane, Qt.Key.Key_Return)
    assert clicked.args == ["https://e.example/2"]


def test_unknown_ids_do_nothing(view: ConversationView) -> None:
    view.append_text("?", Channel.ANSWER, "x")
    view.set_status("?", "x")
    view.finish_answer("?", FinishReason.STOP, None)
    view.fail_answer("?", "x", "y")
    view.remove_message("?")
    assert view.answer_text("?") == ""
    assert messages_in_order(view) == []


class Shouting(QTranslator):
    """Translates everything to capitals."""

    def translate(self, context: str, text: str, disambiguation: str | None = None, n: int = -1) -> str:
        return text.upper()

    def isEmpty(self) -> bool:
        return False


def test_the_language_switches_live(view: ConversationView, qapp: QApplication) -> None:
    view.add_user_message("u", "hi", [], queued=True)
    shown = show_answer(view, "Hi\n\n```py\nx\n```\n")
    translator = Shouting()
    qapp.installTranslator(translator)
    try:
        QCoreApplication.sendPostedEvents(None, QEvent.Type.LanguageChange)
        qapp.processEvents()
        assert user_message(view).queue_label.text() == "QUEUED"
        assert "TOKENS/S" in shown.footer.label.text()
        assert shown.body.code_pieces()[0].copy_button.text() == "COPY"
        assert view.empty.chips[0].text() == "WHAT DOES THIS ERROR MEAN?"
    finally:
        qapp.removeTranslator(translator)
        qapp.processEvents()
    assert user_message(view).queue_label.text() == "Queued"

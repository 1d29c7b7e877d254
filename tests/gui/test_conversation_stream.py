"""Streaming into the view: what is shown, how often, and what is never loaded."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktopapp.engine.events import Channel, FinishReason
from desktopapp.ui.conversation import ConversationView
from desktopapp.ui.conversation.text_pane import SafeDocument, TextPane, shown_address
from desktopapp.ui.theme import ThemeChoice, ThemeController
from tests.gui.conversation import answer, show_answer

FRAGMENTS = st.sampled_from(
    [
        *("# Heading\n", "text ", "**bold** ", "`code` ", "\n", "\n\n", "- item\n", "  - in\n", "1. one\n"),
        *("> quote\n", "```py\n", "```\n", "x = 1\n", "---\n", "| a | b |\n|---|--:|\n", "| 1 | 2 |\n"),
        *(
            "[l](https://e.x/a) ",
            "![i](x.png)",
            "<b>",
            "中文字符。",
            "مرحبا ",
            "\u202e",
            "\x07",
            "- [ ] task\n",
        ),
    ]
)


@pytest.fixture
def view(qtbot: QtBot) -> ConversationView:
    view = ConversationView()
    qtbot.addWidget(view)
    view.resize(900, 600)
    view.show()
    return view


def bottom(view: ConversationView) -> bool:
    bar = view.scroll_area.verticalScrollBar()
    return bar.value() == bar.maximum()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(FRAGMENTS, max_size=30).map("".join), st.integers(0, 100))
def test_pieces_show_what_the_whole_shows(view: ConversationView, text: str, seed: int) -> None:
    view.clear()
    rng = random.Random(seed)
    view.begin_answer("pieces", "model")
    start = 0
    while start < len(text):
        length = rng.randint(1, 12)
        view.append_text("pieces", Channel.ANSWER, text[start : start + length])
        if rng.random() < 0.5:
            view.flush()
        start += length
    view.finish_answer("pieces", FinishReason.STOP, None)
    view.flush()
    whole = show_answer(view, text, "whole")
    assert answer(view, "pieces").body.plain_text() == whole.body.plain_text()
    assert view.answer_text("pieces") == text


def test_layouts_are_coalesced(view: ConversationView, qtbot: QtBot) -> None:
    view.begin_answer("a", "model")
    before = view.layout_count
    for _ in range(500):
        view.append_text("a", Channel.ANSWER, "word ")
    assert view.layout_count == before
    qtbot.waitUntil(lambda: answer(view).body.plain_text().count("word") == 500)
    assert view.layout_count - before <= 3


def test_a_huge_burst_is_shown_in_slices(view: ConversationView, qtbot: QtBot) -> None:
    text = "A paragraph of some words.\n\n" * 4000
    view.append_text("a", Channel.ANSWER, text)
    view.begin_answer("a", "model")
    view.append_text("a", Channel.ANSWER, text)
    view._on_timer()
    shown = len(answer(view).body.plain_text())
    assert 0 < shown < len(text) / 4
    view.flush()
    assert answer(view).body.plain_text().count("paragraph") == 4000


def test_only_the_open_block_is_laid_out_again(view: ConversationView) -> None:
    view.begin_answer("a", "model")
    view.append_text("a", Channel.ANSWER, "One.\n\n```py\nx = 1\n```\n\nTwo.\n\n" + "Three. " * 10)
    view.flush()
    body = answer(view).body
    panes = body.panes()
    revisions = [pane.document().revision() for pane in panes[:-1]]
    first_block = panes[-1].document().firstBlock().revision()
    view.append_text("a", Channel.ANSWER, "and four.\n\nFive.")
    view.flush()
    assert body.panes()[: len(panes)] == panes
    assert [pane.document().revision() for pane in panes[:-1]] == revisions
    assert panes[-1].document().firstBlock().revision() == first_block


def test_code_is_appended_to_and_never_written_again(view: ConversationView) -> None:
    view.begin_answer("a", "model")
    view.append_text("a", Channel.ANSWER, "```py\n" + "x = 1\n" * 50)
    view.flush()
    (piece,) = answer(view).body.code_pieces()
    removed: list[int] = []
    piece.pane.document().contentsChange.connect(lambda _at, gone, _new: removed.append(gone))
    for _ in range(30):
        view.append_text("a", Channel.ANSWER, "y = 'two'\n")
        view.flush()
    # Qt reports a change of format (the colours) as characters replaced by as many.
    assert piece.code() == "x = 1\n" * 50 + "y = 'two'\n" * 29 + "y = 'two'"
    assert all(gone < 2000 for gone in removed)
    assert answer(view).body.code_pieces() == [piece]


def test_a_long_line_of_code_shows_its_begin(view: ConversationView) -> None:
    (piece,) = show_answer(
        view, "```json\n" + '{"bbox_2d": [1, 2, 3, 4]}, ' * 20 + "\n```\n"
    ).body.code_pieces()
    piece.pane.ensureCursorVisible()
    bar = piece.pane.horizontalScrollBar()
    assert (bar.value(), bar.maximum() > 0) == (0, True)
    assert not piece.pane.textCursor().hasSelection()


def test_code_is_coloured(view: ConversationView) -> None:
    (piece,) = show_answer(view, "```python\ndef f():\n    return 'x'  # note\n```\n").body.code_pieces()
    ranges = piece.pane.document().firstBlock().layout().formats()
    assert [(r.start, r.length) for r in ranges][:1] == [(0, 3)]
    assert len(piece.pane.document().lastBlock().layout().formats()) >= 3


def test_an_unknown_language_is_shown_plain(view: ConversationView) -> None:
    (piece,) = show_answer(view, "```no-such-language\nx\n```\n").body.code_pieces()
    assert piece.code() == "x"
    assert piece.label.text() == "no-such-language"
    assert not piece.pane.document().firstBlock().layout().formats()


def test_the_end_is_followed_only_from_the_end(view: ConversationView, qtbot: QtBot) -> None:
    show_answer(view, "Paragraph.\n\n" * 100)
    assert bottom(view)
    view.begin_answer("b", "model")
    view.append_text("b", Channel.ANSWER, "More.\n\n" * 30)
    view.flush()
    assert bottom(view)
    assert not view.jump_button.isVisible()
    view.scroll_area.verticalScrollBar().setValue(300)
    assert view.jump_button.isVisible()
    view.append_text("b", Channel.ANSWER, "Still more.\n\n" * 30)
    view.flush()
    assert view.scroll_area.verticalScrollBar().value() == 300
    qtbot.mouseClick(view.jump_button, Qt.MouseButton.LeftButton)
    assert bottom(view)
    assert not view.jump_button.isVisible()
    view.append_text("b", Channel.ANSWER, "End.\n\n" * 30)
    view.flush()
    assert bottom(view)


def test_sending_goes_to_the_end(view: ConversationView) -> None:
    show_answer(view, "Paragraph.\n\n" * 100)
    view.scroll_area.verticalScrollBar().setValue(0)
    view.add_user_message("u", "next", [])
    view.flush()
    assert bottom(view)


def test_a_change_of_colours_keeps_text_and_place(view: ConversationView, qapp: QApplication) -> None:
    palette, sheet = qapp.palette(), qapp.styleSheet()
    controller = ThemeController(qapp, ThemeChoice.LIGHT)
    try:
        shown = show_answer(view, "Some `code`.\n\n" * 60 + "```py\nx = 1\n```\n\n| a |\n|---|\n| 1 |\n")
        view.scroll_area.verticalScrollBar().setValue(200)
        text = shown.body.plain_text()
        light = shown.body.panes()[0].textCursor().charFormat().foreground().color()
        controller.choose(ThemeChoice.DARK)
        qapp.processEvents()
        view.flush()
        assert shown.body.plain_text() == text
        assert shown.body.panes()[0].textCursor().charFormat().foreground().color() != light
        assert view.scroll_area.verticalScrollBar().value() == 200
    finally:
        controller.deleteLater()
        qapp.setStyleSheet(sheet)
        qapp.setPalette(palette)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Everything that any document was asked to load."""
    asked: list[str] = []

    def spy(self: object, kind: int, name: QUrl | str) -> None:
        asked.append(str(name))

    monkeypatch.setattr(SafeDocument, "loadResource", spy)
    monkeypatch.setattr(TextPane, "loadResource", spy)
    yield asked
    # The spy does see what documents ask for.
    SafeDocument().resource(QTextDocument.ResourceType.ImageResource.value, QUrl("file:///seen.png"))
    assert len(asked) == 1


def test_nothing_is_ever_loaded(view: ConversationView, loads: list[str]) -> None:
    text = (
        "![a](https://e.example/a.png) ![b](file:///etc/passwd) ![c](qrc:/x) ![d](data:image/png;base64,AAAA)\n\n"
        "<img src='file:///e.example/b.png'><link rel=stylesheet href=//e.example/c.css>\n\n"
        "| ![t](https://e.example/t.png) |\n|---|\n| <img src=x> |\n\n- ![l](//e.example/l.png)\n"
    )
    view.add_user_message("u", text, [])
    shown = show_answer(view, text)
    shown.grab()
    assert loads == []
    assert "https://e.example/a.png" in shown.body.plain_text()
    for pane in shown.body.panes():
        assert pane.link_spans() == []


def click_first_link(pane: TextPane, qtbot: QtBot) -> None:
    start, _ = pane.link_spans()[0]
    cursor = pane.textCursor()
    cursor.setPosition(start + 1)
    rect = pane.cursorRect(cursor)
    qtbot.mouseClick(pane.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(rect.left(), rect.center().y()))


def test_a_link_opens_after_a_click_only(view: ConversationView, qtbot: QtBot) -> None:
    clicked: list[str] = []
    view.link_clicked.connect(clicked.append)
    pane = show_answer(view, "[bank.example](https://evil.example/a?b=1)").body.panes()[0]
    assert clicked == []
    click_first_link(pane, qtbot)
    assert clicked == ["https://evil.example/a?b=1"]


def test_a_drag_over_a_link_does_not_open_it(view: ConversationView, qtbot: QtBot) -> None:
    clicked: list[str] = []
    view.link_clicked.connect(clicked.append)
    pane = show_answer(view, "[a long link to somewhere](https://e.example/)").body.panes()[0]
    port = pane.viewport()
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=QPoint(5, 8))
    qtbot.mouseMove(port, QPoint(80, 8))
    pane.selectAll()
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=QPoint(80, 8))
    assert clicked == []


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "ftp://e.example"]
)
def test_other_schemes_are_inert_even_when_forced(view: ConversationView, qtbot: QtBot, address: str) -> None:
    clicked: list[str] = []
    view.link_clicked.connect(clicked.append)
    shown = show_answer(view, f"[go]({address})")
    assert shown.body.panes()[0].link_spans() == []
    shown.body.link_clicked.emit(address)
    assert clicked == []


def test_the_tool_tip_shows_the_real_target() -> None:
    assert (
        shown_address("https://еxample.com/\u202e\u200bx") == "https://xn--xample-2of.com/%E2%80%AE%E2%80%8Bx"
    )
    assert shown_address("https://e.example/?a=1&b=<b>") == "https://e.example/?a=1&b=%3Cb%3E"


@pytest.mark.parametrize(
    "text",
    [
        *(
            ">" * 10_000,
            "[" * 10_000,
            "- " * 5_000,
            "\x00\x01\x1b\u202e\ufffc\ufdd0" * 500,
            "```" + "x" * 9000,
        ),
        *("| a " * 300 + "|\n" + "|---" * 300 + "|\n" + "| b " * 300 + "|\n", "**" * 5000, "\u0301" * 5000),
        *("\U0001f600\u200d" * 2000, "العربية " * 1000, "1. " * 3000, "# " * 3000),
    ],
    ids=lambda text: text[:6].encode("unicode_escape").decode(),
)
def test_hostile_text_is_laid_out(view: ConversationView, text: str) -> None:
    shown = show_answer(view, text)
    shown.grab()
    assert shown.height() > 0

"""Pages that take for ever are given up, and hold nothing else up; a dead process is replaced."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktopapp.attachment_errors import (
    AttachmentGone,
    AttachmentNeedsMemory,
    DocumentDamaged,
    DocumentLocked,
    PageTooSlow,
)
from desktopapp.engine.media import page_process
from desktopapp.engine.media.document import DocumentFile
from desktopapp.engine.media.page_process import DRAW_PAGES, PageProcess, PageSource, end_resting
from tests.documents import write_document
from tests.odd_documents import write_endless, write_picture


@pytest.fixture(autouse=True)
def no_resting_process() -> Iterator[None]:
    """Each test starts its own."""
    end_resting()
    yield
    end_resting()


@pytest.fixture
def good(tmp_path: Path) -> str:
    return str(write_document(tmp_path / "good.pdf", ["First", "Second"]))


@pytest.fixture
def endless(tmp_path: Path) -> str:
    return str(write_endless(tmp_path / "endless.pdf"))


def test_a_page_that_takes_for_ever_is_refused_and_the_next_document_is_read(endless: str, good: str) -> None:
    document = DocumentFile(endless, page_limit_s=0.3)
    with pytest.raises(PageTooSlow, match=r"Page 1 of “endless\.pdf”"):
        document.render(1, 300, 400)
    document.close()
    following = DocumentFile(good)
    assert following.text(2) == "Second"
    following.close()


def test_others_are_read_meanwhile(endless: str, good: str) -> None:
    """Prices are read while pages are drawn, in other threads."""
    document = DocumentFile(endless, page_limit_s=300.0)
    began = threading.Event()

    def draw() -> None:
        began.set()
        with pytest.raises(DocumentDamaged):
            document.render(1, 300, 400)

    source = document._page_source()
    assert source is not None
    assert source._process is not None
    drawing = threading.Thread(target=draw)
    drawing.start()
    began.wait()
    other = DocumentFile(good)
    assert other.text(1) == "First"
    other.close()
    source._process._process.terminate()
    drawing.join()
    document.close()


def test_a_process_serves_document_after_document(good: str) -> None:
    numbers = set()
    for _ in range(2):
        source = PageSource(good, None)
        drawn = source.draw(1, 30, 40)
        assert (drawn.width, drawn.height) >= (28, 40)
        assert source._process is not None
        numbers.add(source._process._process.pid)
        source.close()
    assert len(numbers) == 1


def test_a_rested_process_that_has_ended_is_replaced(good: str) -> None:
    source = PageSource(good, None)
    ask, asked = PageProcess.ask, []

    def end_once(process: PageProcess, **request: Any) -> Any:
        asked.append(request["do"])
        if len(asked) == 1:
            process.close()
            raise EOFError(page_process._IDLE)
        return ask(process, **request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PageProcess, "ask", end_once)
        assert source.text(1) == "First"
    assert asked == ["text", "text"]
    source.close()


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_a_process_that_the_system_kills_again_wanted_too_much_memory(
    good: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, killed = PageProcess.ask, []

    def kill_first(process: PageProcess, **request: Any) -> Any:
        if len(killed) < kills:
            process._process.kill()
            killed.append(process._process.pid)
        return ask(process, **request)

    monkeypatch.setattr(PageProcess, "ask", kill_first)
    source = PageSource(good, None)
    kills = 1
    assert source.text(1) == "First"
    kills = 3
    with pytest.raises(AttachmentNeedsMemory, match=r"good\.pdf"):
        source.text(1)
    assert source.text(2) == "Second"
    assert len(set(killed)) == 3
    source.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is set on Linux")
def test_a_picture_beyond_the_limit_of_the_process_is_refused_and_not_left_out(tmp_path: Path) -> None:
    giant = write_picture(tmp_path / "giant.pdf", (30_000, 30_000))
    source = PageSource(str(giant), None)
    with pytest.raises(AttachmentNeedsMemory, match=r"giant\.pdf"):
        source.draw(1, 30, 40)
    source.close()
    source = PageSource(str(write_picture(tmp_path / "large.pdf", (10_000, 10_000))), None)
    assert source.draw(1, 30, 40).channels == 3
    source.close()


def test_without_a_process_pages_are_drawn_here(good: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in ([sys.executable, "-c", ""], [str(Path(good).with_name("no-such-program"))]):
        monkeypatch.setattr(page_process, "_command", lambda command=command: command)
        document = DocumentFile(good)
        assert document._page_source() is None
        assert document.text(2) == "Second"
        assert document.render(1, 59, 84).shape == (84, 59, 3)
        document.close()


def test_errors_cross_the_border(good: str, tmp_path: Path) -> None:
    locked = str(write_document(tmp_path / "locked.pdf", ["x"], password="sesame"))
    rubbish = tmp_path / "rubbish.pdf"
    rubbish.write_bytes(b"%PDF-1.7 rubbish")
    cases = {
        locked: DocumentLocked,
        str(rubbish): DocumentDamaged,
        str(tmp_path / "gone.pdf"): AttachmentGone,
    }
    for path, kind in cases.items():
        source = PageSource(path, None)
        with pytest.raises(kind, match=Path(path).name):
            source.draw(1, 10, 10)
        source.close()
    source = PageSource(good, None)
    with pytest.raises(DocumentDamaged):
        source.text(3)
    assert source.text(1) == "First"
    source.close()


def test_the_programs_word_serves_pages() -> None:
    """The program itself, as an installed one starts it."""
    assert page_process._command()[-1] == DRAW_PAGES
    process = PageProcess()
    answer, payload = process.ask(do="close")
    assert (answer, payload) == ({"bytes": 0}, b"")
    process.close()
    assert process._process.returncode == 0

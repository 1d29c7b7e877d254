"""PDF documents: ranges, sizes, locks, damage, and pages that are drawn only when asked."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from desktopapp.attachment_errors import (
    AttachmentError,
    AttachmentGone,
    DocumentDamaged,
    DocumentLocked,
    PagesMissing,
)
from desktopapp.engine.media.document import (
    PAGE_PIXEL_LIMIT,
    DocumentFile,
    open_document,
    page_pixels,
)
from desktopapp.engine.media.selection import MediaSelection
from tests.documents import write_document


@pytest.fixture
def three(tmp_path: Path) -> str:
    return str(write_document(tmp_path / "three.pdf", ["First", "Second (2)", "Third"]))


def test_pages_are_drawn_black_on_white_and_upright(three: str) -> None:
    document, pages = open_document(three)
    assert [(page.number, page.width, page.height) for page in pages] == [(n, 992, 1403) for n in (1, 2, 3)]
    pixels = pages[0].decode()
    assert (pixels.shape, pixels.dtype) == ((1403, 992, 3), np.uint8)
    assert pixels[0, 0].tolist() == [255, 255, 255]
    dark = np.argwhere(pixels[:, :, 0] < 100)
    # The line stands in the middle of the page, at its left.
    assert 600 < dark[:, 0].mean() < 760
    assert 60 < dark[:, 1].min() < 90
    assert not (pages[1].decode() == pixels).all()
    document.close()


def test_the_text_is_read_on_request(three: str) -> None:
    document, pages = open_document(three)
    assert [page.text() for page in pages] == ["First", "Second (2)", "Third"]
    document.close()


def test_a_scanned_page_has_a_picture_and_no_text(tmp_path: Path) -> None:
    path = tmp_path / "scan.pdf"
    Image.new("RGB", (600, 800), (200, 30, 30)).save(path)
    document, (page,) = open_document(str(path))
    assert page.text() == ""
    assert np.abs(page.decode().astype(int).mean(axis=(0, 1)) - [200, 30, 30]).max() < 4
    document.close()


@pytest.mark.parametrize(("first", "last", "numbers"), [(1, 1, [1]), (2, None, [2, 3]), (2, 3, [2, 3])])
def test_page_ranges(three: str, first: int, last: int | None, numbers: list[int]) -> None:
    document, pages = open_document(three, MediaSelection(first_page=first, last_page=last, dpi=60))
    assert [page.number for page in pages] == numbers
    assert (pages[0].width, pages[0].height) == (496, 702)
    document.close()


@pytest.mark.parametrize(("first", "last"), [(0, 2), (4, None), (3, 2), (1, 9)])
def test_ranges_outside_of_the_document(three: str, first: int, last: int | None) -> None:
    with pytest.raises(PagesMissing, match="3 pages"):
        open_document(three, MediaSelection(first_page=first, last_page=last))


def test_a_locked_document_asks_for_its_password(tmp_path: Path) -> None:
    path = str(write_document(tmp_path / "locked.pdf", ["a"], password="sesame"))
    for wrong in (None, "", "open"):
        with pytest.raises(DocumentLocked):
            open_document(path, MediaSelection(password=wrong))
    document, pages = open_document(path, MediaSelection(password="sesame"))
    assert pages[0].decode().shape == (1403, 992, 3)
    document.close()


def test_damaged_empty_and_missing_files(tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.pdf"
    rubbish.write_bytes(b"%PDF-1.7\n" + bytes(range(256)) * 4)
    with pytest.raises(DocumentDamaged):
        open_document(str(rubbish))
    with pytest.raises(DocumentDamaged):
        open_document(str(write_document(tmp_path / "empty.pdf", [])))
    with pytest.raises(AttachmentGone):
        open_document(str(tmp_path / "gone.pdf"))


def test_ten_thousand_pages_open_without_their_content(tmp_path: Path) -> None:
    path = write_document(tmp_path / "long.pdf", [str(number) for number in range(10_000)])
    document, pages = open_document(str(path))
    assert len(pages) == 10_000
    assert pages[9_999].text() == "9999"
    document.close()


@given(width=st.floats(0.01, 1e7), height=st.floats(0.01, 1e7), dpi=st.integers(24, 600))
def test_every_page_gets_a_size_that_a_model_takes(width: float, height: float, dpi: int) -> None:
    columns, rows = page_pixels(width, height, dpi)
    assert min(columns, rows) >= 1
    assert columns * rows <= PAGE_PIXEL_LIMIT * 1.01
    assert max(columns, rows) <= 200 * min(columns, rows)


@pytest.mark.parametrize("size", [(14_400, 14_400), (3, 3), (14_400, 2)])
def test_giant_and_tiny_pages_are_drawn(tmp_path: Path, size: tuple[float, float]) -> None:
    path = write_document(tmp_path / "odd.pdf", ["x"], size)
    document, (page,) = open_document(str(path))
    assert page.decode().shape == (page.height, page.width, 3)
    document.close()


def test_two_threads_at_once(three: str) -> None:
    """PDFium knows no threads: prices are read while pages are drawn."""
    wrong: list[str] = []

    def read() -> None:
        for _ in range(20):
            document, pages = open_document(three, MediaSelection(dpi=40))
            if [page.text() for page in pages] != ["First", "Second (2)", "Third"]:
                wrong.append("text")
            pages[0].decode()
            document.close()

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_damage_anywhere_ends_in_a_page_or_one_error(three: str, tmp_path: Path) -> None:
    whole = Path(three).read_bytes()
    broken = tmp_path / "broken.pdf"
    random = np.random.default_rng(3)
    outcomes = set()
    for _ in range(150):
        data = bytearray(whole)
        for at in random.integers(0, len(data), 6):
            data[at] = random.integers(0, 256)
        broken.write_bytes(bytes(data[: random.integers(100, len(data))]))
        try:
            document, pages = open_document(str(broken))
        except AttachmentError as error:
            outcomes.add(error.error)
            continue
        try:
            outcomes.add(pages[0].decode().shape[2])
        except AttachmentError as error:
            outcomes.add(error.error)
        document.close()
    assert 3 in outcomes
    assert "DocumentDamaged" in outcomes


def test_a_closed_document_lets_go_of_its_file(three: str) -> None:
    document = DocumentFile(three)
    document.close()
    Path(three).unlink()
    assert not Path(three).exists()

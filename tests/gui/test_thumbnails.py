"""Thumbnails: right, limited, and never in the window's way."""

import time
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from desktopapp.ui import thumbnails
from desktopapp.ui.pasted_pictures import save_pasted
from desktopapp.ui.thumbnails import THUMBNAIL_PX, ThumbnailLoader, read_thumbnail


def picture(path: Path, width: int, height: int) -> str:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor("#cc3344"))
    assert image.save(str(path))
    return str(path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "tiff", "gif"])
def test_formats_are_known_by_their_content(tmp_path: Path, suffix: str) -> None:
    made = tmp_path / f"picture.{suffix}"
    if suffix == "gif":
        made.write_bytes(
            b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
            b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
        )
    else:
        picture(made, 400, 100)
    disguised = tmp_path / "no suffix"
    made.rename(disguised)
    image = read_thumbnail(str(disguised))
    assert image is not None
    assert max(image.width(), image.height()) <= THUMBNAIL_PX


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no picture",
        b"\x89PNG\r\n\x1a\n",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
    ],
    ids=["empty", "text", "cut", "svg"],
)
def test_what_is_no_picture_has_no_thumbnail(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    assert read_thumbnail(str(path)) is None


def test_no_thumbnail_of_what_is_gone_a_folder_or_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_thumbnail(str(tmp_path / "gone.png")) is None
    assert read_thumbnail(str(tmp_path)) is None
    assert read_thumbnail("\0") is None
    path = picture(tmp_path / "a.png", 100, 100)
    monkeypatch.setattr(thumbnails, "_MOST_PIXELS", 9_999)
    assert read_thumbnail(path) is None


def test_pasted_file_is_whole_or_absent(tmp_path: Path) -> None:
    image = QImage(20, 10, QImage.Format.Format_ARGB32)
    image.fill(QColor(10, 20, 30, 40))
    path = tmp_path / "new" / "pasted.png"
    assert save_pasted(image, path)
    assert QImage(str(path)).pixelColor(3, 3).alpha() == 40
    assert [found.name for found in path.parent.iterdir()] == ["pasted.png"]
    assert not save_pasted(QImage(), tmp_path / "null.png")
    assert not (tmp_path / "null.png").exists()


def longest_gap_while_loading(path: str, qtbot: QtBot) -> float:
    """The window's longest stop while a thumbnail is made, as a share of what that takes."""
    loader = ThumbnailLoader()
    moments = [time.perf_counter()]
    timer = QTimer()
    timer.timeout.connect(lambda: moments.append(time.perf_counter()))
    timer.start(1)
    with qtbot.waitSignal(loader.loaded):
        loader.load(path)
    moments.append(time.perf_counter())
    timer.stop()
    loader.close()
    return max(after - before for before, after in pairwise(moments)) / (moments[-1] - moments[0])


def test_large_pictures_do_not_stop_the_window(tmp_path: Path, qtbot: QtBot) -> None:
    path = picture(tmp_path / "large.png", 6000, 5000)
    # Decoding holds no lock that the window's thread needs: it ticks on meanwhile. A machine that is busy may keep
    # the window waiting once, but not each time.
    assert any(longest_gap_while_loading(path, qtbot) < 0.7 for _ in range(5))


def test_closing_waits_for_a_pasted_picture(tmp_path: Path) -> None:
    loader = ThumbnailLoader()
    image = QImage(3000, 2000, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    loader.save(image, tmp_path / "pasted.png")
    loader.close()
    assert (tmp_path / "pasted.png").exists()

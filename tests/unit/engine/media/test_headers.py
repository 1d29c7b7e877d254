import os
from pathlib import Path

import pytest
from PIL import Image

from desktopapp.attachment_errors import AttachmentGone, NotAnImage
from desktopapp.engine.media.attachment import OpenMedia, open_media
from desktopapp.engine.media.headers import MOST_HEADERS, HeaderCache
from desktopapp.engine.media.price import price_attachment
from desktopapp.engine.media.selection import MediaSelection
from desktopapp.engine.prompt_parts import PixelBudget, VideoBudget
from desktopapp.engine.request import Attachment


class Opened:
    """Counts which files are opened."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def __call__(self, path: str, selection: MediaSelection) -> OpenMedia:
        self.paths.append(path)
        return open_media(path, selection)


def write_png(path: Path, width: int, height: int, age_s: float = 3600) -> str:
    Image.new("RGB", (width, height)).save(path)
    os.utime(path, (path.stat().st_mtime - age_s,) * 2)
    return str(path)


def test_a_known_file_is_not_opened_again_whatever_the_budget(tmp_path: Path) -> None:
    opened = Opened()
    headers = HeaderCache(opened)
    attachments = [Attachment(write_png(tmp_path / f"{n}.png", 640, 480)) for n in range(100)]
    for budget in (PixelBudget(), PixelBudget(max_pixels=256 * 32 * 32), PixelBudget()):
        prices = [price_attachment(one, budget, VideoBudget(), headers) for one in attachments]
        assert len({price.tokens for price in prices}) == 1
        assert prices[0].tokens <= budget.max_pixels // 32**2
    assert len(opened.paths) == 100


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    opened = Opened()
    headers = HeaderCache(opened)
    attachment = Attachment(write_png(tmp_path / "a.png", 640, 480))
    assert headers.read(attachment).sizes == ((640, 480),)
    write_png(tmp_path / "a.png", 320, 200, age_s=1800)
    assert headers.read(attachment).sizes == ((320, 200),)
    assert len(opened.paths) == 2


def test_a_file_that_was_just_written_is_not_believed_to_stay(tmp_path: Path) -> None:
    opened = Opened()
    headers = HeaderCache(opened)
    attachment = Attachment(write_png(tmp_path / "a.png", 64, 64, age_s=0))
    headers.read(attachment)
    headers.read(attachment)
    assert len(opened.paths) == 2


def test_each_selection_is_a_header_of_its_own(tmp_path: Path) -> None:
    opened = Opened()
    headers = HeaderCache(opened)
    path = write_png(tmp_path / "a.png", 64, 64)
    for selection in (MediaSelection(), MediaSelection(dpi=200), MediaSelection()):
        headers.read(Attachment(path, selection))
    assert len(opened.paths) == 2


def test_what_cannot_be_read_is_tried_again(tmp_path: Path) -> None:
    headers = HeaderCache()
    file = tmp_path / "a.png"
    with pytest.raises(AttachmentGone):
        headers.read(Attachment(str(file)))
    file.write_bytes(b"no picture")
    os.utime(file, (0, 0))
    with pytest.raises(NotAnImage):
        headers.read(Attachment(str(file)))
    write_png(file, 64, 64)
    assert headers.read(Attachment(str(file))).sizes == ((64, 64),)


def test_the_oldest_headers_are_forgotten(tmp_path: Path) -> None:
    opened = Opened()
    headers = HeaderCache(opened)
    path = write_png(tmp_path / "a.png", 64, 64)
    first = Attachment(path, MediaSelection(dpi=24))
    headers.read(first)
    for number in range(MOST_HEADERS):
        headers.read(Attachment(path, MediaSelection(frames=number + 1)))
    count = len(opened.paths)
    headers.read(first)
    assert len(opened.paths) == count + 1

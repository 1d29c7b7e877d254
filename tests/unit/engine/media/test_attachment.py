"""A dropped file is taken for what it holds, and its price is that of what the model is then shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from desktopapp.attachment_errors import NotAnImage
from desktopapp.engine.media.attachment import open_media
from desktopapp.engine.media.headers import HeaderCache
from desktopapp.engine.media.kind import MediaKind
from desktopapp.engine.media.price import price_attachment
from desktopapp.engine.media.selection import MediaSelection
from desktopapp.engine.prompt_parts import PixelBudget, VideoBudget
from desktopapp.engine.request import Attachment
from tests.clips import write_clip
from tests.documents import write_document

PICTURES, VIDEOS = PixelBudget(), VideoBudget()


def animation(path: Path, frames: int = 6, shown_ms: int = 250) -> str:
    shades = [Image.new("RGB", (64, 48), (40 * number, 0, 0)) for number in range(frames)]
    shades[0].save(path, save_all=True, append_images=shades[1:], duration=shown_ms, loop=0, lossless=True)
    return str(path)


def test_the_content_decides_and_not_the_name(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    kinds = {
        (tmp_path / "a.png").rename(tmp_path / "picture.mp4"): MediaKind.PICTURE,
        write_clip(tmp_path / "b.mkv", 8).rename(tmp_path / "video.pdf"): MediaKind.VIDEO,
        write_document(tmp_path / "c.pdf", ["x"]).rename(tmp_path / "page.png"): MediaKind.DOCUMENT,
    }
    for path, kind in kinds.items():
        media = open_media(str(path))
        assert media.kind is kind
        media.close()
    text = tmp_path / "text.pdf"
    text.write_text("no document")
    with pytest.raises(NotAnImage):
        open_media(str(text))


def test_prices_by_the_header(tmp_path: Path) -> None:
    clip = price_attachment(Attachment(str(write_clip(tmp_path / "a.mp4"))), PICTURES, VIDEOS, HeaderCache())
    assert (clip.kind, clip.width, clip.height, clip.frames) == ("video", 160, 64, 6)
    assert clip.tokens == 3 * 5 * 2
    assert clip.duration_s == pytest.approx(3.0, abs=0.01)
    path = str(write_document(tmp_path / "a.pdf", ["1", "2", "3"]))
    whole = price_attachment(Attachment(path), PICTURES, VIDEOS, HeaderCache())
    assert (whole.kind, whole.pages, whole.tokens) == ("document", 3, 3 * 31 * 44)
    part = price_attachment(Attachment(path, MediaSelection(2, 2, dpi=60)), PICTURES, VIDEOS, HeaderCache())
    assert (part.pages, part.tokens) == (3, 16 * 22)


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_an_animation_is_a_video_when_asked(tmp_path: Path, suffix: str) -> None:
    path = animation(tmp_path / f"a{suffix}")
    still = open_media(path)
    assert still.kind is MediaKind.PICTURE
    media = open_media(path, MediaSelection(as_video=True, fps=4))
    assert media.video is not None
    assert media.video.duration_s == pytest.approx(1.5)
    assert media.video.frame_times_s == pytest.approx([0, 0.25, 0.5, 0.75, 1.0, 1.25])
    reds = [int(media.video.decode(index)[0, 0, 0]) for index in (0, 3, 5, 1)]
    assert reds == pytest.approx([0, 120, 200, 40], abs=2)
    media.close()

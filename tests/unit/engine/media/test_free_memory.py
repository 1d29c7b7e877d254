"""A file that would fill the memory is not decoded: one sentence says so. What files take is measured, docs/memory.md."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from desktopapp.attachment_errors import AttachmentNeedsMemory, ImageTooLarge
from desktopapp.engine.media import free_memory, video
from desktopapp.engine.media.animation import AnimationFile
from desktopapp.engine.media.free_memory import check_free
from desktopapp.engine.media.image import open_image
from desktopapp.engine.media.image_pixels import STRIPS_BYTES
from desktopapp.engine.media.pdfium_pages import draw_page, load_document
from desktopapp.engine.media.selection import MediaSelection
from desktopapp.engine.media.video import open_video
from tests.clips import write_clip
from tests.image_files import Save, quadrants
from tests.odd_documents import write_nested_picture, write_picture

PIXELS = 48 * 32
SetFree = Callable[[int], None]


@pytest.fixture
def set_free(monkeypatch: pytest.MonkeyPatch) -> SetFree:
    """Says how much memory is free."""

    def set_available(free_bytes: int) -> None:
        memory = SimpleNamespace(available=free_bytes)
        monkeypatch.setattr(free_memory.psutil, "virtual_memory", lambda: memory)

    return set_available


def refuse(read: Callable[[], object], name: str) -> None:
    with pytest.raises(AttachmentNeedsMemory, match=name) as caught:
        read()
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("name", "orientation", "bytes_per_pixel"),
    [
        ("a.png", 1, 7),
        ("a.jpg", 6, 11),
        ("a.tiff", 1, 35),
        ("a.webp", 1, 16),
        ("a.avif", 1, 11),
        ("a.heic", 1, 10),
    ],
)
def test_pictures(save: Save, set_free: SetFree, name: str, orientation: int, bytes_per_pixel: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = quadrants().convert("F") if name == "a.tiff" else quadrants()
    opened = open_image(save(picture, name, exif=exif))
    needed = PIXELS * bytes_per_pixel + STRIPS_BYTES
    set_free(needed - 1)
    refuse(opened.decode, name)
    set_free(needed)
    assert opened.decode().shape[2] == 3


@pytest.mark.parametrize("name", ["a.gif", "a.webp"])
def test_animations(save: Save, set_free: SetFree, name: str) -> None:
    path = save(quadrants(), name, save_all=True, append_images=[Image.new("RGB", (48, 32))], duration=100)
    selection = MediaSelection(as_video=True)
    needed = PIXELS * 16 + STRIPS_BYTES
    set_free(needed - 1)
    refuse(lambda: AnimationFile(path, selection), name)
    set_free(needed)
    opened = AnimationFile(path, selection)
    set_free(needed - 1)
    refuse(lambda: opened.decode(0), name)
    set_free(needed)
    assert opened.decode(1).shape == (32, 48, 3)
    opened.close()


@pytest.mark.parametrize(
    ("decoder", "bytes_per_pixel"),
    [(b"FlateDecode", 5), (b"DCTDecode", 5), (b"JPXDecode", 16), (b"CCITTFaxDecode", 1), (b"JBIG2Decode", 1)],
)
def test_pages(tmp_path: Path, set_free: SetFree, decoder: bytes, bytes_per_pixel: int) -> None:
    path = write_picture(tmp_path / "a.pdf", (3000, 2000), decoder)
    needed = 3000 * 2000 * bytes_per_pixel + 30 * 40 * 12
    check_page(path, needed, set_free)


def test_a_picture_in_a_form_on_a_page(tmp_path: Path, set_free: SetFree) -> None:
    check_page(
        write_nested_picture(tmp_path / "a.pdf", (3000, 2000)), 3000 * 2000 * 5 + 30 * 40 * 12, set_free
    )


def check_page(path: Path, needed: int, set_free: SetFree) -> None:
    with path.open("rb") as file:
        document = load_document(file, None, path.name)
        set_free(needed - 1)
        refuse(lambda: draw_page(document, 1, 30, 40, path.name), "a.pdf")
        set_free(needed)
        assert draw_page(document, 1, 30, 40, path.name).height == 40
        document.close()


def test_videos(tmp_path: Path, set_free: SetFree) -> None:
    path = str(write_clip(tmp_path / "a.mp4", 3, size=(160, 64)))
    set_free(160 * 64 * 16 - 1)
    refuse(lambda: open_video(path), "a.mp4")
    set_free(160 * 64 * 16)
    opened = open_video(path)
    needed = 160 * 64 * 50
    set_free(needed - 1)
    refuse(lambda: opened.decode(0), "a.mp4")
    set_free(needed)
    assert opened.decode(0).shape == (64, 160, 3)
    opened.close()


@pytest.mark.parametrize(
    ("cpus", "free_bytes", "threads"),
    [(6, 53_999, 1), (6, 54_000, 2), (6, 70_000, 6), (None, 70_000, 1), (64, 2**40, 16)],
)
def test_a_video_is_decoded_by_as_many_threads_as_there_is_memory_for(
    set_free: SetFree, monkeypatch: pytest.MonkeyPatch, cpus: int | None, free_bytes: int, threads: int
) -> None:
    monkeypatch.setattr(video.os, "cpu_count", lambda: cpus)
    set_free(free_bytes)
    assert video._affordable_threads((50, 20), "a.mp4") == threads


def test_frames_that_are_too_large_are_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_clip(tmp_path / "a.mp4", 3, size=(160, 64))
    monkeypatch.setattr(video, "_PIXEL_LIMIT", 160 * 64 - 1)
    with pytest.raises(ImageTooLarge, match="160 × 64"):
        open_video(str(path))


@pytest.mark.skipif(sys.platform != "linux", reason="such a limit is asked for on Linux")
def test_a_limit_of_the_process_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    used = 2**30
    process = SimpleNamespace(memory_info=lambda: SimpleNamespace(vms=used))
    monkeypatch.setattr(free_memory.psutil, "Process", lambda: process)
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (used + 1000, used + 1000))
    check_free(1000, "a.png")
    refuse(lambda: check_free(1001, "a.png"), "a.png")
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    check_free(1001, "a.png")

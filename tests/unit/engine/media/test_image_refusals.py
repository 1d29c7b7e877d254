"""Files that are no usable pictures are refused by name, before anything large is allocated."""

from __future__ import annotations

import io
import os
import struct
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, features

from desktopapp import attachment_errors, errors
from desktopapp.engine.media import image as image_module
from desktopapp.engine.media.image import PIXEL_LIMIT, open_image
from tests.image_files import Save, half_transparent, pixels, png, quadrants, tiff16


def refused(path: Path | str, kind: type[errors.AppError]) -> errors.AppError:
    with pytest.raises(kind) as caught:
        open_image(str(path)).decode()
    assert caught.value.message
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"B",
        b"BM is how this text begins",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"hello",
        b"%PDF-1.7\n",
        b"\0" * 100,
        b"\0\0\0\x18ftypisom\0\0\0\0isommp42",
    ],
)
def test_what_is_no_picture(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "thing.png"
    path.write_bytes(content)
    assert "thing.png" in refused(path, attachment_errors.NotAnImage).message


def test_a_folder_is_named_as_one(tmp_path: Path) -> None:
    refused(tmp_path, attachment_errors.AttachmentIsFolder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_without_a_writer_does_not_hang(tmp_path: Path) -> None:
    path = tmp_path / "pipe.png"
    os.mkfifo(path)
    refused(path, attachment_errors.NotAnImage)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs device files")
def test_a_device_is_no_picture() -> None:
    refused("/dev/zero", attachment_errors.NotAnImage)


@pytest.mark.parametrize("path", ["/nowhere/a.png", "a\0b.png", "main.py/a.png"])
def test_a_path_that_leads_nowhere(path: str) -> None:
    refused(path, attachment_errors.AttachmentGone)


def test_a_file_that_may_not_be_read(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(quadrants(), "a.png")

    def forbid(*_arguments: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", forbid)
    refused(path, attachment_errors.AttachmentUnreadable)


def test_a_file_that_goes_between_opening_and_decoding(save: Save) -> None:
    path = save(quadrants(), "a.png")
    opened = open_image(path)
    Path(path).unlink()
    with pytest.raises(attachment_errors.AttachmentGone):
        opened.decode()


def test_a_file_that_is_replaced_between_opening_and_decoding(save: Save) -> None:
    opened = open_image(save(quadrants(), "a.png"))
    save(Image.new("RGB", (7, 7)), "a.png")
    with pytest.raises(attachment_errors.AttachmentChanged):
        opened.decode()


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.gif", "a.bmp", "a.tif", "a.avif", "a.heic"])
@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_file_cut_short(save: Save, name: str, kept: float) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    path = Path(save(noise, name))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    refused(path, attachment_errors.ImageDamaged)


@pytest.mark.parametrize(
    "signature",
    [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF\xff\0\0\0WEBP", b"II*\0", b"MM\0+"],
)
def test_a_signature_without_a_picture(tmp_path: Path, signature: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(signature)
    refused(path, attachment_errors.ImageDamaged)


def test_a_sound_file_of_an_unknown_kind_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(tiff16(photometric=9, bits=16, samples=[0]))
    refused(path, attachment_errors.NotAnImage)


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0), (0, 0)])
def test_a_side_of_zero(tmp_path: Path, width: int, height: int) -> None:
    files = {
        "a.png": png(2, 8, width, height, b""),
        "a.gif": b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + b";",
        "a.bmp": b"BM" + bytes(12) + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        refused(tmp_path / name, attachment_errors.ImageEmpty)


def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png(0, 1, 60_000, 60_000, b"\0" * 1000))
    error = refused(path, attachment_errors.ImageTooLarge)
    assert "60000 × 60000" in error.message


def test_a_webp_that_claims_a_huge_canvas(save: Save, tmp_path: Path) -> None:
    path = Path(save(half_transparent("RGBA"), "a.webp"))
    content = bytearray(path.read_bytes())
    assert content[12:16] == b"VP8X"
    content[24:30] = b"\xff\xff\x00\xff\xff\x00"
    path.write_bytes(content)
    refused(path, attachment_errors.ImageTooLarge)


def test_pillows_own_bomb_warning_never_leaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.gif"
    # The screen is small, the frame on it is not: Pillow's GIF decoder checks that by itself.
    frame = b"," + struct.pack("<HHHHB", 0, 0, 20_000, 15_000, 0) + b"\x02\x02\x44\x01\x00;"
    path.write_bytes(b"GIF89a" + struct.pack("<HHBBB", 2, 2, 0x80, 0, 0) + bytes(6) + frame)
    with warnings.catch_warnings(record=True) as leaked:
        warnings.simplefilter("always")
        refused(path, attachment_errors.AttachmentError)
    assert not leaked


def test_the_limit_leaves_the_largest_cameras_in() -> None:
    assert PIXEL_LIMIT >= 16_320 * 12_240


@pytest.mark.parametrize(
    ("size", "fits"), [((200, 1), True), ((201, 1), False), ((1, 201), False), ((2, 400), True)]
)
def test_the_aspect_ratio_has_a_limit(save: Save, size: tuple[int, int], fits: bool) -> None:
    path = save(Image.new("L", size), "a.png")
    if fits:
        assert pixels(path).shape[:2] == size[::-1]
    else:
        refused(path, attachment_errors.ImageTooNarrow)


def test_memory_that_runs_out_is_not_called_damage(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = open_image(save(quadrants(), "a.png"))

    def exhaust(_image: Image.Image) -> None:
        raise MemoryError

    monkeypatch.setattr(image_module, "to_rgb", exhaust)
    with pytest.raises(attachment_errors.AttachmentNeedsMemory, match=r"a\.png"):
        opened.decode()


def test_headers_can_be_read_from_two_threads(save: Save) -> None:
    path = save(quadrants(), "a.png")
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(50):
                assert pixels(path).shape == (32, 48, 3)
        except BaseException as error:  # noqa: BLE001 - handed to the test's thread
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures


def _seed_files() -> list[bytes]:
    import pillow_heif

    pillow_heif.register_heif_opener()
    seeds = []
    exif = Image.Exif()
    exif[0x0112] = 6
    for name, mode, options in [
        ("PNG", "RGBA", {"exif": exif}),
        ("PNG", "P", {}),
        ("PNG", "I;16", {}),
        ("JPEG", "RGB", {"exif": exif}),
        ("JPEG", "CMYK", {}),
        ("WEBP", "RGBA", {}),
        ("BMP", "RGB", {}),
        ("TIFF", "RGB", {"compression": "tiff_lzw", "exif": exif}),
        ("TIFF", "F", {}),
        ("GIF", "P", {}),
        ("AVIF", "RGB", {}),
        ("HEIF", "RGB", {}),
    ]:
        buffer = io.BytesIO()
        quadrants("L" if mode == "I;16" else mode).convert(mode).save(buffer, name, **options)
        seeds.append(buffer.getvalue())
    return seeds


SEEDS = _seed_files()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_mutated_file_gives_an_array_or_a_typed_error(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 6))):
        # Headers are where decoders go wrong, so half of the changes fall there.
        limit = min(len(content), 200) if data.draw(st.booleans()) else len(content)
        start = data.draw(st.integers(0, limit - 1))
        patch = data.draw(
            st.binary(min_size=0, max_size=4) | st.sampled_from([b"\xff\xff\xff\xff", b"\0\0\0\0"])
        )
        content[start : start + data.draw(st.integers(0, 4))] = patch
        if not content:
            break
    path = tmp_path / "mutated"
    path.write_bytes(content)
    try:
        opened = open_image(str(path))
        assert opened.decode().shape == (opened.height, opened.width, 3)
    except errors.AppError:
        pass


def test_the_formats_that_are_promised_are_compiled_in() -> None:
    assert all(features.check(name) for name in ("jpg", "zlib", "webp", "libtiff", "avif"))

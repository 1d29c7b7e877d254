from __future__ import annotations

import io
import os
import struct
import threading
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, features

from desktopapp import errors
from desktopapp.engine.media import image as image_module
from desktopapp.engine.media.image import PIXEL_LIMIT, open_image

Save = Callable[..., str]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def write(picture: Image.Image, name: str, **options: Any) -> str:
        path = tmp_path / name
        if path.suffix == ".heic":
            import pillow_heif

            pillow_heif.register_heif_opener()
        picture.save(path, **options)
        return str(path)

    return write


def quadrants(mode: str = "RGB") -> Image.Image:
    """48 x 32: red, green over blue, white; tells every orientation from the others."""
    picture = Image.new("RGB", (48, 32))
    colours = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255))
    for index, colour in enumerate(colours):
        left, top = index % 2 * 24, index // 2 * 16
        picture.paste(colour, (left, top, left + 24, top + 16))
    return picture.convert(mode)


def pixels(path: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    opened = open_image(path)
    decoded = opened.decode()
    assert decoded.dtype == np.uint8
    assert decoded.shape == (opened.height, opened.width, 3)
    assert decoded.flags.c_contiguous
    assert decoded.flags.writeable
    return decoded


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.png", {}),
        ("a.jpg", {"quality": 95}),
        ("a.webp", {"lossless": True}),
        ("a.webp", {"quality": 95}),
        ("a.bmp", {}),
        ("a.tiff", {}),
        ("a.tif", {"compression": "tiff_lzw"}),
        ("a.tif", {"compression": "jpeg"}),
        ("a.gif", {}),
        ("a.avif", {"quality": 95}),
        ("a.heic", {"quality": 95}),
    ],
)
def test_every_format_gives_the_same_picture(save: Save, name: str, options: dict[str, Any]) -> None:
    decoded = pixels(save(quadrants(), name, **options)).astype(int)
    for y, x, colour in (
        (8, 12, (255, 0, 0)),
        (8, 36, (0, 255, 0)),
        (24, 12, (0, 0, 255)),
        (24, 36, (255,) * 3),
    ):
        assert abs(decoded[y, x] - colour).max() <= 12


def test_the_name_of_the_file_does_not_matter(save: Save) -> None:
    path = Path(save(quadrants(), "a.png"))
    renamed = path.rename(path.with_name("picture.txt"))
    assert open_image(str(renamed)).width == 48


def test_a_name_that_is_no_ascii(save: Save) -> None:
    assert open_image(save(quadrants(), "截图 №1.png")).height == 32


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.avif", "a.tif", "a.heic"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(save: Save, name: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = (
        {"lossless": True} if name == "a.webp" else {} if name in ("a.png", "a.tif") else {"quality": 95}
    )
    upright = quadrants()
    undo = {
        2: 0,
        3: 3,
        4: 1,
        5: 5,
        6: 2,
        7: 6,
        8: 4,
    }  # Image.Transpose that turns upright into what is stored
    stored = upright.transpose(Image.Transpose(undo[orientation])) if orientation in undo else upright
    path = save(stored, name, exif=exif.tobytes(), **options)
    opened = open_image(path)
    assert (opened.width, opened.height) == (48, 32)
    assert np.abs(pixels(path)[4:-4:8, 4:-4:8].astype(int) - np.asarray(upright)[4:-4:8, 4:-4:8]).max() <= 12


def test_a_damaged_exif_block_does_not_cost_the_picture(save: Save) -> None:
    assert pixels(save(quadrants(), "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff garbage")).shape == (
        32,
        48,
        3,
    )
    assert pixels(save(quadrants(), "a.png", exif=b"\0\1\2")).shape == (32, 48, 3)


def half_transparent(mode: str) -> Image.Image:
    """Left half black and opaque, right half black and transparent."""
    picture = Image.new("RGBA", (8, 4), (0, 0, 0, 255))
    picture.paste((0, 0, 0, 0), (4, 0, 8, 4))
    return picture.convert(mode)


@pytest.mark.parametrize(
    ("mode", "name"), [("RGBA", "a.png"), ("LA", "a.png"), ("RGBA", "a.webp"), ("RGBA", "a.tif")]
)
def test_transparency_is_laid_on_white(save: Save, mode: str, name: str) -> None:
    decoded = pixels(save(half_transparent(mode), name, **({"lossless": True} if "webp" in name else {})))
    assert (decoded[:, :4] == 0).all()
    assert (decoded[:, 4:] == 255).all()


@pytest.mark.parametrize("name", ["a.gif", "a.png"])
def test_a_transparent_palette_entry_is_laid_on_white(save: Save, name: str) -> None:
    picture = Image.new("P", (8, 4), 0)
    picture.putpalette([0, 0, 0, 10, 20, 30])
    picture.paste(1, (4, 0, 8, 4))
    decoded = pixels(save(picture, name, transparency=1))
    assert (decoded[:, :4] == 0).all()
    assert (decoded[:, 4:] == 255).all()


def test_a_palette_with_grades_of_transparency(save: Save) -> None:
    picture = Image.new("P", (2, 1), 0)
    picture.putpalette([0, 0, 0, 0, 0, 0])
    picture.putpixel((1, 0), 1)
    decoded = pixels(save(picture, "a.png", transparency=bytes([128, 255])))
    assert decoded[0].tolist() == [[127] * 3, [0] * 3]


@pytest.mark.parametrize("mode", ["L", "RGB", "1"])
def test_one_transparent_colour_is_laid_on_white(save: Save, mode: str) -> None:
    picture = Image.new(mode, (4, 2))
    colour: Any = (0, 0, 0) if mode == "RGB" else 0
    assert (pixels(save(picture, "a.png", transparency=colour)) == 255).all()


def gradient16() -> Image.Image:
    return Image.fromarray(np.linspace(0, 65_535, 512).astype(np.uint16).reshape(2, 256))


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_16_bit_grey_is_scaled_and_not_clipped(save: Save, name: str) -> None:
    grey = pixels(save(gradient16(), name))[..., 0].ravel()
    assert np.abs(grey.astype(int) - np.linspace(0, 255, 512)).max() <= 1


def test_16_bit_grey_with_a_transparent_value(save: Save) -> None:
    picture = Image.fromarray(np.array([[0, 1000]], np.uint16))
    assert pixels(save(picture, "a.png", transparency=1000))[0, :, 0].tolist() == [0, 255]


def png(
    colour_type: int, depth: int, width: int, height: int, rows: bytes, *extra: tuple[bytes, bytes]
) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    middle = b"".join(chunk(*one) for one in extra)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + middle
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def test_16_bit_colour_keeps_its_high_bytes(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    path.write_bytes(png(2, 16, 2, 1, b"\0" + struct.pack(">6H", 65_535, 32_768, 0, 256, 1, 65_280)))
    assert pixels(str(path))[0].tolist() == [[255, 128, 0], [1, 0, 255]]


def test_16_bit_grey_with_alpha(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    path.write_bytes(png(4, 16, 2, 1, b"\0" + struct.pack(">4H", 32_768, 65_535, 0, 0)))
    assert pixels(str(path))[0].tolist() == [[128] * 3, [255] * 3]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 255]], np.int32), [0, 255]),
        (np.array([[0, 65_535]], np.int32), [0, 255]),
        (np.array([[-100, 100]], np.int32), [0, 255]),
        (np.array([[0, 2**31 - 1]], np.int32), [0, 255]),
        (np.array([[0.0, 0.5]], np.float32), [0, 128]),
        (np.array([[0.0, 200.0]], np.float32), [0, 200]),
        (np.array([[-1.0, 3.0]], np.float32), [0, 255]),
        (np.array([[np.nan, np.inf]], np.float32), [0, 0]),
        (np.array([[np.nan, 1.0]], np.float32), [0, 255]),
        (np.array([[7, 7]], np.int32), [7, 7]),
        (np.array([[-7, -7]], np.int32), [0, 0]),
    ],
)
def test_32_bit_samples_find_a_range(save: Save, values: Any, expected: list[int]) -> None:
    assert pixels(save(Image.fromarray(values), "a.tif"))[0, :, 0].tolist() == expected


def test_a_tiff_in_which_white_is_zero(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(tiff16(photometric=0, bits=16, samples=[0, 65_535]))
    assert pixels(str(path))[0, :, 0].tolist() == [255, 0]


def tiff16(photometric: int, bits: int, samples: list[int]) -> bytes:
    entries = [(256, len(samples)), (257, 1), (258, bits), (259, 1), (262, photometric), (277, 1), (278, 1)]
    data = struct.pack(f"<{len(samples)}H", *samples)
    offset = 8 + 2 + 12 * (len(entries) + 2) + 4
    entries += [(273, offset), (279, len(data))]
    directory = b"".join(struct.pack("<HHII", tag, 3, 1, value) for tag, value in sorted(entries))
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + struct.pack("<I", 0) + data


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "LAB"])
def test_other_modes(save: Save, mode: str) -> None:
    picture = Image.new("RGB", (8, 4), "white")
    if mode == "LAB":
        from PIL import ImageCms

        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        converted = ImageCms.profileToProfile(picture, srgb, lab, outputMode="LAB")
        assert converted is not None
        picture = converted
    else:
        picture = picture.convert(mode)
    assert pixels(save(picture, "a.tif")).min() >= 254


def test_a_cmyk_jpeg_with_inverted_ink(save: Save) -> None:
    # Pillow writes CMYK JPEG as Adobe does: inverted, with an APP14 marker.
    path = save(quadrants("CMYK"), "a.jpg", quality=95)
    assert b"Adobe" in Path(path).read_bytes()[:400]
    assert np.abs(pixels(path)[8, 12].astype(int) - (255, 0, 0)).max() <= 12


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("a.gif", "first frame of 3"),
        ("a.webp", "first frame of 3"),
        ("a.png", "first frame of 3"),
        ("a.tif", "first page of 3"),
        ("a.avif", "first frame of 3"),
    ],
)
def test_the_first_of_several_frames_is_read_and_said(save: Save, name: str, note: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "lime", "blue")]
    path = save(frames[0], name, save_all=True, append_images=frames[1:])
    assert open_image(path).note == note
    assert np.abs(pixels(path)[8, 8].astype(int) - (255, 0, 0)).max() <= 12


def test_one_frame_has_no_note(save: Save) -> None:
    assert open_image(save(quadrants(), "a.gif")).note == ""


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
    assert "thing.png" in refused(path, errors.NotAnImage).message


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    refused(tmp_path, errors.NotAnImage)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_without_a_writer_does_not_hang(tmp_path: Path) -> None:
    path = tmp_path / "pipe.png"
    os.mkfifo(path)
    refused(path, errors.NotAnImage)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs device files")
def test_a_device_is_no_picture() -> None:
    refused("/dev/zero", errors.NotAnImage)


@pytest.mark.parametrize("path", ["/nowhere/a.png", "a\0b.png", "main.py/a.png"])
def test_a_path_that_leads_nowhere(path: str) -> None:
    refused(path, errors.AttachmentGone)


def test_a_file_that_may_not_be_read(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(quadrants(), "a.png")

    def forbid(*_arguments: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", forbid)
    refused(path, errors.AttachmentUnreadable)


def test_a_file_that_goes_between_opening_and_decoding(save: Save) -> None:
    path = save(quadrants(), "a.png")
    opened = open_image(path)
    Path(path).unlink()
    with pytest.raises(errors.AttachmentGone):
        opened.decode()


def test_a_file_that_is_replaced_between_opening_and_decoding(save: Save) -> None:
    opened = open_image(save(quadrants(), "a.png"))
    save(Image.new("RGB", (7, 7)), "a.png")
    with pytest.raises(errors.AttachmentChanged):
        opened.decode()


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.gif", "a.bmp", "a.tif", "a.avif", "a.heic"])
@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_file_cut_short(save: Save, name: str, kept: float) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    path = Path(save(noise, name))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    refused(path, errors.ImageDamaged)


@pytest.mark.parametrize(
    "signature",
    [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF\xff\0\0\0WEBP", b"II*\0", b"MM\0+"],
)
def test_a_signature_without_a_picture(tmp_path: Path, signature: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(signature)
    refused(path, errors.ImageDamaged)


def test_a_sound_file_of_an_unknown_kind_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(tiff16(photometric=9, bits=16, samples=[0]))
    refused(path, errors.NotAnImage)


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0), (0, 0)])
def test_a_side_of_zero(tmp_path: Path, width: int, height: int) -> None:
    files = {
        "a.png": png(2, 8, width, height, b""),
        "a.gif": b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + b";",
        "a.bmp": b"BM" + bytes(12) + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        refused(tmp_path / name, errors.ImageEmpty)


def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png(0, 1, 60_000, 60_000, b"\0" * 1000))
    error = refused(path, errors.ImageTooLarge)
    assert "60000 × 60000" in error.message


def test_a_webp_that_claims_a_huge_canvas(save: Save, tmp_path: Path) -> None:
    path = Path(save(half_transparent("RGBA"), "a.webp"))
    content = bytearray(path.read_bytes())
    assert content[12:16] == b"VP8X"
    content[24:30] = b"\xff\xff\x00\xff\xff\x00"
    path.write_bytes(content)
    refused(path, errors.ImageTooLarge)


def test_pillows_own_bomb_warning_never_leaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.gif"
    # The screen is small, the frame on it is not: Pillow's GIF decoder checks that by itself.
    frame = b"," + struct.pack("<HHHHB", 0, 0, 20_000, 15_000, 0) + b"\x02\x02\x44\x01\x00;"
    path.write_bytes(b"GIF89a" + struct.pack("<HHBBB", 2, 2, 0x80, 0, 0) + bytes(6) + frame)
    with warnings.catch_warnings(record=True) as leaked:
        warnings.simplefilter("always")
        refused(path, errors.AttachmentError)
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
        refused(path, errors.ImageTooNarrow)


def test_memory_that_runs_out_is_not_called_damage(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = open_image(save(quadrants(), "a.png"))

    def exhaust(_image: Image.Image) -> None:
        raise MemoryError

    monkeypatch.setattr(image_module, "to_rgb", exhaust)
    with pytest.raises(errors.OutOfMemory):
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

"""Pictures of every format and mode become the same upright RGB."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from desktopapp.engine.media import image_pixels
from desktopapp.engine.media.image import open_image
from desktopapp.engine.media.image_pixels import to_rgb
from tests.image_files import Save, half_transparent, pixels, png, quadrants, tiff16


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


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBa", "CMYK", "YCbCr", "HSV", "LAB"]
)
def test_a_picture_in_strips_is_the_picture(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    drawn = np.random.default_rng(3).integers(0, 256, (37, 11, 4), np.uint8)
    made = Image.fromarray(drawn)
    colour = made.convert("RGB")
    through = {"PA": "P", "LAB": "RGB", "RGBa": "RGBA"}
    if mode == "LAB":
        picture = Image.frombytes("LAB", colour.size, colour.tobytes())
    else:
        base = made if "A" in mode or mode == "RGBa" else colour
        picture = base.convert(through.get(mode, mode)).convert(mode)
    if mode == "P":
        picture.info["transparency"] = 3
    whole = to_rgb(picture)
    for pixels_at_once in (11, 50, 11 * 36):
        monkeypatch.setattr(image_pixels, "_STRIP_PIXELS", pixels_at_once)
        assert np.array_equal(to_rgb(picture), whole)
    assert whole.std() > 10


def test_one_frame_has_no_note(save: Save) -> None:
    assert open_image(save(quadrants(), "a.gif")).note == ""

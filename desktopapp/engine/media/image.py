"""Open dropped pictures: hostile until proven otherwise, decoded only when their turn comes."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from PIL import Image
from PIL.ExifTags import Base
from PIL.ImageFile import ImageFile as PillowImage

from desktopapp.attachment_errors import (
    AttachmentChanged,
    AttachmentNeedsMemory,
    AttachmentUnreadable,
    ImageDamaged,
    ImageEmpty,
    ImageTooLarge,
    ImageTooNarrow,
    NotAnImage,
)
from desktopapp.engine.media.file import open_regular_file
from desktopapp.engine.media.free_memory import check_free
from desktopapp.engine.media.image_format import HEAD_BYTES, ImageFormat, size_in_header, sniff_format
from desktopapp.engine.media.image_pixels import STRIPS_BYTES, to_rgb
from desktopapp.errors import AppError

if TYPE_CHECKING:
    from desktopapp.engine.backend import RgbArray

PIXEL_LIMIT = 200_000_000
"""Most pixels of a picture: what the largest phone cameras write; 600 MB as RGB. The model sees at most a
tenth of it, so nothing is lost by asking for a smaller one."""

ASPECT_LIMIT = 200
"""Longest side over shortest side, from Qwen's `smart_resize`."""

_WIDE_BYTES = 28
"""A pixel of 32-bit samples, beside its own four and the array's three; measured, as what follows."""

_DECODER_BYTES = {ImageFormat.WEBP: 9, ImageFormat.AVIF: 4, ImageFormat.HEIF: 3}
"""Of a pixel in libraries that decode the whole picture before Pillow has any of it."""

# Pillow's own checks inside its decoders (a TIFF tile, a GIF frame larger than its screen) use this.
Image.MAX_IMAGE_PIXELS = PIXEL_LIMIT

_DECODERS = {
    ImageFormat.PNG: ("PIL.PngImagePlugin", "PngImageFile"),
    ImageFormat.JPEG: ("PIL.JpegImagePlugin", "JpegImageFile"),
    ImageFormat.WEBP: ("PIL.WebPImagePlugin", "WebPImageFile"),
    ImageFormat.BMP: ("PIL.BmpImagePlugin", "BmpImageFile"),
    ImageFormat.TIFF: ("PIL.TiffImagePlugin", "TiffImageFile"),
    ImageFormat.GIF: ("PIL.GifImagePlugin", "GifImageFile"),
    ImageFormat.AVIF: ("PIL.AvifImagePlugin", "AvifImageFile"),
    ImageFormat.HEIF: ("pillow_heif.as_plugin", "HeifImageFile"),
}
# TIFF's decoder turns the picture itself; libheif applies HEIC's own rotation, and its EXIF is for show.
_TURNED_BY_DECODER = {ImageFormat.TIFF, ImageFormat.HEIF}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDES_SWAPPED = {5, 6, 7, 8}


@dataclass(slots=True)
class ImageFile:
    """A picture whose header was read and found usable; an `ImageSource` for backends.

    Args:
        path: of the file.
        width: in pixels, after EXIF orientation.
        height: in pixels.
        note: what the person should know of how it is read (`first frame of 12`), or empty.
    """

    path: str
    width: int
    height: int
    note: str = ""

    def decode(self) -> RgbArray:
        """The pixels, turned upright, transparency laid on white.

        Returns:
            uint8 (height, width, 3), RGB, 0..255, contiguous.

        Raises:
            AttachmentError: it is damaged, or gone, changed, or unreadable since it was opened.
            AttachmentNeedsMemory: too little is free. Shown with fewer tokens it would take as much, so no step helps.
        """
        name = Path(self.path).name
        with opened_image(self.path) as (image, image_format), blamed_on_file(name):
            turn = _orientation(image, image_format)
            if _upright_size(image, turn) != (self.width, self.height):
                raise AttachmentChanged(name=name)
            check_free(_decoding_bytes(image, image_format, turn), name)
            image.load()
            upright = image.transpose(_TURNS[turn]) if turn in _TURNS else image
            pixels = to_rgb(upright)
        if pixels.shape != (self.height, self.width, 3):
            raise ImageDamaged(name=name)
        return pixels


def open_image(path: str) -> ImageFile:
    """Read a picture's header and check that the picture can be used.

    Args:
        path: of the file.

    Raises:
        AttachmentGone: there is no such file.
        AttachmentUnreadable: it may not be read.
        AttachmentIsFolder: it is one.
        NotAnImage: a device, a text, or a format that is not read.
        ImageDamaged: its header is.
        ImageEmpty: a side is zero.
        ImageTooLarge: it has more than `PIXEL_LIMIT` pixels.
        ImageTooNarrow: one side is more than `ASPECT_LIMIT` times the other.
    """
    name = Path(path).name
    with opened_image(path) as (image, image_format), blamed_on_file(name):
        width, height = _upright_size(image, _orientation(image, image_format))
        if max(width, height) > ASPECT_LIMIT * min(width, height):
            raise ImageTooNarrow(name=name, width=width, height=height)
        return ImageFile(path, width, height, _note(image, image_format))


@contextmanager
def opened_image(path: str) -> Iterator[tuple[PillowImage, ImageFormat]]:
    """The decoder of a file, its header read and its size checked."""
    name = Path(path).name
    with open_regular_file(path) as file:
        try:
            head = file.read(HEAD_BYTES)
            file.seek(0)
        except OSError as error:
            raise AttachmentUnreadable(name=name) from error
        image_format = sniff_format(head)
        if image_format is None:
            raise NotAnImage(name=name)
        _check_size(name, size_in_header(image_format, head))
        make_decoder = _decoder(name, image_format)
        with blamed_on_file(name):
            image = make_decoder(file)
        with image:
            _check_size(name, image.size)
            yield image, image_format


def _decoder(name: str, image_format: ImageFormat) -> Callable[[BinaryIO], PillowImage]:
    module, factory = _DECODERS[image_format]
    try:
        return cast("Callable[[BinaryIO], PillowImage]", getattr(importlib.import_module(module), factory))
    except ImportError as error:  # pillow-heif has no wheel for every platform
        raise NotAnImage(name=name) from error


@contextmanager
def blamed_on_file(name: str) -> Iterator[None]:
    """Name the file in whatever a decoder raises or warns about: on bad input they raise nearly anything."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except AppError:
        raise
    except MemoryError as error:
        raise AttachmentNeedsMemory(name=name) from error
    except Exception as error:
        # What Pillow calls a sound file of a kind that it does not know.
        if str(error).lower().startswith(("unsupported", "unknown pixel mode", "unknown data organization")):
            raise NotAnImage(name=name) from error
        raise ImageDamaged(name=name) from error


def _check_size(name: str, size: tuple[int, int] | None) -> None:
    if size is None:
        return
    width, height = size
    if width < 1 or height < 1:
        raise ImageEmpty(name=name)
    if width * height > PIXEL_LIMIT:
        raise ImageTooLarge(name=name, width=width, height=height, limit_megapixels=PIXEL_LIMIT // 1_000_000)


def _orientation(image: PillowImage, image_format: ImageFormat) -> int:
    """EXIF orientation 1..8; 1 where there is none or it cannot be read."""
    if image_format in _TURNED_BY_DECODER:
        return 1
    try:
        # The base class's method: PNG's own decodes the whole picture in search of EXIF behind it.
        value = Image.Image.getexif(image).get(Base.Orientation)
    except Exception:  # noqa: BLE001 - a damaged EXIF block does not make the picture unusable
        return 1
    return value if value in _TURNS else 1


def _decoding_bytes(image: PillowImage, image_format: ImageFormat, turn: int) -> int:
    """What decoding takes at most of a picture, of which the model is shown a small version.

    Pillow keeps four bytes a pixel of anything in colour, and what is turned is a copy; our array has three.
    32-bit samples are stretched in 64-bit floats. Measured, docs/memory.md.
    """
    width, height = image.size
    pixel_bytes = 4 * (2 if turn in _TURNS else 1) + 3 + _DECODER_BYTES.get(image_format, 0)
    if image.mode in ("I", "F"):
        pixel_bytes += _WIDE_BYTES
    return width * height * pixel_bytes + STRIPS_BYTES


def _upright_size(image: PillowImage, turn: int) -> tuple[int, int]:
    width, height = image.size
    return (height, width) if turn in _SIDES_SWAPPED else (width, height)


def _note(image: PillowImage, image_format: ImageFormat) -> str:
    if image_format is ImageFormat.HEIF:
        return ""
    frames = int(getattr(image, "n_frames", 1))
    if frames < 2:
        return ""
    return f"first {'page' if image_format is ImageFormat.TIFF else 'frame'} of {frames}"

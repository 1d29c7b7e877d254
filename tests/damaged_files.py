"""Damaged copies of model files and pictures: cut short, bytes changed, numbers made absurd. Seeded."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from desktopapp.modelstore.gguf_metadata import read_gguf_header
from desktopapp.modelstore.model import ModelFiles

_ABSURD = (0, 1, 3, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 40, (1 << 63) - 1, (1 << 64) - 1)
# Keys of either file whose value is one number of 32 bits.
_NUMBERS = (
    b".block_count", b".embedding_length", b".feed_forward_length", b".attention.head_count",
    b".attention.head_count_kv", b".attention.key_length", b".attention.layer_norm_rms_epsilon",
    b".attention.layer_norm_epsilon", b".context_length", b".rope.freq_base", b".n_deepstack_layers",
    b".patch_size", b".image_size", b".spatial_merge_size", b".projection_dim", b".image_min_pixels",
    b".image_max_pixels", b"eos_token_id", b"padding_token_id", b"general.file_type",
)  # fmt: skip
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")


def damage_model(good: ModelFiles, folder: Path, seed: int) -> tuple[Path, str]:
    """Write a pair of files of which one is damaged.

    Args:
        good: a pair that loads.
        folder: exists; the pair is written there.
        seed: other ones damage other things.

    Returns:
        The text model's path, and what was done.
    """
    if good.projector is None:
        raise ValueError("the pair has no projector")
    chance = random.Random(seed)
    text_file, projector_file = folder / "damaged.gguf", folder / "mmproj-damaged.gguf"
    targets = {text_file: good.path, projector_file: good.projector}
    for copy, original in targets.items():
        copy.write_bytes(original.read_bytes())
    target = chance.choice(list(targets))
    data = bytearray(target.read_bytes())
    header_bytes = min(read_gguf_header(targets[target]).tensors[0].offset, len(data))
    kinds: tuple[Callable[[random.Random, bytearray, int], str], ...] = (
        _cut,
        _flip,
        _absurd,
        _dimensions,
        _number,
        _number,
    )
    done = chance.choice(kinds)(chance, data, header_bytes)
    target.write_bytes(data)
    return text_file, f"{target.name}: {done}"


def damage_picture(folder: Path, seed: int) -> tuple[Path, str]:
    """Write a damaged picture file; returns its path and what was done."""
    chance = random.Random(seed)
    kind = _FORMATS[seed % len(_FORMATS)]
    pixels = np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    data = bytearray(file.getvalue())
    done = chance.choice((_cut, _flip, _absurd))(chance, data, min(len(data), 200))
    path = folder / f"damaged-{seed}.{kind.lower()}"
    path.write_bytes(data)
    return path, f"{kind}: {done}"


def _cut(chance: random.Random, data: bytearray, header_bytes: int) -> str:
    kept = chance.choice((chance.randrange(header_bytes), chance.randrange(len(data))))
    del data[kept:]
    return f"cut to {kept} bytes"


def _flip(chance: random.Random, data: bytearray, header_bytes: int) -> str:
    places = [chance.randrange(header_bytes) for _ in range(chance.randint(1, 4))]
    for place in places:
        data[place] ^= chance.randint(1, 255)
    return f"bytes changed at {places}"


def _absurd(chance: random.Random, data: bytearray, header_bytes: int) -> str:
    width, value = chance.choice(("<I", "<Q")), chance.choice(_ABSURD)
    size = struct.calcsize(width)
    place = chance.randrange(max(1, header_bytes - size))
    data[place : place + size] = struct.pack(width, value & ((1 << 8 * size) - 1))
    return f"{value} at {place}"


def _dimensions(chance: random.Random, data: bytearray, header_bytes: int) -> str:
    """Give one tensor another shape: its name is followed by the number of dimensions and their sizes."""
    names = (b"attn_q", b"ffn_up", b"ffn_down", b"token_embd", b"norm", b"v.blk.1", b"mm.0")
    places = [place for name in names if (place := data.find(name, 0, header_bytes)) >= 0]
    if not places:
        return _absurd(chance, data, header_bytes)
    place = data.index(b".weight", chance.choice(places)) + len(b".weight")
    data[place + 4 : place + 12] = struct.pack("<Q", chance.choice(_ABSURD))
    return f"another shape at {place}"


def _number(chance: random.Random, data: bytearray, header_bytes: int) -> str:
    """Give one key of the header another number; its name is followed by the value's type and the value."""
    keys = [key for key in _NUMBERS if data.find(key + b"\x04\0\0\0", 0, header_bytes) >= 0]
    key, value = chance.choice(keys), chance.choice((*_ABSURD, chance.randrange(1, 5000))) & 0xFFFFFFFF
    place = data.index(key + b"\x04\0\0\0") + len(key) + 4
    data[place : place + 4] = struct.pack("<I", value)
    return f"{value} for {key.decode()}"

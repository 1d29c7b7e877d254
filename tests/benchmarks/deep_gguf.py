"""Large models made in seconds: a GGUF of a few layers becomes one of many, each a copy of another.

What a layer computes is the same whatever its weights are, so speed and memory are those of a real model.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import gguf

from desktopapp.modelstore.gguf_export import export_gguf
from desktopapp.modelstore.model import ModelFiles, ModelKind, WeightFormat
from models.qwen_files.config import ModelShape
from models.qwen_files.processors import write_processors
from models.random_pair import make_random_model

LAYERS = 36
"""Of the 4B model."""

# Source: Qwen3-VL-4B-Instruct's published config, but for the number of layers and the vision tower, a small one.
_SHALLOW = ModelShape(
    vocabulary=151_936,
    layers=3,
    hidden=2560,
    feed_forward=9728,
    heads=32,
    kv_heads=8,
    context_tokens=262_144,
    vision_layers=6,
    vision_hidden=512,
    vision_feed_forward=2048,
    vision_heads=8,
)
_MOST_IMAGE_PIXELS = 4096 * 32 * 32
_LAYER = re.compile(r"blk\.(\d+)\.(.*)")
_BLOCK_COUNT = "qwen3vl.block_count"


def make_4b_gguf(folder: Path, precision: str) -> ModelFiles:
    """The 4B model's text shape with random weights, made in `folder` where it is not there.

    Args:
        folder: for some 9 GB in F16, 5 GB in Q8_0.
        precision: as of `export_gguf`.
    """
    deep, projector = folder / f"bench-4B-{precision}.gguf", folder / "mmproj-bench-4B-F16.gguf"
    if not deep.is_file():
        source, shallow = folder / "source-4B", folder / f"shallow-4B-{precision}.gguf"
        if not (source / "model.safetensors").is_file():
            make_random_model(source, ModelKind.INSTRUCT, seed=1, shape=_SHALLOW)
            write_processors(source, max_image_pixels=_MOST_IMAGE_PIXELS)
        export_gguf(source, shallow, projector, precision, "F16")
        repeat_layers(shallow, deep, LAYERS)
        shallow.unlink()
    size_bytes = deep.stat().st_size + projector.stat().st_size
    return ModelFiles(WeightFormat.GGUF, deep, projector, precision, size_bytes)


def repeat_layers(shallow: Path, deep: Path, layers: int) -> None:
    """Write a file with the layers of another one again and again.

    Args:
        shallow: of Qwen3-VL's architecture.
        deep: to write.
        layers: that it is to have.
    """
    reader = gguf.GGUFReader(shallow)
    writer = gguf.GGUFWriter(None, "qwen3vl")
    for name, field in reader.fields.items():
        if name == _BLOCK_COUNT:
            writer.add_block_count(layers)
        elif not name.startswith("GGUF.") and name != "general.architecture":
            element = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(name, field.contents(), field.types[0], element)
    named = _deepened(reader, layers)
    for name, tensor in named:
        writer.add_tensor_info(
            name, tensor.data.shape, tensor.data.dtype, tensor.data.nbytes, tensor.tensor_type
        )
    writer.write_header_to_file(deep)
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for _, tensor in named:
        writer.write_tensor_data(tensor.data)
    writer.close()


def _deepened(reader: Any, layers: int) -> list[tuple[str, Any]]:
    found: dict[int, list[tuple[str, Any]]] = {}
    named = []
    for tensor in reader.tensors:
        match = _LAYER.fullmatch(tensor.name)
        if match:
            found.setdefault(int(match[1]), []).append((match[2], tensor))
        else:
            named.append((tensor.name, tensor))
    for layer in range(layers):
        named += [(f"blk.{layer}.{part}", tensor) for part, tensor in found[layer % len(found)]]
    return named

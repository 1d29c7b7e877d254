"""Reads what a model costs off its files: `config.json` with safetensors headers, or GGUF headers. Reads no weights.

A folder that holds only `config.json` is enough, so that a model can be priced before it is downloaded.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from desktopapp.engine.memory.spec import WEIGHT_BYTES, ModelSpec, TextShape, VisionShape
from desktopapp.engine.prompt_parts import PixelBudget
from desktopapp.errors import ModelDamaged, ModelIncomplete, ModelUnsupported
from desktopapp.modelstore.gguf_metadata import GgufHeader, read_gguf_header
from desktopapp.modelstore.model import ModelFiles, WeightFormat
from desktopapp.modelstore.naming import split_part
from desktopapp.modelstore.safetensors_folder import ARCHITECTURES
from desktopapp.modelstore.safetensors_header import precision_of, read_safetensors_header

_LARGEST_JSON_BYTES = 16 << 20
_MOST = 1 << 31
_TORCH_TYPES = {"bfloat16": "BF16", "float16": "F16", "float32": "F32"}
_ELEMENT_BYTES = {**WEIGHT_BYTES, "F8_E4M3": 1, "F8_E5M2": 1, "F64": 8}
# Qwen3-VL's own, where a GGUF does not say.
_POSITIONS = 2304
_EMBEDDING = "token_embd.weight"
_DEEPSTACK = 3


def read_spec(files: ModelFiles) -> ModelSpec:
    """What one form of an installed model costs; files that did not change since are not read again.

    Raises:
        ModelError: its files cannot be read or are of another architecture.
    """
    return _read_spec(
        files, tuple(map(_changed_ns, (files.path, files.path / "config.json", files.projector)))
    )


# A GGUF's header holds its vocabulary, a tenth of a second to read.
@lru_cache(maxsize=64)
def _read_spec(files: ModelFiles, _times_ns: tuple[int, ...]) -> ModelSpec:
    if files.format is WeightFormat.GGUF:
        return read_gguf_spec(files.path, files.projector)
    return read_folder_spec(files.path)


def _changed_ns(path: Path | None) -> int:
    try:
        return path.stat().st_mtime_ns if path is not None else 0
    except OSError:
        return 0


def read_folder_spec(folder: Path) -> ModelSpec:
    """What the model of a folder with a `config.json` costs, its weights there or not.

    Raises:
        ModelIncomplete: there is no config.json.
        ModelDamaged: it is malformed.
        ModelUnsupported: it is of another architecture.
    """
    config = _read_json(folder, "config.json")
    if config is None:
        raise ModelIncomplete(name=folder.name, missing="config.json")
    return _with_stored_weights(spec_of_config(config, folder.name, partial(_pixel_budget, folder)), folder)


def spec_of_config(
    config: dict[str, Any], name: str, pixel_budget: Callable[[VisionShape], PixelBudget] | None = None
) -> ModelSpec:
    """What the model of a `config.json` costs as it is published.

    Args:
        config: its content.
        name: of the model.
        pixel_budget: for pictures, given the shape; None for what Qwen3-VL is published with.

    Raises:
        ModelDamaged: it is malformed.
        ModelUnsupported: it is of another architecture.
    """
    if config.get("model_type") not in ARCHITECTURES:
        reason = f"its architecture is “{config.get('model_type', 'unknown')}”"
        raise ModelUnsupported(name=name, reason=reason)
    try:
        text = _text_shape(config["text_config"], tied=bool(config.get("tie_word_embeddings", False)))
        vision = _vision_shape(config["vision_config"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelDamaged(file="config.json", reason=f"{error} is missing or impossible") from error
    precision = _declared_precision(config)
    element_bytes = _ELEMENT_BYTES[precision]
    return ModelSpec(
        format=WeightFormat.SAFETENSORS,
        precision=precision,
        text=text,
        vision=vision,
        text_bytes=text.weights * element_bytes,
        vision_bytes=vision.weights * element_bytes,
        pixel_budget=pixel_budget(vision) if pixel_budget else PixelBudget(vision.cell_px),
    )


def read_gguf_spec(path: Path, projector: Path | None) -> ModelSpec:
    """What a GGUF model costs, from the headers of all its files.

    Args:
        path: its (first) file.
        projector: its mmproj; None prices the text alone.

    Raises:
        ModelError: a file cannot be read or misses a size.
    """
    header = read_gguf_header(path)
    shards = [header, *(read_gguf_header(shard) for shard in _further_shards(path, header))]
    tensors = [tensor for shard in shards for tensor in shard.tensors]
    text = _gguf_text_shape(header, path.name, tied="output.weight" not in {t.name for t in tensors})
    if projector is None:
        vision, vision_bytes, budget = VisionShape(0, 0, 0, 1, 0, 0, text.hidden), 0, PixelBudget()
    else:
        seen = read_gguf_header(projector)
        vision = _gguf_vision_shape(seen, projector.name)
        vision_bytes = sum(tensor.size_bytes for tensor in seen.tensors)
        budget = _gguf_pixel_budget(seen, vision)
    return ModelSpec(
        format=WeightFormat.GGUF,
        precision=header.precision,
        text=text,
        vision=vision,
        text_bytes=sum(tensor.size_bytes for tensor in tensors),
        vision_bytes=vision_bytes,
        pixel_budget=budget,
        is_measured=True,
        repeated_bytes=sum(tensor.size_bytes for tensor in tensors if tensor.name.startswith("blk.")),
        lookup_bytes=0
        if text.tied_embeddings
        else sum(t.size_bytes for t in tensors if t.name == _EMBEDDING),
    )


def _read_json(folder: Path, name: str) -> dict[str, Any] | None:
    try:
        data = (folder / name).read_bytes()[:_LARGEST_JSON_BYTES]
        value = json.loads(data)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ModelDamaged(file=name, reason=error.strerror or "it cannot be read") from error
    except (ValueError, RecursionError) as error:
        raise ModelDamaged(file=name, reason="it is not JSON") from error
    if not isinstance(value, dict):
        raise ModelDamaged(file=name, reason="it holds no settings")
    return value


def _count(values: dict[str, Any], key: str, default: int | None = None) -> int:
    """A size; raises ValueError with its name where it is missing or absurd."""
    value = values.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < _MOST:
        raise ValueError(f"“{key}”")
    return value


def _text_shape(config: dict[str, Any], *, tied: bool) -> TextShape:
    heads, hidden = _count(config, "num_attention_heads"), _count(config, "hidden_size")
    layers = _count(config, "num_hidden_layers")
    experts = config.get("num_experts") or 0
    dense = len(config.get("mlp_only_layers") or ()) if experts else 0
    return TextShape(
        layers=layers,
        hidden=hidden,
        feed_forward=_count(config, "intermediate_size"),
        heads=heads,
        kv_heads=_count(config, "num_key_value_heads", heads),
        head_dim=_count(config, "head_dim", hidden // heads),
        vocabulary=_count(config, "vocab_size"),
        tied_embeddings=tied,
        context_tokens=_count(config, "max_position_embeddings"),
        experts=_count(config, "num_experts") if experts else 0,
        expert_feed_forward=_count(config, "moe_intermediate_size") if experts else 0,
        dense_layers=min(dense, layers),
    )


def _vision_shape(config: dict[str, Any]) -> VisionShape:
    return VisionShape(
        layers=_count(config, "depth"),
        hidden=_count(config, "hidden_size"),
        feed_forward=_count(config, "intermediate_size"),
        heads=_count(config, "num_heads"),
        positions=_count(config, "num_position_embeddings", _POSITIONS),
        deepstack=len(config.get("deepstack_visual_indexes", range(_DEEPSTACK))),
        out_hidden=_count(config, "out_hidden_size"),
        patch_px=_count(config, "patch_size", 16),
        merge=_count(config, "spatial_merge_size", 2),
        frames_a_patch=_count(config, "temporal_patch_size", 2),
        channels=_count(config, "in_channels", 3),
    )


def _declared_precision(config: dict[str, Any]) -> str:
    for values in (config, config.get("text_config", {})):
        for key in ("dtype", "torch_dtype"):
            known = _TORCH_TYPES.get(str(values.get(key, "")))
            if known:
                return known
    return "BF16"


def _pixel_budget(folder: Path, vision: VisionShape) -> PixelBudget:
    """Limits of the processor's file, else those that Qwen3-VL is published with."""
    default = PixelBudget()
    try:
        values = _read_json(folder, "preprocessor_config.json") or {}
    except ModelDamaged:  # loading will say so; a price does not hang on it
        values = {}
    size = values.get("size")
    sizes: dict[str, Any] = size if isinstance(size, dict) else {}
    try:
        smallest = _count(sizes, "shortest_edge", default.min_pixels)
        largest = _count(sizes, "longest_edge", default.max_pixels)
    except ValueError:
        smallest, largest = default.min_pixels, default.max_pixels
    return PixelBudget(vision.cell_px, min(smallest, largest), largest)


def _with_stored_weights(spec: ModelSpec, folder: Path) -> ModelSpec:
    """Sizes from the headers, where every weight is there."""
    index = _read_json(folder, "model.safetensors.index.json")
    weight_map = index.get("weight_map") if index else None
    names = set(weight_map.values()) if isinstance(weight_map, dict) else {"model.safetensors"}
    bytes_by_type: dict[str, int] = {}
    for name in sorted(str(name) for name in names):
        try:
            header = read_safetensors_header(folder / Path(name).name)
        except (OSError, ModelDamaged):
            return spec
        for type_name, size_bytes in header.bytes_by_type.items():
            bytes_by_type[type_name] = bytes_by_type.get(type_name, 0) + size_bytes
    total = sum(bytes_by_type.values())
    element_bytes = _ELEMENT_BYTES.get(max(bytes_by_type, key=lambda key: bytes_by_type[key], default=""), 0)
    vision_bytes = spec.vision.weights * element_bytes
    if not element_bytes or total <= vision_bytes:
        return spec
    return replace(
        spec,
        precision=precision_of(bytes_by_type),
        text_bytes=total - vision_bytes,
        vision_bytes=vision_bytes,
        is_measured=True,
    )


def _further_shards(path: Path, header: GgufHeader) -> list[Path]:
    part = split_part(path.stem)
    count = header.integer("split.count")
    if count <= 1 or part is None:
        return []
    stem, _, parts = part
    shards = [path.with_name(f"{stem}-{n:05}-of-{parts:05}{path.suffix}") for n in range(2, parts + 1)]
    return [shard for shard in shards if shard.is_file()]


def _gguf_count(header: GgufHeader, file: str, key: str, default: int = 0) -> int:
    value = header.integer(key, default) or default
    if not 0 < value < _MOST:
        raise ModelDamaged(file=file, reason=f"“{key}” is missing or impossible")
    return value


def _gguf_text_shape(header: GgufHeader, file: str, *, tied: bool) -> TextShape:
    prefix = header.architecture
    hidden = _gguf_count(header, file, f"{prefix}.embedding_length")
    heads = _gguf_count(header, file, f"{prefix}.attention.head_count")
    embedding = next((t for t in header.tensors if t.name == _EMBEDDING), None)
    return TextShape(
        layers=_gguf_count(header, file, f"{prefix}.block_count"),
        hidden=hidden,
        feed_forward=_gguf_count(header, file, f"{prefix}.feed_forward_length", 4 * hidden),
        heads=heads,
        kv_heads=_gguf_count(header, file, f"{prefix}.attention.head_count_kv"),
        head_dim=_gguf_count(header, file, f"{prefix}.attention.key_length", max(1, hidden // heads)),
        vocabulary=embedding.shape[1] if embedding and len(embedding.shape) > 1 else 1,
        tied_embeddings=tied,
        context_tokens=_gguf_count(header, file, f"{prefix}.context_length"),
        experts=header.integer(f"{prefix}.expert_count"),
        expert_feed_forward=header.integer(f"{prefix}.expert_feed_forward_length"),
    )


def _gguf_vision_shape(header: GgufHeader, file: str) -> VisionShape:
    def count(key: str, default: int = 0) -> int:
        return _gguf_count(header, file, f"clip.vision.{key}", default)

    patch_px = count("patch_size")
    marks = header.metadata.get("clip.vision.is_deepstack_layers")
    side = count("image_size") // patch_px
    return VisionShape(
        layers=count("block_count"),
        hidden=count("embedding_length"),
        feed_forward=count("feed_forward_length"),
        heads=count("attention.head_count"),
        positions=side * side,
        deepstack=sum(mark is True for mark in marks) if isinstance(marks, tuple) else _DEEPSTACK,
        out_hidden=count("projection_dim"),
        patch_px=patch_px,
        merge=count("spatial_merge_size", 2),
    )


def _gguf_pixel_budget(header: GgufHeader, vision: VisionShape) -> PixelBudget:
    default = PixelBudget()
    smallest = header.integer("clip.vision.image_min_pixels", default.min_pixels)
    largest = header.integer("clip.vision.image_max_pixels", default.max_pixels)
    return PixelBudget(vision.cell_px, min(smallest, largest), largest)

"""Checks a Qwen3-VL folder before anything heavy is imported or read."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktopapp.errors import BackendUnavailable, ModelDamaged, ModelIncomplete, ModelUnsupported
from desktopapp.modelstore.safetensors_folder import ARCHITECTURES
from desktopapp.modelstore.safetensors_header import (
    SafetensorsHeader,
    precision_of,
    read_safetensors_header,
)

_SINGLE_FILE = "model.safetensors"
_TEMPLATE = "chat_template.jinja"
_INDEX = "model.safetensors.index.json"
_TYPE_BYTES = {"F64": 8, "F32": 4, "BF16": 2, "F16": 2}


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder that looks complete.

    Args:
        path: of the folder.
        config: what config.json holds.
        shards: the safetensors files.
        size_bytes: of the shards.
        stored_type: that most weights are stored in, as `BF16`.
        parameters: number of stored weights.
        chat_template: Jinja source.
    """

    path: Path
    config: dict[str, Any]
    shards: tuple[Path, ...]
    size_bytes: int
    stored_type: str
    parameters: int
    chat_template: str


def open_folder(path: Path) -> ModelFolder:
    """Look at every file that loading needs, reading headers only.

    Raises:
        ModelIncomplete: a file is missing.
        ModelUnsupported: another architecture, or no vision part.
        ModelDamaged: a file is truncated or malformed.
        BackendUnavailable: the weights are quantised in a way that this backend does not read.
    """
    config = _read_json(path, "config.json")
    _check_config(path, config)
    _require_one(path, (("preprocessor_config.json",), ("processor_config.json",)))
    _require_one(path, (("tokenizer.json",), ("vocab.json", "merges.txt")))
    chat_template = _read_chat_template(path)
    shards = _find_shards(path)
    sizes: Counter[str] = Counter()
    for shard in shards:
        sizes.update(_read_header(shard).bytes_by_type)
    if not sizes:
        raise ModelDamaged(file=shards[0].name, reason="it holds no weights")
    return ModelFolder(
        path=path,
        config=config,
        shards=shards,
        size_bytes=sum(shard.stat().st_size for shard in shards),
        stored_type=precision_of(sizes),
        parameters=sum(size // _TYPE_BYTES.get(name, 1) for name, size in sizes.items()),
        chat_template=chat_template,
    )


def has_experts(config: dict[str, Any]) -> bool:
    """Whether a configuration is of a mixture of experts."""
    return config.get("model_type") == "qwen3_vl_moe"


def _require_one(path: Path, choices: tuple[tuple[str, ...], ...]) -> None:
    """One set of files has to be there whole; the first set is what is asked for."""
    for names in choices:
        if all((path / name).is_file() for name in names):
            for name in names:
                if name.endswith(".json"):
                    _read_json(path, name)
            return
    raise ModelIncomplete(name=path.name, missing=choices[0][0])


def _read_header(shard: Path) -> SafetensorsHeader:
    try:
        header = read_safetensors_header(shard)
    except OSError as error:
        raise ModelDamaged(file=shard.name, reason=f"it cannot be read ({error.strerror})") from error
    if header.file_bytes != header.expected_bytes:
        raise ModelDamaged(file=shard.name, reason="it is cut short or has bytes too many")
    return header


def _read_chat_template(path: Path) -> str:
    """From its own file, or from one of the two JSON files that older folders keep it in."""
    if (path / _TEMPLATE).is_file():
        try:
            return (path / _TEMPLATE).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ModelDamaged(file=_TEMPLATE, reason="it cannot be read as text") from error
    for name in ("chat_template.json", "tokenizer_config.json"):
        if (path / name).is_file():
            template = _read_json(path, name).get("chat_template")
            if isinstance(template, str):
                return template
    raise ModelIncomplete(name=path.name, missing=_TEMPLATE)


def _read_json(path: Path, name: str) -> dict[str, Any]:
    try:
        content = json.loads((path / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelIncomplete(name=path.name, missing=name) from None
    except OSError as error:
        raise ModelDamaged(file=name, reason=f"it cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise ModelDamaged(file=name, reason="it is not valid JSON") from error
    if not isinstance(content, dict):
        raise ModelDamaged(file=name, reason="it does not hold a JSON object")
    return content


def _check_config(path: Path, config: dict[str, Any]) -> None:
    model_type = config.get("model_type")
    if model_type not in ARCHITECTURES:
        raise ModelUnsupported(name=path.name, reason=f"its type is “{model_type}”")
    for part, name in (("vision_config", "vision part"), ("text_config", "language part")):
        if not isinstance(config.get(part), dict):
            raise ModelUnsupported(name=path.name, reason=f"its config.json has no {name}")
    quantization = config.get("quantization_config")
    if quantization is not None:
        method = quantization.get("quant_method", "unknown") if isinstance(quantization, dict) else "unknown"
        raise BackendUnavailable(
            backend="transformers", reason=f"its weights are quantised ({method}); use a BF16 or GGUF version"
        )


def _find_shards(path: Path) -> tuple[Path, ...]:
    if (path / _SINGLE_FILE).is_file():
        return (path / _SINGLE_FILE,)
    if not (path / _INDEX).is_file():
        raise ModelIncomplete(name=path.name, missing=_SINGLE_FILE)
    weight_map = _read_json(path, _INDEX).get("weight_map")
    if not isinstance(weight_map, dict) or not all(isinstance(v, str) for v in weight_map.values()):
        raise ModelDamaged(file=_INDEX, reason="it has no list of weights")
    names = sorted(set(weight_map.values()))
    if not names or any(Path(name).name != name for name in names):
        raise ModelDamaged(file=_INDEX, reason="it names no files of this folder")
    for name in names:
        if not (path / name).is_file():
            raise ModelIncomplete(name=path.name, missing=name)
    return tuple(path / name for name in names)

"""Look into a folder as Hugging Face publishes models: `config.json`, safetensors, tokenizer, processor."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from desktopapp.errors import ModelDamaged, ModelError, ModelUnsupported
from desktopapp.modelstore.found import (
    CHAT_TEMPLATE_WORDS,
    Found,
    broken,
    is_lfs_pointer,
    pointer_words,
    rest_words,
)
from desktopapp.modelstore.model import InstalledModel, ModelFiles, WeightFormat
from desktopapp.modelstore.naming import family_name, kind_from_name, kind_from_template
from desktopapp.modelstore.own_sampling import read_generation_config
from desktopapp.modelstore.safetensors_header import precision_of, read_safetensors_header

ARCHITECTURES = ("qwen3_vl", "qwen3_vl_moe")
_INDEX = "model.safetensors.index.json"
_SINGLE = "model.safetensors"


def is_safetensors_folder(folder: Path) -> bool:
    """Whether a folder holds, or was meant to hold, such a model."""
    return (folder / "config.json").is_file() or any(folder.glob("*.safetensors"))


def inspect_safetensors_folder(folder: Path) -> Found:
    """What model a folder holds and what is missing of it; reads headers and small files only."""
    name = folder.name
    template = _read_chat_template(folder)
    kind = kind_from_template(template) if template else kind_from_name(name)
    try:
        config = _read_config(folder, name)
        shards, missing = _weights(folder)
        precision, damage = _precision(shards)
    except ModelError as error:
        return broken(name, folder, kind, error)
    except OSError as error:
        reason = f"its files cannot be read ({error.strerror})"
        return broken(name, folder, kind, ModelUnsupported(name=name, reason=reason))
    if config is None:
        missing.insert(0, "config.json")
        config = {}
    missing += damage + _missing_helpers(folder) + ([] if template else [CHAT_TEMPLATE_WORDS])
    size_bytes = sum(shard.stat().st_size for shard in shards)
    sampling = read_generation_config(folder)
    files = ModelFiles(
        WeightFormat.SAFETENSORS, folder, None, precision, size_bytes, tuple(missing), sampling=sampling
    )
    model = InstalledModel(
        name, folder, kind, family_name(name), (files,), random_weights=config.get("random_weights") is True
    )
    width = config.get("text_config", {}).get("hidden_size", 0)
    return Found(model, width=width if isinstance(width, int) else 0)


def _read_json(path: Path) -> Any:
    """A JSON file's value; None where there is none.

    Raises:
        ModelDamaged: it is not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        raise ModelDamaged(file=path.name, reason="it is not JSON") from error


def _read_config(folder: Path, name: str) -> dict[str, Any] | None:
    config = _read_json(folder / "config.json")
    if config is None:
        return None
    if not isinstance(config, dict):
        raise ModelDamaged(file="config.json", reason="it holds no settings")
    architecture = config.get("model_type", "")
    if architecture not in ARCHITECTURES:
        raise ModelUnsupported(name=name, reason=f"its architecture is “{architecture or 'unknown'}”")
    if not isinstance(config.get("vision_config"), dict):
        raise ModelUnsupported(name=name, reason="its config.json has no vision part")
    if not isinstance(config.get("text_config"), dict):
        raise ModelUnsupported(name=name, reason="its config.json has no text part")
    return config


def _weights(folder: Path) -> tuple[list[Path], list[str]]:
    """The weight files that are there, and what is missing of them in words."""
    index = _read_json(folder / _INDEX)
    if index is None:
        single = folder / _SINGLE
        return ([single], []) if single.is_file() else ([], [f"the weights ({_SINGLE})"])
    try:
        names = sorted({str(shard) for shard in index["weight_map"].values()})
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelDamaged(file=_INDEX, reason="it has no weight_map") from error
    shards = [folder / Path(shard).name for shard in names]
    missing = [f"“{shard.name}”" for shard in shards if not shard.is_file()]
    return [shard for shard in shards if shard.is_file()], missing


def _precision(shards: list[Path]) -> tuple[str, list[str]]:
    """Precision of all weights, and what is missing within the files in words."""
    totals: Counter[str] = Counter()
    missing = []
    for shard in shards:
        if is_lfs_pointer(shard):
            missing.append(pointer_words(shard))
            continue
        header = read_safetensors_header(shard)
        totals.update(header.bytes_by_type)
        if header.is_cut_short:
            missing.append(rest_words(shard))
    return precision_of(totals), missing


def _missing_helpers(folder: Path) -> list[str]:
    def has(*names: str) -> bool:
        return all((folder / name).is_file() for name in names)

    missing = []
    if not (has("tokenizer.json") or has("vocab.json", "merges.txt")):
        missing.append("the tokenizer (tokenizer.json)")
    if not (has("preprocessor_config.json") or has("processor_config.json")):
        missing.append("preprocessor_config.json")
    return missing


def _read_chat_template(folder: Path) -> str:
    """The template's source from whichever of its three places; empty where it is missing."""
    try:
        return (folder / "chat_template.jinja").read_text(encoding="utf-8")
    except (OSError, ValueError):
        pass
    for name in ("chat_template.json", "tokenizer_config.json"):
        try:
            value = json.loads((folder / name).read_bytes())["chat_template"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        if isinstance(value, str):
            return value
    return ""

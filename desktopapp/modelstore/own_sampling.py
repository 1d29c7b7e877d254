"""How the makers of a model want its tokens chosen, as its files say it.

Sources: Hugging Face's `generation_config.json`; the GGUF keys `general.sampling.*`, in which llama.cpp's converter
keeps the same values. `presence_penalty` is a field of neither format; servers add it, so it is read where it is there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from desktopapp.modelstore.model import OwnSampling

GENERATION_CONFIG = "generation_config.json"


def read_generation_config(folder: Path) -> OwnSampling:
    """What a folder's `generation_config.json` says; nothing where it is missing, or is no JSON object."""
    try:
        values = json.loads((folder / GENERATION_CONFIG).read_bytes())
    except (OSError, ValueError, RecursionError):
        return OwnSampling()
    if not isinstance(values, dict):
        return OwnSampling()
    own = _own_sampling(lambda name: values.get(name))
    return own if values.get("do_sample", True) is not False else own.greedy()


def sampling_from_metadata(metadata: Mapping[str, Any]) -> OwnSampling:
    """What a GGUF header says under `general.sampling`."""
    names = {"temperature": "temp", "repetition_penalty": "penalty_repeat"}
    return _own_sampling(lambda name: metadata.get(f"general.sampling.{names.get(name, name)}"))


def _own_sampling(value: Callable[[str], object]) -> OwnSampling:
    """The values that are numbers in range; what is not, counts as not said."""

    def number(name: str, least: float, most: float) -> float | None:
        given = value(name)
        if isinstance(given, bool) or not isinstance(given, int | float):
            return None
        return float(given) if math.isfinite(given) and least <= given <= most else None

    top_k = number("top_k", 0, 1e6)
    return OwnSampling(
        temperature=number("temperature", 0, 5),
        top_p=number("top_p", 1e-3, 1),
        top_k=None if top_k is None else int(top_k),
        presence_penalty=number("presence_penalty", -2, 2),
        repetition_penalty=number("repetition_penalty", 0.1, 10),
    )

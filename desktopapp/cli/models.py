"""`models`: what the model store finds, and what is missing."""

from __future__ import annotations

import sys
from typing import Any

from desktopapp import paths
from desktopapp.cli.terminal import DONE, readable_size, use_utf8, write_json, write_line
from desktopapp.modelstore.model import InstalledModel, ModelFiles, WeightFormat
from desktopapp.modelstore.store import find_models, is_usable

_BACKENDS = {WeightFormat.SAFETENSORS: "transformers", WeightFormat.GGUF: "llama.cpp"}


def show_models(*, as_json: bool) -> int:
    """List the models that are here.

    Args:
        as_json: one JSON object instead of text.

    Returns:
        The exit code.
    """
    use_utf8(sys.stdout)
    models = find_models()
    places = [str(place) for place in paths.model_dirs()]
    if as_json:
        write_json(sys.stdout, {"models": [describe_model(model) for model in models], "places": places})
        return DONE
    for model in models:
        for line in model_lines(model):
            write_line(sys.stdout, line)
    if not any(is_usable(model) for model in models):
        write_line(sys.stdout, "No usable model is here yet. “get” lists what can be had; or put a Qwen3-VL")
        write_line(sys.stdout, f"folder, or a GGUF file with its mmproj file, into {places[-1]}")
    return DONE


def describe_model(model: InstalledModel) -> dict[str, Any]:
    """A model as plain JSON types."""
    return {
        "name": model.name,
        "kind": str(model.kind),
        "family": model.family,
        "folder": str(model.folder),
        "usable": is_usable(model),
        "random_weights": model.random_weights,
        "problem": model.problem,
        "files": [_describe_files(files) for files in model.files],
    }


def _describe_files(files: ModelFiles) -> dict[str, Any]:
    return {
        "format": str(files.format),
        "backend": _BACKENDS[files.format],
        "path": str(files.path),
        "projector": str(files.projector) if files.projector else None,
        "precision": files.precision,
        "size_bytes": files.size_bytes,
        "missing": list(files.missing),
    }


def model_lines(model: InstalledModel) -> list[str]:
    """A model as lines of text: its name and kind, then each form that is here."""
    note = " (random weights, answers mean nothing)" if model.random_weights else ""
    lines = [f"{model.name}: {model.kind.capitalize()}{note}"]
    if model.problem:
        lines.append(f"  cannot be used: {model.problem}")
    for files in model.files:
        facts = [files.precision, readable_size(files.size_bytes), _BACKENDS[files.format]]
        line = "  " + ", ".join(fact for fact in facts if fact)
        if files.missing:
            line += f"; missing: {', '.join(files.missing)}"
        lines.append(line)
    return lines

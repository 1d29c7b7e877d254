"""The models that can be had: the official Qwen3-VL repositories, as `resources/catalogue.json` lists them.

The list holds names and shapes. How large files are is asked from the hub, when the person wants it to be asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from desktopapp import paths
from desktopapp.modelstore.model import ModelKind, WeightFormat

SIXTEEN_BIT = "BF16"
"""How the precision of a safetensors repository is called."""

_GGUF_SUFFIX = "-GGUF"


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """One size of the family, which is published as an Instruct and a Thinking model.

    Args:
        size: as `4B`.
        repository: its name on the hub, with `{kind}` in it.
        precisions: of its GGUF files, the smallest first.
        config: what its `config.json` says of its shape.
    """

    size: str
    repository: str
    precisions: tuple[str, ...]
    config: dict[str, Any]

    @property
    def family(self) -> str:
        """The name without its kind, as `Qwen3-VL-4B`."""
        return self.repository.rpartition("/")[2].replace("-{kind}", "")

    def repository_of(self, kind: ModelKind, weight_format: WeightFormat) -> str:
        """Name of the repository with one kind in one format."""
        name = self.repository.format(kind=kind.capitalize())
        return name + _GGUF_SUFFIX if weight_format is WeightFormat.GGUF else name


def read_catalogue() -> tuple[CatalogueModel, ...]:
    """The sizes that are published, the smallest first."""
    text = (paths.resources_dir() / "catalogue.json").read_text(encoding="utf-8")
    return tuple(
        CatalogueModel(entry["size"], entry["repository"], tuple(entry["precisions"]), entry["config"])
        for entry in json.loads(text)["models"]
    )


def find_entry(
    name: str, catalogue: tuple[CatalogueModel, ...]
) -> tuple[CatalogueModel, tuple[ModelKind, ...], WeightFormat | None] | None:
    """What a short name means: `4B`, `4b-thinking`, `Qwen3-VL-4B-Instruct`, with or without its owner.

    Args:
        name: as a person types it.
        catalogue: to look in.

    Returns:
        The size, the kinds (both for a size alone) and the format where the name says GGUF; None where it means
        nothing of the catalogue.
    """
    wanted = name.strip().lower()
    for model, kinds, weight_format, spelling in _spellings(catalogue):
        if wanted == spelling.lower():
            return model, kinds, weight_format
    return None


def _spellings(
    catalogue: tuple[CatalogueModel, ...],
) -> Iterator[tuple[CatalogueModel, tuple[ModelKind, ...], WeightFormat | None, str]]:
    for model in catalogue:
        yield model, tuple(ModelKind), None, model.size
        yield model, tuple(ModelKind), None, model.family
        for kind in ModelKind:
            yield model, (kind,), None, f"{model.size}-{kind}"
            # Without its owner the form is left open; a whole name of a repository means that repository.
            for weight_format, said in (
                (WeightFormat.SAFETENSORS, None),
                (WeightFormat.GGUF, WeightFormat.GGUF),
            ):
                repository = model.repository_of(kind, weight_format)
                yield model, (kind,), said, repository.rpartition("/")[2]

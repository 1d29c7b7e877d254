"""What the model store knows about an installed model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path


class ModelKind(StrEnum):
    """Which of the two checkpoints of a family a model is."""

    INSTRUCT = "instruct"
    THINKING = "thinking"


class WeightFormat(StrEnum):
    """How the weights are stored; each format has one backend."""

    SAFETENSORS = "safetensors"
    GGUF = "gguf"


@dataclass(frozen=True, slots=True)
class OwnSampling:
    """How a model's makers want its tokens chosen; None where they say nothing. Fields as in `SamplingOverrides`."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    presence_penalty: float | None = None
    repetition_penalty: float | None = None

    def greedy(self) -> OwnSampling:
        """The same with the likeliest token taken always."""
        return replace(self, temperature=0.0)


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """One loadable form of a model.

    Args:
        format: safetensors folder or GGUF file.
        path: the folder with `config.json`, or the (first) GGUF file.
        projector: the mmproj file of a GGUF; None where it is missing or not needed.
        precision: of the weights, as `BF16`, `F32`, `Q8_0`, `Q4_K_M`.
        size_bytes: of all files that loading reads, the projector included.
        missing: what is missing, in words; empty when it can be loaded.
        damaged: name of the file that is there and cannot be read, and why; else None.
        sampling: that its makers recommend.
    """

    format: WeightFormat
    path: Path
    projector: Path | None
    precision: str
    size_bytes: int
    missing: tuple[str, ...] = ()
    damaged: tuple[str, str] | None = None
    sampling: OwnSampling = OwnSampling()


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """One model of the store: a folder that may hold it in several formats and quantisations.

    Args:
        name: unique in the list: the folder's name, or the GGUF file's name without its precision.
        folder: where its files are.
        kind: Instruct or Thinking, from the chat template, else from the name.
        family: the name without its kind, which a pair shares.
        files: its loadable forms, the best first within a format.
        random_weights: made with random weights for trying out; answers mean nothing.
        problem: why it cannot be used at all (no vision part, another architecture, unreadable config), or empty.
    """

    name: str
    folder: Path
    kind: ModelKind
    family: str
    files: tuple[ModelFiles, ...]
    random_weights: bool = False
    problem: str = ""

"""Corrects the few constants of the formulas by what runs on this machine measured.

Kept for each model, backend and device in one readable JSON file of the per-user folder. A correction is the median
of the last measured values and bounded, so one odd run (another program's memory, a first run's warm-up) moves
nothing by itself, and a file that is damaged or absurd is read as no file.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from desktopapp import paths
from desktopapp.engine.request import BackendChoice

_KEPT_RUNS = 9
_LEAST_RUNS = 3
_LARGEST_FILE_BYTES = 4 << 20
_FACTOR_BOUNDS = (0.5, 2.0)
_OVERHEAD_BOUNDS = (64 << 20, 4 << 30)

# Before anything was measured here. GPUs, an NVIDIA H200: its runtime and loaded kernels (650 to 765 MiB), cuBLAS (66),
# and rounding. The others: resident memory of `ask` with the smallest models, less what they hold. docs/memory.md has
# the figures.
_GPU_OVERHEAD_BYTES = {BackendChoice.TRANSFORMERS: 800 << 20, BackendChoice.LLAMA_CPP: 560 << 20}
_CPU_OVERHEAD_BYTES = {BackendChoice.TRANSFORMERS: 480 << 20, BackendChoice.LLAMA_CPP: 110 << 20}


@dataclass(frozen=True, slots=True)
class Corrections:
    """Constants in the place of the default ones.

    Args:
        measured_overhead_bytes: of the runtime and its allocator; None for the default.
        vision_factor: measured to counted memory of the vision tower.
        activation_factor: likewise of the language model's activations.
    """

    measured_overhead_bytes: int | None = None
    vision_factor: float = 1.0
    activation_factor: float = 1.0

    def overhead_bytes(self, backend: BackendChoice, *, is_gpu: bool) -> int:
        """Bytes that the runtime takes, and its allocator beside what is in use."""
        if self.measured_overhead_bytes is not None:
            return self.measured_overhead_bytes
        return (_GPU_OVERHEAD_BYTES if is_gpu else _CPU_OVERHEAD_BYTES).get(backend, 0)


UNCALIBRATED = Corrections()


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one run taught. None where it taught nothing.

    Args:
        overhead_bytes: of the driver's count, what the formulas do not count.
        vision_ratio: measured to counted memory of the vision tower.
        activation_ratio: likewise of activations.
    """

    overhead_bytes: int | None = None
    vision_ratio: float | None = None
    activation_ratio: float | None = None


@dataclass(slots=True)
class _History:
    """The last measured values of one model, backend and device, the newest last."""

    overhead_bytes: list[float] = field(default_factory=list)
    vision_ratio: list[float] = field(default_factory=list)
    activation_ratio: list[float] = field(default_factory=list)


class Calibration:
    """What was measured on this machine.

    Args:
        file: where it is kept; None for the per-user folder's.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or paths.user_dir() / "memory-calibration.json"
        self._histories = _read(self._file)

    def corrections(self, model: str, backend: str, device: str) -> Corrections:
        """The constants for a model in a backend on a device."""
        history = self._histories.get(_key(model, backend, device), _History())
        overhead = _settled(history.overhead_bytes, *_OVERHEAD_BOUNDS)
        vision = _settled(history.vision_ratio, *_FACTOR_BOUNDS)
        activation = _settled(history.activation_ratio, *_FACTOR_BOUNDS)
        default = UNCALIBRATED
        return Corrections(
            None if overhead is None else round(overhead),
            default.vision_factor if vision is None else vision,
            default.activation_factor if activation is None else activation,
        )

    def add(self, model: str, backend: str, device: str, measurement: Measurement) -> None:
        """Take what a run measured and write it down; values that no run can have are left out.

        A folder that cannot be written costs the memory of it and nothing else.
        """
        history = self._histories.setdefault(_key(model, backend, device), _History())
        for name, value in asdict(measurement).items():
            if value is not None and math.isfinite(value) and value >= 0:
                values: list[float] = getattr(history, name)
                values.append(value)
                del values[:-_KEPT_RUNS]
        try:
            _write(self._file, self._histories)
        except OSError:
            return


def _settled(values: list[float], least: float, most: float) -> float | None:
    """The median, within bounds; None until there were enough runs for one to be odd."""
    if len(values) < _LEAST_RUNS:
        return None
    return min(max(median(values), least), most)


def _key(model: str, backend: str, device: str) -> str:
    return f"{model} | {backend} | {device}"


def _read(file: Path) -> dict[str, _History]:
    try:
        if file.stat().st_size > _LARGEST_FILE_BYTES:
            return {}
        values: Any = json.loads(file.read_bytes())
        return msgspec.convert(values, type=dict[str, _History])
    except (OSError, ValueError, RecursionError, msgspec.MsgspecError):
        return {}


def _write(file: Path, histories: dict[str, _History]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({key: asdict(history) for key, history in histories.items()}, indent=1)
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=file.name, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise

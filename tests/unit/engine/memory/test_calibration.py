"""What runs teach, and what they cannot spoil."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desktopapp.engine.memory.calibration import UNCALIBRATED, Calibration, Measurement
from desktopapp.engine.request import BackendChoice

KEY = ("m", "transformers", "GPU")
MIB = 1 << 20


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "calibration.json"


def taught(file: Path, *overheads: int, ratio: float = 1.1) -> Calibration:
    calibration = Calibration(file)
    for overhead in overheads:
        calibration.add(*KEY, Measurement(overhead_bytes=overhead * MIB, activation_ratio=ratio))
    return calibration


def test_before_the_first_runs_nothing_is_corrected(file: Path) -> None:
    assert Calibration(file).corrections(*KEY) == UNCALIBRATED
    assert taught(file, 400, 400).corrections(*KEY) == UNCALIBRATED


def test_three_runs_teach(file: Path) -> None:
    corrections = taught(file, 400, 410, 405).corrections(*KEY)
    assert corrections.overhead_bytes(BackendChoice.TRANSFORMERS, is_gpu=True) == 405 * MIB
    assert corrections.activation_factor == pytest.approx(1.1)
    assert corrections.vision_factor == 1.0


def test_one_odd_run_spoils_nothing(file: Path) -> None:
    calm = taught(file, 400, 400, 400, 400).corrections(*KEY)
    calibration = Calibration(file)
    calibration.add(*KEY, Measurement(overhead_bytes=90_000 * MIB, activation_ratio=50.0))
    assert calibration.corrections(*KEY) == calm


def test_even_many_odd_runs_stay_within_bounds(file: Path) -> None:
    calibration = Calibration(file)
    for _ in range(20):
        calibration.add(*KEY, Measurement(10**12, 1e9, 0.0))
    corrections = calibration.corrections(*KEY)
    assert corrections.overhead_bytes(BackendChoice.LLAMA_CPP, is_gpu=True) == 4 << 30
    assert (corrections.vision_factor, corrections.activation_factor) == (2.0, 0.5)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_impossible_values_are_left_out(value: float, file: Path) -> None:
    calibration = Calibration(file)
    for _ in range(5):
        calibration.add(*KEY, Measurement(vision_ratio=value))
    assert calibration.corrections(*KEY) == UNCALIBRATED


def test_it_follows_a_change(file: Path) -> None:
    assert taught(file, *[400] * 9, *[700] * 5).corrections(*KEY).measured_overhead_bytes == 700 * MIB


def test_it_is_kept_and_readable(file: Path) -> None:
    taught(file, 400, 410, 405)
    assert json.loads(file.read_text())["m | transformers | GPU"]["overhead_bytes"] == [
        400 * MIB,
        410 * MIB,
        405 * MIB,
    ]
    assert Calibration(file).corrections(*KEY).measured_overhead_bytes == 405 * MIB
    assert Calibration(file).corrections("m", "llama.cpp", "GPU") == UNCALIBRATED


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 1}', '{"a": {"overhead_bytes": "x"}}', "[" * 100_000])
def test_a_damaged_file_is_no_file(text: str, file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert Calibration(file).corrections(*KEY) == UNCALIBRATED
    assert taught(file, 400, 400, 400).corrections(*KEY).measured_overhead_bytes == 400 * MIB


def test_a_folder_that_cannot_be_written_costs_only_the_memory(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    calibration = taught(blocked / "calibration.json", 400, 400, 400)
    assert calibration.corrections(*KEY).measured_overhead_bytes == 400 * MIB

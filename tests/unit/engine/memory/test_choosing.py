"""Which forms of which models could answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktopapp.engine.memory.calibration import Calibration
from desktopapp.engine.memory.choosing import Chooser
from desktopapp.engine.memory.machine import Device, Machine
from desktopapp.engine.memory.steps import Step
from desktopapp.engine.request import BackendChoice
from desktopapp.errors import BackendUnavailable, ModelIncomplete
from desktopapp.modelstore.model import InstalledModel, ModelFiles, ModelKind, WeightFormat
from tests.published_configs import write_published_config

GIB = 2**30
GPU = Device("GPU", True, 24 * GIB, 24 * GIB)
SYSTEM = Device("System memory", False, 32 * GIB, 32 * GIB)
BOTH = frozenset({BackendChoice.TRANSFORMERS, BackendChoice.LLAMA_CPP})


@pytest.fixture
def chooser(tmp_path: Path) -> Chooser:
    return Chooser(Machine(SYSTEM, GPU, BOTH), Calibration(tmp_path / "calibration.json"))


@pytest.fixture
def model(tmp_path: Path, random_gguf: ModelFiles) -> InstalledModel:
    """4B as safetensors, with a (small) GGUF beside it."""
    write_published_config(tmp_path / "4B", "4B")
    folder = ModelFiles(WeightFormat.SAFETENSORS, tmp_path / "4B", None, "BF16", 9 * 10**9)
    return InstalledModel("4B", tmp_path / "4B", ModelKind.INSTRUCT, "family", (folder, random_gguf))


def test_the_16_bit_weights_where_the_gpu_holds_them(chooser: Chooser, model: InstalledModel) -> None:
    candidate, reason = chooser.wanted(model, BackendChoice.AUTO)
    assert candidate.backend is BackendChoice.TRANSFORMERS
    assert candidate.device is GPU
    assert "holds" in reason


def test_a_ceiling_counts_like_a_smaller_gpu(chooser: Chooser, model: InstalledModel) -> None:
    candidate, reason = chooser.wanted(model, BackendChoice.AUTO, 6 * GIB)
    assert candidate.backend is BackendChoice.LLAMA_CPP
    assert "6.0 GiB" in reason


def test_the_other_form_is_an_alternative_unless_a_backend_was_named(
    chooser: Chooser, model: InstalledModel
) -> None:
    candidate, _ = chooser.wanted(model, BackendChoice.AUTO)
    (other,) = chooser.other_forms(model, candidate, BackendChoice.AUTO)
    assert other.step is Step.OTHER_BACKEND
    assert other.candidate.backend is BackendChoice.LLAMA_CPP
    assert not list(chooser.other_forms(model, candidate, BackendChoice.TRANSFORMERS))


def test_a_smaller_model_of_the_same_kind(
    chooser: Chooser, model: InstalledModel, random_gguf: ModelFiles
) -> None:
    candidate, _ = chooser.wanted(model, BackendChoice.AUTO)
    small = InstalledModel("small", Path("small"), ModelKind.INSTRUCT, "other", (random_gguf,))
    thinking = InstalledModel("thinking", Path("t"), ModelKind.THINKING, "other", (random_gguf,))
    found = list(chooser.smaller_models([model, small, thinking], model, candidate, BackendChoice.AUTO))
    assert [one.candidate.model for one in found] == ["small"]


def test_weights_that_are_not_here_are_priced_by_config_alone(chooser: Chooser, tmp_path: Path) -> None:
    write_published_config(tmp_path / "8B", "8B")
    files = ModelFiles(WeightFormat.SAFETENSORS, tmp_path / "8B", None, "", 0, ("the weights",))
    model = InstalledModel("8B", tmp_path / "8B", ModelKind.INSTRUCT, "8B", (files,))
    candidate, reason = chooser.wanted(model, BackendChoice.AUTO)
    assert candidate.spec.weights == 8_767_123_696
    assert "config.json" in reason
    with pytest.raises(BackendUnavailable):
        chooser.wanted(model, BackendChoice.LLAMA_CPP)


def test_weights_that_are_not_here_are_never_loaded(chooser: Chooser, tmp_path: Path) -> None:
    write_published_config(tmp_path / "8B", "8B")
    files = ModelFiles(WeightFormat.SAFETENSORS, tmp_path / "8B", None, "", 0, ("the weights",))
    model = InstalledModel("8B", tmp_path / "8B", ModelKind.INSTRUCT, "8B", (files,))
    with pytest.raises(ModelIncomplete, match="the weights is missing"):
        chooser.wanted(model, BackendChoice.AUTO, to_load=True)

"""The transformers backend on a CUDA card: the same tokens as on the processor, memory measured and given back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from desktopapp.engine.backend import Backend, LoadedModel, LoadOptions
from desktopapp.engine.backends.transformers import TransformersBackend
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore.model import ModelFiles, ModelKind, WeightFormat
from models.random_pair import make_random_model
from tests.contract.generation import SAMPLED, ask, run
from tests.pictures import NoisePicture

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch finds no CUDA card"),
]

PROMPT = ask(NoisePicture(420, 260, seed=1), "and", NoisePicture(300, 500, seed=2), "What are they?")


def load(folder: Path, device: str) -> tuple[Backend, LoadedModel]:
    backend = TransformersBackend()
    files = ModelFiles(WeightFormat.SAFETENSORS, folder, None, "F32", 1)
    return backend, backend.load(files, LoadOptions(device=device), StepClock(), lambda *_: None)


@pytest.fixture(scope="module")
def on_gpu(random_folder: Path) -> Iterator[Backend]:
    backend, facts = load(random_folder, "auto")
    assert facts.device.startswith("cuda:")
    assert facts.precision == "F32"
    yield backend
    backend.unload()


def test_greedy_tokens_equal_the_processors(on_gpu: Backend, random_folder: Path) -> None:
    on_cpu, _ = load(random_folder, "cpu")
    expected = run(on_cpu, PROMPT, max_new_tokens=40)
    found = run(on_gpu, PROMPT, max_new_tokens=40)
    assert found.tokens == expected.tokens
    assert found.images == expected.images


def test_a_seed_repeats(on_gpu: Backend) -> None:
    first = run(on_gpu, PROMPT, SAMPLED, 40)
    assert run(on_gpu, PROMPT, SAMPLED, 40).tokens == first.tokens
    assert first.end.peak_bytes == torch.cuda.max_memory_allocated()


def test_bfloat16_runs_where_the_card_has_it(tmp_path: Path) -> None:
    make_random_model(tmp_path, ModelKind.INSTRUCT, seed=3, dtype="BF16")
    backend, facts = load(tmp_path, "cuda")
    fast = torch.cuda.is_bf16_supported(including_emulation=False)
    assert facts.precision == ("BF16" if fast else "F16")
    assert len(run(backend, PROMPT, SAMPLED, 20).tokens) > 0
    backend.unload()


def test_unload_empties_the_card(random_folder: Path) -> None:
    before = torch.cuda.memory_allocated()
    backend, _ = load(random_folder, "cuda")
    run(backend, PROMPT)
    assert torch.cuda.memory_allocated() > before
    backend.unload()
    assert torch.cuda.memory_allocated() == before

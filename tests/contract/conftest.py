"""Every backend, loaded once with the same random model."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from desktopapp.engine.backend import Backend, LoadedModel, LoadOptions
from desktopapp.engine.backends.fake import FakeBackend, fake_model
from desktopapp.engine.backends.llama_cpp import LlamaCppBackend
from desktopapp.engine.backends.transformers import TransformersBackend
from desktopapp.engine.request import BackendChoice
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore.model import ModelFiles, WeightFormat
from tests.exact_attention import attention_in_32_bits

CONTEXT_TOKENS = 1024
REAL = ("transformers", "llama.cpp")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Around each test of this folder and its fixtures, those of the whole session included."""
    ours = Path(__file__).parent in item.path.parents  # pytest asks about those of all folders
    with attention_in_32_bits() if ours else nullcontext():
        return (yield)


@dataclass(frozen=True, slots=True)
class Contender:
    """One backend and a model that it runs."""

    choice: BackendChoice
    make: Callable[[], Backend]
    files: ModelFiles

    def load(self, context_tokens: int = CONTEXT_TOKENS) -> tuple[Backend, LoadedModel]:
        backend = self.make()
        options = LoadOptions(context_tokens=context_tokens, device="cpu")
        return backend, backend.load(self.files, options, StepClock(), lambda stage, fraction: None)

    def damaged_copy(self, folder: Path) -> ModelFiles:
        """The same model with its weights cut in half."""
        if self.files.format is WeightFormat.SAFETENSORS:
            copy = Path(shutil.copytree(self.files.path, folder / "model"))
            _halve(copy / "model.safetensors")
        else:
            copy = Path(shutil.copy(self.files.path, folder))
            _halve(copy)
        return ModelFiles(self.files.format, copy, self.files.projector, "F32", self.files.size_bytes)


def _halve(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _fast_fake() -> Backend:
    return FakeBackend(tokens_per_s=None, prefill_tokens_per_s=None)


@pytest.fixture(scope="session", params=[*REAL, "fake"])
def contender(request: pytest.FixtureRequest, random_folder: Path, random_gguf: ModelFiles) -> Contender:
    choice = BackendChoice(request.param)
    if choice is BackendChoice.FAKE:
        return Contender(choice, _fast_fake, fake_model().files[0])
    if choice is BackendChoice.TRANSFORMERS:
        size_bytes = (random_folder / "model.safetensors").stat().st_size
        files = ModelFiles(WeightFormat.SAFETENSORS, random_folder, None, "F32", size_bytes)
        return Contender(choice, TransformersBackend, files)
    return Contender(choice, LlamaCppBackend, random_gguf)


@pytest.fixture(scope="session")
def backend(contender: Contender) -> Iterator[Backend]:
    """The contender, loaded. A test must leave it usable; `test_backend.py` checks that it does."""
    loaded, _ = contender.load()
    yield loaded
    loaded.unload()

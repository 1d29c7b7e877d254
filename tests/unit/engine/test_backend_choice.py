from __future__ import annotations

from pathlib import Path

import pytest

from desktopapp.engine.backend_choice import HEADROOM_BYTES, choose_backend
from desktopapp.engine.memory.machine import installed_gpu_backends
from desktopapp.engine.memory.probe import GpuFacts
from desktopapp.engine.request import BackendChoice
from desktopapp.errors import BackendUnavailable, ModelIncomplete, ModelUnsupported, ProjectorMissing
from desktopapp.modelstore.gguf_folder import PROJECTOR_WORDS
from desktopapp.modelstore.model import InstalledModel, ModelFiles, ModelKind, WeightFormat

WEIGHTS = 4 * 2**30
FOLDER = Path("/models/m")
SAFETENSORS = ModelFiles(WeightFormat.SAFETENSORS, FOLDER, None, "BF16", WEIGHTS)
GGUF = ModelFiles(WeightFormat.GGUF, FOLDER / "m.gguf", FOLDER / "mmproj.gguf", "Q4_K_M", WEIGHTS // 4)
NO_SHARD = ModelFiles(WeightFormat.SAFETENSORS, FOLDER, None, "BF16", WEIGHTS, ("shard 2 of 2",))
NO_PROJECTOR = ModelFiles(
    WeightFormat.GGUF, FOLDER / "m.gguf", None, "Q4_K_M", WEIGHTS // 4, (PROJECTOR_WORDS,)
)
AUTO, TRANSFORMERS, LLAMA_CPP = BackendChoice.AUTO, BackendChoice.TRANSFORMERS, BackendChoice.LLAMA_CPP
BOTH = frozenset({TRANSFORMERS, LLAMA_CPP})


def model(*files: ModelFiles, problem: str = "") -> InstalledModel:
    return InstalledModel("m", FOLDER, ModelKind.INSTRUCT, "m", files, problem=problem)


def gpu(free_bytes: int) -> GpuFacts:
    return GpuFacts("NVIDIA GeForce RTX 4070", 12 * 2**30, free_bytes, "580.1")


@pytest.mark.parametrize(
    ("free_bytes", "has_cuda", "chosen", "words"),
    [
        (WEIGHTS + HEADROOM_BYTES, True, TRANSFORMERS, "holds the 16-bit weights"),
        (WEIGHTS + HEADROOM_BYTES - 1, True, LLAMA_CPP, "5.5 GiB"),
        (12 * 2**30, False, LLAMA_CPP, "torch has no CUDA"),
        (None, True, LLAMA_CPP, "No NVIDIA GPU"),
    ],
)
def test_where_both_could_run_the_gpu_decides(
    free_bytes: int | None, has_cuda: bool, chosen: BackendChoice, words: str
) -> None:
    facts = None if free_bytes is None else gpu(free_bytes)
    users = BOTH if has_cuda else frozenset[BackendChoice]()
    backend, files, reason = choose_backend(model(GGUF, SAFETENSORS), AUTO, facts, users)
    assert backend is chosen
    assert files is (SAFETENSORS if chosen is TRANSFORMERS else GGUF)
    assert words in reason


@pytest.mark.parametrize(
    ("free_bytes", "llama_has_gpu", "chosen"),
    [
        (WEIGHTS + HEADROOM_BYTES - 1, False, TRANSFORMERS),
        (WEIGHTS * 2 // 3 + HEADROOM_BYTES - 1, False, LLAMA_CPP),
        (WEIGHTS + HEADROOM_BYTES - 1, True, LLAMA_CPP),
    ],
)
def test_8_bits_on_the_gpu_come_before_a_llama_cpp_that_cannot_use_it(
    free_bytes: int, llama_has_gpu: bool, chosen: BackendChoice
) -> None:
    users = BOTH if llama_has_gpu else frozenset({TRANSFORMERS})
    backend, _, _ = choose_backend(model(GGUF, SAFETENSORS), AUTO, gpu(free_bytes), users)
    assert backend is chosen


def test_weights_of_32_bits_count_half() -> None:
    wide = ModelFiles(WeightFormat.SAFETENSORS, FOLDER, None, "F32", 2 * WEIGHTS)
    backend, _, _ = choose_backend(model(wide, GGUF), AUTO, gpu(WEIGHTS + HEADROOM_BYTES), BOTH)
    assert backend is TRANSFORMERS


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        ((SAFETENSORS,), TRANSFORMERS),
        ((GGUF,), LLAMA_CPP),
        ((NO_SHARD, GGUF), LLAMA_CPP),
        ((SAFETENSORS, NO_PROJECTOR), TRANSFORMERS),
    ],
)
def test_what_is_complete_runs(files: tuple[ModelFiles, ...], chosen: BackendChoice) -> None:
    backend, taken, reason = choose_backend(model(*files), AUTO, gpu(0), BOTH)
    assert (backend, taken.missing) == (chosen, ())
    assert "complete" in reason


def test_the_best_complete_file_of_a_format_is_taken() -> None:
    better = ModelFiles(WeightFormat.GGUF, FOLDER / "q8.gguf", FOLDER / "mmproj.gguf", "Q8_0", WEIGHTS // 2)
    assert choose_backend(model(NO_PROJECTOR, better, GGUF), AUTO, None)[1] is better


@pytest.mark.parametrize("wanted", [TRANSFORMERS, LLAMA_CPP])
def test_what_was_chosen_by_hand_is_obeyed(wanted: BackendChoice) -> None:
    backend, files, reason = choose_backend(model(SAFETENSORS, GGUF), wanted, None)
    assert backend is wanted
    assert files is (SAFETENSORS if wanted is TRANSFORMERS else GGUF)
    assert wanted in reason


@pytest.mark.parametrize(
    ("files", "wanted", "error", "words"),
    [
        ((GGUF,), TRANSFORMERS, BackendUnavailable, "no safetensors files"),
        ((SAFETENSORS,), LLAMA_CPP, BackendUnavailable, "no GGUF files"),
        ((NO_PROJECTOR,), LLAMA_CPP, ProjectorMissing, "mmproj"),
        ((NO_PROJECTOR,), AUTO, ProjectorMissing, "mmproj"),
        ((NO_SHARD, GGUF), TRANSFORMERS, ModelIncomplete, "shard 2 of 2"),
        ((NO_SHARD,), AUTO, ModelIncomplete, "shard 2 of 2"),
        ((), AUTO, ModelIncomplete, "weight"),
    ],
)
def test_what_cannot_run_is_said_in_words(
    files: tuple[ModelFiles, ...], wanted: BackendChoice, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        choose_backend(model(*files), wanted, gpu(12 * 2**30), BOTH)


def test_a_model_with_a_problem_runs_nowhere() -> None:
    with pytest.raises(ModelUnsupported, match="no vision part"):
        choose_backend(model(GGUF, problem="it has no vision part"), AUTO, None)


def test_a_cuda_torch_is_seen_without_importing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "torch"
    (package / "lib").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "torch", raising=False)
    assert TRANSFORMERS not in installed_gpu_backends()
    (package / "lib" / "libtorch_cuda.so").touch()
    assert TRANSFORMERS in installed_gpu_backends()

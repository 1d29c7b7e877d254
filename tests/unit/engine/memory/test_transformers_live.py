"""The transformers formulas against every tensor that the engine's own code keeps alive, phase by phase."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from desktopapp.engine.backend import Backend, ImageEvaluated, LoadOptions, PromptProgress, RunOptions
from desktopapp.engine.backends.transformers import TransformersBackend
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.memory.costs import RunShape, estimate
from desktopapp.engine.memory.formulas_transformers import TransformersCosts
from desktopapp.engine.memory.model_spec import read_folder_spec
from desktopapp.engine.memory.workload import Picture, Workload
from desktopapp.engine.prompt_parts import ImagePart, TokensPart
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore.model import ModelFiles, ModelKind, WeightFormat
from models.qwen_files.config import ModelShape
from models.random_pair import make_random_model
from tests.contract.generation import GREEDY
from tests.live_memory import LiveMemory
from tests.pictures import NoisePicture

# Wide beside its vocabulary and its fixed parts, as the published ones are.
SHAPE = ModelShape(
    vocabulary=320,
    layers=4,
    hidden=640,
    feed_forward=2432,
    heads=8,
    kv_heads=2,
    context_tokens=16384,
    vision_layers=4,
    vision_hidden=256,
    vision_feed_forward=1024,
    vision_heads=4,
)
NEW_TOKENS = 3
WIDE, HIGH = 512, 384
TOKENS = WIDE * HIGH // 1024
# The rotations of keys and queries, made once for each.
TABLES_BYTES = 2 * 128 * 128 * 4 + 65_536


@dataclass(frozen=True, slots=True)
class Loaded:
    backend: Backend
    costs: TransformersCosts


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    folder = tmp_path_factory.mktemp("live")
    make_random_model(folder, ModelKind.INSTRUCT, seed=5, dtype="F32", shape=SHAPE)
    costs = TransformersCosts(read_folder_spec(folder), "F32", 0, on_gpu=False)
    backend = TransformersBackend()
    files = ModelFiles(WeightFormat.SAFETENSORS, folder, None, "F32", 1)
    backend.load(files, LoadOptions(context_tokens=16384, device="cpu"), StepClock(), lambda *_: None)
    yield Loaded(backend, costs)
    backend.unload()


def measure(backend: Backend, images: int, text: int, run: RunShape) -> dict[str, int]:
    """Most bytes alive in each phase, the weights left out."""
    pictures = [ImagePart(NoisePicture(WIDE, HIGH, seed=number)) for number in range(images)]
    prompt = [*pictures, TokensPart((97,) * text)]
    options = RunOptions(run.kv_type, run.chunk_tokens)
    peaks = {"vision": 0, "prefill": 0, "decode": 0}
    with LiveMemory() as live:
        for step in backend.generate(prompt, GREEDY, NEW_TOKENS, CancelToken(), StepClock(), options):
            name = "decode"
            if isinstance(step, ImageEvaluated | PromptProgress):
                name = "vision" if isinstance(step, ImageEvaluated) else "prefill"
            peaks[name] = max(peaks[name], live.peak_bytes)
            live.peak_bytes = live.now_bytes
    return peaks


@pytest.mark.parametrize(
    ("images", "text", "kv_type", "chunk"),
    [
        (0, 1024, "16bit", 512),
        (0, 1000, "int8", 256),
        (0, 2048, "int4", 1024),
        (1, 700, "16bit", 512),
        (3, 100, "fp8_e4m3", 256),
    ],
)
def test_phases(loaded: Loaded, images: int, text: int, kv_type: str, chunk: int) -> None:
    loaded.backend._loaded.conversations.clear()  # type: ignore[attr-defined]
    run = RunShape(kv_type, chunk)
    workload = Workload((*[2, Picture(TOKENS, 4 * TOKENS)] * images, text), NEW_TOKENS)
    phases = estimate(loaded.costs, workload, run).phases
    measured = measure(loaded.backend, images, text, run)
    weights = loaded.costs.weight_bytes
    assert measured["prefill"] == pytest.approx(phases.prefill - weights, rel=0.01, abs=TABLES_BYTES)
    if images:
        assert measured["vision"] == pytest.approx(phases.vision - weights, rel=0.01, abs=TABLES_BYTES)

"""The llama.cpp formulas against the buffers that it reports itself, within 3 %."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktopapp.engine.backend import LoadOptions, RunOptions
from desktopapp.engine.backends.llama_cpp import LlamaCppBackend
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.memory.costs import RunShape
from desktopapp.engine.memory.formulas_llama_cpp import LlamaCosts
from desktopapp.engine.memory.model_spec import read_spec
from desktopapp.engine.prompt_parts import ImagePart, TextPart
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore.gguf_export import export_gguf
from desktopapp.modelstore.model import ModelFiles, ModelKind, WeightFormat
from models.qwen_files.config import ModelShape
from models.random_pair import make_random_model
from tests.contract.generation import GREEDY
from tests.pictures import NoisePicture

# As wide in its MLP as the published ones; the vision tower is 4B's, in width and in the order of its layers.
SHAPE = ModelShape(
    vocabulary=1024,
    layers=4,
    hidden=512,
    feed_forward=1536,
    heads=8,
    kv_heads=4,
    context_tokens=65536,
    vision_layers=4,
    vision_hidden=1024,
    vision_feed_forward=4096,
    vision_heads=16,
    vision_positions=256,
    deepstack_layers=(0, 1, 2),
)
# Context, micro-batch, KV type.
COMBINATIONS = [
    (8192, 512, "16bit"),
    (8192, 256, "q8_0"),
    (8192, 128, "q4_0"),
    (8192, 1024, "q4_0"),
    (12288, 512, "q8_0"),
    (16384, 512, "16bit"),
    (16384, 2048, "q8_0"),
    (16384, 256, "q4_0"),
    (32768, 512, "q4_0"),
    (32768, 2048, "16bit"),
    (65536, 1024, "q8_0"),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    folder = tmp_path_factory.mktemp("buffers")
    make_random_model(folder / "model", ModelKind.INSTRUCT, seed=2, dtype="F32", shape=SHAPE)
    text, projector = folder / "model-F16.gguf", folder / "mmproj-F16.gguf"
    export_gguf(folder / "model", text, projector, "F16", "F16")
    size_bytes = sum(Path(path).stat().st_size for path in (text, projector))
    return ModelFiles(WeightFormat.GGUF, text, projector, "F16", size_bytes)


@pytest.fixture(scope="module")
def costs(files: ModelFiles) -> LlamaCosts:
    return LlamaCosts(read_spec(files), overhead_bytes=0)


def test_text_buffers(files: ModelFiles, costs: LlamaCosts) -> None:
    backend = LlamaCppBackend()
    backend.load(files, LoadOptions(context_tokens=65536, device="cpu"), StepClock(), lambda *_: None)
    assert backend.memory_parts().weights_bytes == pytest.approx(costs.weight_bytes, rel=0.03)
    for context, batch, kv_type in COMBINATIONS:
        options = RunOptions(kv_type, batch, context)
        words = [
            TextPart("a" * (context - 8))
        ]  # one token a letter: the cache must grow to the whole context
        steps = backend.generate(words, GREEDY, 1, CancelToken(), StepClock(), options)
        next(steps)  # room was made, nothing evaluated
        parts = backend.memory_parts()
        steps.close()  # type: ignore[attr-defined]
        run = RunShape(kv_type, batch)
        expected = costs.prefill_bytes(batch, 0, context, run)
        assert parts.kv_cache_bytes == pytest.approx(costs.kv_bytes(context, context, run), rel=0.03)
        assert parts.workspace_bytes == pytest.approx(expected, rel=0.03), (context, batch, kv_type)
    backend.unload()


def test_vision_buffer(files: ModelFiles, costs: LlamaCosts) -> None:
    backend = LlamaCppBackend()
    backend.load(files, LoadOptions(context_tokens=8192, device="cpu"), StepClock(), lambda *_: None)
    side = 384
    picture = [ImagePart(NoisePicture(side, side)), TextPart("?")]
    for _ in backend.generate(picture, GREEDY, 1, CancelToken(), StepClock()):
        pass
    patches = (side // 16) ** 2
    assert backend.memory_parts().vision_bytes == pytest.approx(costs.picture_bytes(patches), rel=0.03)
    backend.unload()

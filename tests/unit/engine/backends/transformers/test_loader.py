from __future__ import annotations

import gc
import json
import shutil
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import Qwen3VLMoeConfig, Qwen3VLMoeForConditionalGeneration

from desktopapp.engine.backend import LoadOptions, TokenAdded
from desktopapp.engine.backends.transformers import TransformersBackend, loader
from desktopapp.engine.backends.transformers import device as device_module
from desktopapp.engine.backends.transformers.folder import open_folder
from desktopapp.engine.backends.transformers.loaded import LoadedNetwork
from desktopapp.engine.backends.transformers.loader import load_network
from desktopapp.engine.backends.transformers.memory import run_in_memory
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.prompt_parts import ImagePart, TextPart
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.errors import BackendUnavailable, ModelDamaged, OutOfMemory
from desktopapp.modelstore.model import ModelFiles, ModelKind, WeightFormat
from models.random_pair import make_random_model
from tests.pictures import NoisePicture

GREEDY = SamplingParameters(temperature=0.0, top_p=1.0, top_k=0, presence_penalty=0.0)


@pytest.fixture
def folder(random_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(random_folder, tmp_path / "model"))


def load(folder: Path, **options: object) -> LoadedNetwork:
    chosen = LoadOptions(context_tokens=options.get("context_tokens"), device=options.get("device", "cpu"))
    return load_network(open_folder(folder), chosen, lambda stage, fraction: None)


def test_progress_rises_through_the_stages(random_folder: Path) -> None:
    told: list[tuple[str, float | None]] = []
    load_network(open_folder(random_folder), LoadOptions(device="cpu"), lambda *step: told.append(step))
    assert list(dict.fromkeys(stage for stage, _ in told)) == ["tokenizer", "vision", "weights", "warm_up"]
    fractions = [fraction for _, fraction in told if fraction is not None]
    assert fractions == sorted(fractions)
    assert len(fractions) > 20


def test_facts_of_the_random_model(network: LoadedNetwork) -> None:
    facts = network.facts
    assert (facts.precision, facts.device, facts.context_tokens) == ("F32", "cpu", 8192)
    assert (facts.pixel_budget.cell_px, facts.pixel_budget.min_pixels) == (32, 65_536)
    stops = {network.tokenizer.convert_tokens_to_ids(token) for token in ("<|im_end|>", "<|endoftext|>")}
    assert network.stop_ids == stops


def test_context_is_limited_by_the_model_and_by_the_options(random_folder: Path) -> None:
    assert load(random_folder, context_tokens=512).facts.context_tokens == 512
    assert load(random_folder, context_tokens=10**6).facts.context_tokens == 8192


def test_context_follows_free_memory_when_nothing_is_asked(
    random_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 4 layers, 1 KV head of 128, keys and values in 32 bits.
    token_bytes = 2 * 4 * 128 * 4
    monkeypatch.setattr(loader, "free_bytes", lambda device: token_bytes * 5000)
    assert load(random_folder).facts.context_tokens == 3000
    monkeypatch.setattr(loader, "free_bytes", lambda device: 0)
    assert load(random_folder).facts.context_tokens == loader.SMALLEST_CONTEXT_TOKENS


@pytest.mark.parametrize(("fast", "precision"), [(True, "BF16"), (False, "F32")])
def test_bfloat16_weights_stay_so_only_on_a_processor_that_computes_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast: bool, precision: str
) -> None:
    make_random_model(tmp_path, ModelKind.INSTRUCT, seed=3, dtype="BF16")
    monkeypatch.setattr(device_module, "has_fast_bfloat16", lambda: fast)
    loaded = load(tmp_path)
    assert loaded.facts.precision == precision
    assert loaded.network.dtype is (torch.bfloat16 if fast else torch.float32)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA card")
def test_cuda_without_a_card_is_refused(random_folder: Path) -> None:
    with pytest.raises(BackendUnavailable, match="CUDA"):
        load(random_folder, device="cuda")


def test_missing_weights_are_not_filled_with_random_ones(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["model.visual.blocks.0.attn.qkv.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelDamaged, match=r"visual\.blocks\.0\.attn\.qkv"):
        load(folder)


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("text_config", "hidden_size", 96),
        ("text_config", "num_hidden_layers", 5),
        ("text_config", "hidden_size", "wide"),
        ("text_config", "num_attention_heads", 0),
        ("vision_config", "depth", "deep"),
    ],
)
def test_config_that_contradicts_the_weights_is_refused(
    folder: Path, part: str, field: str, value: object
) -> None:
    config = json.loads((folder / "config.json").read_text())
    config[part][field] = value
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelDamaged):
        load(folder)


@pytest.mark.parametrize("name", ["tokenizer.json", "preprocessor_config.json"])
def test_hollow_files_are_refused(folder: Path, name: str) -> None:
    (folder / name).write_text("{}")
    with pytest.raises(ModelDamaged, match=name.replace(".", r"\.")):
        load(folder)


def test_mixture_of_experts_loads_and_answers(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["text_config"].update(
        num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, model_type="qwen3_vl_moe_text"
    )
    config["vision_config"]["model_type"] = "qwen3_vl_moe_vision"
    torch.manual_seed(0)
    network = Qwen3VLMoeForConditionalGeneration(Qwen3VLMoeConfig(**config))
    network.save_pretrained(folder)
    assert json.loads((folder / "config.json").read_text())["model_type"] == "qwen3_vl_moe"
    backend = TransformersBackend()
    backend.load(model_files(folder), LoadOptions(device="cpu"), StepClock(), lambda *_: None)
    steps = backend.generate(
        [ImagePart(NoisePicture(256, 256)), TextPart("a")], GREEDY, 4, CancelToken(), StepClock()
    )
    assert sum(isinstance(step, TokenAdded) for step in steps) > 0


def model_files(folder: Path) -> ModelFiles:
    return ModelFiles(WeightFormat.SAFETENSORS, folder, None, "F32", 1)


def test_unload_lets_go_of_every_weight(random_folder: Path) -> None:
    backend = TransformersBackend()
    for _ in range(2):
        backend.load(model_files(random_folder), LoadOptions(device="cpu"), StepClock(), lambda *_: None)
        loaded = backend._loaded
        assert loaded is not None
        weights = [weakref.ref(weight) for weight in loaded.network.parameters()]
        steps = backend.generate([TextPart("a")], GREEDY, 4, CancelToken(), StepClock())
        next(steps)
        del loaded, steps
        backend.unload()
        assert not any(weight() is not None for weight in weights)


def raise_error(error: BaseException) -> Callable[[], None]:
    def compute() -> None:
        held = torch.zeros(1000)
        held.add_(1)
        raise error

    return compute


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nmore"),
        RuntimeError(
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
        ),
        MemoryError(),
    ],
)
def test_every_kind_of_exhausted_memory_is_told_and_lets_go_of_the_frames(error: BaseException) -> None:
    with pytest.raises(OutOfMemory, match="reading a picture") as caught:
        run_in_memory("reading a picture", raise_error(error))
    assert caught.value.__context__ is None
    assert "\n" not in caught.value.values["detail"]


def test_other_runtime_errors_pass() -> None:
    with pytest.raises(RuntimeError, match="shape"):
        run_in_memory("x", raise_error(RuntimeError("shape mismatch")))


def test_real_exhaustion_of_system_memory_is_recognised() -> None:
    gc.collect()
    with pytest.raises(OutOfMemory):
        run_in_memory("x", lambda: torch.empty(2**60, dtype=torch.uint8))

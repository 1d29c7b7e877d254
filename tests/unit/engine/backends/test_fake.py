from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from desktopapp.engine.backend import GenerationEnded, LoadOptions, TokenAdded
from desktopapp.engine.backends.fake import FakeBackend, compose_output, fake_model
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.events import FinishReason
from desktopapp.engine.prompt_parts import TextPart
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.errors import ModelUnsupported
from desktopapp.modelstore.model import ModelFiles, ModelKind, WeightFormat

GREEDY = SamplingParameters(temperature=0.0, top_p=1.0, top_k=0, presence_penalty=0.0)
PROMPT = [TextPart("<|im_start|>user\nHow many? ```x```<|im_end|>\n<|im_start|>assistant\n")]


def test_characters_are_cut_between_tokens_and_whole_together() -> None:
    backend = FakeBackend(tokens_per_s=None, prefill_tokens_per_s=None)
    backend.load(fake_model().files[0], LoadOptions(), StepClock(), lambda stage, fraction: None)
    steps = list(backend.generate(PROMPT, GREEDY, 10_000, CancelToken(), StepClock()))
    pieces = [step.data for step in steps if isinstance(step, TokenAdded)]
    assert b"".join(pieces).decode() == compose_output(PROMPT, GREEDY)
    assert any(not _is_whole(piece) for piece in pieces)
    assert isinstance(steps[-1], GenerationEnded)
    assert steps[-1].reason is FinishReason.STOP


def _is_whole(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_it_counts_what_was_written_and_closes_its_code_block() -> None:
    output = compose_output(PROMPT, GREEDY)
    assert f"You wrote {len('How many? ```x```')} characters" in output
    assert output.count("```") == 2


def test_length_grows_by_paragraphs() -> None:
    one, many = (len(compose_output(PROMPT, GREEDY, paragraphs)) for paragraphs in (1, 1000))
    assert many > 900 * 60 > one


def test_the_seed_chooses_and_repeats() -> None:
    warm = replace(GREEDY, temperature=1.0)
    by_seed = {seed: compose_output(PROMPT, replace(warm, seed=seed)) for seed in range(20)}
    assert len(set(by_seed.values())) > 1
    assert by_seed == {seed: compose_output(PROMPT, replace(warm, seed=seed)) for seed in range(20)}


def test_it_thinks_where_the_prompt_opens_a_thought() -> None:
    thinking = compose_output([*PROMPT, TextPart("<think>\n")], GREEDY)
    assert thinking.count("</think>\n\n") == 1
    assert "</think>" not in compose_output(PROMPT, GREEDY)
    assert fake_model(ModelKind.THINKING).kind is ModelKind.THINKING


def test_no_real_model_runs_on_it() -> None:
    real = ModelFiles(WeightFormat.GGUF, Path("/models/qwen3-vl-4b.gguf"), None, "Q8_0", 1)
    with pytest.raises(ModelUnsupported):
        FakeBackend().load(real, LoadOptions(), StepClock(), lambda stage, fraction: None)


def test_backends_are_listed_without_importing_them() -> None:
    code = """
import sys
sys.modules["PySide6"] = None
from desktopapp.engine.backends.registry import default_backends
from desktopapp.engine.serving import EngineServer
backends = default_backends()
print(sorted(map(str, backends)), sorted({"torch", "transformers", "llama_cpp"} & set(sys.modules)))
print([make().name for make in backends.values()])
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == [
        "['fake', 'llama.cpp', 'transformers'] []",
        "['transformers', 'llama.cpp', 'fake']",
    ]

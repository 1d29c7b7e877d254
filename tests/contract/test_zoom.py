"""A zoom call goes through each backend's own tokens: what follows is what the model's template would have led to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from transformers import AutoTokenizer

from desktopapp.engine.backend import (
    DEFAULT_RUN,
    Backend,
    GenerationEnded,
    GenerationStep,
    LoadedModel,
    LoadOptions,
    LoadProgress,
    RunOptions,
    TokenAdded,
)
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.engine import Engine
from desktopapp.engine.events import Finished, FinishReason
from desktopapp.engine.media.image import open_image
from desktopapp.engine.media_events import ZoomedIn
from desktopapp.engine.price_events import MemoryParts
from desktopapp.engine.prompt_parts import ImagePart, PixelBudget, PromptPart, TextPart
from desktopapp.engine.request import Attachment, ModelChoice, Request, Role, SamplingOverrides, Turn
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.engine.zoom.crop import crop_budget
from desktopapp.modelstore import store
from desktopapp.modelstore.model import ModelFiles
from tests.contract.conftest import Contender
from tests.contract.generation import run

CALL = (
    '<tool_call>\n{"name": "image_zoom_in_tool", "arguments": {"label": "x", "bbox_2d": [0, 0, 500, 500], '
    '"img_idx": 0}}\n</tool_call>'
)


class CallingBackend:
    """A real backend whose first answer is a zoom call, in the model's own tokens."""

    def __init__(self, backend: Backend, token_ids: Sequence[int], tokenizer: AutoTokenizer) -> None:
        self.name, self.capabilities = backend.name, backend.capabilities
        self.prompts: list[tuple[PromptPart, ...]] = []
        self._backend, self._token_ids, self._tokenizer = backend, token_ids, tokenizer

    def load(
        self, files: ModelFiles, options: LoadOptions, steps: StepClock, progress: LoadProgress
    ) -> LoadedModel:
        self.facts = self._backend.load(files, replace(options, device="cpu"), steps, progress)
        return self.facts

    def unload(self) -> None:
        self._backend.unload()

    def memory_parts(self) -> MemoryParts:
        return self._backend.memory_parts()

    def generate(
        self,
        prompt: Sequence[PromptPart],
        sampling: SamplingParameters,
        max_new_tokens: int,
        cancel: CancelToken,
        steps: StepClock,
        options: RunOptions = DEFAULT_RUN,
    ) -> Iterator[GenerationStep]:
        self.prompts.append(tuple(prompt))
        real = self._backend.generate(prompt, sampling, max_new_tokens, cancel, steps, options)
        if len(self.prompts) > 1:
            yield from real
            return
        for step in real:
            if isinstance(step, TokenAdded):
                break
            yield step
        for token_id in self._token_ids:
            yield TokenAdded(token_id, self._tokenizer.decode([token_id]).encode())
        yield GenerationEnded(FinishReason.STOP, 1)


@pytest.fixture
def picture(tmp_path: Path) -> str:
    pixels = np.random.default_rng(4).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((400, 300)).save(tmp_path / "noise.png")
    return str(tmp_path / "noise.png")


def test_the_answer_goes_on_as_from_the_template(
    contender: Contender, random_folder: Path, picture: str
) -> None:
    if contender.choice.value == "fake":
        pytest.skip("the fake backend has no tokens of a model")
    tokenizer = AutoTokenizer.from_pretrained(random_folder)
    token_ids = tokenizer(CALL, add_special_tokens=False)["input_ids"]
    calling = CallingBackend(contender.make(), token_ids, tokenizer)
    engine = Engine(store, {contender.choice: lambda: calling}, StepClock())
    turns = (Turn(Role.USER, "Read it", (Attachment(picture),)),)
    choice = ModelChoice(str(contender.files.path), contender.choice)
    greedy = SamplingOverrides(
        temperature=0.0, presence_penalty=0.0, repetition_penalty=1.0, top_p=1.0, top_k=0
    )
    asked = Request("r", choice, turns, sampling=greedy, max_new_tokens=len(token_ids) + 12)
    events = list(engine.generate(asked, CancelToken()))
    assert isinstance(events[-1], Finished), events[-1]
    (zoom,) = [event for event in events if isinstance(event, ZoomedIn)]
    assert zoom.box == (0, 0, 500, 500)

    first, second = calling.prompts
    whole = open_image(picture)
    (crop,) = [part.image for part in second[len(first) :] if isinstance(part, ImagePart)]
    assert np.array_equal(crop.decode(), whole.decode()[:150, :200])
    budget = crop_budget(calling.facts.pixel_budget)  # whose largest pictures are smaller
    cell_pixels = PixelBudget().cell_px ** 2
    assert budget.min_pixels <= zoom.tokens * cell_pixels <= budget.max_pixels
    laid_out = [
        TextPart("<|im_start|>user\n"),
        ImagePart(whole),
        TextPart("Read it", False),
        TextPart(f"<|im_end|>\n<|im_start|>assistant\n{CALL}<|im_end|>\n<|im_start|>user\n<tool_response>\n"),
        ImagePart(crop, budget),
        TextPart("\n</tool_response><|im_end|>\n<|im_start|>assistant\n"),
    ]
    other = contender.load(4096)[0]
    fresh = run(other, laid_out, max_new_tokens=12)
    assert events[-1].text.encode() == fresh.data.decode("utf-8", "replace").encode()
    assert len(fresh.images) == 2
    other.unload()
    engine.unload()

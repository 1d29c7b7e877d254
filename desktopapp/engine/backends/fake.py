"""A backend without a model: deterministic, fast, and honest about being one.

It runs only when it is named. It drives the window's tests and benchmarks, and shows what the program does on
a machine that holds no model at all.
"""

from __future__ import annotations

import itertools
import random
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from desktopapp.engine.backend import (
    DEFAULT_RUN,
    Capabilities,
    GenerationEnded,
    GenerationStep,
    ImageEvaluated,
    LoadedModel,
    LoadOptions,
    LoadProgress,
    PromptProgress,
    RunOptions,
    TokenAdded,
)
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.events import FinishReason
from desktopapp.engine.media.pixel_budget import visual_tokens
from desktopapp.engine.media.video_grid import pair_indices, pair_texts, video_tokens
from desktopapp.engine.price_events import MemoryParts
from desktopapp.engine.prompt_parts import (
    ImagePart,
    PixelBudget,
    PromptPart,
    TextPart,
    TokensPart,
    VideoBudget,
    VideoPart,
    VideoSource,
)
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.errors import ModelUnsupported, PromptTooLong
from desktopapp.modelstore.model import InstalledModel, ModelFiles, ModelKind, WeightFormat

FAKE_NAMES = {ModelKind.INSTRUCT: "fake", ModelKind.THINKING: "fake-thinking"}
DEFAULT_CONTEXT_TOKENS = 32_768
_CHUNK_TOKENS = 512
_TOKEN_BYTES = 3  # a Chinese character's length, and too short for an emoji: characters do get cut

_TURNS = """\
{%- set count = namespace(images=0, videos=0) -%}
{%- for message in messages -%}
{{ '<|im_start|>' ~ message.role ~ '\\n' }}
{%- if message.content is string -%}{{ message.content }}{%- else -%}
{%- for part in message.content -%}
{%- if part.type == 'image' -%}
{%- set count.images = count.images + 1 -%}
{%- if add_vision_id -%}{{ 'Picture ' ~ count.images ~ ': ' }}{%- endif -%}
{{ '<|vision_start|><|image_pad|><|vision_end|>' }}
{%- elif part.type == 'video' -%}
{%- set count.videos = count.videos + 1 -%}
{%- if add_vision_id -%}{{ 'Video ' ~ count.videos ~ ': ' }}{%- endif -%}
{{ '<|vision_start|><|video_pad|><|vision_end|>' }}
{%- else -%}{{ part.text }}{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{ '<|im_end|>\\n' }}
{%- endfor -%}
{{ '<|im_start|>assistant\\n' }}"""
_TEMPLATES = {
    ModelKind.INSTRUCT: _TURNS,
    ModelKind.THINKING: _TURNS + "{{ '<think>\\n' }}",
}
_OPENINGS = ("Here is what I found.", "This is what I can tell.", "Let me sum it up.", "In short.")
_LAST_QUESTION = re.compile(r"<\|im_start\|>user\n(.*?)<\|im_end\|>", re.DOTALL)


def fake_model(kind: ModelKind = ModelKind.INSTRUCT) -> InstalledModel:
    """What the engine gets in place of a model of the store when the fake backend is named."""
    name = FAKE_NAMES[kind]
    files = ModelFiles(WeightFormat.SAFETENSORS, Path(name), None, precision="none", size_bytes=0)
    return InstalledModel(name, Path(name), kind, family="fake", files=(files,))


class FakeBackend:
    """Answers in Markdown from what the prompt holds; see `backend.Backend` for the methods.

    Args:
        tokens_per_s: speed of decoding; None for as fast as it goes.
        prefill_tokens_per_s: speed of reading the prompt; None likewise.
        load_s: seconds that loading takes.
        paragraphs: how often the answer's middle part comes, for long answers.
    """

    name = "fake"
    capabilities = Capabilities()

    def __init__(
        self,
        tokens_per_s: float | None = 60.0,
        prefill_tokens_per_s: float | None = 5_000.0,
        load_s: float = 0.0,
        paragraphs: int = 1,
    ) -> None:
        self._token_s = 1 / tokens_per_s if tokens_per_s else 0.0
        self._prompt_token_s = 1 / prefill_tokens_per_s if prefill_tokens_per_s else 0.0
        self._load_s = load_s
        self._paragraphs = paragraphs
        self._loaded: LoadedModel | None = None

    def load(
        self, files: ModelFiles, options: LoadOptions, steps: StepClock, progress: LoadProgress
    ) -> LoadedModel:
        """Load the model called `fake` or `fake-thinking`; every other is refused."""
        kind = next((kind for kind, name in FAKE_NAMES.items() if files.path.name == name), None)
        if kind is None:
            raise ModelUnsupported(name=files.path.name, reason="the fake backend runs no real model")
        stages = ("tokenizer", "weights", "vision", "warm_up")
        with steps.step("load", max(self._load_s, 0.01), initial_rate=1.0):
            for number, stage in enumerate(stages):
                progress(stage, number / len(stages))
                time.sleep(self._load_s / len(stages))
        self._loaded = LoadedModel(
            chat_template=_TEMPLATES[kind],
            precision=files.precision,
            device="cpu",
            context_tokens=options.context_tokens or DEFAULT_CONTEXT_TOKENS,
            pixel_budget=PixelBudget(),
        )
        return self._loaded

    def unload(self) -> None:
        """Forget the model."""
        self._loaded = None

    def memory_parts(self) -> MemoryParts:
        """Nothing: there is no model."""
        return MemoryParts()

    def generate(
        self,
        prompt: Sequence[PromptPart],
        sampling: SamplingParameters,
        max_new_tokens: int,
        cancel: CancelToken,
        steps: StepClock,
        options: RunOptions = DEFAULT_RUN,
    ) -> Iterator[GenerationStep]:
        """Read the prompt in chunks, decode its pictures, then give the answer out in tokens of three bytes."""
        if self._loaded is None:
            raise RuntimeError("generate was called without a loaded model")
        total = sum(self._token_count(part) for part in prompt)
        limit = options.context_limit(self._loaded)
        room = limit - total
        if room < 1:
            raise PromptTooLong(tokens=total, limit=limit)
        yield from self._read(prompt, total, options.prefill_chunk_tokens or _CHUNK_TOKENS, cancel, steps)
        output = compose_output(prompt, sampling, self._paragraphs).encode()
        tokens = [output[i : i + _TOKEN_BYTES] for i in range(0, len(output), _TOKEN_BYTES)]
        if isinstance(prompt[-1], TokensPart):
            del tokens[: len(prompt[-1].token_ids)]
        most = min(max_new_tokens, room)
        for data in tokens[:most]:
            cancel.raise_if_cancelled()
            with steps.step("decode", 1.0, initial_rate=1.0):
                time.sleep(self._token_s)
            yield TokenAdded(int.from_bytes(data, "little"), data)
        cancel.raise_if_cancelled()
        reason = FinishReason.STOP if len(tokens) <= most else FinishReason.LENGTH
        yield GenerationEnded(reason, psutil.Process().memory_info().rss)

    def _token_count(self, part: PromptPart) -> int:
        if isinstance(part, TextPart):
            return _text_tokens(part.text)
        if isinstance(part, VideoPart):
            return _video_part_tokens(part) + sum(map(_text_tokens, pair_texts(part.video.frame_times_s)))
        if isinstance(part, TokensPart):
            return len(part.token_ids)
        budget = part.pixel_budget or (self._loaded.pixel_budget if self._loaded else PixelBudget())
        return visual_tokens(part.image.width, part.image.height, budget)

    def _read(
        self,
        prompt: Sequence[PromptPart],
        total: int,
        chunk_tokens: int,
        cancel: CancelToken,
        steps: StepClock,
    ) -> Iterator[GenerationStep]:
        done = 0
        numbers = itertools.count()
        for part in prompt:
            cancel.raise_if_cancelled()
            left = self._token_count(part)
            if isinstance(part, ImagePart):
                with steps.step("image", left, initial_rate=100.0):
                    part.image.decode()
                yield ImageEvaluated(next(numbers), left)
            elif isinstance(part, VideoPart):
                self._watch(part, cancel, steps)
                yield ImageEvaluated(next(numbers), _video_part_tokens(part))
            while left:
                cancel.raise_if_cancelled()
                chunk = min(left, chunk_tokens)
                with steps.step("prefill", chunk, initial_rate=100.0):
                    time.sleep(chunk * self._prompt_token_s)
                left -= chunk
                done += chunk
                yield PromptProgress(done, total)

    def _watch(self, part: VideoPart, cancel: CancelToken, steps: StepClock) -> None:
        for pair in pair_indices(len(part.video.frame_times_s)):
            cancel.raise_if_cancelled()
            with steps.step("image", 1.0, initial_rate=1.0):
                for index in dict.fromkeys(pair):
                    part.video.decode(index)


def _text_tokens(text: str) -> int:
    return -(-len(text.encode()) // _TOKEN_BYTES)


def _video_part_tokens(part: VideoPart) -> int:
    video = part.video
    return video_tokens(video.width, video.height, len(video.frame_times_s), part.budget or VideoBudget())


def compose_output(prompt: Sequence[PromptPart], sampling: SamplingParameters, paragraphs: int = 1) -> str:
    """The whole output for a prompt: the same for the same prompt and seed.

    Args:
        prompt: of it the pictures' and videos' sizes and the last question are mentioned.
        sampling: a temperature above 0 lets the seed choose the opening; no seed draws one.
        paragraphs: how often the middle part comes.
    """
    text = "".join(part.text if isinstance(part, TextPart) else "" for part in prompt)
    pictures = [part.image for part in prompt if isinstance(part, ImagePart)]
    videos = [part.video for part in prompt if isinstance(part, VideoPart)]
    questions = _LAST_QUESTION.findall(text)
    question = questions[-1].strip() if questions else ""
    chosen = random.Random(sampling.seed).randrange(len(_OPENINGS)) if sampling.temperature else 0
    lines = [f"**{_OPENINGS[chosen]}** 🙂 没有模型：this is the fake backend.", ""]
    lines += [f"- Picture {n}: {p.width} × {p.height} pixels" for n, p in enumerate(pictures, 1)]
    lines += [_about_video(number, video) for number, video in enumerate(videos, 1)]
    lines += [
        "",
        f"You wrote {len(question)} characters:",
        "",
        "```text",
        question.replace("```", "'''"),
        "```",
    ]
    lines += [_middle(number) for number in range(1, paragraphs + 1)]
    answer = "\n".join(lines) + "\n"
    if not text.rstrip().endswith("<think>"):
        return answer
    return f"I count {len(pictures)} pictures and read the question. 好的。\n</think>\n\n{answer}"


def _about_video(number: int, video: VideoSource) -> str:
    times = video.frame_times_s
    size = f"{video.width} × {video.height} pixels"
    return f"- Video {number}: {size}, {len(times)} frames from {times[0]:.1f} to {times[-1]:.1f} s"


def _middle(number: int) -> str:
    return f"\n| part | words |\n|---|---|\n| {number} | even paper tigers cast long shadows 🐯 |"

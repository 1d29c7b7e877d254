"""Prefill and decoding: one prompt in, one answer out."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from functools import partial

import torch

from desktopapp.engine.backend import (
    DEFAULT_RUN,
    GenerationEnded,
    GenerationStep,
    ImageEvaluated,
    PromptPart,
    PromptProgress,
    RunOptions,
    TokenAdded,
)
from desktopapp.engine.backends.transformers.costs import (
    CPU_DECODE_FLOP_PER_S,
    CPU_FLOP_PER_S,
    GPU_DECODE_FLOP_PER_S,
    GPU_FLOP_PER_S,
)
from desktopapp.engine.backends.transformers.loaded import LoadedNetwork
from desktopapp.engine.backends.transformers.memory import peak_bytes, reset_peak, run_in_memory
from desktopapp.engine.backends.transformers.prompt import EncodedPrompt, PromptImage, encode_prompt
from desktopapp.engine.backends.transformers.sampler import Sampler
from desktopapp.engine.backends.transformers.token_sequence import TokenSequence
from desktopapp.engine.backends.transformers.vision import VisualFeatures, encode_patches, make_patches
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.events import FinishReason
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.errors import PromptTooLong

# Prompt tokens evaluated at once. Stop takes effect between chunks, which a processor takes seconds for.
CPU_CHUNK_TOKENS = 128
GPU_CHUNK_TOKENS = 1024


def generate(
    model: LoadedNetwork,
    prompt: Sequence[PromptPart],
    sampling: SamplingParameters,
    max_new_tokens: int,
    cancel: CancelToken,
    steps: StepClock,
    options: RunOptions = DEFAULT_RUN,
) -> Iterator[GenerationStep]:
    """See `Backend.generate`."""
    cancel.raise_if_cancelled()
    encoded = encode_prompt(prompt, model.network, model.tokenizer, model.facts.pixel_budget)
    limit, length = options.context_limit(model.facts), len(encoded.token_ids)
    if length >= limit:
        raise PromptTooLong(tokens=length, limit=limit)
    reset_peak(model.device)
    sequence = TokenSequence(model.network)
    model.ledger.follow(sequence)
    prefill = Prefill(model, encoded, sequence, cancel, steps)
    own_chunk = GPU_CHUNK_TOKENS if model.is_cuda else CPU_CHUNK_TOKENS
    logits = yield from prefill.run(options.prefill_chunk_tokens or own_chunk)
    del prefill
    sampler = Sampler(sampling, encoded.token_ids, logits.numel(), model.device)
    room = min(max_new_tokens, limit - length)
    reason = yield from _decode(model, sequence, sampler, logits, room, cancel, steps)
    yield GenerationEnded(reason, peak_bytes(model.device))


class Prefill:
    """Evaluates a prompt chunk by chunk, each picture just before its first token.

    Pixels live until their picture is encoded, features until its last token is evaluated.

    Args:
        model: what to run.
        prompt: its tokens.
        sequence: empty; receives the tokens.
        cancel: read between pictures and chunks.
        steps: told about both.
    """

    def __init__(
        self,
        model: LoadedNetwork,
        prompt: EncodedPrompt,
        sequence: TokenSequence,
        cancel: CancelToken,
        steps: StepClock,
    ) -> None:
        self._model = model
        self._prompt = prompt
        self._sequence = sequence
        self._cancel = cancel
        self._steps = steps
        self._features: dict[int, VisualFeatures] = {}

    def run(self, chunk_tokens: int) -> Generator[GenerationStep, None, torch.Tensor]:
        """Evaluate everything.

        Args:
            chunk_tokens: at once.

        Returns:
            (vocabulary,) logits behind the prompt.
        """
        total = len(self._prompt.token_ids)
        logits = torch.empty(0)
        for start in range(0, total, chunk_tokens):
            end = min(start + chunk_tokens, total)
            yield from self._encode_images(start, end)
            self._cancel.raise_if_cancelled()
            logits = self._evaluate(start, end)
            self._drop_images(end)
            yield PromptProgress(end, total)
        return logits

    def _overlapping(self, start: int, end: int) -> list[tuple[int, PromptImage]]:
        images = enumerate(self._prompt.images)
        return [(index, image) for index, image in images if image.start < end and image.end > start]

    def _encode_images(self, start: int, end: int) -> Iterator[GenerationStep]:
        for index, image in self._overlapping(start, end):
            if index in self._features:
                continue
            self._cancel.raise_if_cancelled()
            with self._model.ledger.looking():
                self._features[index] = run_in_memory("reading a picture", partial(self._encode, image))
            self._account()
            yield ImageEvaluated(index, image.end - image.start)

    def _encode(self, image: PromptImage) -> VisualFeatures:
        model = self._model
        budget = model.facts.pixel_budget
        patches = image.width * image.height // (budget.cell_px // model.merge_size) ** 2
        rate = GPU_FLOP_PER_S if model.is_cuda else CPU_FLOP_PER_S
        with self._steps.step("image", model.costs.vision_flop(patches), rate):
            cut = make_patches(image.source.decode(), image.width, image.height, model.image_processor)
            return encode_patches(model.network, *cut)

    def _evaluate(self, start: int, end: int) -> torch.Tensor:
        model, prompt = self._model, self._prompt
        features = [
            self._features[index].part(max(start - image.start, 0), end - image.start)
            for index, image in self._overlapping(start, end)
        ]
        rate = GPU_FLOP_PER_S if model.is_cuda else CPU_FLOP_PER_S
        evaluate = partial(
            self._sequence.evaluate,
            prompt.token_ids[start:end],
            prompt.positions[:, :, start:end],
            features,
        )
        with self._steps.step("prefill", model.costs.text_flop(end - start, end), rate):
            return run_in_memory("reading the prompt", evaluate)

    def _drop_images(self, end: int) -> None:
        for index, image in enumerate(self._prompt.images):
            if image.end <= end:
                self._features.pop(index, None)
        self._account()

    def _account(self) -> None:
        """Tell the ledger which features are still needed."""
        held = self._features.values()
        self._model.ledger.hold_features(
            tensor for features in held for tensor in (features.merged, *features.deepstack)
        )


def _decode(
    model: LoadedNetwork,
    sequence: TokenSequence,
    sampler: Sampler,
    logits: torch.Tensor,
    limit: int,
    cancel: CancelToken,
    steps: StepClock,
) -> Generator[GenerationStep, None, FinishReason]:
    rate = GPU_DECODE_FLOP_PER_S if model.is_cuda else CPU_DECODE_FLOP_PER_S
    for remaining in range(limit, 0, -1):
        cancel.raise_if_cancelled()
        token_id = sampler.next_token(logits)
        if token_id in model.stop_ids:
            return FinishReason.STOP
        yield TokenAdded(token_id, model.token_bytes.get(token_id, b""))
        if remaining > 1:
            cancel.raise_if_cancelled()
            with steps.step("decode", model.costs.text_flop(1, len(sequence)), rate):
                logits = run_in_memory("writing the answer", partial(sequence.append, token_id))
    return FinishReason.LENGTH

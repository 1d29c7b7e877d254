"""Reading a prompt: chunk by chunk, each picture just before its first token."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from functools import partial

import torch

from desktopapp.engine.backend import GenerationStep, ImageEvaluated, PromptProgress
from desktopapp.engine.backends.transformers.costs import CPU_FLOP_PER_S, GPU_FLOP_PER_S
from desktopapp.engine.backends.transformers.loaded import LoadedNetwork
from desktopapp.engine.backends.transformers.memory import run_in_memory
from desktopapp.engine.backends.transformers.prompt import EncodedPrompt
from desktopapp.engine.backends.transformers.prompt_media import PromptImage
from desktopapp.engine.backends.transformers.prompt_pictures import PromptPictures
from desktopapp.engine.backends.transformers.text_decoder import PlacedFeatures
from desktopapp.engine.backends.transformers.text_sequence import CachedImage, TextSequence
from desktopapp.engine.backends.transformers.vision import VisualFeatures, make_patches
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.steps import StepClock

# Prompt tokens evaluated at once. Stop takes effect between chunks, which a processor takes seconds for.
CPU_CHUNK_TOKENS = 128
GPU_CHUNK_TOKENS = 2048

# On a GPU a chunk that took longer is followed by one half as long: Stop and the window's drawing wait for it.
LONGEST_CHUNK_S = 0.5
SMALLEST_CHUNK_TOKENS = 64


class Prefill:
    """Evaluates what a sequence lacks of a prompt.

    Pixels live until their picture is encoded, features until its last token is evaluated. On a GPU the next picture is
    decoded meanwhile.

    Args:
        model: what to run.
        prompt: its tokens.
        sequence: holds the prompt's beginning, and receives the rest.
        pictures: of the prompt.
        cancel: read between pictures and chunks.
        steps: told about both.
    """

    def __init__(
        self,
        model: LoadedNetwork,
        prompt: EncodedPrompt,
        sequence: TextSequence,
        pictures: PromptPictures,
        cancel: CancelToken,
        steps: StepClock,
    ) -> None:
        self._model = model
        self._prompt = prompt
        self._sequence = sequence
        self._pictures = pictures
        self._cancel = cancel
        self._steps = steps
        self._features: dict[int, VisualFeatures] = {}
        self._flop_per_s = GPU_FLOP_PER_S if model.is_cuda else CPU_FLOP_PER_S

    def run(self, chunk_tokens: int) -> Generator[GenerationStep, None, torch.Tensor]:
        """Evaluate everything.

        Args:
            chunk_tokens: at once.

        Returns:
            (vocabulary,) logits behind the prompt.
        """
        total, cached = len(self._prompt.token_ids), len(self._sequence)
        yield from self._tell_cached(cached, total)
        logits, start = torch.empty(0), cached
        while start < total:
            end = min(start + chunk_tokens, total)
            yield from self._encode_images(start, end)
            self._cancel.raise_if_cancelled()
            began_s = time.monotonic()
            logits = self._evaluate(start, end)
            if self._model.is_cuda and time.monotonic() - began_s > LONGEST_CHUNK_S:
                chunk_tokens = max(chunk_tokens // 2, SMALLEST_CHUNK_TOKENS)
            self._drop_images(end)
            yield PromptProgress(end, total, cached)
            start = end
        return logits

    def _tell_cached(self, cached: int, total: int) -> Iterator[GenerationStep]:
        for image in self._prompt.images:
            if image.end <= cached and image.media_tokens:
                yield ImageEvaluated(image.media, image.media_tokens)
        yield PromptProgress(cached, total, cached)

    def _overlapping(self, start: int, end: int) -> list[tuple[int, PromptImage]]:
        images = enumerate(self._prompt.images)
        return [(index, image) for index, image in images if image.start < end and image.end > start]

    def _encode_images(self, start: int, end: int) -> Iterator[GenerationStep]:
        for index, image in self._overlapping(start, end):
            if index in self._features:
                continue
            self._cancel.raise_if_cancelled()
            with self._model.ledger.looking():
                self._features[index] = run_in_memory("reading a picture", partial(self._encode, index))
            self._account()
            if image.media_tokens:
                yield ImageEvaluated(image.media, image.media_tokens)

    def _encode(self, index: int) -> VisualFeatures:
        model, image = self._model, self._prompt.images[index]
        pixels, pixels_id = self._pictures.take_pixels(image)
        if model.is_cuda and index + 1 < len(self._prompt.images):
            # The processor would only wait for the GPU.
            self._pictures.look_ahead(self._prompt.images[index + 1])
        self._sequence.add_image(CachedImage(image.start, image.end, pixels_id))
        rows, columns = model.patch_rule.grid(image.width, image.height)
        with self._steps.step("image", model.costs.vision_flop(rows * columns), self._flop_per_s):
            patches = make_patches(pixels, model.patch_rule, model.device, model.vision.dtype)
            features = model.vision.encode(patches, rows, columns)
            if model.is_cuda:
                torch.cuda.synchronize(model.device)
            return features

    def _evaluate(self, start: int, end: int) -> torch.Tensor:
        model, prompt = self._model, self._prompt
        placed = [
            PlacedFeatures(
                max(image.start - start, 0),
                self._features[index].part(max(start - image.start, 0), end - image.start),
            )
            for index, image in self._overlapping(start, end)
        ]
        evaluate = partial(
            self._sequence.evaluate, prompt.token_ids[start:end], prompt.positions[:, start:end], placed
        )
        with self._steps.step("prefill", model.costs.text_flop(end - start, end), self._flop_per_s):
            logits = run_in_memory("reading the prompt", evaluate)
            if model.is_cuda:
                torch.cuda.synchronize(model.device)
            return logits

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

"""`LlamaCppBackend`: Qwen3-VL GGUF files with their mmproj, through llama.cpp's C interface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import psutil

from desktopapp.engine.backend import (
    Capabilities,
    GenerationEnded,
    GenerationStep,
    ImageEvaluated,
    LoadedModel,
    LoadOptions,
    LoadProgress,
    PromptPart,
    PromptProgress,
    TokenAdded,
)
from desktopapp.engine.backends.llama_cpp import devices
from desktopapp.engine.backends.llama_cpp.context import BATCH_TOKENS, SMALLEST_CELLS, CacheShape, TextContext
from desktopapp.engine.backends.llama_cpp.file_check import CheckedFiles, check_files
from desktopapp.engine.backends.llama_cpp.peak_memory import PeakMemory
from desktopapp.engine.backends.llama_cpp.prompt import (
    ImagePiece,
    TextPiece,
    encode_image,
    image_chunk,
    prompt_token_ids,
    read_pixels,
    split_prompt,
)
from desktopapp.engine.backends.llama_cpp.sampler import Sampler
from desktopapp.engine.backends.llama_cpp.weights import Weights
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.events import FinishReason
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.errors import PromptTooLong
from desktopapp.modelstore.model import ModelFiles

# Speeds to assume until one step was measured, low enough for an 8B model on two slow cores.
_LOAD_BYTES_PER_S = 20e6
_PREFILL_TOKENS_PER_S = 2.0
_IMAGE_WORK_PER_S = 1.0
_DECODE_TOKENS_PER_S = 0.3
# Visual tokens at which attention in the vision tower costs as much as the rest of it: with 4 patches a token
# and a width of 1024, 4 * 4t * 1024 operations a patch and layer against 24 * 1024**2.
_IMAGE_ATTENTION_TOKENS = 1536


class LlamaCppBackend:
    """Runs one model at a time; see `engine.backend.Backend` for the methods.

    The KV cache begins small and grows when a conversation needs it. Every generation evaluates its whole
    prompt.
    """

    name = "llama.cpp"
    capabilities = Capabilities(reuses_prefix=False, streams_images=True)

    def __init__(self) -> None:
        self._weights: Weights | None = None
        self._context: TextContext | None = None
        self._limit = 0
        self._peak = PeakMemory(on_gpu=False)

    def load(
        self, files: ModelFiles, options: LoadOptions, steps: StepClock, progress: LoadProgress
    ) -> LoadedModel:
        """Load a text model and its projector. An exception from `progress` ends the load."""
        self.unload()
        checked = check_files(files)
        size_bytes = checked.text.file_bytes + checked.projector.file_bytes
        share = checked.text.file_bytes / size_bytes
        cell_bytes = _cell_bytes(checked, files.precision)
        placement = devices.place(
            options.device,
            devices.list_gpus(),
            size_bytes + cell_bytes * SMALLEST_CELLS,
            checked.text_count("block_count"),
        )
        threads = devices.thread_count()
        with steps.step("load", size_bytes, _LOAD_BYTES_PER_S):
            progress("weights", 0.0)
            self._weights = Weights(
                checked,
                placement,
                threads,
                lambda fraction: progress("weights", fraction * share),
                lambda fraction: progress("vision", share + fraction * (1 - share)),
            )
            shape = self._cache_shape(checked, options, files.precision, on_cpu=not placement.uses_gpu)
            try:
                self._context = TextContext(self._weights, shape, threads)
            except BaseException:
                self.unload()
                raise
        self._limit = shape.most_cells
        self._peak = PeakMemory(on_gpu=placement.uses_gpu)
        return LoadedModel(
            chat_template=checked.chat_template,
            precision=files.precision or checked.text.precision,
            device=placement.device,
            context_tokens=self._limit,
            pixel_budget=self._weights.pixel_budget,
            eos_text=self._weights.end_text,
        )

    def unload(self) -> None:
        """Give all memory of the model back."""
        if self._context is not None:
            self._context.free()
            self._context = None
        if self._weights is not None:
            self._weights.free()
            self._weights = None

    def generate(
        self,
        prompt: Sequence[PromptPart],
        sampling: SamplingParameters,
        max_new_tokens: int,
        cancel: CancelToken,
        steps: StepClock,
    ) -> Iterator[GenerationStep]:
        """Evaluate a prompt piece by piece, then generate."""
        if self._weights is None or self._context is None:
            raise RuntimeError("generate was called without a loaded model")
        cancel.raise_if_cancelled()
        run = _Run(self._weights, self._context, self._peak, cancel, steps)
        pieces = split_prompt(prompt, self._weights, self._weights.pixel_budget)
        total = sum(piece.cells for piece in pieces)
        if total >= self._limit:
            raise PromptTooLong(tokens=total, limit=self._limit)
        yield from run.read(pieces, total)
        ids = prompt_token_ids(pieces, self._weights.image_tokens[1])
        # The last token is never put into the cache, so it needs no cell.
        most = min(max_new_tokens, self._limit - total + 1)
        with Sampler(sampling, self._weights.vocabulary, ids, self._limit) as sampler:
            yield from run.decode(sampler, most)

    def _cache_shape(
        self, checked: CheckedFiles, options: LoadOptions, precision: str, *, on_cpu: bool
    ) -> CacheShape:
        """As many cells as were asked for, or as memory holds now, within the model's limit."""
        cell_bytes = _cell_bytes(checked, precision)
        model_limit = checked.text_count("context_length")
        fitting = (
            max(SMALLEST_CELLS, psutil.virtual_memory().available // cell_bytes) if on_cpu else model_limit
        )
        limit = min(model_limit, options.context_tokens or fitting)
        return CacheShape(cell_bytes, limit, on_cpu, full_precision=precision == "F32")


class _Run:
    """One generation."""

    def __init__(
        self, weights: Weights, context: TextContext, peak: PeakMemory, cancel: CancelToken, steps: StepClock
    ) -> None:
        self._weights = weights
        self._context = context
        self._peak = peak
        self._cancel = cancel
        self._steps = steps

    def read(self, pieces: Sequence[TextPiece | ImagePiece], total: int) -> Iterator[GenerationStep]:
        """Evaluate the prompt from an empty cache."""
        self._context.clear()
        self._context.ensure(total)
        for piece in pieces:
            if isinstance(piece, ImagePiece):
                yield from self._read_image(piece, total)
            else:
                yield from self._read_text(piece, total)

    def decode(self, sampler: Sampler, most: int) -> Iterator[GenerationStep]:
        """Generate up to `most` tokens."""
        reason = FinishReason.LENGTH
        for number in range(most):
            self._cancel.raise_if_cancelled()
            token = sampler.sample(self._context.handle)
            if self._weights.ends_answer(token):
                reason = FinishReason.STOP
                break
            yield TokenAdded(token, self._weights.piece(token))
            if number + 1 < most:
                self._append(token)
        yield GenerationEnded(reason, self._peak.sample())

    def _append(self, token: int) -> None:
        self._context.ensure(self._context.cells_used + 1)
        with self._steps.step("decode", 1.0, _DECODE_TOKENS_PER_S):
            self._context.decode_tokens([token])

    def _read_text(self, piece: TextPiece, total: int) -> Iterator[GenerationStep]:
        for start in range(0, len(piece.tokens), BATCH_TOKENS):
            self._cancel.raise_if_cancelled()
            tokens = piece.tokens[start : start + BATCH_TOKENS]
            with self._steps.step("prefill", len(tokens), _PREFILL_TOKENS_PER_S):
                self._context.decode_tokens(tokens)
            yield PromptProgress(self._context.cells_used, total)

    def _read_image(self, piece: ImagePiece, total: int) -> Iterator[GenerationStep]:
        """Decode one picture, look at it, put it into the cache, and let go of it."""
        self._cancel.raise_if_cancelled()
        with image_chunk(self._weights, read_pixels(piece)) as chunk:
            self._cancel.raise_if_cancelled()
            work = piece.cells * (1 + piece.cells / _IMAGE_ATTENTION_TOKENS)
            with self._steps.step("image", work, _IMAGE_WORK_PER_S):
                embeddings = encode_image(self._weights, chunk)
            self._cancel.raise_if_cancelled()
            with self._steps.step("prefill", piece.cells, _PREFILL_TOKENS_PER_S):
                self._context.decode_image(chunk, embeddings, self._cancel.raise_if_cancelled)
        self._peak.sample()
        yield ImageEvaluated(piece.index, piece.cells)
        yield PromptProgress(self._context.cells_used, total)


def _cell_bytes(checked: CheckedFiles, precision: str) -> int:
    """Bytes of keys and values of one token in all layers."""
    heads = checked.text_count("attention.head_count_kv")
    widths = checked.text_count("attention.key_length") + checked.text_count("attention.value_length")
    return checked.text_count("block_count") * heads * widths * (4 if precision == "F32" else 2)

"""One generation: the prompt piece by piece, then token by token."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

from desktopapp.engine.backend import (
    DEFAULT_RUN,
    GenerationEnded,
    GenerationStep,
    ImageEvaluated,
    PromptProgress,
    RunOptions,
    TokenAdded,
)
from desktopapp.engine.backends.llama_cpp.loaded import LoadedGguf
from desktopapp.engine.backends.llama_cpp.prefix import Piece, match_prefix, pieces_after
from desktopapp.engine.backends.llama_cpp.prompt import (
    ImagePiece,
    TextPiece,
    encode_image,
    image_chunk,
    prompt_token_ids,
    split_prompt,
)
from desktopapp.engine.backends.llama_cpp.prompt_images import PromptImages
from desktopapp.engine.backends.llama_cpp.sampler import Sampler
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.events import FinishReason
from desktopapp.engine.prompt_parts import PromptPart
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.errors import PromptTooLong

# Speeds to assume until one step was measured, low enough for an 8B model on two slow cores.
_PREFILL_TOKENS_PER_S = 2.0
_IMAGE_WORK_PER_S = 1.0
_DECODE_TOKENS_PER_S = 0.3
# Visual tokens at which attention in the vision tower costs as much as the rest of it: with 4 patches a token
# and a width of 1024, 4 * 4t * 1024 operations a patch and layer against 24 * 1024**2.
_IMAGE_ATTENTION_TOKENS = 1536


def generate(
    loaded: LoadedGguf,
    prompt: Sequence[PromptPart],
    sampling: SamplingParameters,
    max_new_tokens: int,
    cancel: CancelToken,
    steps: StepClock,
    options: RunOptions = DEFAULT_RUN,
) -> Iterator[GenerationStep]:
    """See `Backend.generate`."""
    cancel.raise_if_cancelled()
    weights, limit = loaded.weights, options.context_limit(loaded.facts)
    pieces = split_prompt(prompt, weights, loaded.facts.pixel_budget, loaded.facts.video_budget)
    total = sum(piece.cells for piece in pieces)
    if total >= limit:
        raise PromptTooLong(tokens=total, limit=limit)
    loaded.take_options(options)
    ids = prompt_token_ids(pieces, weights.image_tokens[1])
    with Sampler(sampling, weights.vocabulary, ids, limit) as sampler:
        run = _Run(loaded, total, cancel, steps)
        answer_tokens = min(max_new_tokens, limit - total)
        yield from run.read(pieces, answer_tokens)
        yield from run.decode(sampler, answer_tokens)


class _Run:
    """The parts of one generation."""

    def __init__(self, loaded: LoadedGguf, total: int, cancel: CancelToken, steps: StepClock) -> None:
        self._loaded = loaded
        self._weights = loaded.weights
        self._context = loaded.context
        self._images = PromptImages(loaded.known_pixels, steps, cancel)
        self._total = total
        self._cached = 0
        self._cancel = cancel
        self._steps = steps

    def read(self, pieces: Sequence[TextPiece | ImagePiece], answer_tokens: int) -> Iterator[GenerationStep]:
        """Evaluate the prompt from where it differs from what was evaluated before; make room for the answer."""
        kept = yield from self._reuse(pieces)
        self._loaded.make_room_ahead(self._total, answer_tokens)
        yield self._progress()
        for piece in pieces_after(pieces, kept):
            if isinstance(piece, ImagePiece):
                yield from self._read_image(piece)
            else:
                yield from self._read_text(piece)

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
        yield GenerationEnded(reason, self._loaded.peak.sample())

    def _reuse(self, pieces: Sequence[Piece]) -> Generator[GenerationStep, None, int]:
        """Leave in the cache what the prompt begins with; returns how many units."""
        most = self._context.shape.most_cells
        saved = (state.sequence for state in self._loaded.saved.states)
        candidates = [self._context.sequence, *(sequence for sequence in saved if sequence.cells <= most)]
        kept, best = yield from match_prefix(pieces, candidates, self._images, self._cancel)
        self._cancel.raise_if_cancelled()
        self._loaded.switch_to(best, kept)
        self._cached = self._context.cells_used
        return kept

    def _progress(self) -> PromptProgress:
        return PromptProgress(self._context.cells_used, self._total, self._cached)

    def _append(self, token: int) -> None:
        self._loaded.make_room(self._context.cells_used + 1)
        with self._steps.step("decode", 1.0, _DECODE_TOKENS_PER_S):
            self._context.decode_tokens([token])

    def _read_text(self, piece: TextPiece) -> Iterator[GenerationStep]:
        batch_tokens = self._context.shape.batch_tokens
        for start in range(0, len(piece.tokens), batch_tokens):
            self._cancel.raise_if_cancelled()
            tokens = piece.tokens[start : start + batch_tokens]
            with (
                self._steps.step("prefill", len(tokens), _PREFILL_TOKENS_PER_S),
                self._context.stopped_by(self._cancel),
            ):
                self._context.decode_tokens(tokens)
            yield self._progress()

    def _read_image(self, piece: ImagePiece) -> Iterator[GenerationStep]:
        """Decode one picture or pair of frames, look at it, put it into the cache, and let go of it."""
        self._cancel.raise_if_cancelled()
        pixels, pixels_id = self._images.take_pixels(piece)
        with image_chunk(self._weights, pixels, pixels_id) as chunk:
            del pixels
            self._cancel.raise_if_cancelled()
            work = piece.cells * (1 + piece.cells / _IMAGE_ATTENTION_TOKENS)
            with self._steps.step("image", work, _IMAGE_WORK_PER_S):
                embeddings = encode_image(self._weights, chunk, self._cancel)
            self._loaded.note_vision_buffers(piece.cells)
            self._cancel.raise_if_cancelled()
            with (
                self._steps.step("prefill", piece.cells, _PREFILL_TOKENS_PER_S),
                self._context.stopped_by(self._cancel),
            ):
                self._context.decode_image(pixels_id, chunk, embeddings, self._cancel.raise_if_cancelled)
        self._loaded.peak.sample()
        if piece.whole_tokens:
            yield ImageEvaluated(piece.index, piece.whole_tokens)
        yield self._progress()

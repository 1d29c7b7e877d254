"""The KV cache and what goes into it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psutil

from desktopapp.engine.backends.llama_cpp.buffer_sizes import BufferSize
from desktopapp.engine.backends.llama_cpp.cache_shape import CacheShape
from desktopapp.engine.backends.llama_cpp.cached_sequence import CachedImage, CachedSequence
from desktopapp.engine.backends.llama_cpp.failures import cache_failure, run_failure
from desktopapp.engine.backends.llama_cpp.library import llama, log, logger, mtmd
from desktopapp.engine.backends.llama_cpp.saved_states import SavedState
from desktopapp.engine.backends.llama_cpp.weights import Weights
from desktopapp.engine.cancel import Cancelled, CancelToken
from desktopapp.engine.memory.llama_cells import CELLS_STEP, SMALLEST_CELLS, cells_for
from desktopapp.errors import AppError, OutOfMemory

# Beside the cache and the graph's buffer.
_CONTEXT_MARGIN_BYTES = 16 << 20
# The graph's mask, 16 bits for each token of a batch and each cell.
_MASK_BYTES = 2
_SEQUENCE = 0


class TextContext:
    """A sequence of tokens and pictures in the text model.

    Args:
        weights: loaded.
        shape: of the cache.
        threads: for the CPU.

    Attributes:
        handle: of llama.cpp; None where even the smallest cache could not be made again.
        sequence: what the cache holds; read only.
        buffers: that llama.cpp made for it.

    Raises:
        OutOfMemory: even the smallest cache does not fit.
        BackendUnavailable: this build cannot have a cache of that type.
    """

    def __init__(self, weights: Weights, shape: CacheShape, threads: int) -> None:
        self._weights = weights
        self._shape = shape
        self._threads = threads
        self.sequence = CachedSequence()
        self._cells = 0
        self.handle: Any = None
        self.buffers: tuple[BufferSize, ...] = ()
        self._open(min(SMALLEST_CELLS, shape.most_cells))

    @property
    def shape(self) -> CacheShape:
        """Of the cache."""
        return self._shape

    @property
    def cells(self) -> int:
        """Cells that are allocated."""
        return self._cells

    def free(self) -> None:
        """Give the memory back."""
        if self.handle is not None:
            llama.llama_free(self.handle)
            self.handle = None
        self.buffers = ()

    @property
    def cells_used(self) -> int:
        """Cells that hold something."""
        return self.sequence.cells

    def cut(self, count: int) -> None:
        """Keep the first `count` units and forget the rest."""
        if count == len(self.sequence.units):
            return
        kept = self.sequence.first(count)
        # Before the call: whatever happens in it, no more than this is relied upon.
        self.sequence = kept
        self._forget_rest()

    def save(self) -> SavedState:
        """A copy of what the cache holds, in system memory."""
        size = self.state_bytes
        state = (ctypes.c_uint8 * size)()
        if llama.llama_state_seq_get_data(self.handle, state, size, _SEQUENCE) != size:
            raise run_failure("setting a conversation aside", 0, log.trouble())
        return SavedState(self.sequence, state)

    def restore(self, state: SavedState) -> None:
        """Put a copy in the place of what the cache holds.

        Raises:
            OutOfMemory: it does not fit; the cache holds what it held.
            UnexpectedError: llama.cpp refused it; the cache is empty.
        """
        self.ensure(state.sequence.cells)
        self.cut(0)
        self._put_back(state)

    @property
    def state_bytes(self) -> int:
        """Size of what `save` returns."""
        return int(llama.llama_state_seq_get_size(self.handle, _SEQUENCE))

    def ensure(self, cells: int) -> None:
        """Make room for at least this many cells in all, keeping what is in them.

        Args:
            cells: at most the shape's `most_cells`.

        Raises:
            OutOfMemory: they do not fit; the old cache is kept, or none where even that fits no more.
        """
        if self.handle is None:
            self._open(min(SMALLEST_CELLS, self._shape.most_cells))
        if cells <= self._cells:
            return
        wanted = cells_for(cells, self._shape.most_cells, SMALLEST_CELLS)
        logger.info("growing the KV cache from %d to %d cells", self._cells, wanted)
        self._make_anew(self._shape, wanted)

    def reshape(self, shape: CacheShape) -> None:
        """Take another shape. The content stays, unless its numbers change or it is more than the shape allows.

        Raises:
            OutOfMemory: it does not fit; the old cache is kept, empty where the numbers were to change.
            BackendUnavailable: this build cannot have a cache of that type; likewise.
        """
        most = _round_up(shape.most_cells)
        fits = shape.has_same_buffers(self._shape) and self._cells <= most
        if fits or self.handle is None:
            self._shape = shape
        else:
            self._make_anew(shape, min(self._cells, most))

    @contextmanager
    def stopped_by(self, cancel: CancelToken) -> Iterator[None]:
        """Let a token end the body's evaluations in their midst, by `Cancelled`.

        Only the CPU asks, before each operation of the graph. Around single tokens this would cost more than
        it is worth.
        """
        ask = llama.ggml_abort_callback(lambda _data: cancel.cancelled)
        llama.llama_set_abort_callback(self.handle, ask, None)
        try:
            yield
        except AppError as error:
            # An evaluation that was aborted looks like one that failed.
            if cancel.cancelled:
                raise Cancelled from error
            raise
        finally:
            llama.llama_set_abort_callback(self.handle, llama.ggml_abort_callback(), None)

    def decode_tokens(self, tokens: Sequence[int]) -> None:
        """Append up to the shape's `batch_tokens` of text; logits of the last one are kept for sampling.

        Where this fails or is interrupted, the cache holds what it held before.

        Raises:
            OutOfMemory: memory ran out.
            UnexpectedError: llama.cpp failed otherwise.
        """
        count, first = len(tokens), self.sequence.position
        # Without lists of sequences and of logits, all belong to sequence 0 and the last one gets logits.
        batch = llama.llama_batch(
            n_tokens=count,
            token=(llama.llama_token * count)(*tokens),
            pos=(llama.llama_pos * count)(*range(first, first + count)),
        )
        log.forget()
        with self._whole():
            code = llama.llama_decode(self.handle, batch)
            if code:
                raise run_failure("reading text", code, log.trouble())
            self.sequence.add_tokens(tokens)

    def decode_image(self, pixels_id: str, chunk: Any, embeddings: Any, on_batch: Callable[[], None]) -> None:
        """Append a picture, or, where this fails or is interrupted, nothing.

        Args:
            pixels_id: hash of its pixels.
            chunk: mtmd's chunk of the picture.
            embeddings: from the vision tower, float32 (tokens, width), as mtmd holds them.
            on_batch: called after each batch of visual tokens; an exception ends the evaluation.

        Raises:
            OutOfMemory: memory ran out.
            UnexpectedError: llama.cpp failed otherwise.
        """
        raised: list[BaseException] = []

        def after_batch(_batch: object, _user_data: object) -> int:
            try:
                on_batch()
            except BaseException as error:  # noqa: BLE001 - raised again below, past the C code
                raised.append(error)
                return 1
            return 0

        start = self.sequence.position
        end = llama.llama_pos(start)
        log.forget()
        with self._whole():
            code = mtmd.mtmd_helper_decode_image_chunk(
                self._weights.projector,
                self.handle,
                chunk,
                embeddings,
                start,
                _SEQUENCE,
                self._shape.batch_tokens,
                ctypes.byref(end),
                mtmd.mtmd_helper_post_decode_callback(after_batch),
                None,
            )
            if raised:
                raise raised[0]
            if code:
                raise run_failure("reading a picture", code, log.trouble())
            cells = mtmd.mtmd_input_chunk_get_n_tokens(chunk)
            self.sequence.add_image(CachedImage(pixels_id, cells, end.value - start))

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Take back what a step that did not end had put into the cache."""
        try:
            yield
        except BaseException:
            self._forget_rest()
            raise

    def _forget_rest(self) -> None:
        memory = llama.llama_get_memory(self.handle)
        if not self.sequence.units or not llama.llama_memory_seq_rm(
            memory, _SEQUENCE, self.sequence.position, -1
        ):
            llama.llama_memory_clear(memory, False)
            self.sequence = CachedSequence()

    def _make_anew(self, shape: CacheShape, cells: int) -> None:
        """Another cache in the place of this one, with its content where that can be."""
        self._check_memory(shape, cells)
        old_shape, old_cells = self._shape, self._cells
        state = self.save() if shape.kind == old_shape.kind else None
        self.free()
        self._shape, self.sequence = shape, CachedSequence()
        try:
            self._open(cells)
        except AppError:
            self._shape = old_shape
            self._open(old_cells)
            if state:
                self._put_back(state)
            raise
        if state and state.sequence.cells <= cells:
            self._put_back(state)

    def _put_back(self, state: SavedState) -> None:
        self.sequence = CachedSequence()
        if not state.sequence.units:
            return
        log.forget()
        if not llama.llama_state_seq_set_data(self.handle, state.data, len(state.data), _SEQUENCE):
            self._forget_rest()
            raise run_failure("bringing a conversation back", 0, log.trouble())
        self.sequence = CachedSequence(state.sequence.units)

    def _open(self, cells: int) -> None:
        parameters = llama.llama_context_default_params()
        parameters.n_ctx = cells
        # mtmd aborts the process when its batch is larger than these.
        parameters.n_batch = self._shape.batch_tokens
        parameters.n_ubatch = self._shape.batch_tokens
        # Logits are wanted of one token at a time; the default reserves them for a whole batch, 300 MB.
        parameters.n_outputs_max = 1
        parameters.n_seq_max = 1
        parameters.n_threads = self._threads
        parameters.n_threads_batch = self._threads
        parameters.offload_kqv = not self._shape.on_cpu
        parameters.flash_attn_type = llama.LLAMA_FLASH_ATTN_TYPE_AUTO
        # Quantised values need it; llama.cpp says so when the build has none for this model.
        if self._shape.kind.is_quantised:
            parameters.flash_attn_type = llama.LLAMA_FLASH_ATTN_TYPE_ENABLED
        parameters.type_k = self._shape.kind.ggml_type
        parameters.type_v = self._shape.kind.ggml_type
        log.forget()
        handle = llama.llama_init_from_model(self._weights.model, parameters)
        if not handle:
            raise cache_failure(self._shape.kind.label, log.trouble())
        self.handle = handle
        self.buffers = log.buffers()
        self._cells = cells

    def _check_memory(self, shape: CacheShape, cells: int) -> None:
        """Refuse before the system does: Linux hands out memory that it has not, then kills the process."""
        graph_bytes = sum(buffer.size_bytes for buffer in self.buffers if buffer.use == "compute")
        # Each token of a batch takes as much as before, and its row of the mask.
        token_bytes = graph_bytes / self._shape.batch_tokens + _MASK_BYTES * (cells - self._cells)
        needed = round(cells * shape.cell_bytes + shape.batch_tokens * token_bytes) + _CONTEXT_MARGIN_BYTES
        # What the old cache holds is copied, where it can be, and lies beside the new one until it is put back.
        copied = self.cells_used if shape.kind == self._shape.kind else 0
        freed = (self._cells - copied) * self._shape.cell_bytes + graph_bytes
        available = psutil.virtual_memory().available
        if shape.on_cpu and needed - freed > available:
            detail = f"{needed} bytes needed, {available} available"
            raise OutOfMemory(what="making room for a longer conversation", detail=detail)


def _round_up(cells: int) -> int:
    return -(-cells // CELLS_STEP) * CELLS_STEP

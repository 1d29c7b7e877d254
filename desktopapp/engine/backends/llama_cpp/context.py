"""The KV cache and what goes into it.

Cells and positions are counted apart: a picture of 60 visual tokens takes 60 cells but only 10 positions, the
longer side of its grid (M-RoPE). llama.cpp takes wrong positions without a word, so they are counted here.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from desktopapp.engine.backends.llama_cpp.failures import run_failure
from desktopapp.engine.backends.llama_cpp.library import llama, log, logger, mtmd
from desktopapp.engine.backends.llama_cpp.weights import Weights
from desktopapp.errors import OutOfMemory

BATCH_TOKENS = 512
"""Tokens of one llama_decode: large enough for speed, small enough for a prompt Stop."""

SMALLEST_CELLS = 8192
_CELLS_STEP = 1024
# Beside the cache a context holds buffers of its graph.
_CONTEXT_MARGIN_BYTES = 256 << 20
_GGML_TYPE_F32, _GGML_TYPE_F16 = 0, 1
_SEQUENCE = 0


@dataclass(frozen=True, slots=True)
class CacheShape:
    """What one cell of the KV cache costs and how many there may be.

    Args:
        cell_bytes: of keys and values of all layers for one token.
        most_cells: the model's limit, or the person's.
        on_cpu: the cache lies in system memory.
        full_precision: cells are float32 and not float16, for models that are stored in float32.
    """

    cell_bytes: int
    most_cells: int
    on_cpu: bool
    full_precision: bool


class TextContext:
    """A sequence of tokens and pictures in the text model.

    Args:
        weights: loaded.
        shape: of the cache.
        threads: for the CPU.

    Raises:
        OutOfMemory: even the smallest cache does not fit.
    """

    def __init__(self, weights: Weights, shape: CacheShape, threads: int) -> None:
        self._weights = weights
        self._shape = shape
        self._threads = threads
        self._batch = llama.llama_batch_init(BATCH_TOKENS, 0, 1)
        self.cells_used = 0
        self._position = 0
        self._cells = 0
        self.handle: Any = None
        try:
            self._open(min(SMALLEST_CELLS, shape.most_cells))
        except BaseException:
            self.free()
            raise

    @property
    def cells(self) -> int:
        """Cells that are allocated."""
        return self._cells

    def free(self) -> None:
        """Give the memory back."""
        if self.handle is not None:
            llama.llama_free(self.handle)
            self.handle = None
        if self._batch is not None:
            llama.llama_batch_free(self._batch)
            self._batch = None

    def clear(self) -> None:
        """Forget all tokens.

        Raises:
            OutOfMemory: growing the cache had failed so badly that none is left, and there is still no room.
        """
        if self.handle is None:
            self._open(min(SMALLEST_CELLS, self._shape.most_cells))
        llama.llama_memory_clear(llama.llama_get_memory(self.handle), False)
        self.cells_used = 0
        self._position = 0

    def ensure(self, cells: int) -> None:
        """Make room for at least this many cells in all, keeping what is in them.

        Args:
            cells: at most the shape's `most_cells`.

        Raises:
            OutOfMemory: they do not fit; the old cache is kept.
        """
        if cells <= self._cells:
            return
        # Half as much again, so that a growing conversation seldom copies its cache.
        wanted = min(self._shape.most_cells, _round_up(max(cells, self._cells * 3 // 2)))
        logger.info("growing the KV cache from %d to %d cells", self._cells, wanted)
        self._check_memory(wanted)
        state, old_cells = self._save(), self._cells
        llama.llama_free(self.handle)
        self.handle = None
        try:
            self._open(wanted)
        except OutOfMemory:
            self._open(old_cells)
            self._restore(state)
            raise
        self._restore(state)

    def decode_tokens(self, tokens: Sequence[int]) -> None:
        """Append up to `BATCH_TOKENS` text tokens; logits of the last one are kept for sampling.

        Raises:
            OutOfMemory: memory ran out.
            UnexpectedError: llama.cpp failed otherwise.
        """
        batch = self._batch
        batch.n_tokens = len(tokens)
        for index, token in enumerate(tokens):
            batch.token[index] = token
            batch.pos[index] = self._position + index
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = _SEQUENCE
            batch.logits[index] = index == len(tokens) - 1
        log.forget()
        code = llama.llama_decode(self.handle, batch)
        if code:
            raise run_failure("reading text", code, log.trouble())
        self._position += len(tokens)
        self.cells_used += len(tokens)

    def decode_image(self, chunk: Any, embeddings: Any, on_batch: Callable[[], None]) -> None:
        """Append a picture.

        Args:
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

        position = llama.llama_pos(self._position)
        log.forget()
        code = mtmd.mtmd_helper_decode_image_chunk(
            self._weights.projector,
            self.handle,
            chunk,
            embeddings,
            self._position,
            _SEQUENCE,
            BATCH_TOKENS,
            ctypes.byref(position),
            mtmd.mtmd_helper_post_decode_callback(after_batch),
            None,
        )
        if raised:
            raise raised[0]
        if code:
            raise run_failure("reading a picture", code, log.trouble())
        self._position = position.value
        self.cells_used += mtmd.mtmd_input_chunk_get_n_tokens(chunk)

    def _open(self, cells: int) -> None:
        parameters = llama.llama_context_default_params()
        parameters.n_ctx = cells
        # mtmd aborts the process when its batch is larger than these.
        parameters.n_batch = BATCH_TOKENS
        parameters.n_ubatch = BATCH_TOKENS
        # Logits are wanted of one token at a time; the default reserves them for a whole batch, 300 MB.
        parameters.n_outputs_max = 1
        parameters.n_seq_max = 1
        parameters.n_threads = self._threads
        parameters.n_threads_batch = self._threads
        parameters.offload_kqv = not self._shape.on_cpu
        parameters.flash_attn_type = llama.LLAMA_FLASH_ATTN_TYPE_AUTO
        kind = _GGML_TYPE_F32 if self._shape.full_precision else _GGML_TYPE_F16
        parameters.type_k = kind
        parameters.type_v = kind
        log.forget()
        handle = llama.llama_init_from_model(self._weights.model, parameters)
        if not handle:
            trouble = log.trouble()
            raise OutOfMemory(what="making room for the conversation", detail=trouble[-1] if trouble else "")
        self.handle = handle
        self._cells = cells

    def _check_memory(self, cells: int) -> None:
        """Refuse before the system does: Linux hands out memory that it has not, then kills the process."""
        needed = cells * self._shape.cell_bytes + _CONTEXT_MARGIN_BYTES
        # What the old cache holds is copied, and lies beside the new one until it is put back.
        freed = (self._cells - self.cells_used) * self._shape.cell_bytes
        available = psutil.virtual_memory().available
        if self._shape.on_cpu and needed - freed > available:
            detail = f"{needed} bytes needed, {available} available"
            raise OutOfMemory(what="making room for a longer conversation", detail=detail)

    def _save(self) -> Any:
        size = llama.llama_state_seq_get_size(self.handle, _SEQUENCE)
        state = (ctypes.c_uint8 * size)()
        llama.llama_state_seq_get_data(self.handle, state, size, _SEQUENCE)
        return state

    def _restore(self, state: Any) -> None:
        if self.cells_used and not llama.llama_state_seq_set_data(self.handle, state, len(state), _SEQUENCE):
            raise run_failure("making room for a longer conversation", 0, log.trouble())


def _round_up(cells: int) -> int:
    return -(-cells // _CELLS_STEP) * _CELLS_STEP

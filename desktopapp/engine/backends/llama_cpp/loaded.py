"""A loaded model: weights, KV cache, and what the engine needs to know of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import psutil

from desktopapp.engine.backend import LoadedModel, LoadOptions, LoadProgress, RunOptions
from desktopapp.engine.backends.known_pixels import KnownPixels
from desktopapp.engine.backends.llama_cpp.buffer_sizes import BufferSize, sum_up
from desktopapp.engine.backends.llama_cpp.cache_shape import CPU_BATCH_TOKENS, GPU_BATCH_TOKENS, CacheShape
from desktopapp.engine.backends.llama_cpp.cached_sequence import CachedSequence
from desktopapp.engine.backends.llama_cpp.context import TextContext
from desktopapp.engine.backends.llama_cpp.devices import list_gpus, place, thread_count
from desktopapp.engine.backends.llama_cpp.file_check import CheckedFiles
from desktopapp.engine.backends.llama_cpp.kv_type import KvType, choose_kv_type
from desktopapp.engine.backends.llama_cpp.library import log
from desktopapp.engine.backends.llama_cpp.peak_memory import PeakMemory
from desktopapp.engine.backends.llama_cpp.saved_states import SavedStates
from desktopapp.engine.backends.llama_cpp.weights import Weights
from desktopapp.engine.memory.answer_room import EXPECTED_ANSWER_TOKENS
from desktopapp.engine.memory.llama_cells import SMALLEST_CELLS
from desktopapp.engine.price_events import MemoryParts
from desktopapp.errors import OutOfMemory

WORTH_SAVING_CELLS = 256
"""Smaller conversations are evaluated again when they return."""


class LoadedGguf:
    """One loaded model.

    Args:
        files: checked.
        precision: of the weights.
        options: how to load.
        progress: told about `weights` and `vision`; an exception ends the load.

    Attributes:
        weights: of the text model and the projector.
        context: the KV cache.
        saved: conversations that left it.
        known_pixels: pictures of earlier prompts.
        peak: the most memory used.
        facts: for the engine.

    Raises:
        ModelError: a file is damaged in a way that its header does not show, or does not fit the other.
        BackendUnavailable: a GPU is wanted and there is none, or a KV cache that this build cannot have.
        OutOfMemory: it does not fit.
    """

    def __init__(
        self, files: CheckedFiles, precision: str, options: LoadOptions, progress: LoadProgress
    ) -> None:
        kind = choose_kv_type(options.kv_type, precision, files.head_size)
        cell_bytes = kind.size_bytes(files.cell_values)
        needed_bytes = files.size_bytes + cell_bytes * SMALLEST_CELLS
        placement = place(options, list_gpus(), needed_bytes, files.text_count("block_count"))
        threads = options.threads or thread_count()
        self._files = files
        self._kind = kind
        self._saves_replaced = True
        self._on_gpu = placement.uses_gpu
        self._vision_compute = VisionCompute()
        share = files.text_bytes / files.size_bytes
        self.weights = Weights(
            files,
            placement,
            threads,
            lambda fraction: progress("weights", fraction * share),
            lambda fraction: progress("vision", share + fraction * (1 - share)),
        )
        budget = self.weights.pixel_budget.limited(options.image_min_tokens, options.image_max_tokens)
        limit = _cell_limit(files, cell_bytes, options, on_cpu=not placement.uses_gpu)
        try:
            self.context = TextContext(
                self.weights, self._shape(kind, limit, options.prefill_chunk_tokens), threads
            )
        except BaseException:
            self.weights.free()
            raise
        self.saved = SavedStates()
        self.known_pixels = KnownPixels()
        self.peak = PeakMemory(on_gpu=placement.uses_gpu)
        self.facts = LoadedModel(
            chat_template=files.chat_template,
            precision=precision,
            device=placement.device,
            context_tokens=limit,
            pixel_budget=budget,
            eos_text=self.weights.end_text,
        )

    def take_options(self, options: RunOptions) -> None:
        """Make the cache what a generation wants; what it held stays where that can be.

        Raises:
            OutOfMemory: it does not fit.
            BackendUnavailable: there is no such type of numbers, or this build cannot have it.
        """
        self._saves_replaced = options.saves_replaced
        precision, head_size = self.facts.precision, self._files.head_size
        kind = self._kind
        if options.kv_type != "auto":
            kind = choose_kv_type(options.kv_type, precision, head_size)
        limit = options.context_limit(self.facts)
        shape = self._shape(kind, limit, options.prefill_chunk_tokens)
        if kind != self.context.shape.kind:
            self.saved.clear()
        self._with_saved_giving_way(lambda: self.context.reshape(shape))

    def memory_parts(self) -> MemoryParts:
        """What lies on the device of the language model, as llama.cpp and mtmd told. Safe from any thread."""
        buffers = (*self.weights.buffers, *self.context.buffers, *self._vision_compute.buffers)
        sums = sum_up(buffers, on_gpu=self._on_gpu)
        saved_bytes = 0 if self._on_gpu else self.saved.size_bytes
        return MemoryParts(
            weights_bytes=sums.get("weights", 0) + sums.get("vision", 0),
            vision_bytes=sums.get("vision_compute", 0),
            kv_cache_bytes=sums.get("kv_cache", 0),
            workspace_bytes=sums.get("compute", 0) + saved_bytes,
        )

    def note_vision_buffers(self, tokens: int) -> None:
        """Read what mtmd told of its buffers while it looked at a picture of so many visual tokens."""
        self._vision_compute.note(log.buffers(), tokens)

    def switch_to(self, sequence: CachedSequence, count: int) -> None:
        """Leave in the cache the first units of a sequence that it or a saved state holds.

        A conversation that would lose most of what is in the cache is saved first, where memory allows.

        Args:
            sequence: the context's own or that of one of `saved`.
            count: units to keep.

        Raises:
            OutOfMemory: the cache cannot grow to what was saved; it holds what it held.
            UnexpectedError: llama.cpp could not move the content; the cache is empty.
        """
        live = self.context.sequence
        back = next((state for state in self.saved.states if state.sequence is sequence), None)
        kept_cells = 0 if back else live.first(count).cells
        if back and sequence.first(count).cells >= sequence.cells // 2:
            self.saved.take(back)
        if self._saves_replaced and live.cells >= WORTH_SAVING_CELLS and kept_cells < live.cells // 2:
            self._set_aside()
        if back:
            self.context.restore(back)
        self.context.cut(count)

    def make_room(self, cells: int) -> None:
        """Grow the cache to at least so many cells; saved conversations give way to it.

        Raises:
            OutOfMemory: they do not fit even so; the old cache is kept.
        """
        self._with_saved_giving_way(lambda: self.context.ensure(cells))

    def make_room_ahead(self, cells: int, answer_tokens: int) -> None:
        """Grow the cache for a prompt and an answer of usual length, at least for the prompt.

        Args:
            cells: of the prompt.
            answer_tokens: that may be asked for at most.

        Raises:
            OutOfMemory: even the prompt does not fit; the old cache is kept.
        """
        wanted = min(cells + min(answer_tokens, EXPECTED_ANSWER_TOKENS), self.context.shape.most_cells)
        try:
            self.make_room(wanted)
        except OutOfMemory:
            self.make_room(cells)

    def _with_saved_giving_way(self, allocate: Callable[[], None]) -> None:
        try:
            allocate()
        except OutOfMemory:
            if not self.saved.states:
                raise
            self.saved.clear()
            allocate()

    def _shape(self, kind: KvType, limit: int, batch_tokens: int | None) -> CacheShape:
        batch = batch_tokens or (GPU_BATCH_TOKENS if self._on_gpu else CPU_BATCH_TOKENS)
        return CacheShape(kind.size_bytes(self._files.cell_values), limit, not self._on_gpu, kind, batch)

    def _set_aside(self) -> None:
        if self.saved.make_room(self.context.state_bytes):
            self.saved.add(self.context.save())

    def free(self) -> None:
        """Give all memory back."""
        self.saved.clear()
        self.context.free()
        self.weights.free()


class VisionCompute:
    """Buffers of the vision tower's graph. mtmd tells of them once, at the first picture; they then grow unsaid.

    Attributes:
        buffers: at the largest picture so far; they grow in step with its visual tokens, since flash attention
            is on.
    """

    def __init__(self) -> None:
        self.buffers: tuple[BufferSize, ...] = ()
        self._tokens = 0

    def note(self, told: Sequence[BufferSize], tokens: int) -> None:
        """Take what was told while a picture of so many visual tokens was looked at, which may be nothing."""
        fresh = tuple(size for size in told if size.use == "vision_compute")
        if fresh:
            self.buffers, self._tokens = fresh, tokens
        elif tokens > self._tokens > 0:
            growth = tokens / self._tokens
            self.buffers = tuple(
                replace(size, size_bytes=int(size.size_bytes * growth)) for size in self.buffers
            )
            self._tokens = tokens


def _cell_limit(files: CheckedFiles, cell_bytes: int, options: LoadOptions, *, on_cpu: bool) -> int:
    """As many cells as were asked for, or as memory holds now, within the model's limit."""
    model_limit = files.text_count("context_length")
    if options.context_tokens is not None:
        return min(model_limit, options.context_tokens)
    if not on_cpu:
        return model_limit
    return min(model_limit, max(SMALLEST_CELLS, psutil.virtual_memory().available // cell_bytes))

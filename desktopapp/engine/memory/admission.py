"""Asks, before each phase of a run, whether the memory that it will allocate is there; before it is allocated.

A plan was made with what was free then. Other programs take memory meanwhile, in the midst of an answer as well. Where a
phase no longer fits, `OutOfMemory` is raised in place of the allocation that would fail, and `worker.ladder` takes the
next step. Only what is still to be allocated is asked for: what is held already cannot be taken by others.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

from desktopapp.engine.backend import GenerationStep, ImageEvaluated, PromptProgress, TokenAdded
from desktopapp.engine.memory.heap import give_back_freed
from desktopapp.engine.memory.planner import Plan
from desktopapp.engine.price_events import MemoryParts, MemorySample
from desktopapp.engine.request import BackendChoice
from desktopapp.errors import SHORT, OutOfMemory

EVERY_TOKENS = 64
"""Between two looks at an answer's growth; each comes so many tokens ahead."""

# A plan counts the tokens of a template by rule; a picture may begin so many later than it says.
_SLACK_TOKENS = 64

ReadMemory = Callable[[], MemorySample]


class Admission:
    """Watches over one run.

    Args:
        plan: that it follows.
        read: samples the device that the plan runs on, with the backend's own parts.
        ceiling_bytes: most that the engine may hold of it; None for no such limit.
    """

    def __init__(self, plan: Plan, read: ReadMemory, ceiling_bytes: int | None = None) -> None:
        setup = plan.setup
        self._costs = setup.candidate.costs(setup.placement)
        self._keeps_buffers = setup.candidate.backend is BackendChoice.LLAMA_CPP
        self._workload = plan.content.workload(setup.showing)
        self._run = setup.run
        self._on_gpu = setup.candidate.device.is_gpu
        self._device_name = setup.candidate.device.name
        self._read = read
        self._ceiling_bytes = ceiling_bytes

    def check_load(self) -> None:
        """Before the weights are loaded.

        Raises:
            OutOfMemory: they do not fit any more.
        """
        self._admit("loading the model", lambda parts: self._costs.weight_bytes - parts.weights_bytes)

    def guard(self, steps: Iterator[GenerationStep]) -> Generator[GenerationStep, None, None]:
        """A generation's steps, each phase behind them admitted before it begins.

        Raises:
            OutOfMemory: the next phase does not fit.
        """
        self._admit("reading the prompt", lambda parts: self._kv_bytes(self._workload.prompt_tokens, parts))
        done = total = answered = 0
        try:
            for step in steps:
                if isinstance(step, PromptProgress):
                    done, total = step.done_tokens, step.total_tokens
                yield step
                if isinstance(step, PromptProgress | ImageEvaluated) and done < total:
                    self._check_chunk(done, total)
                elif isinstance(step, TokenAdded):
                    if answered % EVERY_TOKENS == 0:
                        self._check_growth(total + answered + EVERY_TOKENS)
                    answered += 1
        finally:
            if isinstance(steps, Generator):
                steps.close()

    def _check_chunk(self, start: int, total: int) -> None:
        """Before the tokens from `start` on, and the pictures among them that were not looked at."""
        end = min(start + self._run.chunk_tokens, total)
        pictures = [
            placed.picture
            for placed in self._workload.overlapping(start, end + _SLACK_TOKENS)
            if placed.start + _SLACK_TOKENS >= start
        ]
        largest = max((self._costs.picture_bytes(picture.patches) for picture in pictures), default=0)
        features = self._costs.feature_bytes(sum(picture.tokens for picture in pictures))
        if largest:
            self._admit("reading a picture", lambda parts: largest + features - self._held_vision(parts))
        total_tokens = max(total, self._workload.total_tokens)
        work = self._costs.prefill_bytes(end - start, start, total_tokens, self._run)
        self._admit("reading the prompt", lambda parts: work - self._held_work(parts))

    def _check_growth(self, tokens: int) -> None:
        """Before an answer makes the sequence so long."""
        work = self._costs.decode_bytes(tokens, self._run)

        def needed(parts: MemoryParts) -> int:
            growth = self._kv_bytes(tokens, parts)
            return growth + max(0, work - self._held_work(parts)) if growth > 0 else 0

        self._admit("writing the answer", needed)

    def _kv_bytes(self, tokens: int, parts: MemoryParts) -> int:
        """More than is held, for so many tokens."""
        total = max(tokens, self._workload.total_tokens)
        return self._costs.kv_bytes(tokens, total, self._run) - parts.kv_cache_bytes

    def _held_work(self, parts: MemoryParts) -> int:
        """Work space that stays from step to step and is used again."""
        return parts.workspace_bytes if self._keeps_buffers else 0

    def _held_vision(self, parts: MemoryParts) -> int:
        return parts.vision_bytes if self._keeps_buffers else 0

    def _admit(self, what: str, needed: Callable[[MemoryParts], int]) -> None:
        needed_bytes, room_bytes = self._needed_and_room(needed)
        if needed_bytes > room_bytes and not self._on_gpu:
            give_back_freed()  # what an earlier phase or try has left in the C library's hands
            needed_bytes, room_bytes = self._needed_and_room(needed)
        if needed_bytes > room_bytes:
            had_bytes = max(0, room_bytes)
            detail = f"{needed_bytes} bytes needed, {had_bytes} of {self._device_name} can be had"
            raise OutOfMemory(what=what, detail=detail, **{SHORT: str(needed_bytes - had_bytes)})

    def _needed_and_room(self, needed: Callable[[MemoryParts], int]) -> tuple[int, int]:
        """What a phase needs more than is held, and what can be had, in bytes; where it needs nothing, zeros."""
        sample = self._read()
        needed_bytes = needed(sample.parts)
        if needed_bytes <= 0:
            return 0, 0
        room_bytes = sample.total_bytes - sample.used_bytes
        room_bytes += sample.parts.unused_bytes
        if self._ceiling_bytes is not None:
            # Counted as the plan counts: were the runtime larger than it says, no smaller plan would help.
            counted = sample.parts.total_bytes - sample.parts.unused_bytes + self._costs.overhead_bytes
            room_bytes = min(room_bytes, self._ceiling_bytes - counted)
        return needed_bytes, room_bytes

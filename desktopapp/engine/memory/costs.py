"""From a model's costs and a request's parts to the most memory of each phase.

The peak is the largest phase, not the sum of each part's worst case: while a picture is read no prompt is computed,
and when the prompt is computed the pictures' patches are gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Protocol

from desktopapp.engine.memory.workload import PlacedPicture, Workload
from desktopapp.engine.price_events import PlannedParts, PlannedPhases


@dataclass(frozen=True, slots=True)
class RunShape:
    """What a plan can choose for one run.

    Args:
        kv_type: numbers in the KV cache, a name of `spec.KV_TYPES`.
        chunk_tokens: prompt tokens evaluated at once.
    """

    kv_type: str
    chunk_tokens: int


class Costs(Protocol):
    """Closed formulas for one model in one backend on one device; all in bytes of that device's memory."""

    @property
    def weight_bytes(self) -> int:
        """Of the model, the vision part included, as far as it lies on the device."""
        ...

    @property
    def overhead_bytes(self) -> int:
        """What the runtime takes, and what its allocator holds beside what is in use."""
        ...

    def kv_bytes(self, tokens: int, total_tokens: int, run: RunShape) -> int:
        """Keys and values when room was made for so many tokens of a sequence that will have `total_tokens`."""
        ...

    def picture_bytes(self, patches: int) -> int:
        """What encoding one picture takes at most, its features included."""
        ...

    def feature_bytes(self, tokens: int) -> int:
        """Features of so many visual tokens that wait for their turn in the prompt."""
        ...

    def kept_picture_bytes(self, patches: int) -> int:
        """What stays allocated for the rest of the run after a picture of so many patches."""
        ...

    def prefill_bytes(self, tokens: int, past_tokens: int, total_tokens: int, run: RunShape) -> int:
        """Activations and work space while `tokens` are evaluated at once, behind `past_tokens` others."""
        ...

    def decode_bytes(self, total_tokens: int, run: RunShape) -> int:
        """The same while the answer is written."""
        ...


@dataclass(frozen=True, slots=True)
class Estimate:
    """Memory of one request.

    Args:
        parts: each at its largest.
        phases: everything in use at the worst moment of each.
    """

    parts: PlannedParts
    phases: PlannedPhases

    @property
    def peak_bytes(self) -> int:
        """Of the largest phase."""
        return max(self.phases.vision, self.phases.prefill, self.phases.decode)


def estimate(costs: Costs, workload: Workload, run: RunShape) -> Estimate:
    """Price a request.

    Args:
        costs: of the model.
        workload: of the request.
        run: how it runs.
    """
    dynamic = _Dynamic(costs, workload, run)
    vision = max((dynamic.while_encoding(placed) for placed in workload.pictures), default=0)
    chunks = dynamic.telling_chunks()
    prefill = max(dynamic.while_reading(start) for start in chunks)
    decode = dynamic.while_answering()
    fixed = costs.weight_bytes + costs.overhead_bytes
    phases = PlannedPhases(fixed + vision if vision else 0, fixed + prefill, fixed + decode)
    total = workload.total_tokens
    parts = PlannedParts(
        weights=costs.weight_bytes,
        kv_cache=costs.kv_bytes(total, total, run),
        vision=costs.picture_bytes(workload.largest_picture.patches) if workload.pictures else 0,
        workspace=max(
            max(dynamic.work_of_reading(start) for start in chunks),
            costs.decode_bytes(total, run),
        ),
        overhead=costs.overhead_bytes,
    )
    return Estimate(parts, phases)


class _Dynamic:
    """Bytes beside the weights and the runtime's context, at moments of a request.

    Room for the whole prompt's keys and values is made before anything is read, so that what does not fit fails at once.
    """

    def __init__(self, costs: Costs, workload: Workload, run: RunShape) -> None:
        self._costs = costs
        self._workload = workload
        self._run = run
        self._chunk = run.chunk_tokens
        self._kept = costs.kept_picture_bytes(workload.largest_picture.patches)
        self._prompt_kv = costs.kv_bytes(workload.prompt_tokens, workload.total_tokens, run)
        self._graph = self._kept and costs.decode_bytes(workload.total_tokens, run)
        # A hundred pages of one size are priced once, and each chunk's work for a phase and for its part.
        self._picture_bytes = cache(costs.picture_bytes)
        self._feature_bytes = cache(costs.feature_bytes)
        self.work_of_reading = cache(self._work_of_reading)

    def while_encoding(self, placed: PlacedPicture) -> int:
        """Just before the chunk that a picture begins in; others of that chunk may wait already."""
        start = placed.start // self._chunk * self._chunk
        waiting = sum(
            other.picture.tokens
            for other in self._workload.overlapping(start, placed.start)
            if other.start < placed.start
        )
        own = max(self._picture_bytes(placed.picture.patches), self._kept)
        return self._prompt_kv + self._feature_bytes(waiting) + own + self._graph

    def while_reading(self, start: int) -> int:
        """While the chunk that begins at `start` is evaluated."""
        end = self._end(start)
        shown = sum(placed.picture.tokens for placed in self._workload.overlapping(start, end))
        work = self.work_of_reading(start)
        return self._prompt_kv + self._feature_bytes(shown) + work + self._kept

    def _work_of_reading(self, start: int) -> int:
        """Of that, activations and work space."""
        total = self._workload.total_tokens
        return self._costs.prefill_bytes(self._end(start) - start, start, total, self._run)

    def while_answering(self) -> int:
        """At the answer's end."""
        total = self._workload.total_tokens
        kv_bytes = self._costs.kv_bytes(total, total, self._run)
        return kv_bytes + self._costs.decode_bytes(total, self._run) + self._kept

    def telling_chunks(self) -> set[int]:
        """Starts of the chunks among which the largest is.

        They are the first, the last and the one before it, which is whole, and the first and last of each picture.
        """
        last = max(0, self._workload.prompt_tokens - 1)
        places = {0, last, max(0, last - self._chunk)}
        for placed in self._workload.pictures:
            places |= {placed.start, placed.end - 1}
        return {place // self._chunk * self._chunk for place in places}

    def _end(self, start: int) -> int:
        return min(start + self._chunk, self._workload.prompt_tokens)

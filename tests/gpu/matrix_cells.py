"""The cells of the matrix: five workloads on four cards (and a fifth, of 8 GiB) with two models, and how one is run."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from desktopapp.engine.backend import RunOptions
from desktopapp.engine.backends.transformers import TransformersBackend
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.memory.answer_room import EXPECTED_ANSWER_TOKENS
from desktopapp.engine.memory.candidate import Candidate
from desktopapp.engine.memory.content import Content, Document, Medium, Still, shown_size
from desktopapp.engine.memory.planner import Plan, estimate_setup, make_plan
from desktopapp.engine.prompt_parts import ImagePart, PromptPart, TokensPart
from desktopapp.engine.request import MemoryLimits
from desktopapp.engine.steps import StepClock
from desktopapp.errors import OutOfMemory
from tests.contract.generation import GREEDY
from tests.gpu.memory_rows import DeviceMemory, forget
from tests.pictures import NoisePicture

GIB = 2**30
SIZES = ("2B", "4B")
CEILINGS_GIB = (24, 16, 12, 10)
SMALL_CARD_GIB = 8
NEW_TOKENS = 32
# CUDA's own memory grows by a kernel that is loaded for the first time; as much is kept free beside what was seen.
_KERNEL_RESERVE_BYTES = 16 << 20
_TEXT_TOKEN = 300
_SCREEN, _PAGE = (1920, 1088), (1248, 1760)
_BOOK = "/book.pdf"


def _screens(count: int) -> tuple[Still, ...]:
    return tuple(Still(f"/screen-{number}.png", _SCREEN) for number in range(count))


WORKLOADS: dict[str, tuple[int | Medium, ...]] = {
    "1 image": (*_screens(1), 32),
    "1 image + 8K": (*_screens(1), 8_192),
    "10 images, 32K": (*_screens(10), 12_000),
    "10 images + 32K": (*_screens(10), 32_768),
    "100 pages": (Document(_BOOK, (_PAGE,) * 100), 64),
}

MAY_BE_REFUSED = frozenset({("4B", "100 pages", 12), ("4B", "100 pages", 10), ("2B", "100 pages", 10)})
"""Named before any run: 215,000 tokens on small cards."""

MUST_FIT_8_GIB = frozenset(
    {("2B", "1 image"), ("2B", "1 image + 8K"), ("2B", "10 images, 32K"), ("4B", "1 image")}
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One workload under one ceiling.

    Args:
        size: of the model.
        workload: a name of `WORKLOADS`.
        ceiling_gib: of the device's memory, the runtime's own included.
    """

    size: str
    workload: str
    ceiling_gib: int

    @property
    def content(self) -> Content:
        """As the planner is asked, with room for an answer whose length nobody set."""
        items = WORKLOADS[self.workload]
        cut_path = _BOOK if any(isinstance(item, Document) for item in items) else ""
        return Content(items, EXPECTED_ANSWER_TOKENS, cut_path=cut_path)

    def plan(self, candidate: Candidate) -> Plan:
        """What the program would do."""
        limits = MemoryLimits(vram_limit_bytes=self.ceiling_gib * GIB)
        return make_plan(candidate, self.content, limits)

    def __str__(self) -> str:
        return f"{self.size} {self.ceiling_gib:2} GiB {self.workload:<15}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a cell.

    Args:
        size: of the model.
        workload: a name of `WORKLOADS`.
        ceiling_gib: of the device's memory.
        outcome: `complete`, `refused`, `out of memory`, or `not run` for lack of time.
        chosen: KV type, weights, chunk, tokens of a picture, segments.
        is_default: at default pixels and in one piece.
        planned_bytes: for an answer as long as the one that was measured.
        allocated_bytes: by tensors at most.
        device_bytes: of the driver's count at most: what the allocator held at most and what CUDA takes beside.
        seconds: that it took.
        detail: of an error.
    """

    size: str
    workload: str
    ceiling_gib: int
    outcome: str
    chosen: str
    is_default: bool
    planned_bytes: int
    allocated_bytes: int = 0
    device_bytes: int = 0
    seconds: float = 0.0
    detail: str = ""

    @property
    def key(self) -> tuple[str, str, int]:
        """As in `MAY_BE_REFUSED`."""
        return self.size, self.workload, self.ceiling_gib

    @property
    def cell(self) -> str:
        """Its name."""
        return str(Cell(*self.key))

    def line(self) -> str:
        """For a table."""
        figures = (self.planned_bytes, self.allocated_bytes, self.device_bytes)
        told = " | ".join(f"{value / GIB:6.2f}" for value in figures)
        return f"{self.cell} | {self.outcome:<8} | {self.chosen:<42} | {told} | {self.seconds:5.1f} {self.detail}"


def cells(ceilings_gib: tuple[int, ...] = CEILINGS_GIB) -> Iterator[Cell]:
    """All of them."""
    for size in SIZES:
        for workload in WORKLOADS:
            yield from (Cell(size, workload, ceiling) for ceiling in ceilings_gib)


class Ceiling:
    """Keeps this process's memory under a ceiling of the device: the rest of CUDA's is taken off the allocator's.

    Args:
        device: what the driver counts for this process.
    """

    def __init__(self, device: DeviceMemory) -> None:
        self._device = device
        self._total = torch.cuda.get_device_properties(0).total_memory

    @property
    def beside_bytes(self) -> int:
        """What CUDA takes beside the allocator's memory."""
        return self._device.used_bytes() - torch.cuda.memory_reserved()

    def set(self, ceiling_gib: int) -> None:
        """From now on; what is asked beyond fails as on a card of that size."""
        allowed = ceiling_gib * GIB - self.beside_bytes - _KERNEL_RESERVE_BYTES
        torch.cuda.set_per_process_memory_fraction(allowed / self._total)


def not_run(cell: Cell, plan: Plan, outcome: str) -> Outcome:
    """The outcome of a plan that does not fit, or that there was no time for."""
    return Outcome(*_key(cell), outcome, describe(plan), False, plan.estimate.peak_bytes)


def _key(cell: Cell) -> tuple[str, str, int]:
    return cell.size, cell.workload, cell.ceiling_gib


def run_cell(backend: TransformersBackend, cell: Cell, plan: Plan, ceiling: Ceiling) -> Outcome:
    """Read the prompt, or the first and largest of its segments, and write some tokens."""
    content = replace(cell.content, answer_tokens=NEW_TOKENS)
    planned = estimate_setup(plan.setup, content).peak_bytes
    is_default = plan.setup.picture_tokens is None and plan.setup.showing.segments == 1
    forget(backend)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    ceiling.set(cell.ceiling_gib)
    began, outcome, detail = time.monotonic(), "complete", ""
    run = plan.setup.run
    options = RunOptions(run.kv_type, run.chunk_tokens, plan.context_tokens)
    try:
        for _ in backend.generate(
            prompt_of(plan, content), GREEDY, NEW_TOKENS, CancelToken(), StepClock(), options
        ):
            pass
    except (OutOfMemory, torch.OutOfMemoryError) as error:
        outcome, detail = "out of memory", str(error)[:160]
    seconds = time.monotonic() - began
    device = torch.cuda.max_memory_reserved() + ceiling.beside_bytes
    allocated = torch.cuda.max_memory_allocated()
    gc.collect()
    return Outcome(
        *_key(cell), outcome, describe(plan), is_default, planned, allocated, device, seconds, detail
    )


def prompt_of(plan: Plan, content: Content) -> list[PromptPart]:
    """Noise of the sizes that the plan shows, and text."""
    showing = plan.setup.showing
    parts: list[PromptPart] = []
    for item in content.items:
        if isinstance(item, int):
            parts.append(TokensPart((_TEXT_TOKEN,) * item))
            continue
        pictures = len(item.pages) if isinstance(item, Document) else 1
        shown = -(-pictures // showing.segments) if item.path == content.cut_path else pictures
        width, height = shown_size(item, showing)
        parts += [ImagePart(NoisePicture(width, height, seed=number)) for number in range(shown)]
    return parts


def describe(plan: Plan) -> str:
    """What was chosen, in a line."""
    setup = plan.setup
    words = [f"KV {setup.run.kv_type}", f"weights {setup.candidate.precision}", str(setup.run.chunk_tokens)]
    if setup.picture_tokens is not None:
        words.append(f"{setup.picture_tokens} a picture")
    if setup.showing.segments > 1:
        words.append(f"{setup.showing.segments} parts")
    return ", ".join(words)

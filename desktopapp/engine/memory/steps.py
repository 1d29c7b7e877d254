"""What can be given up so that a request fits, the least loss first.

The order is fixed (`Step`, from top to bottom) and each step has its own choices in an order of their own. A step is
taken only where the backend can do it (`Capabilities`) and where the person did not decide it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from desktopapp.engine.memory.candidate import WHOLE_MODEL, Candidate, Placement
from desktopapp.engine.memory.content import Content, Showing
from desktopapp.engine.memory.costs import RunShape
from desktopapp.engine.memory.spec import KV_TYPES
from desktopapp.engine.memory.weight_type import INT8
from desktopapp.engine.prompt_parts import PixelBudget, VideoBudget
from desktopapp.engine.request import MemoryLimits

DETAIL_TOKENS = 1024
"""A picture that is read or pointed into should keep so many visual tokens (llama.cpp issue 16842)."""

LEAST_TOKENS = 128
_VIDEO = VideoBudget()
# A model whose largest pictures are below so many times a task's least is shown them as it is used to.
_ROOM_ABOVE_LEAST = 4
_LEAST_FRAMES = 4
_PIXEL_STEP = 0.9
_FRAME_STEP = 0.75
# At most so much of the layers is put into system memory without it counting as a loss: about a tenth of the speed.
_CHEAP_LAYER_SHARE = 1 / 12


class Step(StrEnum):
    """What is given up, in order. `plan --json` and `Planned` use these names."""

    SMALLER_CHUNK = "smaller_chunk"
    CHEAP_PLACEMENT = "cheap_placement"
    KV_8BIT = "kv_8bit"
    WEIGHTS_8BIT = "weights_8bit"
    KV_4BIT = "kv_4bit"
    FEWER_PIXELS = "fewer_pixels"
    FEWER_FRAMES = "fewer_frames"
    SEGMENTS = "segments"
    OTHER_WEIGHTS = "other_weights"
    OTHER_BACKEND = "other_backend"
    SMALLER_MODEL = "smaller_model"
    MOST_LAYERS_ON_CPU = "most_layers_on_cpu"
    SMALL_PICTURES = "small_pictures"


WITHIN_MODEL = (
    Step.SMALLER_CHUNK,
    Step.CHEAP_PLACEMENT,
    Step.KV_8BIT,
    Step.WEIGHTS_8BIT,
    Step.KV_4BIT,
    Step.FEWER_PIXELS,
    Step.FEWER_FRAMES,
    Step.SEGMENTS,
)
"""Steps that keep the model as it is; what follows replaces it, or costs more than a smaller one would."""

LAST_RESORTS = (Step.MOST_LAYERS_ON_CPU, Step.SMALL_PICTURES)
"""Steps behind all other models: an answer that is slow, or that misses small things, before none."""

FALLING = frozenset({Step.FEWER_PIXELS, Step.FEWER_FRAMES, Step.SEGMENTS, Step.SMALL_PICTURES})
"""Steps with many choices, of which each takes no more memory than the one before."""

OTHER_LOADS = frozenset({Step.WEIGHTS_8BIT, Step.OTHER_WEIGHTS, Step.OTHER_BACKEND, Step.SMALLER_MODEL})
"""Steps that load something else than what was wanted."""


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything that a plan chooses.

    Args:
        candidate: the model and what runs it.
        run: KV type and chunk.
        placement: what lies on the device.
        showing: how large and how much of the media.
        picture_tokens: the limit that pictures were given; None for the model's own.
    """

    candidate: Candidate
    run: RunShape
    placement: Placement
    showing: Showing
    picture_tokens: int | None = None


def first_setup(
    candidate: Candidate, content: Content, limits: MemoryLimits, placement: Placement = WHOLE_MODEL
) -> Setup:
    """The one without any loss, as far as the person left it open."""
    spec = candidate.spec
    kv_type = candidate.capabilities.kv_types[0]
    if limits.kv_type != "auto":
        kv_type = candidate.nearest_kv_type(limits.kv_type)
    showing = Showing(
        _enlarging(spec.pixel_budget, content), replace(_VIDEO, cell_px=spec.pixel_budget.cell_px)
    )
    chunk = limits.prefill_chunk_tokens or candidate.chunks[0]
    if not limits.chunked_prefill:
        chunk = max(1, content.workload(showing).prompt_tokens)
    if limits.image_max_tokens is not None:
        showing = showing.with_most_tokens(limits.image_max_tokens)
    return Setup(candidate, RunShape(kv_type, chunk), placement, showing, limits.image_max_tokens)


def _enlarging(budget: PixelBudget, content: Content) -> PixelBudget:
    """The budget with the least size that a task wants."""
    least = content.least_picture_tokens
    if least is None or least * budget.cell_px**2 * _ROOM_ABOVE_LEAST > budget.max_pixels:
        return budget
    return budget.limited(max(least, budget.min_pixels // budget.cell_px**2), None)


def choices(step: Step, setup: Setup, content: Content, limits: MemoryLimits) -> Iterator[Setup]:
    """What a step offers, the least loss first; nothing where it is not possible or not allowed.

    Args:
        step: one of `WITHIN_MODEL` or `LAST_RESORTS`.
        setup: that is changed.
        content: of the request.
        limits: what the person decided.
    """
    if step is Step.SMALLER_CHUNK:
        yield from _smaller_chunks(setup, limits)
    elif step is Step.CHEAP_PLACEMENT:
        yield from _cheap_placements(setup, content)
    elif step in (Step.KV_8BIT, Step.KV_4BIT):
        yield from _smaller_kv(setup, 8 if step is Step.KV_8BIT else 4, limits)
    elif step is Step.WEIGHTS_8BIT:
        if setup.candidate.can_load_8bit:
            yield replace(setup, candidate=replace(setup.candidate, weight_type=INT8))
    elif step is Step.FEWER_PIXELS:
        least = DETAIL_TOKENS if content.needs_detail else LEAST_TOKENS
        yield from _smaller_pictures(setup, content, least)
    elif step is Step.FEWER_FRAMES:
        yield from _fewer_frames(setup, content)
    elif step is Step.SEGMENTS:
        yield from _segments(setup, content)
    elif step is Step.MOST_LAYERS_ON_CPU:
        yield from _costly_placements(setup)
    elif step is Step.SMALL_PICTURES and content.needs_detail:
        yield from _smaller_pictures(setup, content, LEAST_TOKENS)


def undone(step: Step, setup: Setup, first: Setup) -> Setup:
    """A setup without one of its steps, as it was in `first`."""
    if step is Step.SMALLER_CHUNK:
        return replace(setup, run=replace(setup.run, chunk_tokens=first.run.chunk_tokens))
    if step in (Step.CHEAP_PLACEMENT, Step.MOST_LAYERS_ON_CPU):
        return replace(setup, placement=first.placement)
    if step in (Step.KV_8BIT, Step.KV_4BIT):
        return replace(setup, run=replace(setup.run, kv_type=first.run.kv_type))
    if step is Step.WEIGHTS_8BIT:
        return replace(setup, candidate=first.candidate)
    if step in (Step.FEWER_PIXELS, Step.SMALL_PICTURES):
        showing = replace(setup.showing, pixels=first.showing.pixels, video=first.showing.video)
        return replace(setup, showing=showing, picture_tokens=first.picture_tokens)
    if step is Step.FEWER_FRAMES:
        return replace(setup, showing=replace(setup.showing, most_frames=None))
    if step is Step.SEGMENTS:
        return replace(setup, showing=replace(setup.showing, segments=1))
    return setup


def _smaller_chunks(setup: Setup, limits: MemoryLimits) -> Iterator[Setup]:
    if limits.prefill_chunk_tokens is not None or not limits.chunked_prefill:
        return
    for tokens in setup.candidate.chunks:
        if tokens < setup.run.chunk_tokens:
            yield replace(setup, run=replace(setup.run, chunk_tokens=tokens))


def _cheap_placements(setup: Setup, content: Content) -> Iterator[Setup]:
    """The vision part where nothing is to be seen, then a few layers."""
    if not setup.candidate.can_offload:
        return
    if not content.media:
        yield replace(setup, placement=replace(setup.placement, vision_on_gpu=False))
    layers = setup.candidate.spec.text.layers
    for moved in range(1, int(layers * _CHEAP_LAYER_SHARE) + 1):
        yield replace(setup, placement=Placement(layers - moved, bool(content.media)))


def _costly_placements(setup: Setup) -> Iterator[Setup]:
    """Fewer and fewer layers on the GPU, then without the vision part."""
    if not setup.candidate.can_offload:
        return
    layers = setup.candidate.spec.text.layers
    begin = setup.placement.gpu_layers if setup.placement.gpu_layers is not None else layers
    for gpu_layers in range(begin - 1, -1, -1):
        yield replace(setup, placement=Placement(gpu_layers, setup.placement.vision_on_gpu))
    for gpu_layers in range(begin - 1, -1, -1):
        yield replace(setup, placement=Placement(gpu_layers, vision_on_gpu=False))


def _smaller_kv(setup: Setup, bits: int, limits: MemoryLimits) -> Iterator[Setup]:
    if limits.kv_type != "auto" or KV_TYPES[setup.run.kv_type].bits <= bits:
        return
    for name in setup.candidate.kv_types_of(bits)[:1]:
        yield replace(setup, run=replace(setup.run, kv_type=name))


def _smaller_pictures(setup: Setup, content: Content, least: int) -> Iterator[Setup]:
    tokens = content.largest_picture_tokens(setup.showing)
    while tokens > least:
        tokens = max(least, int(tokens * _PIXEL_STEP))
        yield replace(setup, showing=setup.showing.with_most_tokens(tokens), picture_tokens=tokens)


def _fewer_frames(setup: Setup, content: Content) -> Iterator[Setup]:
    frames = content.most_frames()
    while frames > _LEAST_FRAMES:
        frames = max(_LEAST_FRAMES, int(frames * _FRAME_STEP))
        yield replace(setup, showing=replace(setup.showing, most_frames=frames))


def _segments(setup: Setup, content: Content) -> Iterator[Setup]:
    """More and more parts, each a fifth more than the last: of a thousand pages the exact number does not matter."""
    most, count = content.most_segments(setup.showing), 2
    while count <= most:
        yield replace(setup, showing=replace(setup.showing, segments=count))
        count = max(count + 1, count * 6 // 5)

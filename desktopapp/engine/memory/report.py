"""A plan in words, and as the event that everybody else reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from desktopapp.engine.events import Planned
from desktopapp.engine.memory.planner import Plan
from desktopapp.engine.memory.spec import KV_TYPES
from desktopapp.engine.memory.steps import DETAIL_TOKENS, Step

_GIB = 2**30


def planned_event(plan: Plan, request_id: str, remedies: tuple[str, ...] = ()) -> Planned:
    """The event that tells about a plan.

    Args:
        plan: it.
        request_id: of the request, or empty.
        remedies: where it does not fit.
    """
    setup, candidate = plan.setup, plan.setup.candidate
    workload = plan.content.workload(replace(setup.showing, segments=1))
    return Planned(
        request_id=request_id,
        model=candidate.model,
        backend=str(candidate.backend),
        precision=candidate.precision,
        device=candidate.device.name,
        prompt_tokens=workload.prompt_tokens,
        answer_tokens=workload.answer_tokens,
        context_tokens=min(plan.context_tokens, plan.model_context_tokens),
        parts=plan.estimate.parts,
        phases=plan.estimate.phases,
        peak_bytes=plan.estimate.peak_bytes,
        limit_bytes=plan.limit_bytes,
        fits=plan.fits and not plan.excess_tokens,
        kv_type=setup.run.kv_type,
        prefill_chunk=setup.run.chunk_tokens,
        segments=setup.showing.segments,
        gpu_layers=setup.placement.gpu_layers,
        image_max_tokens=setup.picture_tokens,
        attachments=plan.content.price(setup.showing, candidate.spec.kv_token_bytes(setup.run.kv_type)),
        steps_taken=tuple(str(step) for step in plan.steps),
        reasons=tuple(reasons(plan)),
        remedies=remedies,
    )


def reasons(plan: Plan) -> Iterator[str]:
    """A sentence for each choice, in English."""
    if not plan.steps and plan.fits and not plan.excess_tokens:
        yield "Everything fits as it is; nothing was given up."
    for step in plan.steps:
        yield _step_words(step, plan)
    if not plan.fits:
        yield f"{_gib(plan.shortfall_bytes)} are missing even so."
    if plan.excess_tokens:
        tokens = plan.model_context_tokens + plan.excess_tokens
        yield f"Prompt and answer take {tokens:,} tokens; this model reads {plan.model_context_tokens:,} at once."


def _step_words(step: Step, plan: Plan) -> str:
    setup, first = plan.setup, plan.first
    layers = setup.candidate.spec.text.layers
    kept = layers if setup.placement.gpu_layers is None else setup.placement.gpu_layers
    if step is Step.SMALLER_CHUNK:
        return (
            f"The prompt is read {setup.run.chunk_tokens:,} tokens at a time instead of "
            f"{first.run.chunk_tokens:,}: less work space, a little slower."
        )
    if step is Step.CHEAP_PLACEMENT:
        if setup.placement.gpu_layers is None:
            return "The vision part stays in system memory, since there is nothing to see."
        return f"{layers - kept} of {layers} layers stay in system memory: a little slower."
    if step in (Step.KV_8BIT, Step.KV_4BIT):
        bits = KV_TYPES[setup.run.kv_type].bits
        loss = "hardly any loss" if bits == 8 else "some loss"
        return (
            f"The KV cache holds {bits}-bit numbers ({setup.run.kv_type}): {_kv_saving(plan)} less, {loss}."
        )
    if step is Step.WEIGHTS_8BIT:
        return f"The weights are loaded in 8 bits: {_weight_saving(plan)} less, hardly any loss."
    if step is Step.FEWER_PIXELS:
        return f"Pictures are shown with at most {setup.picture_tokens or 0:,} tokens each."
    if step is Step.SMALL_PICTURES:
        return (
            f"Pictures are shown with at most {setup.picture_tokens or 0:,} tokens each, under the {DETAIL_TOKENS:,} "
            "that small text and exact places want: both may be missed."
        )
    if step is Step.FEWER_FRAMES:
        return f"At most {setup.showing.most_frames} frames of a video are looked at."
    if step is Step.SEGMENTS:
        return f"The attachments are read in {setup.showing.segments} parts, one after the other."
    if step is Step.MOST_LAYERS_ON_CPU:
        return f"Only {kept} of {layers} layers are on the GPU: the answer comes much more slowly."
    return f"{setup.candidate.model} answers with {setup.candidate.backend} and {setup.candidate.precision} weights."


def _kv_saving(plan: Plan) -> str:
    spec = plan.setup.candidate.spec
    tokens = plan.content.workload(plan.setup.showing).total_tokens
    saved = spec.kv_token_bytes(plan.first.run.kv_type) - spec.kv_token_bytes(plan.setup.run.kv_type)
    return _gib(saved * tokens)


def _weight_saving(plan: Plan) -> str:
    before, after = (setup.candidate.costs_here().weight_bytes for setup in (plan.first, plan.setup))
    return _gib(before - after)


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / _GIB:.1f} GiB"

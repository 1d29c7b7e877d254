"""Plans a request without loading anything: what `main.py plan` prints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from desktopapp.engine.events import Planned
from desktopapp.engine.memory.asking import (
    EXPECTED_ANSWER_TOKENS,
    content_of_turns,
    is_seen_at_a_glance,
)
from desktopapp.engine.memory.choosing import Chooser
from desktopapp.engine.memory.planner import Plan, make_plan
from desktopapp.engine.memory.remedies import find_remedies
from desktopapp.engine.memory.report import planned_event
from desktopapp.engine.memory.text_tokens import count_tokens
from desktopapp.engine.request import Request
from desktopapp.engine.routing.features import media_kind
from desktopapp.engine.routing.router import route
from desktopapp.modelstore.model import InstalledModel, ModelFiles, WeightFormat


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan and why its model and backend were chosen.

    Args:
        plan: it.
        event: the plan for everybody else.
        backend_reason: one sentence.
    """

    plan: Plan
    event: Planned
    backend_reason: str


def preview(
    request: Request, model: InstalledModel, models: Iterable[InstalledModel], chooser: Chooser
) -> Preview:
    """Plan a request.

    Args:
        request: of the person.
        model: that was asked for.
        models: that are installed.
        chooser: knows the machine.

    Raises:
        ModelError: the model cannot be priced.
        AttachmentError: a file cannot be used.
    """
    choice = request.choice
    candidate, reason = chooser.wanted(model, choice.backend)
    count = partial(count_tokens, tokenizer=tokenizer_file(candidate.files))
    answer = EXPECTED_ANSWER_TOKENS if request.max_new_tokens is None else request.max_new_tokens
    content = content_of_turns(
        request.turns, request.system, answer, count, needs_detail=needs_detail(request)
    )
    forms = tuple(chooser.other_forms(model, candidate, choice.backend))
    smaller = tuple(chooser.smaller_models(models, model, candidate, choice.backend))
    # A model that was named is not exchanged for another one; that is told as a remedy.
    plan = make_plan(candidate, content, choice.memory, forms if choice.model else (*forms, *smaller))
    remedies = () if plan.fits else find_remedies(plan, choice.memory, smaller)
    event = planned_event(plan, "", remedies)
    if plan.setup.candidate != candidate:
        reason = event.reasons[0] if event.reasons else reason
    return Preview(plan, replace(event, device=plan.setup.candidate.device.name), reason)


def needs_detail(request: Request) -> bool:
    """Whether the last question reads or points, or may."""
    last = request.turns[-1]
    kinds = [media_kind(attachment.path) for attachment in last.attachments]
    return not is_seen_at_a_glance(route(last.text, kinds).task)


def tokenizer_file(files: ModelFiles | None) -> Path | None:
    """The `tokenizer.json` of a folder; a GGUF's vocabulary is inside it."""
    if files is None or files.format is not WeightFormat.SAFETENSORS:
        return None
    return files.path / "tokenizer.json"

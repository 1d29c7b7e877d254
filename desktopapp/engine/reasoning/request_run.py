"""Answers a request with a loaded model: at once, after a plain chain of thought, or in steps."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace

from desktopapp.engine.answer import Answer
from desktopapp.engine.attached_media import AttachedMedia
from desktopapp.engine.backend import DEFAULT_RUN, GenerationStep, RunOptions, TokenCounter
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.chat_prompt import ChatPrompt, render_chat
from desktopapp.engine.events import Event, FinishReason
from desktopapp.engine.loading import RunningModel
from desktopapp.engine.memory.admission import Admission
from desktopapp.engine.memory.text_tokens import estimate_tokens
from desktopapp.engine.prompt_parts import PromptPart
from desktopapp.engine.reasoning.begun_reply import BegunReply
from desktopapp.engine.reasoning.reply import Replier, ReplyLimits
from desktopapp.engine.reasoning.stage_prompts import stage_prompts
from desktopapp.engine.reasoning.staged import StagedRun
from desktopapp.engine.request import Request
from desktopapp.engine.sampling import longest_output, resolve_sampling
from desktopapp.engine.steps import StepClock
from desktopapp.engine.zoom.call import ZOOM_TOOL
from desktopapp.engine.zoom.zoomed_reply import ZoomedReply
from desktopapp.modelstore.model import ModelKind

# A template is code that came with a model: one that never ends is a hang that the step rule finds.
_TEMPLATE_ESTIMATE_S = 1.0


def answer_request(
    request: Request,
    running: RunningModel,
    attached: AttachedMedia,
    answer: Answer,
    cancel: CancelToken,
    steps: StepClock,
    options: RunOptions = DEFAULT_RUN,
    admission: Admission | None = None,
) -> Generator[Event, None, FinishReason]:
    """Run the request.

    Args:
        request: whose model is loaded.
        running: that model.
        attached: its attachments, opened.
        answer: takes every step.
        cancel: of the request.
        steps: told about every long step.
        options: what each generation may use.
        admission: lets a generation go from phase to phase; None where no plan says what each takes.
    """
    kind = running.model.kind
    sampling = resolve_sampling(kind, request.sampling, running.files.sampling)
    limit = request.max_new_tokens or longest_output(kind, has_media=bool(attached.items))
    wordings = stage_prompts(request.turns[-1].text if request.turns else "")

    def render(behind: str = "") -> ChatPrompt:
        with steps.step("prompt", 1.0, initial_rate=1 / _TEMPLATE_ESTIMATE_S):
            return _render(request, running, attached, behind)

    def generate(prompt: Sequence[PromptPart], most: int) -> Iterator[GenerationStep]:
        # Behind its first prompt the KV cache holds this request alone; a step that is over never returns.
        run = replace(options, saves_replaced=options.saves_replaced and not answer.prompt_tokens)
        generation = running.backend.generate(prompt, sampling, most, cancel, steps, run)
        return admission.guard(generation) if admission is not None else generation

    def kv_bytes() -> int:
        return running.backend.memory_parts().kv_cache_bytes

    answer.begin(running.ready, attached.items)
    context_tokens = options.context_limit(running.facts)
    replier = Replier(generate, answer, cancel, context_tokens, kv_bytes, wordings)
    reasoning = request.reasoning
    begun = _begun_reply(request, running, answer)
    if kind is ModelKind.THINKING and _takes_steps(request):
        staged = StagedRun(
            replier,
            answer,
            render,
            wordings,
            cancel,
            max_steps=reasoning.max_steps,
            step_tokens=reasoning.step_tokens,
            thought_budget=reasoning.thought_budget,
            answer_tokens=limit,
            most_tokens=request.max_new_tokens,
        )
        steps_before = request.begun.steps if request.begun is not None else 0
        return (yield from staged.run(begun, steps_before))
    limits = ReplyLimits(limit, reasoning.thought_budget)
    if begun is not None or not request.zoom.most or not attached.has_pictures:
        return (yield from replier.reply(render(), limits, begun=begun))
    zoomed = ZoomedReply(
        replier, answer, attached, running.facts.pixel_budget, context_tokens, request.zoom.most
    )
    return (yield from zoomed.run(render(), limits))


def _takes_steps(request: Request) -> bool:
    """Whether there may be more than one step; an output that is no longer than one has no use for them."""
    most, limits = request.max_new_tokens, request.reasoning
    return limits.max_steps > 1 and (most is None or most > limits.step_tokens)


def _begun_reply(request: Request, running: RunningModel, answer: Answer) -> BegunReply | None:
    """What an earlier run of the request streamed, counted and told to the answer."""
    begun = request.begun
    if begun is None:
        return None
    backend = running.backend
    count = backend.count_tokens if isinstance(backend, TokenCounter) else estimate_tokens
    reply = BegunReply(begun.thought, begun.text, count(begun.thought), count(begun.text))
    answer.take_up(begun, reply.thought_tokens, reply.text_tokens)
    return reply


def _render(request: Request, running: RunningModel, attached: AttachedMedia, behind: str) -> ChatPrompt:
    """The conversation as a prompt, with some words of ours behind the question."""
    facts, turns = running.facts, request.turns
    if behind:
        turns = (*turns[:-1], replace(turns[-1], text=turns[-1].text + behind))
    return render_chat(
        facts.chat_template,
        turns,
        attached.by_turn,
        request.system,
        tools=(ZOOM_TOOL,) if request.zoom.offered and attached.has_pictures else (),
        bos_text=facts.bos_text,
        eos_text=facts.eos_text,
    )

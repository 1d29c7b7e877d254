"""What the person asks: conversation, attachments, mode, limits. Plain data that crosses processes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from desktopapp.engine.media.selection import WHOLE, MediaSelection


class Role(StrEnum):
    """Who speaks in a turn."""

    USER = "user"
    ASSISTANT = "assistant"


class Mode(StrEnum):
    """Which of the two checkpoints answers; `AUTO` leaves it to the program."""

    AUTO = "auto"
    INSTRUCT = "instruct"
    THINKING = "thinking"


class BackendChoice(StrEnum):
    """Which backend runs the model. `FAKE` runs only when it is named."""

    AUTO = "auto"
    TRANSFORMERS = "transformers"
    LLAMA_CPP = "llama.cpp"
    FAKE = "fake"


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file that goes with a turn, not yet opened.

    Args:
        path: absolute path of the file.
        selection: which part of it is shown to the model, and how finely.
    """

    path: str
    selection: MediaSelection = WHOLE


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the conversation; an assistant's turn holds its answer without its thought."""

    role: Role
    text: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class SamplingOverrides:
    """What the person set by hand; None keeps what the model recommends, else the default of its kind.

    Args:
        temperature: 0 decodes greedily.
        top_p: nucleus mass, 0..1.
        top_k: candidates kept; 0 keeps all.
        presence_penalty: subtracted from the logit of a token that was already generated.
        repetition_penalty: divides positive and multiplies negative logits of tokens seen; 1 is off.
        seed: of the sampler; None draws one.
    """

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    presence_penalty: float | None = None
    repetition_penalty: float | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class PhaseCap:
    """A phase that ran out of memory as it was planned: no later plan may let it take as much again.

    Args:
        backend: that ran it, as in `Planned.backend`.
        device: whose memory ran out, as in `Planned.device`.
        phase: `load`, `vision`, `prefill` or `decode`.
        below_bytes: what a plan of this phase has to stay below, everything in use counted but the runtime's
            overhead, which no plan lowers.
    """

    backend: str
    device: str
    phase: str
    below_bytes: int


@dataclass(frozen=True, slots=True)
class MemoryLimits:
    """What the person allows; the plan decides the rest.

    Args:
        vram_limit_bytes: ceiling of the device's memory as its driver counts it; None for what is free.
        kv_type: numbers in the KV cache: `auto`, or a name of `RunOptions.kv_type`. Where the backend has it
            not, the nearest that it has is taken.
        chunked_prefill: the prompt may be read in chunks; else at once.
        prefill_chunk_tokens: of one chunk; None leaves it to the plan.
        image_max_tokens: a picture that would cost more is shrunk to this; None for the model's own limit.
        caps: what ran out before; written by `worker.ladder`, not by the person.
    """

    vram_limit_bytes: int | None = None
    kv_type: str = "auto"
    chunked_prefill: bool = True
    prefill_chunk_tokens: int | None = None
    image_max_tokens: int | None = None
    caps: tuple[PhaseCap, ...] = ()


@dataclass(frozen=True, slots=True)
class ReasoningLimits:
    """How far a Thinking model may think.

    Args:
        thought_budget: most tokens of all thought, above zero; None is what context and output limit leave.
        max_steps: of staged reasoning, whose memory is bounded by one step; 1 is one plain chain.
        step_tokens: most tokens of one step's thought.
    """

    thought_budget: int | None = None
    max_steps: int = 1
    step_tokens: int = 2048


@dataclass(frozen=True, slots=True)
class ZoomLimits:
    """How far a model may look closer at its pictures with the zoom tool, which Qwen3-VL was trained with.

    Args:
        offered: the model is told of the tool, where its template has a place for tools. A call is answered in
            any case.
        most: calls that are answered with a picture; with 0 calls stay text.
    """

    offered: bool = False
    most: int = 6


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which model should run, and how.

    Args:
        model: a name that the model store lists, or a path of a folder or GGUF file.
        backend: which backend runs it.
        mode: which variant of the model's family answers; None is the named model, whichever it is.
        context_tokens: longest conversation, output included; None is the backend's default.
        memory: what the person allows.
    """

    model: str
    backend: BackendChoice = BackendChoice.AUTO
    mode: Mode | None = None
    context_tokens: int | None = None
    memory: MemoryLimits = MemoryLimits()


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some pages of a document, or seconds of a video.

    Args:
        path: of the attached file.
        first: page, or second.
        last: page, included, or second.
        is_pages: pages; else seconds.
        frames: of a video, that are looked at.
    """

    path: str
    first: float
    last: float
    is_pages: bool
    frames: int = 0


@dataclass(frozen=True, slots=True)
class AnsweredStretch:
    """What a long job said of a stretch."""

    stretch: Stretch
    text: str


@dataclass(frozen=True, slots=True)
class JobSoFar:
    """How far a question about more than one prompt holds was answered, to go on from there.

    Args:
        answered: in order.
        waiting: in order; empty where only the merging is left.
    """

    answered: tuple[AnsweredStretch, ...] = ()
    waiting: tuple[Stretch, ...] = ()


@dataclass(frozen=True, slots=True)
class BegunAnswer:
    """What was streamed of an answer before its run broke off; the same answer goes on from there.

    Args:
        thought: all thought, without the tags around it.
        text: all of the answer.
        steps: of staged reasoning that began.
    """

    thought: str = ""
    text: str = ""
    steps: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """One question to the engine.

    Args:
        request_id: unique within the process that asks.
        choice: the model that answers.
        turns: the conversation so far, oldest first; the last one is the person's.
        system: system prompt, or None for none.
        sampling: what the person set by hand.
        max_new_tokens: longest output in tokens, thought included; None is the default of the model's kind.
        reasoning: how far a Thinking model may think.
        previous_mode: what gave the conversation's last answer, for the choice of mode `AUTO`; None where none did.
        zoom: how far the model may look closer at pictures.
        least_picture_tokens: a picture that would cost fewer visual tokens is enlarged; None for the model's limit.
        job: of the same question asked before, where it was answered in parts and not to its end.
        begun: what this very request was answered already, where its run broke off; None for a fresh one.
    """

    request_id: str
    choice: ModelChoice
    turns: tuple[Turn, ...]
    system: str | None = None
    sampling: SamplingOverrides = SamplingOverrides()
    max_new_tokens: int | None = None
    reasoning: ReasoningLimits = ReasoningLimits()
    previous_mode: Mode | None = None
    zoom: ZoomLimits = ZoomLimits()
    least_picture_tokens: int | None = None
    job: JobSoFar | None = None
    begun: BegunAnswer | None = None

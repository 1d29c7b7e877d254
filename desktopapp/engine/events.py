"""What the engine says while it works: frozen events, the same in the window, the CLI and the tests.

In JSON an event is one object whose `event` field is the class's name in snake case
(`TextAdded` -> `text_added`); see `wire.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from desktopapp.errors import AppError

SYSTEM_MEMORY = "System memory"
"""Name of the device where there is no GPU, or answers do not run on it."""


class Channel(StrEnum):
    """Which part of the output a text belongs to."""

    THOUGHT = "thought"
    ANSWER = "answer"


class FinishReason(StrEnum):
    """Why an answer ended."""

    STOP = "stop"
    LENGTH = "length"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Event:
    """The base of all events."""


@dataclass(frozen=True, slots=True)
class ModelLoading(Event):
    """A model is being loaded.

    Args:
        model: its name.
        backend: the backend that loads it.
        stage: what is being done, one of `import` (always the first), `tokenizer`, `weights`, `vision`, `warm_up`.
        fraction: 0..1 of the whole load, or None while unknown.
    """

    model: str
    backend: str
    stage: str
    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class ModelReady(Event):
    """A model is loaded and answers next.

    Args:
        model: its name.
        path: its folder or GGUF file.
        backend: the backend that runs it.
        reason: why this backend, one sentence.
        kind: `instruct` or `thinking`.
        precision: of the weights, as `BF16`, `F32`, `Q8_0`.
        device: `cuda:0`, `cpu`.
        context_tokens: longest conversation that it takes here.
        load_s: seconds that loading took.
        random_weights: the weights are random; answers mean nothing.
    """

    model: str
    path: str
    backend: str
    reason: str
    kind: str
    precision: str
    device: str
    context_tokens: int
    load_s: float
    random_weights: bool = False


@dataclass(frozen=True, slots=True)
class LoadStopped(Event):
    """A load that nobody's request asked for was given up, for another one or by Stop.

    Its model is not loaded; one that was loaded before stays if the load had not begun.

    Args:
        model: as the command named it.
    """

    model: str


@dataclass(frozen=True, slots=True)
class ModelUnloaded(Event):
    """No model is loaded any more, as `UnloadModel` asked; the next question loads its own."""


@dataclass(frozen=True, slots=True)
class RequestStarted(Event):
    """The engine took up a request."""

    request_id: str


@dataclass(frozen=True, slots=True)
class AttachmentRead(Event):
    """One attachment was decoded.

    Args:
        request_id: the request.
        path: of the attachment.
        width: in pixels, after EXIF orientation.
        height: in pixels.
        tokens: visual tokens that it costs.
        note: what was done to it that the person should know (`first frame of 12`), or empty.
    """

    request_id: str
    path: str
    width: int
    height: int
    tokens: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class PrefillProgress(Event):
    """Tokens of the prompt evaluated so far, cached ones included."""

    request_id: str
    done_tokens: int
    total_tokens: int


@dataclass(frozen=True, slots=True)
class TextAdded(Event):
    """Text to append to one channel; whole characters only."""

    request_id: str
    channel: Channel
    text: str


@dataclass(frozen=True, slots=True)
class Stats:
    """Measured figures of one answer.

    Args:
        backend: what ran it.
        backend_reason: why that backend.
        model: its name.
        mode: `instruct` or `thinking`, what really answered.
        prompt_tokens: of the whole prompt, visual tokens included.
        cached_tokens: of these, taken from an earlier turn's KV cache.
        new_tokens: generated, the stop token not counted.
        time_to_first_token_s: from the request's start to the first generated token; None if there was none.
        decode_tokens_per_s: generated tokens after the first over their time; None below two tokens.
        peak_bytes: most memory in use: of the GPU's allocator on CUDA, else resident memory of the process;
            0 when unknown, as after Stop.
        thought_tokens: of `new_tokens`, those of thoughts.
        steps: of staged reasoning that thought; 0 for a plain chain.
        kv_peak_bytes: most bytes that the KV cache had allocated, 0 when the backend does not tell.
        kv_peak_tokens: most tokens in it.
        planned_peak_bytes: what the plan said that it would be; 0 where there was none.
        thought_s: from the first token of all thoughts to their last one, notes between steps included.
        thought_end: a value of `reasoning_events.ThoughtEnd`, why the last thought ended; empty where none did.
    """

    backend: str
    backend_reason: str
    model: str
    mode: str
    prompt_tokens: int
    cached_tokens: int
    new_tokens: int
    time_to_first_token_s: float | None
    decode_tokens_per_s: float | None
    peak_bytes: int
    thought_tokens: int = 0
    steps: int = 0
    kv_peak_bytes: int = 0
    kv_peak_tokens: int = 0
    planned_peak_bytes: int = 0
    thought_s: float = 0.0
    thought_end: str = ""


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """The answer is complete (or stopped, or cut at its limit). `text` is all answer text, `thought` all thought."""

    request_id: str
    text: str
    thought: str
    finish_reason: FinishReason
    stats: Stats


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """A request or a load failed; nothing more comes for it.

    Args:
        request_id: the request, or empty for a load that nobody's request asked for.
        error: name of the error's class in `desktopapp.errors`.
        message: what happened, in English.
        remedy: what to do now, in English.
        values: what the error's templates name, for translation.
        attachment: path of the attachment at fault, or empty.
        details: for the log and a report: a traceback, the tail of the engine's output.
    """

    request_id: str
    error: str
    message: str
    remedy: str
    values: dict[str, str] = field(default_factory=dict)
    attachment: str = ""
    details: str = ""

    @classmethod
    def from_error(
        cls, request_id: str, error: AppError, *, attachment: str = "", details: str = ""
    ) -> Failed:
        """Make the event that tells about `error`."""
        return cls(
            request_id, error.error, error.message, error.remedy, dict(error.values), attachment, details
        )


@dataclass(frozen=True, slots=True)
class PreviewRead(Event):
    """A small version of a picture, of a page, or of a moment of a video.

    Args:
        path: of the file.
        position: as it was asked for: a page number, or seconds.
        width: in pixels.
        height: in pixels.
        rgb: base64 of width x height x 3 bytes, rows from the top. Not a picture file: the window then
            decodes nothing that came from a stranger.
        full_width: of the picture, page or frame itself, turned upright, in pixels.
        full_height: likewise.
        duration_s: of a video, else 0.
    """

    path: str
    position: float
    width: int
    height: int
    rgb: str
    full_width: int = 0
    full_height: int = 0
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True)
class CancelAcknowledged(Event):
    """The control thread heard Stop; the request ends at its next step."""

    request_id: str


@dataclass(frozen=True, slots=True)
class Heartbeat(Event):
    """Sent by the control thread twice a second.

    Args:
        step: what the computing thread does now (`load`, `pixels`, `image`, `prefill`, `decode`), empty when idle.
        elapsed_s: how long this step has run.
        estimate_s: how long it was thought to take.
    """

    step: str
    elapsed_s: float
    estimate_s: float

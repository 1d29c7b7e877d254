"""How the events of an answer are shown in a terminal, a pipe, or as JSON."""

from __future__ import annotations

from typing import Protocol, TextIO

from desktopapp.cli.terminal import without_controls, write_json, write_line
from desktopapp.engine.events import (
    AttachmentRead,
    Channel,
    Event,
    Failed,
    Finished,
    FinishReason,
    ModelLoading,
    ModelReady,
    PrefillProgress,
    Stats,
    TextAdded,
)
from desktopapp.engine.media_events import ZoomedIn
from desktopapp.engine.memory_events import Retrying
from desktopapp.engine.price_events import Planned
from desktopapp.engine.reasoning_events import Routed, StepStarted, ThoughtEnd, ThoughtEnded
from desktopapp.engine.wire import event_to_dict
from desktopapp.worker.process_events import HandedOn

_CUT_SHORT = {ThoughtEnd.BUDGET: "its budget is spent", ThoughtEnd.LOOP: "it went in circles"}
_DIM, _PLAIN, _CLEAR_LINE = "\x1b[2m", "\x1b[0m", "\r\x1b[K"


class EventPrinter(Protocol):
    """Shows events as they come."""

    def show(self, event: Event) -> None:
        """Show one event; may raise BrokenPipeError."""
        ...


class JsonPrinter:
    """Every event as one line of JSON.

    Args:
        output: gets the lines.
    """

    def __init__(self, output: TextIO) -> None:
        self._output = output

    def show(self, event: Event) -> None:
        """Write one event."""
        write_json(self._output, event_to_dict(event))


class AnswerPrinter:
    """The answer as it is written; everything around it as notes.

    Args:
        output: gets the answer's text and a line end.
        notes: gets what the person should know; on a terminal progress and the thought as well.
    """

    def __init__(self, output: TextIO, notes: TextIO) -> None:
        self._output = output
        self._notes = notes
        self._to_terminal = output.isatty()
        self._notes_to_terminal = notes.isatty()
        self._has_progress = False
        self._in_thought = False
        self._ends_line = True

    def show(self, event: Event) -> None:
        """Show one event."""
        match event:
            case TextAdded():
                self._add_text(event)
            case ModelLoading():
                share = "" if event.fraction is None else f" {event.fraction:.0%}"
                self._progress(f"Loading {event.model} with {event.backend}: {event.stage}{share}")
            case ModelReady() if event.random_weights:
                self._note(f"{event.model} has random weights, its answers mean nothing.")
            case Routed() if self._notes_to_terminal:
                self._note(_route_line(event))
            case StepStarted() if self._notes_to_terminal:
                self._end_thought()
                self._progress(f"Step {event.step} of {event.max_steps}: {event.kind}")
            case ThoughtEnded() if event.reason in _CUT_SHORT:
                self._end_thought()
                self._note(f"The thought was ended after {event.tokens} tokens: {_CUT_SHORT[event.reason]}.")
            case Planned() if event.steps_taken:
                for reason in event.reasons:
                    self._note(reason)
            case Retrying():
                self._note(_retry_line(event))
            case HandedOn():
                self._note(f"The engine had ended ({event.detail}) before it began; a new one was asked.")
            case AttachmentRead() if event.note:
                self._note(f"{event.path}: {event.note}")
            case ZoomedIn():
                page = f", page {event.page}" if event.page else ""
                what = f" at {event.label}" if event.label else ""
                self._note(
                    f"Looked closer{what}: {event.path}{page}, {', '.join(f'{side:g}' for side in event.box)}"
                )
            case PrefillProgress():
                self._progress(f"Reading the prompt: {event.done_tokens} of {event.total_tokens} tokens")
            case Finished():
                self._finish(event)
            case Failed():
                self._end_answer()
                self._note(f"{event.message} {event.remedy}".strip())
            case _:
                pass

    def _add_text(self, event: TextAdded) -> None:
        self._end_progress()
        if event.channel is Channel.THOUGHT:
            if self._notes_to_terminal:
                self._in_thought = True
                self._notes.write(f"{_DIM}{without_controls(event.text)}{_PLAIN}")
                self._notes.flush()
            return
        self._end_thought()
        self._output.write(without_controls(event.text) if self._to_terminal else event.text)
        self._output.flush()
        self._ends_line = event.text.endswith("\n") if event.text else self._ends_line

    def _finish(self, event: Finished) -> None:
        self._end_answer()
        if event.thought and not event.text:
            if not self._notes_to_terminal:
                self._note(event.thought)
            self._note("This thought did not end, so there is no answer. Allow more with --max-new-tokens.")
        elif event.finish_reason is FinishReason.LENGTH:
            self._note("The answer was cut at its longest length. Allow more with --max-new-tokens.")
        if event.finish_reason is FinishReason.CANCELLED:
            self._note("Stopped.")
        if self._notes_to_terminal:
            self._note(_stats_line(event.stats))

    def _end_answer(self) -> None:
        self._end_progress()
        self._end_thought()
        if not self._ends_line:
            self._output.write("\n")
            self._output.flush()
            self._ends_line = True

    def _end_thought(self) -> None:
        if self._in_thought:
            self._in_thought = False
            self._notes.write("\n")
            self._notes.flush()

    def _progress(self, text: str) -> None:
        """A line that the next one replaces; only a terminal can do that."""
        if self._notes_to_terminal:
            self._has_progress = True
            self._notes.write(_CLEAR_LINE + without_controls(text))
            self._notes.flush()

    def _end_progress(self) -> None:
        if self._has_progress:
            self._has_progress = False
            self._notes.write(_CLEAR_LINE)
            self._notes.flush()

    def _note(self, text: str) -> None:
        self._end_progress()
        write_line(self._notes, text)


def _stats_line(stats: Stats) -> str:
    facts = [f"{stats.model} with {stats.backend}", f"{stats.new_tokens} tokens"]
    if stats.decode_tokens_per_s is not None:
        facts.append(f"{stats.decode_tokens_per_s:.1f} tokens/s")
    if stats.time_to_first_token_s is not None:
        facts.append(f"first after {stats.time_to_first_token_s:.2f} s")
    return ", ".join(facts)


def _retry_line(event: Retrying) -> str:
    return f"Memory ran out while {event.what}, so the answer goes on with less. {event.reason}".strip()


def _route_line(event: Routed) -> str:
    task = event.task or "no sign of several steps"
    reasons = {
        "only one": "the only one here",
        "asked": "as asked",
        "follow-up": "goes on with this conversation",
    }
    line = f"{event.mode.capitalize()}: {reasons.get(event.cause, task)}"
    return f"{line}; swap {event.swap_s:.1f} s" if event.swap_s else line

"""`ask`: one question to the engine, in a process of its own; the answer streams to stdout.

stdout gets the answer (or with `--json` the events) and nothing else, whatever the libraries print; notes and
the thought go to stderr, the thought only where that is a terminal.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path
from typing import TextIO

from desktopapp.cli.answer_printer import AnswerPrinter, EventPrinter, JsonPrinter
from desktopapp.cli.engine_run import EngineRun
from desktopapp.cli.terminal import DONE, FAILED, INTERRUPTED, use_utf8, write_line
from desktopapp.engine.events import Failed, Finished, FinishReason
from desktopapp.engine.media.selection import MediaSelection
from desktopapp.engine.memory.limits import limits_of
from desktopapp.engine.request import (
    Attachment,
    BackendChoice,
    Mode,
    ModelChoice,
    ReasoningLimits,
    Request,
    Role,
    SamplingOverrides,
    Turn,
    ZoomLimits,
)
from desktopapp.settings import Settings, load_settings

_MODES = {"auto": Mode.AUTO, "true": Mode.THINKING, "false": Mode.INSTRUCT}


def ask(options: argparse.Namespace) -> int:
    """Ask and print.

    Args:
        options: as `command_line` parsed them.

    Returns:
        The exit code.
    """
    use_utf8(sys.stderr)
    loaded = load_settings()
    for problem in loaded.problems:
        write_line(sys.stderr, problem)
    request = make_request(options, loaded.settings)
    output = _claim_stdout()
    printer: EventPrinter = JsonPrinter(output) if options.json else AnswerPrinter(output, sys.stderr)
    with EngineRun(request) as run:
        code = _print_events(run, printer)
    with contextlib.suppress(OSError):  # each event was flushed, so this says nothing new
        output.close()
    return code


def make_request(options: argparse.Namespace, settings: Settings) -> Request:
    """The request that the options and the settings behind them describe."""
    mode: Mode | None = Mode(options.mode) if options.mode else _MODES[settings.use_thinking_mode]
    if options.model is not None and not options.mode:
        mode = None  # who names a model means that one
    model = settings.model_name if options.model is None else options.model
    backend = BackendChoice(options.backend or settings.backend)
    memory = limits_of(settings, options.vram_limit)
    choice = ModelChoice(model, backend, mode, context_tokens=settings.max_seq_len, memory=memory)
    selection = _selection(options)
    attachments = tuple(Attachment(str(Path(path).absolute()), selection) for path in options.attach)
    return Request(
        request_id="ask",
        choice=choice,
        turns=(Turn(Role.USER, options.prompt, attachments),),
        system=options.system,
        sampling=SamplingOverrides(temperature=options.temperature, seed=options.seed),
        max_new_tokens=options.max_new_tokens,
        reasoning=ReasoningLimits(
            options.thought_budget or settings.thought_budget,
            options.max_steps or settings.max_steps,
            options.step_tokens or settings.step_tokens,
        ),
        zoom=ZoomLimits(offered=options.look_closer),
    )


def _selection(options: argparse.Namespace) -> MediaSelection:
    first_page, last_page = options.pages
    return MediaSelection(
        first_page=first_page,
        last_page=last_page,
        dpi=options.dpi,
        password=options.password,
        page_text=options.page_text,
        start_s=options.start,
        end_s=options.end,
        fps=options.fps,
        frames=options.frames,
        merge_still=options.merge_still,
        as_video=options.as_video,
    )


def _print_events(run: EngineRun, printer: EventPrinter) -> int:
    code = FAILED
    for event in run.events():
        try:
            printer.show(event)
        except BrokenPipeError:  # `| head` has read enough
            run.cancel()
            return DONE
        except OSError as error:
            run.cancel()
            with contextlib.suppress(OSError):  # it may be stderr that is full
                write_line(sys.stderr, f"The answer could not be written: {error.strerror}. Free some space.")
            return FAILED
        if isinstance(event, Finished):
            code = INTERRUPTED if event.finish_reason is FinishReason.CANCELLED else DONE
        elif isinstance(event, Failed):
            code = INTERRUPTED if run.interrupted else FAILED
    return code


def _claim_stdout() -> TextIO:
    """A stream of its own for the answer; what libraries print to stdout from now on goes to stderr."""
    sys.stdout.flush()
    own = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(own, "w", encoding="utf-8", errors="replace")

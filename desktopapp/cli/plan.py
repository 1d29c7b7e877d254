"""`plan`: what a request would cost and how it would run, without loading the model."""

from __future__ import annotations

import argparse
import sys

from desktopapp.cli.ask import make_request
from desktopapp.cli.plan_text import plan_lines
from desktopapp.cli.terminal import DONE, FAILED, report, use_utf8, write_json, write_line
from desktopapp.engine.memory.calibration import Calibration
from desktopapp.engine.memory.choosing import Chooser
from desktopapp.engine.memory.machine import imagine_machine, read_machine
from desktopapp.engine.memory.preview import preview
from desktopapp.engine.request import Mode
from desktopapp.engine.wire import event_to_dict
from desktopapp.errors import AppError
from desktopapp.modelstore.model import ModelKind
from desktopapp.modelstore.store import find_model, find_models, find_variant
from desktopapp.settings import load_settings

_GIB = 2**30
_KINDS = {Mode.INSTRUCT: ModelKind.INSTRUCT, Mode.THINKING: ModelKind.THINKING}


def show_plan(options: argparse.Namespace) -> int:
    """Plan and print.

    Args:
        options: as `command_line` parsed them.

    Returns:
        The exit code: a plan that does not fit is a plan as well.
    """
    use_utf8(sys.stdout, sys.stderr)
    loaded = load_settings()
    for problem in loaded.problems:
        write_line(sys.stderr, problem)
    request = make_request(options, loaded.settings)
    imagined = options.free_gib is not None or options.no_gpu
    machine = read_machine()
    if imagined:
        free_bytes = None if options.free_gib is None else round(options.free_gib * _GIB)
        machine = imagine_machine(free_bytes, has_gpu=not options.no_gpu)
    try:
        model = find_model(request.choice.model)
        kind = _KINDS.get(request.choice.mode or Mode.AUTO, model.kind)
        model = find_variant(model, kind) or model
        chosen = preview(request, model, find_models(), Chooser(machine, Calibration()))
    except AppError as error:
        report(sys.stderr, error)
        return FAILED
    if options.json:
        values = event_to_dict(chosen.event)
        del values["event"], values["request_id"]
        write_json(sys.stdout, values | {"backend_reason": chosen.backend_reason})
        return DONE
    for line in plan_lines(chosen.event, chosen.backend_reason):
        write_line(sys.stdout, line)
    return DONE

"""`plan`: what a request would cost and how it would run, without loading the model."""

from __future__ import annotations

import argparse
import sys

from desktopapp.cli.ask import make_request
from desktopapp.cli.plan_text import plan_lines
from desktopapp.cli.terminal import DONE, FAILED, report, use_utf8, write_json, write_line
from desktopapp.engine.media.headers import HeaderCache
from desktopapp.engine.memory.machine import imagine_machine, read_machine
from desktopapp.engine.planning import ReadMachine, RequestPlanner
from desktopapp.engine.wire import event_to_dict
from desktopapp.errors import AppError
from desktopapp.modelstore import store
from desktopapp.settings import load_settings

_GIB = 2**30


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
    planner = RequestPlanner(store, machine=_machine_reader(options))
    try:
        planned = planner.preview(request, HeaderCache())
    except AppError as error:
        report(sys.stderr, error)
        return FAILED
    if options.json:
        values = event_to_dict(planned.event)
        del values["event"], values["request_id"]
        write_json(sys.stdout, values | {"backend_reason": planned.reason})
        return DONE
    for line in plan_lines(planned.event, planned.reason):
        write_line(sys.stdout, line)
    return DONE


def _machine_reader(options: argparse.Namespace) -> ReadMachine:
    """This machine, or the one that the options describe."""
    if options.free_gib is None and not options.no_gpu:
        return read_machine
    free_bytes = None if options.free_gib is None else round(options.free_gib * _GIB)
    imagined = imagine_machine(free_bytes, has_gpu=not options.no_gpu)
    return lambda own_gpu_bytes=0, other_bytes=0: imagined

"""Run code inside a frozen program, as one of its own child processes: `python run_inside.py PROGRAM < CODE`.

It must have been frozen with the Python that runs this.
"""

import multiprocessing
import sys
from multiprocessing import resource_tracker, spawn
from typing import Any

_prepare = spawn.get_preparation_data


def _without_this_process(name: str) -> dict[str, Any]:
    """What a child is told about its parent, but for where the parent's modules are."""
    left_out = ("sys_path", "sys_argv", "dir", "init_main_from_path", "init_main_from_name")
    return {key: value for key, value in _prepare(name).items() if key not in left_out}


def main() -> int:
    resource_tracker.ensure_running()  # by this Python
    spawn.get_preparation_data = _without_this_process
    sys.frozen = True  # type: ignore[attr-defined]  # children are then started as those of a frozen program
    context = multiprocessing.get_context("spawn")
    context.set_executable(sys.argv[1])
    child = context.Process(target=exec, args=(sys.stdin.read(), {"__name__": "inside"}))
    child.start()
    child.join()
    return child.exitcode or 0


if __name__ == "__main__":
    sys.exit(main())

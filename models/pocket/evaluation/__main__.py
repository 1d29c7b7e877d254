"""`python -m models.pocket.evaluation`: prints the tables of the model card.

Every answer is kept as it comes: a run that was ended, or had too little time, is gone on with by the same command.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from PySide6.QtWidgets import QApplication

from models.pocket.evaluation.asking import Task, Trial, ask_items
from models.pocket.evaluation.measuring import BARS, STAGED, compare, measured_row
from models.pocket.evaluation.painting import items_folder, paint_items

_ITEMS = 500
_QUICK_ITEMS = 20


def main() -> None:
    """Make the items, ask, print."""
    options = _parse()
    end_s = time.time() + options.budget_s
    # Light and dark, as the window's own theme sets them: the same on every desktop.
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    count = _QUICK_ITEMS if options.quick else options.count
    work = items_folder(options.work)
    application = QApplication([])
    paint_items(work, options.fonts, options.words, options.skills, count)
    application.quit()
    tasks = [
        Task(model, skill, trial, work, count)
        for trial in (Trial(name) for name in options.trials)
        for skill in options.skills
        for model in options.models
        if skill not in STAGED or "thinking" in model.name
    ]
    # One thread a process: threads of llama.cpp wait for each other by spinning, which busy cores make slow.
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(options.processes, multiprocessing.get_context("spawn")) as pool:
        asked = [pool.submit(ask_items, task, shard, end_s) for task in tasks for shard in task.shards]
        for future in asked:
            future.result()
    _print(tasks)


def _print(tasks: list[Task]) -> None:
    """The tables of what was asked so far."""
    pairs = list({(task.skill, task.model): task for task in tasks}.values())
    print("| model | skill | items | bar | measured | blank | swapped |")
    print("|---|---|---|---|---|---|---|")
    for task in pairs:
        print(measured_row(Task(task.model, task.skill, Trial.LLAMA_CPP, task.work, task.count)))
    print("\n| model | skill | items | llama.cpp | transformers | same answers |")
    print("|---|---|---|---|---|---|")
    compared = [agreement for task in pairs if (agreement := compare(task)).items]
    for agreement in compared:
        print(agreement.row)
    same, items = sum(a.same for a in compared), sum(a.items for a in compared)
    if items:
        print(f"\nThe same to the letter: {same} of {items} answers, {100 * same / items:.1f} %.")
    left = sum(len(task.items) - len(task.answers()) for task in tasks)
    if left:
        print(f"\n{left} answers are still to come: run this again to go on.")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.pocket.evaluation", description=__doc__)
    add = parser.add_argument
    add("models", nargs="+", type=Path, help="model folders; a thinking one is told by its name")
    add("--fonts", type=Path, required=True, help="folder of held-out fonts")
    add("--words", type=Path, required=True, help="word list, a word a line")
    add("--count", type=int, default=_ITEMS, help="items a skill")
    add("--quick", action="store_true", help=f"{_QUICK_ITEMS} items a skill")
    add("--skills", nargs="+", choices=tuple(BARS), default=list(BARS))
    add("--trials", nargs="+", choices=[t.value for t in Trial], default=[t.value for t in Trial])
    add(
        "--budget-s",
        type=float,
        default=math.inf,
        help="stop asking after this time; the same command goes on",
    )
    add("--processes", type=int, default=os.cpu_count() or 1, help="that ask at once")
    add("--work", type=Path, default=Path("build/pocket-eval"), help="takes pictures and answers")
    return parser.parse_args()


if __name__ == "__main__":
    main()

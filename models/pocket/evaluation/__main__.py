"""`python -m models.pocket.evaluation`: prints the tables of the model card."""

from __future__ import annotations

import argparse
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from PySide6.QtWidgets import QApplication

from models.pocket.evaluation.items import Item, ItemMaker, save_items
from models.pocket.evaluation.measuring import BARS, CONTROLS, STAGED, Task, compare, measure
from models.pocket.evaluation.numbers import NumberItems
from models.pocket.evaluation.pages import own_window_items, page_items
from models.pocket.words import read_words

_ITEMS = 500
_QUICK_ITEMS = 20


def make_items(work: Path, fonts: Path, words: Path) -> list[Item]:
    """Paint everything; needs a QApplication."""
    files = [file for file in sorted(fonts.rglob("*")) if file.suffix.lower() in (".ttf", ".otf")]
    maker = ItemMaker(work, files, read_words(words, held_out=True))
    numbers = NumberItems(maker)
    makers: tuple[Callable[[str], Item], ...] = (
        maker.read, maker.shapes, maker.ground, maker.video, numbers.sums, numbers.chain, numbers.notes, numbers.check,
    )  # fmt: skip
    items = [make(f"{make.__name__}-{index:03d}") for make in makers for index in range(_ITEMS)]
    readme = Path(__file__).resolve().parents[3] / "README.md"
    return [*items, *page_items(readme.read_text(encoding="utf-8"), work), *own_window_items(work)]


def main() -> None:
    """Make the items, ask, print."""
    options = _parse()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    work: Path = options.work
    work.mkdir(parents=True, exist_ok=True)
    application = QApplication([])
    save_items(work / "items.json", make_items(work, options.fonts, options.words))
    application.quit()
    count = _QUICK_ITEMS if options.quick else options.count
    tasks = [
        Task(model, skill, work, count, tuple(options.controls))
        for skill in options.skills
        for model in options.models
        if skill not in STAGED or "thinking" in model.name
    ]
    # One thread a process: threads of llama.cpp wait for each other by spinning, which busy cores make slow.
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(options.processes, multiprocessing.get_context("spawn")) as pool:
        print("| model | skill | items | bar | measured | blank | swapped | s an item |")
        print("|---|---|---|---|---|---|---|---|", flush=True)
        for row in pool.map(measure, tasks):
            print(row, flush=True)
        if options.no_compare:
            return
        print("\n| model | skill | items | llama.cpp | transformers | same answers |")
        print("|---|---|---|---|---|---|", flush=True)
        same = items = 0
        for agreement in pool.map(compare, [task for task in tasks if task.skill != "video"]):
            print(agreement.row, flush=True)
            same, items = same + agreement.same, items + agreement.items
        print(f"\nThe same to the letter: {same} of {items} answers, {100 * same / items:.1f} %.")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.pocket.evaluation", description=__doc__)
    add = parser.add_argument
    add("models", nargs="+", type=Path, help="model folders; a thinking one is told by its name")
    add("--fonts", type=Path, required=True, help="folder of held-out fonts")
    add("--words", type=Path, required=True, help="word list, a word a line")
    add("--count", type=int, default=_ITEMS, help="items a skill")
    add("--quick", action="store_true", help=f"{_QUICK_ITEMS} items a skill")
    add("--skills", nargs="+", choices=tuple(BARS), default=tuple(BARS))
    add("--controls", nargs="*", choices=CONTROLS, default=CONTROLS)
    add("--no-compare", action="store_true", help="leave transformers out, but for videos")
    add("--processes", type=int, default=os.cpu_count() or 1, help="that ask at once")
    add("--work", type=Path, default=Path("build/pocket-eval"), help="takes pictures and answers")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""`python -m models.pocket.evaluation`: prints the table of the model card."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from PySide6.QtWidgets import QApplication

from desktopapp.engine.request import BackendChoice
from models.pocket.evaluation.items import Item, ItemMaker, save_items
from models.pocket.evaluation.pages import own_window_items, page_items
from models.pocket.evaluation.runners import Ask, picture_asker, video_asker
from models.pocket.evaluation.scores import character_error_rate, is_exact, overlap, read_box, read_time_s
from models.pocket.words import read_words

_BARS = {
    "read": "character error rate <= 5 %",
    "page": "character error rate, aim <= 10 %",
    "window": "character error rate, aim <= 10 %",
    "shapes": "exact >= 95 %",
    "ground": "IoU over 0.5 >= 85 %",
    "video": "within 0.5 s >= 80 %",
    "sums": "exact: Thinking >= 90 %",
}
_READ = ("read", "page", "window")
_ITEMS = 500
_QUICK_ITEMS = 20
# Controls, and the comparison of the backends, take the first tenth of the items.
_TENTH = 10
_CONTROLS = ("blank", "swapped")


def score(skill: str, items: Sequence[Item], answers: Sequence[str]) -> float:
    """The measure of a skill over its items, 0..1 (a character error rate can be larger)."""
    if skill in _READ:
        return character_error_rate([(a, str(i.expected)) for a, i in zip(answers, items, strict=True)])
    return sum(_is_right(item, answer) for item, answer in zip(items, answers, strict=True)) / len(items)


def _is_right(item: Item, answer: str) -> bool:
    if item.skill == "ground":
        box = read_box(answer)
        return box is not None and isinstance(item.expected, tuple) and overlap(box, item.expected) > 0.5
    if item.skill == "video":
        time_s = read_time_s(answer)
        return time_s is not None and isinstance(item.expected, float) and abs(time_s - item.expected) <= 0.5
    return is_exact(answer, str(item.expected))


def run(items: list[Item], folder: Path, ask: Ask, control: str) -> list[str]:
    """Answers to all items.

    Args:
        items: of one skill.
        folder: of their pictures.
        ask: asks the model.
        control: "" for the right pictures, "blank" for grey ones, "swapped" for those of the next item.
    """
    answers = []
    for index, item in enumerate(items):
        names = items[(index + 1) % len(items)].pictures if control == "swapped" else item.pictures
        files = [folder / name for name in names]
        if control == "blank":
            files = [_blank(file) for file in files]
        answers.append(ask(files, item.question))
    return answers


def _blank(file: Path) -> Path:
    blank = file.with_name(f"blank-{file.name}")
    if not blank.exists():
        with Image.open(file) as image:
            Image.new("RGB", image.size, (128, 128, 128)).save(blank)
    return blank


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Items, where their pictures and the answers to them lie, and how many are asked.

    Args:
        items: of all skills.
        work: folder.
        count: items a skill.
    """

    items: list[Item]
    work: Path
    count: int

    def measure(self, model: Path, skills: Sequence[str], controls: Sequence[str]) -> None:
        """Print a row of the table for each skill."""
        thinking = "thinking" in model.name
        llama_cpp = picture_asker(model, BackendChoice.LLAMA_CPP, thinking=thinking)
        for skill in skills:
            chosen = [item for item in self.items if item.skill == skill][: self.count]
            ask = video_asker(model, thinking=thinking) if skill == "video" else llama_cpp
            begun_s = time.monotonic()
            answers = run(chosen, self.work, ask, "")
            spent_s = (time.monotonic() - begun_s) / len(chosen)
            self._keep(f"{model.name}-{skill}", chosen, answers)
            cells = [
                model.name,
                skill,
                str(len(chosen)),
                _BARS[skill],
                _percent(score(skill, chosen, answers)),
            ]
            few = chosen[: max(1, self.count // _TENTH)]
            for control in _CONTROLS:
                asked = run(few, self.work, ask, control) if control in controls else []
                cells.append(_percent(score(skill, few, asked)) if asked else "")
            print("| " + " | ".join([*cells, f"{spent_s:.2f}"]) + " |", flush=True)

    def compare(self, model: Path, skills: Sequence[str]) -> None:
        """Print, for a fixed tenth, transformers' score beside llama.cpp's and how many answers are the same."""
        thinking = "thinking" in model.name
        ask = picture_asker(model, BackendChoice.TRANSFORMERS, thinking=thinking)
        for skill in (skill for skill in skills if skill != "video"):
            few = [item for item in self.items if item.skill == skill][: max(1, self.count // _TENTH)]
            kept = json.loads((self.work / f"{model.name}-{skill}.json").read_text(encoding="utf-8"))
            theirs = [entry["answer"] for entry in kept[: len(few)]]
            ours = run(few, self.work, ask, "")
            same = sum(a == b for a, b in zip(ours, theirs, strict=True)) / len(few)
            cells = [model.name, skill, str(len(few)), _percent(score(skill, few, theirs))]
            print(
                "| " + " | ".join([*cells, _percent(score(skill, few, ours)), _percent(same)]) + " |",
                flush=True,
            )

    def _keep(self, name: str, items: Sequence[Item], answers: Sequence[str]) -> None:
        entries = [
            {"expected": i.expected, "answer": a, "question": i.question, "pictures": i.pictures}
            for i, a in zip(items, answers, strict=True)
        ]
        (self.work / f"{name}.json").write_text(
            json.dumps(entries, ensure_ascii=False, indent=1), encoding="utf-8"
        )


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def main() -> None:
    """Make the items, ask, print."""
    parser = argparse.ArgumentParser(prog="python -m models.pocket.evaluation", description=__doc__)
    parser.add_argument(
        "models", nargs="+", type=Path, help="model folders; a thinking one is told by its name"
    )
    parser.add_argument("--fonts", type=Path, required=True, help="folder of held-out fonts")
    parser.add_argument("--words", type=Path, required=True, help="word list, a word a line")
    parser.add_argument("--count", type=int, default=_ITEMS, help="items a skill")
    parser.add_argument("--quick", action="store_true", help=f"{_QUICK_ITEMS} items a skill")
    parser.add_argument("--skills", nargs="+", choices=tuple(_BARS), default=tuple(_BARS))
    parser.add_argument("--controls", nargs="*", choices=_CONTROLS, default=_CONTROLS)
    parser.add_argument("--no-compare", action="store_true", help="leave transformers out, but for videos")
    parser.add_argument(
        "--work", type=Path, default=Path("build/pocket-eval"), help="takes pictures and answers"
    )
    options = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication([])
    fonts = [file for file in sorted(options.fonts.rglob("*")) if file.suffix.lower() in (".ttf", ".otf")]
    items = ItemMaker(options.work, fonts, read_words(options.words, held_out=True)).make(_ITEMS)
    readme = Path(__file__).resolve().parents[3] / "README.md"
    items += page_items(readme.read_text(encoding="utf-8"), options.work) + own_window_items(options.work)
    save_items(options.work / "items.json", items)
    application.quit()
    evaluation = Evaluation(items, options.work, _QUICK_ITEMS if options.quick else options.count)
    print("| model | skill | items | bar | measured | blank | swapped | s an item |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for model in options.models:
        evaluation.measure(model, options.skills, options.controls)
    if options.no_compare:
        return
    print("\n| model | skill | items | llama.cpp | transformers | same answers |")
    print("|---|---|---|---|---|---|", flush=True)
    for model in options.models:
        evaluation.compare(model, options.skills)


if __name__ == "__main__":
    main()

"""What quantised keys and values cost in right answers: the pocket pair's held-out items, one KV type after the other.

Run: `make bench`, or `python tests/benchmarks/bench_kv_quality.py --fonts FOLDER --words FILE`; `python -m
models.pocket.fonts build/pocket/fonts` fetches both. Greedy, transformers backend.
Wanted: 8-bit types change no figure by more than 0.5 points, int4 by no more than 2.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from PySide6.QtWidgets import QApplication

from desktopapp.engine.backend import ImagePart, LoadOptions, PromptPart, RunOptions, TextPart, TokenAdded
from desktopapp.engine.backends.transformers import TransformersBackend
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.media.image import open_image
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore.model import ModelFiles, WeightFormat
from models.pocket.evaluation.items import Item, ItemMaker
from models.pocket.evaluation.measuring import score
from models.pocket.evaluation.numbers import NumberItems
from models.pocket.words import read_words

ROOT = Path(__file__).resolve().parents[2]
FONTS = ROOT / "build/pocket/fonts"
LIMITS = {"int8": 0.5, "fp8_e4m3": 0.5, "fp8_e5m2": 0.5, "int4": 2.0}
SKILLS = {"read": "instruct", "shapes": "instruct", "ground": "instruct", "sums": "thinking"}
GREEDY = SamplingParameters(temperature=0.0, top_p=1.0, top_k=0, presence_penalty=0.0)
LONGEST_ANSWER = 700


class Asker:
    """Answers of one model through the transformers backend.

    Args:
        folder: of the model.
    """

    def __init__(self, folder: Path) -> None:
        self._backend = TransformersBackend()
        files = ModelFiles(WeightFormat.SAFETENSORS, folder, None, "BF16", 0)
        self._backend.load(files, LoadOptions(device="auto"), StepClock(), lambda *_: None)
        self._opening = "<think>\n" if "thinking" in folder.name else ""

    def ask(self, picture: Path, question: str, kv_type: str) -> str:
        """The answer behind the thought."""
        prompt: list[PromptPart] = [
            TextPart("<|im_start|>user\n"),
            ImagePart(open_image(str(picture))),
            TextPart(question, False),
            TextPart(f"<|im_end|>\n<|im_start|>assistant\n{self._opening}"),
        ]
        steps = self._backend.generate(
            prompt, GREEDY, LONGEST_ANSWER, CancelToken(), StepClock(), RunOptions(kv_type=kv_type)
        )
        said = b"".join(step.data for step in steps if isinstance(step, TokenAdded))
        return said.decode(errors="replace").rpartition("</think>")[2].strip()


def make_items(folder: Path, fonts: Path, words: Path, count: int) -> dict[str, list[Item]]:
    """Paint the items of each skill; the first of those that the model card was measured with."""
    files = [file for file in sorted(fonts.rglob("*")) if file.suffix.lower() in (".ttf", ".otf")]
    maker = ItemMaker(folder, files, read_words(words, held_out=True))
    makers = {
        "read": maker.read,
        "shapes": maker.shapes,
        "ground": maker.ground,
        "sums": NumberItems(maker).sums,
    }
    return {skill: [make(f"{skill}-{index:03d}") for index in range(count)] for skill, make in makers.items()}


def measure(skill: str, items: list[Item], folder: Path, kv_types: list[str]) -> bool:
    """Print a skill's row for each KV type; whether all keep their limits."""
    asker = Asker(ROOT / f"models/qwen3-vl/qwen3-vl-pocket-{SKILLS[skill]}")
    plain: list[str] = []
    is_good = True
    for kv_type in ("16bit", *kv_types):
        answers = [asker.ask(folder / item.pictures[0], item.question, kv_type) for item in items]
        plain = plain or answers
        points = 100 * score(skill, items, answers)
        change = points - 100 * score(skill, items, plain)
        worse = change if skill == "read" else -change
        is_good &= worse <= LIMITS.get(kv_type, 0.0)
        same = sum(one == other for one, other in zip(answers, plain, strict=True))
        cells = (
            skill,
            str(len(items)),
            kv_type,
            f"{points:.2f} %",
            f"{change:+.2f}",
            f"{same} of {len(items)}",
        )
        print("| " + " | ".join(cells) + " |", flush=True)
    return is_good


def main() -> int:
    """Print the table; 1 if a limit is broken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fonts", type=Path, default=FONTS / "heldout", help="folder of held-out fonts")
    parser.add_argument("--words", type=Path, default=FONTS / "words.txt", help="word list")
    parser.add_argument("--count", type=int, default=20, help="items a skill; 200 for the table in docs")
    parser.add_argument("--skills", nargs="+", choices=tuple(SKILLS), default=tuple(SKILLS))
    parser.add_argument("--kv-types", nargs="+", choices=tuple(LIMITS), default=tuple(LIMITS))
    options = parser.parse_args()
    if not options.words.exists():
        print(
            f"left out: needs the held-out fonts, `python -m models.pocket.fonts {FONTS.relative_to(ROOT)}`"
        )
        return 0
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as folder:
        application = QApplication([])
        items = make_items(Path(folder), options.fonts, options.words, options.count)
        application.quit()
        print("| skill | items | KV type | measured | change, points | same answers |")
        print("|---|---|---|---|---|---|")
        good = [
            measure(skill, items[skill], Path(folder), list(options.kv_types)) for skill in options.skills
        ]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())

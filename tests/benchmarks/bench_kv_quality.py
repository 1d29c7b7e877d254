"""What quantised keys, values and weights cost in right answers: the pocket pair's held-out items, one type after another.

Run: `make bench`, or `python tests/benchmarks/bench_kv_quality.py --fonts FOLDER --words FILE`; `python -m
models.pocket.fonts build/pocket/fonts` fetches both. Greedy, transformers backend,
on a GPU where there is one. Wanted: 8-bit types change no figure by more than 0.5 points, int4 by no more than 2.
`weights-int8` keeps keys and values in 16 bits and rounds the language model's matrices as the engine quantises them.

It takes hours on a CPU, so it may be run in pieces: `--items FOLDER` keeps the painted items, `--answers FILE` the answers
that were given, by weights and device, and `--seconds` ends a piece.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import torch
from PySide6.QtWidgets import QApplication

from desktopapp.engine.backend import LoadOptions, RunOptions, TokenAdded
from desktopapp.engine.backends.transformers import TransformersBackend
from desktopapp.engine.backends.transformers.quantised_matrix import QuantisedMatrix, quantise_into
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.media.image import open_image
from desktopapp.engine.prompt_parts import ImagePart, PromptPart, TextPart
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore.model import ModelFiles, WeightFormat
from models.pocket.evaluation.item import Item, load_items, save_items
from models.pocket.evaluation.items import ItemMaker
from models.pocket.evaluation.measuring import score
from models.pocket.evaluation.numbers import NumberItems
from models.pocket.words import read_words

ROOT = Path(__file__).resolve().parents[2]
FONTS = ROOT / "build/pocket/fonts"
WEIGHTS = "weights-int8"
LIMITS = {"int8": 0.5, "fp8_e4m3": 0.5, "fp8_e5m2": 0.5, "int4": 2.0, WEIGHTS: 0.5}
SKILLS = {"read": "instruct", "shapes": "instruct", "ground": "instruct", "sums": "thinking"}
GREEDY = SamplingParameters(temperature=0.0, top_p=1.0, top_k=0, presence_penalty=0.0)
LONGEST_ANSWER = 700


class TimeIsUp(Exception):
    """This piece of the measurement has had its seconds."""


class Answers:
    """Answers that were given already, one a line in a file.

    Args:
        file: is added to; None keeps them in memory.
        seconds: until `TimeIsUp`; 0 for as long as it takes.
    """

    def __init__(self, file: Path | None, seconds: float) -> None:
        self._file = file
        self._ends_s = time.monotonic() + seconds if seconds else float("inf")
        lines = file.read_text(encoding="utf-8").splitlines() if file and file.exists() else []
        self._known: dict[str, str] = dict(json.loads(line) for line in lines)

    def find(self, key: str) -> str | None:
        return self._known.get(key)

    def add(self, key: str, answer: str) -> None:
        self._known[key] = answer
        if self._file:
            with self._file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps([key, answer], ensure_ascii=False) + "\n")

    def raise_if_up(self) -> None:
        if time.monotonic() > self._ends_s:
            raise TimeIsUp


class Asker:
    """Answers of one model through the transformers backend.

    Args:
        folder: of the model.
        answers: that it may have given before.
        rounds_weights: to what 8 bits hold.
    """

    def __init__(self, folder: Path, answers: Answers, *, rounds_weights: bool = False) -> None:
        self.folder = folder
        self._backend = TransformersBackend()
        files = ModelFiles(WeightFormat.SAFETENSORS, folder, None, "BF16", 0)
        facts = self._backend.load(files, LoadOptions(device="auto"), StepClock(), lambda *_: None)
        if rounds_weights:
            round_weights(self._backend)
        self._opening = "<think>\n" if "thinking" in folder.name else ""
        self._answers = answers
        weights = hashlib.blake2b((folder / "model.safetensors").read_bytes(), digest_size=6).hexdigest()
        rounded = " rounded to int8" if rounds_weights else ""
        self.name = f"{folder.name}, weights {weights}{rounded}, {facts.precision} on {facts.device}"

    def ask(self, picture: Path, question: str, kv_type: str) -> str:
        """The answer behind the thought.

        Raises:
            TimeIsUp: it was not given before, and the time is up.
        """
        key = f"{self.name}|{kv_type}|{picture.name}|{question}"
        answer = self._answers.find(key)
        if answer is None:
            self._answers.raise_if_up()
            answer = self._generate(picture, question, kv_type)
            self._answers.add(key, answer)
        return answer

    def _generate(self, picture: Path, question: str, kv_type: str) -> str:
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


def round_weights(backend: TransformersBackend) -> None:
    """Replace a loaded model's matrices by what their 8-bit codes stand for; computing with codes is slow on a CPU."""
    loaded = backend._loaded
    if loaded is None:
        raise RuntimeError("no model is loaded")
    for module in loaded.network.model.language_model.layers.modules():
        if isinstance(module, torch.nn.Linear):
            weights = module.weight.data
            codes = torch.empty(weights.shape, dtype=torch.int8, device=weights.device)
            scales = torch.empty(len(weights), device=weights.device)
            quantise_into(weights, codes, scales)
            module.weight.data = QuantisedMatrix(codes, scales).widened(torch.empty_like(weights), 0)


def make_items(folder: Path, options: argparse.Namespace) -> list[Item]:
    """The items of each skill, painted unless the folder has them; the first of those the model card was measured with."""
    listed = folder / "items.json"
    if listed.exists():
        return load_items(listed)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication([])
    files = [file for file in sorted(options.fonts.rglob("*")) if file.suffix.lower() in (".ttf", ".otf")]
    maker = ItemMaker(folder, files, read_words(options.words, held_out=True))
    makers = {
        "read": maker.read,
        "shapes": maker.shapes,
        "ground": maker.ground,
        "sums": NumberItems(maker).sums,
    }
    items = [
        maker.seeded(make, f"{skill}-{index:03d}")
        for skill, make in makers.items()
        for index in range(options.count)
    ]
    application.quit()
    save_items(listed, items)
    return items


def measure(skill: str, items: list[Item], folder: Path, kv_types: list[str], answers: Answers) -> bool:
    """Print a skill's row for each KV type; whether all keep their limits."""
    asker = Asker(ROOT / f"models/qwen3-vl/qwen3-vl-pocket-{SKILLS[skill]}", answers)
    print(asker.name, flush=True)
    plain: list[str] = []
    is_good = True
    for kv_type in ("16bit", *kv_types):
        if kv_type == WEIGHTS:
            asker = Asker(asker.folder, answers, rounds_weights=True)
        kept = "16bit" if kv_type == WEIGHTS else kv_type
        given = [asker.ask(folder / item.pictures[0], item.question, kept) for item in items]
        plain = plain or given
        points = 100 * score(skill, items, given)
        change = points - 100 * score(skill, items, plain)
        worse = change if skill == "read" else -change
        is_good &= worse <= LIMITS.get(kv_type, 0.0)
        same = sum(one == other for one, other in zip(given, plain, strict=True))
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
    """Print the table; 1 if a limit is broken, 75 if the time was up before all was asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fonts", type=Path, default=FONTS / "heldout", help="folder of held-out fonts")
    parser.add_argument("--words", type=Path, default=FONTS / "words.txt", help="word list")
    parser.add_argument("--count", type=int, default=20, help="items a skill; 400 for the table in docs")
    parser.add_argument("--skills", nargs="+", choices=tuple(SKILLS), default=tuple(SKILLS))
    parser.add_argument(
        "--kv-types", nargs="+", choices=tuple(LIMITS), default=tuple(LIMITS), help="weights last"
    )
    parser.add_argument("--items", type=Path, help="folder that keeps the painted items")
    parser.add_argument("--answers", type=Path, help="file that keeps the answers")
    parser.add_argument("--seconds", type=float, default=0, help="end after so long; 0: when all is asked")
    options = parser.parse_args()
    if not options.words.exists() and not options.items:
        print(
            f"left out: needs the held-out fonts, `python -m models.pocket.fonts {FONTS.relative_to(ROOT)}`"
        )
        return 0
    answers = Answers(options.answers, options.seconds)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.items or Path(temporary)
        items = make_items(folder, options)
        print("| skill | items | KV type | measured | change, points | same answers |")
        print("|---|---|---|---|---|---|")
        good = []
        try:
            for skill in options.skills:
                asked = [item for item in items if item.skill == skill][: options.count]
                good.append(measure(skill, asked, folder, list(options.kv_types), answers))
        except TimeIsUp:
            print("the time is up; once more with the same --answers goes on")
            return 75
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())

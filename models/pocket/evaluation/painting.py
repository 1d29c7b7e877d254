"""Paints the evaluation's items, each by its own seed, and keeps them: a further run goes on with the same ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from models.pocket import prompts, words
from models.pocket.evaluation import item, items, numbers, pages, windows
from models.pocket.evaluation.item import Item, load_items, save_items
from models.pocket.evaluation.items import ItemMaker
from models.pocket.evaluation.numbers import NumberItems
from models.pocket.words import read_words

_ROOT = Path(__file__).resolve().parents[3]
_DOCUMENTS = ("README.md", "docs/memory.md", "docs/performance.md", "docs/routing.md")


def items_folder(work: Path) -> Path:
    """Where the items of this code are kept; pages stay those of the documents as they were first."""
    sources = [
        Path(str(module.__file__)) for module in (prompts, words, item, items, numbers, pages, windows)
    ]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in sources))
    return work / f"items-{digest.hexdigest()[:8]}"


def paint_items(folder: Path, fonts: Path, word_list: Path, skills: list[str], count: int) -> None:
    """Make what is missing; needs a QApplication.

    Args:
        folder: takes the pictures and a list for each skill.
        fonts: held-out fonts.
        word_list: a word a line.
        skills: wanted.
        count: of items of each skill; pages and windows have what there is.
    """
    files = [file for file in sorted(fonts.rglob("*")) if file.suffix.lower() in (".ttf", ".otf")]
    if not files:
        raise FileNotFoundError(f"no fonts in {fonts}")
    folder.mkdir(parents=True, exist_ok=True)
    maker = ItemMaker(folder, files, read_words(word_list, held_out=True))
    lists = NumberItems(maker)
    makers: dict[str, Callable[[str], Item]] = {
        "read": maker.read, "shapes": maker.shapes, "ground": maker.ground, "video": maker.video,
        "sums": lists.sums, "chain": lists.chain, "notes": lists.notes, "check": lists.check,
    }  # fmt: skip
    for skill in skills:
        file = folder / f"{skill}.json"
        if file.exists() and (skill not in makers or len(load_items(file)) >= count):
            continue
        if skill == "page":
            save_items(file, pages.page_items(_documents(), folder))
        elif skill == "window":
            save_items(file, windows.own_window_items(folder))
        else:
            save_items(file, [maker.seeded(makers[skill], f"{skill}-{index:03d}") for index in range(count)])


def _documents() -> list[Path]:
    return [_ROOT / name for name in _DOCUMENTS]

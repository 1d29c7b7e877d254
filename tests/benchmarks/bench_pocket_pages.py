"""How much of documents with several pages the pocket pair reads: whole documents, and single pages of them.

    python tests/benchmarks/bench_pocket_pages.py [--count 4] [--kind instruct]

Words in Helvetica, one or four lines a page. Greedy, as the pair's own `generation_config.json` says.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktopapp.engine.backends.registry import default_backends
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.engine import Engine
from desktopapp.engine.events import Failed, Finished
from desktopapp.engine.media.selection import WHOLE, MediaSelection
from desktopapp.engine.request import Attachment, BackendChoice, Mode, ModelChoice, Request, Role, Turn
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore import store
from tests.documents import write_document

MODELS = Path(__file__).resolve().parents[2] / "models" / "qwen3-vl"
WORDS = (
    "garden", "river", "winter", "market", "north", "final", "silver", "lantern",
    "harbour", "window", "bridge", "copper", "forest", "evening", "letter", "mountain",
    "orange", "pencil", "quiet", "summer", "ticket", "village", "yellow", "anchor",
    "basket", "candle", "dinner", "engine", "flower", "guitar", "hammer", "island",
)  # fmt: skip


class Reader:
    """One of the pair, asked to read.

    Args:
        kind: `instruct` or `thinking`.
    """

    def __init__(self, kind: str) -> None:
        self._engine = Engine(store, default_backends(), StepClock())
        self._choice = ModelChoice(
            str(MODELS / f"qwen3-vl-pocket-{kind}"), BackendChoice.LLAMA_CPP, Mode(kind)
        )

    def read(self, path: Path, question: str = "Read the text.", selection: MediaSelection = WHOLE) -> str:
        """What it says of a document."""
        turn = Turn(Role.USER, question, (Attachment(str(path), selection),))
        *_, end = self._engine.generate(
            Request("r", self._choice, (turn,), max_new_tokens=400), CancelToken()
        )
        if isinstance(end, Failed):
            raise RuntimeError(end.message)
        return end.text if isinstance(end, Finished) else ""

    def close(self) -> None:
        """Let go of the model."""
        self._engine.unload()


def make_pages(chance: random.Random, pages: int, lines: int) -> list[str]:
    """Texts of two words a line, no line twice."""
    said = [" ".join(chance.sample(WORDS, 2)).capitalize() for _ in range(pages * lines)]
    return ["\n".join(said[start : start + lines]) for start in range(0, len(said), lines)]


def measure(reader: Reader, folder: Path, pages: int, lines: int, count: int) -> str:
    """A row of the table."""
    chance = random.Random(pages * 10 + lines)
    whole = found = by_range = 0
    for number in range(count):
        texts = make_pages(chance, pages, lines)
        path = write_document(folder / f"{pages}-{lines}-{number}.pdf", texts, size=(420, 300))
        said = reader.read(path)
        whole += said == "\n".join(texts)
        found += sum(text in said for text in texts)
        one = chance.randint(1, pages)
        alone = reader.read(path, selection=MediaSelection(first_page=one, last_page=one))
        by_range += alone == texts[one - 1]
    return f"{whole} of {count} | {found} of {count * pages} | {by_range} of {count}"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=4, help="documents of each sort")
    parser.add_argument(
        "--kind", choices=("instruct", "thinking"), nargs="+", default=["instruct", "thinking"]
    )
    parser.add_argument("--lines", type=int, nargs="+", default=[1, 4], help="of a page")
    options = parser.parse_args()
    print("model | pages x lines | documents read whole | pages read whole | one page alone, read whole")
    for kind in options.kind:
        reader = Reader(kind)
        with tempfile.TemporaryDirectory() as folder:
            for lines in options.lines:
                for pages in (2, 3, 4):
                    row = measure(reader, Path(folder), pages, lines, options.count)
                    print(f"{kind} | {pages} x {lines} | {row}", flush=True)
        reader.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

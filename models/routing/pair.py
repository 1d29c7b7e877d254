"""`python -m models.routing.pair ITEMS`: what routing and staged reasoning do to the pocket pair's answers.

ITEMS is a folder with `items.json` and pictures, as `models.pocket.evaluation` makes them. Answers are greedy, by llama.cpp.
"""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from desktopapp.engine.backends.registry import default_backends
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.engine import Engine
from desktopapp.engine.events import Failed, Finished
from desktopapp.engine.request import (
    Attachment,
    BackendChoice,
    ModelChoice,
    ReasoningLimits,
    Request,
    Role,
    SamplingOverrides,
    Turn,
)
from desktopapp.engine.routing.features import media_kind
from desktopapp.engine.routing.router import route
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore import store
from desktopapp.modelstore.model import ModelKind
from models.pocket.evaluation.items import Item, load_items
from models.pocket.evaluation.measuring import is_right

_POCKET = Path(__file__).parents[1] / "qwen3-vl"
_MIX = ("read", "shapes", "ground", "sums")
_GREEDY = SamplingOverrides(temperature=0.0, presence_penalty=0.0, repetition_penalty=1.0)
_MOST_TOKENS = 2000


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer: right or not, its tokens, and the steps that it was thought about in."""

    is_right: bool
    tokens: int
    steps: int


class Asker:
    """Asks one of the pair.

    Args:
        kind: which.
        folder: of the items' pictures.
    """

    def __init__(self, kind: ModelKind, folder: Path) -> None:
        self._engine = Engine(store, default_backends(), StepClock())
        self._choice = ModelChoice(str(_POCKET / f"qwen3-vl-pocket-{kind}"), BackendChoice.LLAMA_CPP)
        self._folder = folder

    def ask(self, item: Item, limits: ReasoningLimits | None = None) -> Answered:
        """Ask an item's question."""
        pictures = tuple(Attachment(str((self._folder / name).absolute())) for name in item.pictures)
        turn = Turn(Role.USER, item.question, pictures)
        reasoning = limits or ReasoningLimits()
        request = Request("pair", self._choice, (turn,), None, _GREEDY, _MOST_TOKENS, reasoning)
        end = list(self._engine.generate(request, CancelToken()))[-1]
        if isinstance(end, Failed):
            raise RuntimeError(f"{end.error}: {end.message} {end.details}")
        if not isinstance(end, Finished):
            raise TypeError(f"the last event is {end}")
        return Answered(is_right(item, end.text), end.stats.new_tokens, end.stats.steps)


def measure_mix(items: Sequence[Item], folder: Path) -> None:
    """Both models on every item; the routed answer is that of the model that the question is routed to."""
    askers = {kind: Asker(kind, folder) for kind in ModelKind}
    rows: dict[str, list[Answered]] = {"Instruct": [], "Thinking": [], "routed": []}
    to_thinking = 0
    for item in _until_interrupted(items):
        answers = {kind: asker.ask(item) for kind, asker in askers.items()}
        chosen = route(item.question, [media_kind(name) for name in item.pictures]).kind
        to_thinking += chosen is ModelKind.THINKING
        rows["Instruct"].append(answers[ModelKind.INSTRUCT])
        rows["Thinking"].append(answers[ModelKind.THINKING])
        rows["routed"].append(answers[chosen])
    print(f"{len(rows['routed'])} items, {to_thinking} to Thinking")
    for name, found in rows.items():
        _print(name, found)


def measure_staged(items: Sequence[Item], folder: Path, step_tokens: int, max_steps: int) -> None:
    """The plain chain against steps, on the items that took three steps or more."""
    asker = Asker(ModelKind.THINKING, folder)
    asked, plain, staged = 0, list[Answered](), list[Answered]()
    for item in _until_interrupted(items):
        answered = asker.ask(item, ReasoningLimits(None, max_steps, step_tokens))
        asked += 1
        if answered.steps >= 3:
            staged.append(answered)
            plain.append(asker.ask(item))
    print(f"{asked} items, {len(staged)} of them in three steps or more of {step_tokens} tokens")
    _print("plain", plain)
    _print("staged", staged)


def _until_interrupted(items: Sequence[Item]) -> Iterator[Item]:
    """The items, until Ctrl-C; then what was measured is printed."""
    stopped = threading.Event()
    previous = signal.signal(signal.SIGINT, lambda *_: stopped.set())
    try:
        yield from takewhile(lambda _: not stopped.is_set(), items)
    finally:
        signal.signal(signal.SIGINT, previous)


def _print(name: str, answers: Sequence[Answered]) -> None:
    count = max(1, len(answers))
    right, tokens = sum(a.is_right for a in answers), sum(a.tokens for a in answers)
    print(
        f"{name}: right {right} of {len(answers)} ({right / count:.1%}), {tokens / count:.1f} tokens each",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m models.routing.pair", description=__doc__)
    parser.add_argument("items", type=Path, help="folder with items.json")
    parser.add_argument("--count", type=int, default=50, help="items a skill")
    parser.add_argument(
        "--staged", type=int, metavar="TOKENS", help="measure steps of so many tokens instead"
    )
    parser.add_argument("--max-steps", type=int, default=12)
    options = parser.parse_args()
    every = load_items(options.items / "items.json")
    skills = ("chain",) if options.staged else _MIX
    columns = [[item for item in every if item.skill == skill][: options.count] for skill in skills]
    # Skill by skill in turn, so that a run that is stopped has some of each.
    items = [item for row in zip(*columns, strict=True) for item in row]
    if options.staged:
        measure_staged(items, options.items, options.staged, options.max_steps)
    else:
        measure_mix(items, options.items)


if __name__ == "__main__":
    main()

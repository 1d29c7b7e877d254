"""`python -m models.routing.pair ITEMS`: what routing and staged reasoning do to the pocket pair's answers.

ITEMS is a folder with `read.json`, other skills and pictures, as `models.pocket.evaluation` makes them. Answers are greedy, by llama.cpp.
They are written down as they come: run it again after a stop, or with `--minutes`, and it goes on. With new weights it
begins anew. Exits with 3 while answers are missing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
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
from models.pocket.evaluation.item import Item, load_items
from models.pocket.evaluation.measuring import is_right
from models.routing.answer_store import PLAIN, Answered, AnswerStore

MIX = ("read", "shapes", "ground", "video", "sums")
LEAST_STEPS = 3
_POCKET = Path(__file__).parents[1] / "qwen3-vl"
_GREEDY = SamplingOverrides(temperature=0.0, presence_penalty=0.0, repetition_penalty=1.0)
_MOST_TOKENS = 2000
_UNFINISHED = 3


class Asker:
    """Asks one of the pair, or remembers what it said.

    Args:
        kind: which.
        models: folder of the pair.
        folder: of the items' pictures.
        answers: measured already.
        until_s: `time.monotonic()` from which nothing new is asked.
    """

    def __init__(
        self, kind: ModelKind, models: Path, folder: Path, answers: AnswerStore, until_s: float
    ) -> None:
        name = f"qwen3-vl-pocket-{kind}"
        self._weights = models / name / f"{name}-Q8_0.gguf"
        self._choice = ModelChoice(str((models / name).absolute()), BackendChoice.LLAMA_CPP)
        self._engine = Engine(store, default_backends(), StepClock())
        self._folder = folder
        self._answers = answers
        self._until_s = until_s

    def ask(self, item: Item, limits: ReasoningLimits = PLAIN) -> Answered | None:
        """Ask an item's question; None once the time is over."""
        known = self._answers.find(self._weights, item, limits)
        if known is not None or time.monotonic() >= self._until_s:
            return known
        pictures = tuple(Attachment(str((self._folder / name).absolute())) for name in item.pictures)
        turn = Turn(Role.USER, item.question, pictures)
        request = Request("pair", self._choice, (turn,), None, _GREEDY, _MOST_TOKENS, limits)
        end = list(self._engine.generate(request, CancelToken()))[-1]
        if isinstance(end, Failed):
            raise RuntimeError(f"{end.error}: {end.message} {end.details}")
        if not isinstance(end, Finished):
            raise TypeError(f"the last event is {end}")
        answered = Answered(is_right(item, end.text), end.stats.new_tokens, end.stats.steps)
        self._answers.add(self._weights, item, limits, answered)
        return answered


def measure_mix(items: Sequence[Item], askers: Mapping[ModelKind, Asker]) -> int:
    """Both models on every item; the routed answer is that of the model that the question is routed to.

    Returns:
        Items without answers.
    """
    rows: dict[tuple[str, str], list[Answered]] = {}
    asked = to_thinking = 0
    for item in items:
        answers = {kind: asker.ask(item) for kind, asker in askers.items()}
        chosen = route(item.question, [media_kind(name) for name in item.pictures]).kind
        by_name = {
            "Instruct": answers[ModelKind.INSTRUCT],
            "Thinking": answers[ModelKind.THINKING],
            "routed": answers[chosen],
        }
        found = {name: answer for name, answer in by_name.items() if answer}
        if len(found) < len(by_name):
            continue
        asked += 1
        to_thinking += chosen is ModelKind.THINKING
        for name, answer in found.items():
            for skill in ("all", item.skill):
                rows.setdefault((skill, name), []).append(answer)
    print(f"mixed set: {asked} of {len(items)} items, {to_thinking} of them routed to Thinking")
    for skill in dict.fromkeys(("all", *(item.skill for item in items))):
        for name in ("Instruct", "Thinking", "routed"):
            _print(f"{skill}, {name}", rows.get((skill, name), []))
    return len(items) - asked


def measure_staged(items: Sequence[Item], asker: Asker, step_tokens: int, max_steps: int) -> int:
    """The plain chain against steps, on the items that took `LEAST_STEPS` or more.

    Returns:
        Items without answers.
    """
    limits = ReasoningLimits(None, max_steps, step_tokens)
    pairs = [(asker.ask(item), asker.ask(item, limits)) for item in items]
    both = [(plain, staged) for plain, staged in pairs if plain and staged]
    long = [(plain, staged) for plain, staged in both if staged.steps >= LEAST_STEPS]
    print(
        f"steps of {step_tokens}: {len(both)} of {len(items)} items, {len(long)} of them in {LEAST_STEPS} or more"
    )
    _print("plain", [plain for plain, _ in long])
    _print("staged", [staged for _, staged in long])
    only = [sum(p.is_right > s.is_right for p, s in long), sum(p.is_right < s.is_right for p, s in long)]
    print(f"right in the plain chain alone {only[0]}, in steps alone {only[1]}")
    return len(items) - len(both)


def _print(name: str, answers: Sequence[Answered]) -> None:
    count = max(1, len(answers))
    right, tokens = sum(a.is_right for a in answers), sum(a.tokens for a in answers)
    print(
        f"{name}: right {right} of {len(answers)} ({right / count:.1%}), {tokens / count:.1f} tokens each",
        flush=True,
    )


def _interleave(columns: Sequence[Sequence[Item]]) -> list[Item]:
    """Skill by skill in turn, so that a run that is stopped has some of each."""
    return [item for row in zip(*columns, strict=True) for item in row]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m models.routing.pair", description=__doc__)
    parser.add_argument("items", type=Path, help="folder of items")
    parser.add_argument("--models", type=Path, default=_POCKET, help="of the pair, GGUF files included")
    parser.add_argument(
        "--count", type=int, default=100, help="items a skill of the mixed set; 0 leaves it out"
    )
    parser.add_argument("--skills", nargs="+", choices=MIX, default=MIX, help="of the mixed set")
    parser.add_argument("--chains", type=int, default=200, help="items for steps; 0 leaves them out")
    parser.add_argument("--step-tokens", type=int, default=64)
    parser.add_argument("--max-steps", type=int, default=12)
    parser.add_argument("--minutes", type=float, default=1e6, help="ask nothing new after these")
    parser.add_argument("--answers", type=Path, default=Path("build/pair-answers.jsonl"))
    options = parser.parse_args()
    until_s = time.monotonic() + 60 * options.minutes
    answers = AnswerStore(options.answers)
    askers = {kind: Asker(kind, options.models, options.items, answers, until_s) for kind in ModelKind}
    skills = [*(options.skills if options.count else ()), *(["chain"] if options.chains else ())]
    by_skill = {skill: load_items(options.items / f"{skill}.json") for skill in skills}
    missing = 0
    if options.count:
        mix = _interleave([by_skill[skill][: options.count] for skill in options.skills])
        missing += measure_mix(mix, askers)
    if options.chains:
        chains, asker = by_skill["chain"][: options.chains], askers[ModelKind.THINKING]
        missing += measure_staged(chains, asker, options.step_tokens, options.max_steps)
    return _UNFINISHED if missing else 0


if __name__ == "__main__":
    sys.exit(main())

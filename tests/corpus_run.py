"""Gives each file of a corpus to the real engine process, and keeps what became of it in a file, so that a run can go on."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from desktopapp.engine.events import Failed, Finished
from desktopapp.engine.price_events import Priced
from desktopapp.engine.request import (
    Attachment,
    BackendChoice,
    ModelChoice,
    Request,
    Role,
    SamplingOverrides,
    Turn,
)
from tests.engine_client import EngineClient
from tests.media_case import Case

LONGEST_S = 10.0
_NEVER_RIGHT = ("EngineDied", "EngineHung", "UnexpectedError")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file.

    Args:
        case: name of the file and what it is.
        end: `answered`, or the name of the error.
        sentence: that a person reads, or empty.
        took_s: until then.
        wrong: what should not be so, or empty.
    """

    case: str
    end: str
    sentence: str
    took_s: float
    wrong: str = ""


def try_case(client: EngineClient, case: Case, number: int) -> Outcome:
    """Price a file, preview it and look at all of it."""
    attachment = Attachment(str(case.path), case.selection)
    client.events.clear()
    began_s = time.monotonic()
    client.process.price((attachment,))
    client.process.read_previews(attachment, (0.0,), 192)
    try:
        price = client.wait_for(Priced).prices[0]
        end = client.ask(_question(attachment, number))
    except TimeoutError:
        return Outcome(case.name, "hang", "", time.monotonic() - began_s, "no end")
    took_s = time.monotonic() - began_s
    name = end.error if isinstance(end, Failed) else "answered"
    sentence = end.message if isinstance(end, Failed) else ""
    wrong = ""
    if took_s > LONGEST_S:
        wrong = f"{took_s:.0f} s"
    elif name in _NEVER_RIGHT:
        wrong = f"{name}: {sentence}"
    elif isinstance(end, Failed) and not (end.message and end.remedy):
        wrong = "no sentence"
    elif case.is_good and not (isinstance(end, Finished) and price.failed is None):
        wrong = f"good, and {name}"
    elif case.is_bad and isinstance(end, Finished):
        wrong = "bad, and answered"
    return Outcome(case.name, name, sentence, round(took_s, 2), wrong)


def _question(attachment: Attachment, number: int) -> Request:
    turn = Turn(Role.USER, "?", (attachment,))
    choice = ModelChoice("fake", BackendChoice.FAKE)
    return Request(
        f"r{number}", choice, (turn,), sampling=SamplingOverrides(temperature=0.0), max_new_tokens=1
    )


class Record:
    """Outcomes in a file, one line of JSON each; a later run leaves out what is in it.

    Args:
        path: of the file, which need not exist; None keeps them in memory.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        lines = path.read_text("utf-8").splitlines() if path is not None and path.exists() else []
        self.outcomes = {found.case: found for found in (Outcome(**json.loads(line)) for line in lines)}

    def add(self, outcome: Outcome) -> None:
        """Keep one."""
        self.outcomes[outcome.case] = outcome
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(outcome)) + "\n")


def run_cases(client: EngineClient, cases: Iterable[Case], record: Record, seconds: float) -> bool:
    """Try all that the record lacks.

    Args:
        client: an engine process.
        cases: the corpus.
        record: of what was tried before; grows.
        seconds: after which no further file is begun.

    Returns:
        Whether all are tried.
    """
    ends_s = time.monotonic() + seconds
    for number, case in enumerate(cases):
        if case.name in record.outcomes:
            continue
        if time.monotonic() > ends_s:
            return False
        outcome = try_case(client, case, number)
        record.add(outcome)
        if outcome.wrong:
            print(f"FAULT {outcome.wrong} <- {outcome.case}", flush=True)
    return True


def print_outcomes(record: Record, every_sentence: bool) -> int:
    """Print what became of the files, the refused ones with their sentences if wanted; returns the number of faults."""
    outcomes = list(record.outcomes.values())
    if every_sentence:
        for outcome in outcomes:
            if outcome.sentence:
                print(f"{outcome.case} -> {outcome.sentence}")
    print(f"{len(outcomes)} files")
    for name, count in Counter(outcome.end for outcome in outcomes).most_common():
        print(f"{count:5} {name}")
    slowest = max(outcomes, key=lambda outcome: outcome.took_s)
    print(f"slowest {slowest.took_s:.1f} s ({slowest.case}), allowed {LONGEST_S:.0f} s")
    faults = [outcome for outcome in outcomes if outcome.wrong]
    print(f"{len(faults)} faults")
    return len(faults)

"""Gives damaged files to the real engine process, one after the other."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from desktopapp.engine.backends.registry import default_backends
from desktopapp.engine.events import Failed, Finished
from desktopapp.engine.request import (
    Attachment,
    BackendChoice,
    ModelChoice,
    Request,
    Role,
    SamplingOverrides,
    Turn,
)
from desktopapp.modelstore.model import ModelFiles
from tests.damaged_files import damage_model, damage_picture
from tests.engine_client import EngineClient

LONGEST_S = 10.0
_GOOD_EVERY = 20


@dataclass(slots=True)
class Outcome:
    """What became of the files.

    Args:
        errors: how often each error was the end; `Finished` where the damage did no harm.
        slowest_s: the longest wait for an end.
        faults: sentences about what should not be.
    """

    errors: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    faults: list[str] = field(default_factory=list)


class DamageRun:
    """One engine process that is given bad files, and good ones in between.

    Args:
        good: a model that loads.
        folder: for files.
        longest_s: a wait for an end that is a fault.
    """

    def __init__(self, good: ModelFiles, folder: Path, longest_s: float = LONGEST_S) -> None:
        self._good = good
        self._longest_s = longest_s
        self._folder = folder
        self._asked = 0
        self.outcome = Outcome()

    def run(self, models: int, pictures: int) -> Outcome:
        """Try so many damaged models and pictures."""
        with EngineClient(default_backends, self._folder) as client:
            for seed in range(models):
                case = self._folder / f"case-{seed}"
                case.mkdir()
                path, done = damage_model(self._good, case, seed)
                self._try(client, path, (), done)
                shutil.rmtree(case)
                self._ask_good(client, seed)
            for seed in range(pictures):
                picture, done = damage_picture(self._folder, seed)
                self._try(client, self._good.path, (str(picture),), done)
                self._ask_good(client, seed)
        return self.outcome

    def _try(self, client: EngineClient, model: Path, attach: tuple[str, ...], done: str) -> None:
        began_s = time.monotonic()
        try:
            end = self._ask(client, model, attach)
        except TimeoutError:
            self.outcome.faults.append(f"no end: {done}")
            return
        took_s = time.monotonic() - began_s
        self.outcome.slowest_s = max(self.outcome.slowest_s, took_s)
        if took_s > self._longest_s:
            self.outcome.faults.append(f"{took_s:.0f} s: {done}")
        self.outcome.errors[end.error if isinstance(end, Failed) else "Finished"] += 1
        if isinstance(end, Failed) and (end.error == "UnexpectedError" or not end.remedy):
            self.outcome.faults.append(f"{end.error} ({end.message}): {done}")
        ends = [
            e for e in client.events if isinstance(e, Finished | Failed) and e.request_id == end.request_id
        ]
        if len(ends) != 1:
            self.outcome.faults.append(f"{len(ends)} ends: {done}")
        client.events.clear()

    def _ask_good(self, client: EngineClient, number: int) -> None:
        if number % _GOOD_EVERY == _GOOD_EVERY - 1 or number == 0:
            end = self._ask(client, self._good.path, ())
            if not isinstance(end, Finished):
                self.outcome.faults.append(f"the good model failed: {end}")
            client.events.clear()

    def _ask(self, client: EngineClient, model: Path, attach: tuple[str, ...]) -> Finished | Failed:
        self._asked += 1
        turn = Turn(Role.USER, "Hi", tuple(map(Attachment, attach)))
        choice = ModelChoice(str(model), BackendChoice.LLAMA_CPP)
        greedy = SamplingOverrides(temperature=0.0)
        return client.ask(Request(f"r{self._asked}", choice, (turn,), sampling=greedy, max_new_tokens=3))

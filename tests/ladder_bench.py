"""Questions to the real engine process in which one thing at a time goes wrong, and what may come of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import TypeVar

from desktopapp.engine.backends.registry import BackendFactory
from desktopapp.engine.events import Event, Failed, Finished, FinishReason, TextAdded
from desktopapp.engine.memory_events import SMALLER_CACHE, Retrying
from desktopapp.engine.price_events import Planned
from desktopapp.engine.request import (
    Attachment,
    BackendChoice,
    Mode,
    ModelChoice,
    Request,
    Role,
    SamplingOverrides,
    Turn,
)
from desktopapp.modelstore.gguf_export import export_gguf
from desktopapp.worker.process_events import EngineStarted
from tests.engine_client import EngineClient
from tests.memory_faults import Fault, failing
from tests.shrunk_machine import shrunk

ROOT = Path(__file__).resolve().parents[1]
POCKET = ROOT / "models" / "qwen3-vl" / "qwen3-vl-pocket-instruct"
RECEIPT = ROOT / "resources" / "samples" / "receipt.png"
GREEDY = SamplingOverrides(temperature=0.0, presence_penalty=0.0)
BACKENDS = (BackendChoice.TRANSFORMERS, BackendChoice.LLAMA_CPP)
POINTS = {
    BackendChoice.TRANSFORMERS: ("load", "room", "vision", "prefill", "decode"),
    BackendChoice.LLAMA_CPP: ("load", "context", "vision", "prefill", "decode"),
}
"""Where memory is allocated."""

# Steps that change nothing of what a model computes.
_LOSSLESS = ("smaller_chunk", SMALLER_CACHE, "")
_CLEAR = ("MemoryExhausted", "DoesNotFit", "OutOfMemory")

T = TypeVar("T", bound=Event)


def both_forms(folder: Path) -> Path:
    """A folder with the shipped Instruct weights and their GGUF form.

    Args:
        folder: for it.
    """
    made = folder / POCKET.name
    made.mkdir()
    for file in POCKET.iterdir():
        if file.suffix != ".gguf":
            (made / file.name).symlink_to(file)
    export_gguf(POCKET, made / f"{POCKET.name}-Q8_0.gguf", made / f"mmproj-{POCKET.name}-F16.gguf")
    return made


class LadderBench:
    """One engine process after the other.

    Args:
        folder: of the model.
        place: for the fault and logs.
        new_tokens: of an answer.
        total_bytes: of an imagined machine that it runs on, see `shrunk_machine.py`; None for this one.

    Attributes:
        happened: the last question's fault did; one that happens always stays armed meanwhile.
    """

    def __init__(
        self, folder: Path, place: Path, new_tokens: int = 200, total_bytes: int | None = None
    ) -> None:
        self.trigger = place / "fault"
        backends: BackendFactory = partial(failing, str(self.trigger))
        if total_bytes is not None:
            backends = partial(shrunk, str(self.trigger), total_bytes)
        self.client = EngineClient(backends, place)
        self._folder = folder
        self._new_tokens = new_tokens
        self._asked = 0
        self._place = 0
        self.happened = False

    def request(self, backend: BackendChoice, **changes: object) -> Request:
        """A question about a receipt."""
        self._asked += 1
        turn = Turn(Role.USER, "Read the text.", (Attachment(str(RECEIPT)),))
        choice = ModelChoice(str(self._folder), backend, Mode.INSTRUCT)
        asked = Request(f"r{self._asked}", choice, (turn,), sampling=GREEDY, max_new_tokens=self._new_tokens)
        return replace(asked, **changes)  # type: ignore[arg-type]

    def ask(self, backend: BackendChoice, fault: Fault | None = None) -> Finished | Failed:
        """A question to a model that is loaded anew, what ran out before forgotten."""
        self.client.process.unload()
        return self.ask_beside(fault, self.request(backend))

    def ask_beside(self, fault: Fault | None, request: Request) -> Finished | Failed:
        """A question to the model as it is loaded.

        Args:
            fault: that happens meanwhile.
            request: it.
        """
        if fault is not None:
            fault.arm(self.trigger)
        self._place = len(self.client.events)
        end = self.client.ask(request)
        self.happened = not self.trigger.exists()
        self.trigger.unlink(missing_ok=True)
        return end

    def seen(self, kind: type[T]) -> list[T]:
        """Events of the last question."""
        return [event for event in self.client.events[self._place :] if isinstance(event, kind)]

    @property
    def retries(self) -> list[Retrying]:
        """Steps that it took."""
        return self.seen(Retrying)

    @property
    def streamed(self) -> str:
        """What a person saw of its answer."""
        return "".join(event.text for event in self.seen(TextAdded))

    @property
    def starts(self) -> int:
        """Engine processes that it took, beside the first."""
        return sum(isinstance(event, EngineStarted) for event in self.client.events[self._place :])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a fault.

    Args:
        fault: it.
        end: of the question.
        steps: that were taken.
        wrong: what must not be; empty where all is well.
    """

    fault: Fault
    end: Finished | Failed
    steps: tuple[str, ...]
    wrong: str = ""


def judged(bench: LadderBench, fault: Fault, end: Finished | Failed, undisturbed: Finished) -> Outcome:
    """Whether a question went as it should in which something went wrong once.

    Args:
        bench: behind the question.
        fault: that happened.
        end: of the question.
        undisturbed: the answer without it.
    """
    steps = tuple(retry.step for retry in bench.retries)
    plans = bench.seen(Planned)
    # Less room in llama.cpp's cache is less as well, and shows in the parts alone.
    ways = [(p.backend, p.kv_type, p.prefill_chunk, p.image_max_tokens, p.precision, p.parts) for p in plans]
    wrong = ""
    if len(set(ways)) != len(ways):
        wrong = "the same was tried twice"
    elif isinstance(end, Failed):
        wrong = "" if end.error in _CLEAR and end.remedy else f"not refused clearly: {end.error}"
    elif bench.streamed != end.text:
        wrong = "what was streamed is not the answer"
    elif not steps:
        wrong = "no step was told"
    elif all(step in _LOSSLESS for step in steps) and end.text != undisturbed.text:
        wrong = f"another answer: {end.text!r}"
    elif end.finish_reason is FinishReason.LENGTH and end.stats.new_tokens < undisturbed.stats.new_tokens:
        wrong = f"cut short after {end.stats.new_tokens} tokens: {end.text!r}"
    return Outcome(fault, end, steps, wrong)


def sweep(
    bench: LadderBench,
    backend: BackendChoice,
    kind: str,
    undisturbed: Finished,
    part: tuple[int, int] = (0, 1),
) -> Iterator[Outcome]:
    """Something goes wrong once, each time that memory is allocated in turn: one question for each.

    Args:
        bench: that asks.
        backend: that answers.
        kind: of fault, see `Fault`.
        undisturbed: the answer without any.
        part: which of how many parts of the sweep.
    """
    index, parts = part
    for point in POINTS[backend]:
        for number in count(1):
            if (POINTS[backend].index(point) + number) % parts != index:
                continue
            fault = Fault(point, number, kind)
            end = bench.ask(backend, fault)
            if not bench.happened:
                break  # so many times it is done
            yield judged(bench, fault, end, undisturbed)

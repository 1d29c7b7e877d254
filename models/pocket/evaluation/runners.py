"""Asks a model through the program's own engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from desktopapp.engine.backends.registry import default_backends
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.engine import Engine
from desktopapp.engine.events import Channel, Failed, TextAdded
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
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore import store

_MOST_TOKENS = 700
Ask = Callable[[list[Path], str], str]


def make_asker(folder: Path, backend: BackendChoice, *, thinking: bool) -> Ask:
    """Greedy answers of the engine to a question about pictures or a video.

    Args:
        folder: of the model.
        backend: that runs it.
        thinking: the kind of the model.
    """
    engine = Engine(store, default_backends(), StepClock())
    mode = Mode.THINKING if thinking else Mode.INSTRUCT
    choice = ModelChoice(str(folder.absolute()), backend, mode)

    def ask(files: list[Path], question: str) -> str:
        turn = Turn(Role.USER, question, tuple(Attachment(str(file.absolute())) for file in files))
        sampling = SamplingOverrides(temperature=0.0, presence_penalty=0.0, repetition_penalty=1.0)
        request = Request("evaluation", choice, (turn,), None, sampling, _MOST_TOKENS)
        answer = ""
        for event in engine.generate(request, CancelToken()):
            if isinstance(event, Failed):
                raise RuntimeError(f"{event.error}: {event.message} {event.details}")
            if isinstance(event, TextAdded) and event.channel is Channel.ANSWER:
                answer += event.text
        return answer

    return ask

from __future__ import annotations

from desktopapp.engine.backends.fake import DEFAULT_CONTEXT_TOKENS, FakeBackend
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.engine import Engine
from desktopapp.engine.events import ModelLoading, ModelReady
from desktopapp.engine.request import BackendChoice, ModelChoice
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore import store


def loads(engine: Engine, context_tokens: int | None) -> tuple[bool, int]:
    """Whether a choice made the engine load, and the context that is loaded now."""
    choice = ModelChoice("fake", BackendChoice.FAKE, context_tokens=context_tokens)
    events = list(engine.load(choice, CancelToken()))
    (ready,) = [event for event in events if isinstance(event, ModelReady)]
    return any(isinstance(event, ModelLoading) for event in events), ready.context_tokens


def test_the_wanted_context_is_loaded_and_another_one_loads_again() -> None:
    engine = Engine(store, {BackendChoice.FAKE: lambda: FakeBackend(None, None)}, StepClock())
    assert loads(engine, None) == (True, DEFAULT_CONTEXT_TOKENS)
    assert loads(engine, None) == (False, DEFAULT_CONTEXT_TOKENS)
    assert loads(engine, 512) == (True, 512)
    assert loads(engine, 512) == (False, 512)
    engine.unload()

"""Which of the installed models answers where nobody named one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from desktopapp.engine.backends.registry import default_backends
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.engine import Engine
from desktopapp.engine.events import Failed, Finished, ModelReady
from desktopapp.engine.memory.calibration import Calibration
from desktopapp.engine.memory.machine import Device, Machine
from desktopapp.engine.planning import RequestPlanner
from desktopapp.engine.price_events import Planned
from desktopapp.engine.request import ModelChoice, Request, Role, Turn
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore import store
from desktopapp.modelstore.model import ModelKind
from models.random_pair.maker import TINY, make_random_model

MIB, GIB = 2**20, 2**30
TURNS = (Turn(Role.USER, "Say something."),)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small model and a larger one of another family, and no others."""
    monkeypatch.setenv("QWEN3VL_DESKTOP_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("desktopapp.paths.program_dir", lambda: tmp_path / "program")
    place = tmp_path / "home" / "models" / "qwen3-vl"
    shapes = {"a-small-instruct": TINY, "b-large-instruct": replace(TINY, feed_forward=60_000)}
    for name, shape in shapes.items():
        make_random_model(place / name, ModelKind.INSTRUCT, seed=1, dtype="F32", shape=shape)
        config = place / name / "config.json"
        config.write_text(config.read_text().replace('"random_weights": true', '"random_weights": false'))
    return place


def answered(free_mib: int, model: str, folder: Path) -> tuple[Planned | None, str]:
    """The plan for a question, and the model that was loaded, or the error."""
    machine = Machine(Device("System memory", False, free_mib * MIB, 8 * GIB))
    planner = RequestPlanner(
        store, Calibration(folder / "calibration.json"), lambda own_gpu_bytes=0, other_bytes=0: machine
    )
    engine = Engine(store, default_backends(), StepClock(), planner)
    try:
        events = list(
            engine.generate(Request("r", ModelChoice(model), TURNS, max_new_tokens=2), CancelToken())
        )
    finally:
        engine.unload()
    planned = next((event for event in events if isinstance(event, Planned)), None)
    if isinstance(events[-1], Failed):
        return planned, events[-1].error
    assert isinstance(events[-1], Finished)
    (ready,) = [event for event in events if isinstance(event, ModelReady)]
    return planned, ready.model


def test_the_largest_answers_where_it_fits(place: Path, tmp_path: Path) -> None:
    planned, model = answered(4096, "", tmp_path)
    assert model == "b-large-instruct"
    assert planned is not None
    assert planned.steps_taken == ()


def test_a_smaller_one_answers_where_the_largest_does_not_fit(place: Path, tmp_path: Path) -> None:
    large = (place / "b-large-instruct" / "model.safetensors").stat().st_size // MIB
    planned, model = answered(480 + large - 2, "", tmp_path)
    assert model == "a-small-instruct"
    assert planned is not None
    assert planned.steps_taken == ("smaller_model",)
    assert "a-small-instruct" in planned.reasons[0]


def test_a_model_that_was_named_is_refused_with_the_smaller_one_as_a_remedy(
    place: Path, tmp_path: Path
) -> None:
    large = (place / "b-large-instruct" / "model.safetensors").stat().st_size // MIB
    _, error = answered(480 + large - 2, "b-large-instruct", tmp_path)
    assert error == "DoesNotFit"

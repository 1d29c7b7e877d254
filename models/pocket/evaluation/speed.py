"""`python -m models.pocket.evaluation.speed MODEL..`: how long llama.cpp loads and answers, on an otherwise idle machine."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from desktopapp.engine.backends.registry import default_backends
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.engine import Engine
from desktopapp.engine.events import Failed
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

_LINES = ("Settings", "Open the file", "Harbour 42", "Version 3.1", "Close window")
_QUESTION = "Read the text in this picture."


def main() -> None:
    """Print a line for each model: load and answer in seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "models", nargs="+", type=Path, help="model folders; a thinking one is told by its name"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "page.png"
        _draw().save(picture)
        for model in options.models:
            print(_time(model, picture), flush=True)


def _draw() -> Image.Image:
    image = Image.new("RGB", (512, 512), "white")
    draw = ImageDraw.Draw(image)
    for row, text in enumerate(_LINES):
        draw.text((40, 40 + 88 * row), text, "black", ImageFont.load_default(44))
    return image


def _time(model: Path, picture: Path) -> str:
    engine = Engine(store, default_backends(), StepClock())
    mode = Mode.THINKING if "thinking" in model.name else Mode.INSTRUCT
    choice = ModelChoice(str(model), BackendChoice.LLAMA_CPP, mode)
    begun_s = time.monotonic()
    failed = [event for event in engine.load(choice, CancelToken()) if isinstance(event, Failed)]
    loaded_s = time.monotonic()
    turn = Turn(Role.USER, _QUESTION, (Attachment(str(picture)),))
    request = Request("speed", choice, (turn,), None, SamplingOverrides(temperature=0.0), 300)
    failed += [event for event in engine.generate(request, CancelToken()) if isinstance(event, Failed)]
    answered_s = time.monotonic()
    engine.unload()
    if failed:
        raise SystemExit(f"{model.name}: {failed[0].message}")
    return f"{model.name}: loaded in {loaded_s - begun_s:.2f} s, answered in {answered_s - loaded_s:.2f} s"


if __name__ == "__main__":
    main()

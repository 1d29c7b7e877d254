"""Questions of random size in a row to the pocket model, in the real engine process."""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from desktopapp.engine.backends.registry import default_backends
from desktopapp.engine.events import Failed, Finished
from desktopapp.engine.memory_events import Retrying
from desktopapp.engine.price_events import MemorySample
from desktopapp.engine.request import (
    Attachment,
    BackendChoice,
    MemoryLimits,
    Mode,
    ModelChoice,
    Request,
    Role,
    SamplingOverrides,
    Turn,
)
from tests.engine_client import EngineClient

CEILING_BYTES = {BackendChoice.TRANSFORMERS: 600 << 20, BackendChoice.LLAMA_CPP: 320 << 20}
"""Little over what the largest of these questions is planned to take."""


@dataclass(slots=True)
class ManyRuns:
    """How it went.

    Args:
        ends: of each question.
        held_bytes: most that the backend was seen to hold during each.
        kept_bytes: what it holds behind each.
        resident_bytes: of the engine process behind each.
        retries: steps down.
    """

    ends: list[Finished | Failed] = field(default_factory=list)
    held_bytes: list[int] = field(default_factory=list)
    kept_bytes: list[int] = field(default_factory=list)
    resident_bytes: list[int] = field(default_factory=list)
    retries: int = 0


def growth(figures: list[int]) -> float:
    """Of the largest of the second half against the first."""
    half = len(figures) // 2
    return max(figures[half:]) / max(figures[:half]) - 1


def many_requests(
    folder: Path,
    backend: BackendChoice,
    count: int,
    place: Path,
    seed: int = 7,
    sizes_count: int | None = None,
) -> ManyRuns:
    """Ask one after the other under a ceiling, the largest question first.

    Args:
        folder: of the model.
        backend: that runs it.
        count: how many.
        place: for pictures and logs.
        seed: of their sizes.
        sizes_count: how many sizes come, again and again, each time with other pictures; None for always new ones.
            Libraries keep what they compiled for a size, which looks like a leak until all sizes were seen.
    """
    draw, runs = random.Random(seed), ManyRuns()
    limits = MemoryLimits(vram_limit_bytes=CEILING_BYTES[backend])
    choice = ModelChoice(str(folder), backend, Mode.INSTRUCT, memory=limits)
    with EngineClient(default_backends, place) as client:
        for number in range(count):
            if sizes_count is not None:
                draw = random.Random(seed + number % sizes_count)
            pictures, words = draw.choice((0, 1, 1, 2)), draw.randrange(1, 500)
            sizes = [(draw.randrange(32, 500), draw.randrange(32, 500)) for _ in range(pictures)]
            if number % (sizes_count or count) == 0:
                sizes, words = [(500, 500)] * 2, 500
            files = tuple(_noise(place / f"{number}-{n}.png", *size) for n, size in enumerate(sizes))
            turn = Turn(Role.USER, "word " * words, files)
            asked = Request(
                f"r{number}",
                choice,
                (turn,),
                sampling=SamplingOverrides(seed=number),
                max_new_tokens=draw.randrange(4, 24),
            )
            began = len(client.events)
            end = client.ask(asked)
            last = client.wait_for(MemorySample, client.events.index(end))
            during = client.events[began:]
            runs.ends.append(end)
            runs.held_bytes.append(max(e.parts.total_bytes for e in during if isinstance(e, MemorySample)))
            runs.kept_bytes.append(last.parts.total_bytes)
            runs.resident_bytes.append(last.engine_bytes)
            runs.retries += sum(isinstance(event, Retrying) for event in during)
    return runs


def _noise(path: Path, width: int, height: int) -> Attachment:
    seed = zlib.crc32(path.name.encode())
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return Attachment(str(path))

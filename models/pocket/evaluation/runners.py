"""Asks a model: through the program's own engine for pictures, through transformers itself for videos."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

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
from models.pocket.batches import lay_out, pair_times
from models.pocket.evaluation.items import VIDEO_FPS
from models.pocket.shape import (
    CELL_PX,
    THOUGHT_END_ID,
    THOUGHT_START_ID,
    TURN_END_ID,
    TURN_START_ID,
    VIDEO_PAD_ID,
)

_MOST_TOKENS = 700
Ask = Callable[[list[Path], str], str]


def picture_asker(folder: Path, backend: BackendChoice, *, thinking: bool) -> Ask:
    """Greedy answers of the engine to a question about one picture.

    Args:
        folder: of the model.
        backend: that runs it.
        thinking: the kind of the model.
    """
    engine = Engine(store, default_backends(), StepClock())
    mode = Mode.THINKING if thinking else Mode.INSTRUCT
    choice = ModelChoice(str(folder), backend, mode)

    def ask(pictures: list[Path], question: str) -> str:
        turn = Turn(Role.USER, question, tuple(Attachment(str(picture.absolute())) for picture in pictures))
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


def video_asker(folder: Path, *, thinking: bool) -> Ask:
    """Greedy answers of transformers to a question about a video's frames, whose sides are whole cells."""
    import torch
    from transformers import Qwen3VLForConditionalGeneration

    model = Qwen3VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()

    def ask(pictures: list[Path], question: str) -> str:
        frames = np.stack([np.asarray(Image.open(picture).convert("RGB")) for picture in pictures])
        pairs = len(frames) // 2
        rows, columns = frames.shape[1] // CELL_PX, frames.shape[2] // CELL_PX
        layout = lay_out(rows, columns, pair_times(pairs, VIDEO_FPS))
        tail = [*question.encode(), TURN_END_ID, *b"\n", TURN_START_ID, *b"assistant\n"]
        tail += [THOUGHT_START_ID, *b"\n"] if thinking else []
        ids = torch.tensor([[*layout.ids.tolist(), *tail]])
        pixels = torch.from_numpy(_patches(frames)).float()
        with torch.inference_mode():
            out = model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                mm_token_type_ids=(ids == VIDEO_PAD_ID).int() * 2,
                pixel_values_videos=pixels,
                video_grid_thw=torch.tensor([[pairs, 2 * rows, 2 * columns]]),
                do_sample=False,
                max_new_tokens=_MOST_TOKENS,
            )
        said = out[0, ids.shape[1] :].tolist()
        if THOUGHT_END_ID in said:
            said = said[said.index(THOUGHT_END_ID) + 1 :]
        return bytes(token for token in said if token < 256).decode(errors="replace").strip()

    return ask


def _patches(
    frames: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Pairs of frames cut into patches, cell after cell: (patches, 3 x 2 x 16 x 16), -1..1."""
    count, height, width, _ = frames.shape
    values = frames.astype(np.float32) / 127.5 - 1
    cut = values.reshape(count // 2, 2, height // 32, 2, 16, width // 32, 2, 16, 3)
    return np.ascontiguousarray(cut.transpose(0, 2, 5, 3, 6, 8, 1, 4, 7)).reshape(-1, 3 * 2 * 16 * 16)

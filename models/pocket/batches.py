"""Batches: pictures of one size with their conversations, made by loader processes, the same for the same index."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from models.pocket.conversation import NOWHERE, Tokens
from models.pocket.glyphs import Atlas
from models.pocket.samples import (
    DEFAULT_MIXTURE,
    Mixture,
    draw_dense,
    draw_pages,
    draw_sample,
    draw_talk,
    draw_video,
)
from models.pocket.scene import GLYPH_FIELDS, Canvas
from models.pocket.shape import (
    CELL_PX,
    IMAGE_PAD_ID,
    TURN_END_ID,
    TURN_START_ID,
    VIDEO_PAD_ID,
    VISION_END_ID,
    VISION_START_ID,
)
from models.pocket.words import TextSource

Arrays = dict[str, NDArray[Any]]
# Steps in which the loss on places tells them, in a cell.
PLACES_A_CELL = 8
# Em of the smallest letters as the model sees them, px.
_SMALLEST_SHOWN_PX = 12.0
_HEAD = (TURN_START_ID, *b"user\n")


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """What one batch is made of.

    Args:
        kind: "dense" (the tower's lessons: no conversation), "image", "pages" (some pictures), "video" or "text".
        count: samples.
        height: of the pictures, px, a multiple of 32; 0 for text.
        width: likewise.
        text_tokens: at most this many behind the pictures.
        max_chars: in one picture.
        pairs: of frames in a video.
        fps: frames a second in a video.
        leads: what stands before each picture of a conversation: several are numbered, or named.
        enlarged: pictures are made this many times smaller, and enlarged as the processor does with small ones.
        mixture: how often each skill comes.
    """

    kind: str
    count: int
    height: int = 0
    width: int = 0
    text_tokens: int = 256
    max_chars: int = 200
    pairs: int = 0
    fps: float = 2.0
    leads: tuple[str, ...] = ("",)
    enlarged: float = 1.0
    mixture: Mixture = DEFAULT_MIXTURE


class Batches(Dataset[Arrays]):
    """All batches of a run by index.

    Args:
        plans: one for each batch.
        atlas: folder that `Atlas.save` wrote.
        words: that training may show.
        seed: with the index, of everything in a batch.
    """

    def __init__(self, plans: list[BatchPlan], atlas: Path, words: list[str], seed: int) -> None:
        self._plans, self._atlas, self._words, self._seed = plans, atlas, words, seed

    def __len__(self) -> int:
        return len(self._plans)

    def __getitem__(self, index: int) -> Arrays:
        rng = Random(self._seed * 1_000_003 + index)
        source = TextSource(self._words, rng)
        return make_batch(self._plans[index], _load_atlas(self._atlas), source)


@lru_cache(maxsize=1)
def _load_atlas(folder: Path) -> Atlas:
    return Atlas.load(folder)


def make_batch(plan: BatchPlan, atlas: Atlas, source: TextSource) -> Arrays:
    """Draw one batch.

    Returns:
        The pictures' plan (see `render.render`) and, but for dense batches, `ids` (samples, tokens) int32, `seen_at`
        (cells,) and `positions` (3, tokens) int64, `at` (targets,) flat indices of the tokens that predict, `target`
        what they predict, `place` (targets, 2) where it is read, in eighths of a cell from
        the left and from the top, or -1.
    """
    rng = source.rng
    # Half of the pictures are made at another size and resized to whole cells, as the processor does.
    resized = plan.kind != "text" and (plan.enlarged != 1 or rng.random() < 0.5)
    off = (rng.uniform(-15, 15) if resized else 0.0 for _ in range(2))
    made = [
        round((side + by) / plan.enlarged) for side, by in zip((plan.height, plan.width), off, strict=True)
    ]
    canvases: list[Canvas] = []
    conversations: list[Tokens] = []
    changes: list[int] = []
    for _ in range(plan.count):
        if plan.kind == "text":
            conversations.append(draw_talk(source, plan.text_tokens, plan.mixture))
            continue
        canvas = Canvas(atlas, made[1], made[0], rng, _SMALLEST_SHOWN_PX / plan.enlarged)
        canvases.append(canvas)
        if plan.kind == "dense":
            draw_dense(canvas, source)
        elif plan.kind == "pages":
            more = [Canvas(atlas, made[1], made[0], rng, canvas.smallest_px) for _ in plan.leads[1:]]
            canvases += more
            pages = list(zip(plan.leads, [canvas, *more], strict=True))
            conversations.append(draw_pages(pages, source, plan.max_chars, plan.text_tokens, plan.mixture))
        elif plan.kind == "image":
            conversations.append(draw_sample(canvas, source, plan.max_chars, plan.text_tokens, plan.mixture))
        else:
            after = Canvas(atlas, made[1], made[0], rng)
            canvases.append(after)
            change = rng.randrange(1, 2 * plan.pairs)
            changes.append(change)
            conversations.append(draw_video(canvas, after, change, plan.fps, plan.mixture))
    batch = _picture_arrays(canvases) if canvases else {}
    batch["size"] = np.array([plan.height, plan.width, *made], np.int64)
    if plan.kind == "video":
        batch["changes"] = np.array(changes, np.int64)
        batch["pairs"] = np.array(plan.pairs)
    if plan.kind == "pages":
        batch["pictures"] = np.array(len(plan.leads))
    if conversations:
        batch |= _token_arrays(plan, conversations, made)
    return batch


def _picture_arrays(canvases: list[Canvas]) -> Arrays:
    rectangles = [
        (index, rank, *rectangle)
        for index, canvas in enumerate(canvases)
        for rank, rectangle in enumerate(canvas.rectangles)
    ]
    shapes = [(index, *shape) for index, canvas in enumerate(canvases) for shape in canvas.shapes]
    rows, owners = [np.zeros((0, GLYPH_FIELDS), np.int32)], [np.zeros(0, np.int32)]
    for index, canvas in enumerate(canvases):
        for glyphs in canvas.glyphs:
            rows.append(glyphs)
            owners.append(np.full(len(glyphs), index, np.int32))
    glyphs = np.concatenate(rows)
    return {
        "backgrounds": np.array([[*a, *b] for a, b in (c.background for c in canvases)], np.uint8),
        "rectangles": np.array(rectangles, np.float32).reshape(-1, 10),
        "shapes": np.array(shapes, np.int32).reshape(-1, 8),
        "glyphs": np.column_stack([np.concatenate(owners), glyphs]),
    }


@dataclass(frozen=True, slots=True)
class Layout:
    """Where pictures stand in a sequence, the same for all samples of a batch.

    Args:
        ids: int32 (tokens,) up to the end of the last picture.
        seen_at: int64 (cells,), indices of the visual tokens.
        positions: int64 (3, tokens), M-RoPE.
        next_position: of the token behind.
    """

    ids: NDArray[np.int32]
    seen_at: NDArray[np.int64]
    positions: NDArray[np.int64]
    next_position: int


def lay_out(rows: int, columns: int, times: list[float] | None, leads: tuple[str, ...] = ("",)) -> Layout:
    """The start of a prompt with pictures, a video, or nothing to see.

    Args:
        rows: of cells in each picture; 0 for no picture.
        columns: of cells.
        times: mean time of each pair of a video's frames, s; None for stills.
        leads: what stands before each still.
    """
    ids: list[int] = list(_HEAD)
    positions = [np.broadcast_to(np.arange(len(ids)), (3, len(ids)))]
    seen: list[NDArray[np.int64]] = []
    place = len(ids)
    for lead in leads if times is None else [f"<{time:.1f} seconds>" for time in times]:
        if rows == 0:
            break
        text = [*lead.encode(), VISION_START_ID]
        ids += text
        positions.append(np.broadcast_to(place + np.arange(len(text)), (3, len(text))))
        place += len(text)
        seen.append(len(ids) + np.arange(rows * columns))
        ids += [IMAGE_PAD_ID if times is None else VIDEO_PAD_ID] * (rows * columns)
        grid = np.zeros((3, rows, columns), np.int64)
        grid[1], grid[2] = np.arange(rows)[:, None], np.arange(columns)[None]
        positions.append(place + grid.reshape(3, -1))
        place += max(rows, columns)
        ids.append(VISION_END_ID)
        positions.append(np.full((3, 1), place))
        place += 1
    return Layout(
        np.array(ids, np.int32),
        np.concatenate(seen).astype(np.int64) if seen else np.zeros(0, np.int64),
        np.concatenate(positions, 1).astype(np.int64),
        place,
    )


def pair_times(pairs: int, fps: float) -> list[float]:
    """Mean time of each pair of frames, s."""
    return [(2 * pair + 0.5) / fps for pair in range(pairs)]


def _token_arrays(plan: BatchPlan, conversations: list[Tokens], made: list[int]) -> Arrays:
    rows, columns = plan.height // CELL_PX, plan.width // CELL_PX
    times = pair_times(plan.pairs, plan.fps) if plan.kind == "video" else None
    layout = lay_out(rows, columns, times, plan.leads)
    before = len(layout.ids)
    longest = max(tokens.length for tokens in conversations)
    # Few different lengths: the GPU's kernels are chosen by shape.
    length = before + -(-longest // 32) * 32
    ids = np.full((len(conversations), length), TURN_END_ID, np.int32)
    ids[:, :before] = layout.ids
    at, target, place = [], [], []
    bins = np.array([max(columns, 1), max(rows, 1)]) * PLACES_A_CELL
    scale = (bins / [made[1], made[0]]).astype(np.float32) if rows else np.ones(2, np.float32)
    for sample, tokens in enumerate(conversations):
        own, counts, places = tokens.joined()
        ids[sample, before : before + len(own)] = own
        chosen = np.flatnonzero(counts)
        at.append(sample * length + before + chosen - 1)
        target.append(own[chosen])
        looks = places[chosen]
        cells = np.clip((looks * scale).astype(np.int64), 0, bins - 1)
        place.append(np.where(looks[:, :1] == NOWHERE, -1, cells))
    rest = layout.next_position + np.arange(length - before)
    return {
        "ids": ids,
        "seen_at": layout.seen_at,
        "positions": np.concatenate([layout.positions, np.broadcast_to(rest, (3, len(rest)))], 1),
        "at": np.concatenate(at).astype(np.int64),
        "target": np.concatenate(target).astype(np.int64),
        "place": np.concatenate(place).astype(np.int64),
    }

"""Sizes of training pictures, and answers that give a whole picture in a form: they say what is painted, and where."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from PIL import ImageFont

from desktopapp.modelstore.model import ModelKind
from models.pocket.batches import lay_out
from models.pocket.checkpoint import load_exported, save_checkpoint
from models.pocket.export import export_model
from models.pocket.glyphs import Atlas, build_atlas
from models.pocket.grids import LARGE, MIDDLE, SMALL, STRIPS, VIDEO, WIDE, Sizes
from models.pocket.layouts import paint_table
from models.pocket.model import PocketModel
from models.pocket.reading import BOX_GRID, paint_labels
from models.pocket.scene import Canvas, Line
from models.pocket.shape import CELL_PX, IMAGE_PAD_ID, SHAPE
from models.pocket.spotting import spot_turn, table_turn
from models.pocket.trainer import Helpers
from models.pocket.words import TextSource

WORDS = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "kilo"]


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    font = ImageFont.load_default(20)
    assert isinstance(font, ImageFont.FreeTypeFont)
    file = tmp_path_factory.mktemp("font") / "default.ttf"
    file.write_bytes(font.font_bytes)
    return build_atlas([file], faces_per_font=6, seed=1, processes=1)


@pytest.mark.parametrize("sizes", [SMALL, MIDDLE, LARGE, STRIPS, WIDE, VIDEO])
def test_sizes_are_whole_cells_within_their_range(sizes: Sizes) -> None:
    rng = Random(1)
    for _ in range(300):
        height, width = sizes.draw(rng)
        assert height % CELL_PX == width % CELL_PX == 0
        assert sizes.fewest_cells <= height * width // CELL_PX**2 <= sizes.most_cells


def test_every_number_of_rows_and_columns_of_usual_pictures_is_drawn() -> None:
    rng = Random(2)
    drawn = [sizes.draw(rng) for sizes in (SMALL, MIDDLE, LARGE) for _ in range(2_000)]
    for side in zip(*drawn, strict=True):
        assert set(range(6, 20)) <= {pixels // CELL_PX for pixels in side}


def test_every_line_is_told_with_its_box(atlas: Atlas) -> None:
    canvas = Canvas(atlas, 416, 352, Random(3))
    paint_labels(canvas, TextSource(WORDS, canvas.rng), max_chars=60)
    turn = spot_turn(canvas, canvas.lines)
    assert turn is not None
    assert turn.places is not None
    assert len(turn.places) == len(turn.answer)
    told = json.loads(turn.answer)
    assert [entry["text_content"] for entry in told] == [line.text for line in canvas.lines]
    for entry, line in zip(told, canvas.lines, strict=True):
        exact = [1000 * v / side for v, side in zip(line.box, (416, 352, 416, 352), strict=True)]
        assert np.abs(np.array(entry["bbox_2d"]) - exact).max() <= BOX_GRID / 2


def test_texts_that_would_have_to_be_escaped_are_not_spotted(atlas: Atlas) -> None:
    canvas = Canvas(atlas, 320, 320, Random(0))
    canvas.paint_text('say "no"', 0, 20, 60, (0, 0, 0))
    assert spot_turn(canvas, canvas.lines) is None


def full_table(atlas: Atlas, seed: int) -> tuple[Canvas, list[list[Line]]]:
    """A table that can be told."""
    for attempt in range(100):
        canvas = Canvas(atlas, 480, 320, Random(100 * seed + attempt))
        rows = paint_table(canvas, TextSource(WORDS, canvas.rng), max_chars=120)
        if table_turn(canvas, rows) is not None:
            return canvas, rows
    raise AssertionError("no table of a hundred is regular")


def test_tables_are_told_cell_by_cell(atlas: Atlas) -> None:
    forms = set()
    for seed in range(12):
        canvas, rows = full_table(atlas, seed)
        turn = table_turn(canvas, rows)
        assert turn is not None
        assert turn.places is not None
        assert len(turn.places) == len(turn.answer)
        expected = [[cell.text for cell in row] for row in rows]
        if turn.answer.startswith("```"):
            forms.add("csv")
            body = turn.answer.removeprefix("```csv\n").removesuffix("```")
            assert list(csv.reader(io.StringIO(body))) == expected
        else:
            forms.add("markdown")
            lines = turn.answer.split("\n")
            assert set(lines.pop(1)) == {"|", "-"}
            assert [line.removeprefix("| ").removesuffix(" |").split(" | ") for line in lines] == expected
    assert forms == {"csv", "markdown"}


def test_ragged_tables_are_not_told(atlas: Atlas) -> None:
    canvas, rows = full_table(atlas, 1)
    assert table_turn(canvas, [*rows, rows[0][:-1]]) is None
    assert table_turn(canvas, [row[:1] for row in rows]) is None


def test_pictures_of_a_prompt_stand_behind_their_names() -> None:
    leads = ("Picture 1: ", "Picture 2: ")
    layout = lay_out(3, 4, None, leads)
    text = "".join(chr(i) if i < 256 else "#" if i == IMAGE_PAD_ID else "~" for i in layout.ids)
    assert text == f"~user\nPicture 1: ~{'#' * 12}~Picture 2: ~{'#' * 12}~"
    assert (layout.ids[layout.seen_at] == IMAGE_PAD_ID).all()
    # Behind a picture positions go on after its longer side.
    second = text.index("Picture 2")
    assert layout.positions[0, second] == layout.positions[0, text.index("~", 2)] + 1 + 4 + 1
    assert layout.next_position == layout.positions[0, -1] + 1


def test_model_goes_on_from_exported_weights(tmp_path: Path) -> None:
    model, other = PocketModel(SHAPE), PocketModel(SHAPE)
    model.initialise(4)
    save_checkpoint(tmp_path / "checkpoint", model, Helpers(), {"stage": "base", "step": 1})
    export_model(tmp_path / "checkpoint", tmp_path / "model", ModelKind.INSTRUCT)
    load_exported(tmp_path / "model", other)
    for name, value in other.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, model.state_dict()[name].bfloat16().float())

"""Pages, tables and strips: what is to be read is what is painted, and what is no text has no label."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
import torch
from PIL import ImageFont

from models.pocket.batches import BatchPlan, make_batch
from models.pocket.glyphs import Atlas, build_atlas
from models.pocket.layouts import join_cells, paint_paragraph, paint_strip, paint_table
from models.pocket.reading import BOX_GRID, relative_box
from models.pocket.render import slot_labels
from models.pocket.samples import Mixture
from models.pocket.scene import Canvas, Line
from models.pocket.words import TextSource, is_held_out

WORDS = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "kilo"]


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    font = ImageFont.load_default(20)
    assert isinstance(font, ImageFont.FreeTypeFont)
    file = tmp_path_factory.mktemp("font") / "default.ttf"
    file.write_bytes(font.font_bytes)
    return build_atlas([file], faces_per_font=6, seed=1, processes=1)


def painted(canvas: Canvas) -> str:
    """Every character that has a label, in the order it was painted."""
    return "".join(chr(32 + code) for rows in canvas.glyphs for code in rows[:, 6] if code)


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize("layout", ["paragraph", "strip", "table"])
def test_lines_hold_what_is_painted_inside_the_picture(atlas: Atlas, layout: str, seed: int) -> None:
    canvas = Canvas(atlas, 420, 160 if layout != "strip" else 48, Random(seed))
    source = TextSource(WORDS, canvas.rng)
    lines: list[Line] = canvas.lines
    if layout == "paragraph":
        paint_paragraph(canvas, source, max_chars=200)
    elif layout == "strip":
        paint_strip(canvas, source, max_chars=60)
    else:
        lines = [join_cells(row) for row in paint_table(canvas, source, max_chars=120)]
    assert "".join(line.text for line in lines).replace(" ", "") == painted(canvas)
    for line in lines:
        assert len(line.x) == len(line.text)
        assert line.text == line.text.strip()
        assert line.box[0] >= -4
        assert line.box[2] <= canvas.width + 4
        assert np.all(np.diff(line.x) >= 0)


def test_paragraph_is_cut_between_words(atlas: Atlas) -> None:
    canvas = Canvas(atlas, 300, 300, Random(4))
    paint_paragraph(canvas, TextSource(WORDS, canvas.rng), max_chars=150)
    assert len(canvas.lines) > 2
    assert sum(len(line.text) for line in canvas.lines) <= 150


def test_icons_and_scraps_have_no_label(atlas: Atlas) -> None:
    canvas = Canvas(atlas, 128, 64, Random(0))
    assert canvas.paint_icon(10, 20, 40, (0, 0, 0)) > 0
    canvas.paint_scrap("gyp", 0, 10, 2, (0, 0, 0))
    assert canvas.lines == []
    glyphs = np.concatenate(canvas.glyphs)
    batch = {
        "size": torch.tensor([64, 128, 64, 128]),
        "backgrounds": torch.zeros((1, 6), dtype=torch.uint8),
        "glyphs": torch.from_numpy(np.column_stack([np.zeros(len(glyphs), np.int32), glyphs])),
    }
    assert len(glyphs) == 4
    assert not slot_labels(batch).any()


def test_enlarged_pictures_are_made_small_with_letters_that_can_be_read(atlas: Atlas) -> None:
    plan = BatchPlan("image", 3, 96, 704, 300, 60, enlarged=3.0, mixture=Mixture(pages=0.0, strips=1.0))
    batch = make_batch(plan, atlas, TextSource(WORDS, Random(3)))
    height, width, made_height, made_width = batch["size"].tolist()
    assert (height, width) == (96, 704)
    assert abs(3 * made_height - height) <= 18
    assert abs(3 * made_width - width) <= 18


def test_flattest_picture_can_hold_every_layout(atlas: Atlas) -> None:
    for seed in range(20):
        canvas = Canvas(atlas, 205, 20, Random(seed))
        assert paint_table(canvas, TextSource(WORDS, canvas.rng), max_chars=30)


def test_boxes_are_on_the_grid_and_within_half_a_step(atlas: Atlas) -> None:
    canvas = Canvas(atlas, 333, 217, Random(1))
    box = (12.3, 40.9, 200.1, 216.0)
    told = relative_box(canvas, box)
    exact = [1000 * v / side for v, side in zip(box, (333, 217, 333, 217), strict=True)]
    assert all(value % BOX_GRID == 0 for value in told)
    assert np.abs(np.array(told) - exact).max() <= BOX_GRID / 2


def test_running_text_has_frequent_words_but_never_a_held_out_one() -> None:
    source = TextSource(["alpha"], Random(2))
    words = {word.strip(".,:;)?!").lower() for _ in range(20) for word in source.paragraph(2_000).split(" ")}
    frequent = {"about", "after", "because", "could", "first", "people", "their", "which", "would", "without"}
    kept = {word for word in ["a", "about", "after", "all", "also", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could", "do", "each", "even", "first", "for", "from", "get", "go", "had", "has", "have", "he", "her", "here", "him", "his", "how"] if is_held_out(word)}  # fmt: skip
    assert len(words & frequent) > 5
    assert kept
    assert not words & kept

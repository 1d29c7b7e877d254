"""Whole pictures in a form: every line with its place as JSON, tables as Markdown or CSV."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.pocket import prompts
from models.pocket.conversation import Chain, Turn
from models.pocket.reading import box_parts
from models.pocket.scene import Canvas, Line

_AWKWARD = frozenset('"\\|,`')


def spot_turn(canvas: Canvas, lines: list[Line]) -> Turn | None:
    """Every line with its box, as Qwen3-VL answers; None if a text would have to be escaped."""
    if any('"' in line.text or "\\" in line.text for line in lines):
        return None
    answer = Chain()
    for index, line in enumerate(lines):
        answer.say("[" if index == 0 else ",\n", _start(line))
        for part, places in box_parts(canvas, line.box):
            answer.say(part, places)
        answer.say(', "text_content": "', _start(line))
        answer.say(line.text, _places(line)).say('"}', _start(line))
    answer.say("]")
    thought = f"The picture has {len(lines)} line{'s' if len(lines) > 1 else ''} of text."
    return Turn(canvas.rng.choice(prompts.SPOT), answer.text, answer.places, thought)


def table_turn(canvas: Canvas, rows: list[list[Line]]) -> Turn | None:
    """A table in Markdown, its first row as the head, or as CSV; None if it is ragged or a cell wants escaping."""
    width = len(rows[0])
    cells = [cell for row in rows for cell in row]
    if width < 2 or any(len(row) != width for row in rows) or any(_AWKWARD & set(c.text) for c in cells):
        return None
    thought = f"The table has {len(rows)} row{'s' if len(rows) > 1 else ''} and {width} columns."
    csv = canvas.rng.random() < 0.4
    answer = Chain()
    if csv:
        answer.say("```csv\n")
    for index, row in enumerate(rows):
        if index == 1 and not csv:
            answer.say("|" + "---|" * width + "\n")
        for column, cell in enumerate(row):
            between = ("," if column else "") if csv else (" | " if column else "| ")
            answer.say(between, _start(cell)).say(cell.text, _places(cell))
        last = index + 1 == len(rows)
        answer.say("" if csv else " |").say("" if last and not csv else "\n")
    if csv:
        answer.say("```")
    elif len(rows) == 1:
        answer.say("\n|" + "---|" * width)
    question = canvas.rng.choice(prompts.TABLE_CSV if csv else prompts.TABLE_MARKDOWN)
    return Turn(question, answer.text, answer.places, thought)


def _start(line: Line) -> tuple[float, float]:
    return float(line.x[0]), line.y


def _places(line: Line) -> NDArray[np.float32]:
    return np.column_stack([line.x, np.full(len(line.x), line.y, np.float32)])

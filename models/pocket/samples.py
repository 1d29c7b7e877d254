"""One sample: a planned picture and the conversation about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from models.pocket import prompts
from models.pocket.conversation import Tokens, Turn, turn_length
from models.pocket.layouts import join_cells, paint_paragraph, paint_strip, paint_table
from models.pocket.reading import (
    absent_turn,
    find_label_turn,
    find_word_turn,
    line_turn,
    paint_labels,
    paint_page,
    read_box_turn,
    read_turn,
)
from models.pocket.refusals import refusal_turn, talk_turn
from models.pocket.scene import Canvas, Line
from models.pocket.shapes import count_turn, paint_change, paint_shapes, shape_turn
from models.pocket.spotting import spot_turn, table_turn
from models.pocket.staging import can_be_staged, cut_turn, stage_turn
from models.pocket.sums import draw_items, item_turn, paint_expression, paint_items, text_turn
from models.pocket.words import TextSource


@dataclass(frozen=True, slots=True)
class Mixture:
    """How often each sort of picture and answer comes; the rest of the pictures are sums.

    Args:
        pages: share of pictures with lines of text.
        paragraphs: share with close lines of running text.
        tables: share with rows of cells.
        strips: share with a line or two on the whole picture.
        labels: share with words and buttons at separate places.
        shapes: share with coloured shapes.
        thinking: share of conversations whose last answer opens with a thought.
        staged: share of those that are a stage of staged reasoning, where the question allows it.
        spotted: share of pictures of text whose first question is for all of it in a form: JSON, Markdown, CSV.
        most_turns: in one conversation.
        most_items: in a list of numbers without a picture.
        counted: share of the pictures with shapes that have many of few kinds, to be counted.
    """

    pages: float = 0.32
    paragraphs: float = 0.0
    tables: float = 0.0
    strips: float = 0.0
    labels: float = 0.30
    shapes: float = 0.24
    thinking: float = 0.4
    staged: float = 0.35
    spotted: float = 0.0
    most_turns: int = 6
    most_items: int = 6
    counted: float = 0.0


DEFAULT_MIXTURE = Mixture()
# The first turn, or None, and what makes further ones.
_Talk = tuple[Turn | None, Callable[[], Turn | None]]
_CUT_SHARE = 0.06


def draw_dense(canvas: Canvas, source: TextSource) -> None:
    """A picture full of text."""
    draw = canvas.rng.random()
    if draw < 0.25:
        paint_labels(canvas, source, max_chars=1000)
    elif draw < 0.45:
        paint_paragraph(canvas, source, max_chars=1000)
    if not canvas.lines:
        paint_page(canvas, source, max_chars=1000, fill=True)


def draw_sample(
    canvas: Canvas, source: TextSource, max_chars: int, max_tokens: int, mixture: Mixture
) -> Tokens:
    """Paint a picture and talk about it.

    Args:
        canvas: is painted on.
        source: of text and chance.
        max_chars: in the picture.
        max_tokens: of the conversation.
        mixture: of skills.
    """
    draw = canvas.rng.random()
    makers: tuple[tuple[float, Callable[[], _Talk]], ...] = (
        (mixture.pages, lambda: _page(canvas, source, max_chars, mixture.spotted)),
        (mixture.paragraphs, lambda: _paragraph(canvas, source, max_chars)),
        (mixture.tables, lambda: _table(canvas, source, max_chars, mixture.spotted)),
        (mixture.strips, lambda: _strip(canvas, source, max_chars)),
        (mixture.labels, lambda: _labels(canvas, source, max_chars, mixture.spotted)),
        (mixture.shapes, lambda: _shapes(canvas, mixture.counted)),
    )
    for share, make in makers:
        if draw < share:
            return _converse(source, *make(), max_tokens, mixture)
        draw -= share
    return _converse(source, *_sums(canvas, source), max_tokens, mixture)


def _shapes(canvas: Canvas, counted: float) -> _Talk:
    crowded = canvas.rng.random() < counted
    shapes = paint_shapes(canvas, most=9, crowded=crowded)
    return None, lambda: (count_turn if crowded else shape_turn)(canvas, shapes)


def _paragraph(canvas: Canvas, source: TextSource, max_chars: int) -> _Talk:
    paint_paragraph(canvas, source, max_chars=max_chars)
    return _about_lines(canvas, source, canvas.lines, 0.9)


def _strip(canvas: Canvas, source: TextSource, max_chars: int) -> _Talk:
    paint_strip(canvas, source, max_chars=max_chars)
    return _about_lines(canvas, source, canvas.lines, 0.9)


def _table(canvas: Canvas, source: TextSource, max_chars: int, spotted: float) -> _Talk:
    cells_of_rows = paint_table(canvas, source, max_chars=max_chars)
    rows = [join_cells(cells) for cells in cells_of_rows]
    cells = canvas.lines

    def maker() -> Turn | None:
        if canvas.rng.random() < 0.5:
            return find_label_turn(canvas, cells, [cell.box for cell in cells])
        return line_turn(canvas, rows)

    first = table_turn(canvas, cells_of_rows) if canvas.rng.random() < spotted else None
    return first or (read_turn(canvas, rows) if canvas.rng.random() < 0.8 else None), maker


def _page(canvas: Canvas, source: TextSource, max_chars: int, spotted: float) -> _Talk:
    paint_page(canvas, source, max_chars=max_chars)
    first, maker = _about_lines(canvas, source, canvas.lines, 0.8)
    return (spot_turn(canvas, canvas.lines) if canvas.rng.random() < spotted else None) or first, maker


def _about_lines(canvas: Canvas, source: TextSource, lines: list[Line], read_share: float) -> _Talk:
    """Read everything in so many of ten cases, then find words and read single lines."""

    def maker() -> Turn | None:
        draw = canvas.rng.random()
        if draw < 0.4:
            return find_word_turn(canvas, lines)
        return line_turn(canvas, lines) if draw < 0.95 else absent_turn(canvas, source, lines)

    return (read_turn(canvas, lines) if canvas.rng.random() < read_share else None), maker


def _labels(canvas: Canvas, source: TextSource, max_chars: int, spotted: float) -> _Talk:
    boxes = paint_labels(canvas, source, max_chars=max_chars)
    if not boxes:
        return _page(canvas, source, max_chars, spotted)
    lines = canvas.lines

    def maker() -> Turn | None:
        draw = canvas.rng.random()
        if draw < 0.62:
            return find_label_turn(canvas, lines, boxes)
        if draw < 0.72:
            return find_word_turn(canvas, lines)
        return read_box_turn(canvas, lines, boxes) if draw < 0.95 else absent_turn(canvas, source, lines)

    first = spot_turn(canvas, lines) if canvas.rng.random() < spotted else None
    return first or (read_turn(canvas, lines) if canvas.rng.random() < 0.3 else None), maker


def _sums(canvas: Canvas, source: TextSource) -> _Talk:
    if canvas.rng.random() < 0.3:
        turn = paint_expression(canvas, source)
        return (read_turn(canvas, canvas.lines) if canvas.rng.random() < 0.3 else None), lambda: turn
    most = min(6, canvas.height // 40) if canvas.rng.random() < 0.6 else min(14, canvas.height // 26)
    items = draw_items(source, most=max(2, most))
    paint_items(canvas, items)
    return None, lambda: item_turn(canvas, canvas.rng, items)


def _converse(
    source: TextSource,
    first: Turn | None,
    maker: Callable[[], Turn | None],
    max_tokens: int,
    mixture: Mixture,
) -> Tokens:
    """Turns until the tokens are used up, the most turns are made, or chance ends it."""
    rng = source.rng
    turns: list[Turn] = []
    thinking = rng.random() < mixture.thinking
    most = rng.randint(1, 2) if thinking else rng.randint(1, mixture.most_turns)
    left = max_tokens
    candidate = first
    for _ in range(2 * most + 2):
        if len(turns) == most:
            break
        if candidate is None:
            candidate = refusal_turn(source) if rng.random() < 0.03 else maker()
        if candidate is not None:
            candidate = replace(candidate, question=prompts.vary(rng, candidate.question))
        staged = candidate is not None and thinking and _stages(candidate, rng, mixture)
        if candidate is not None and staged:
            candidate = _stage(candidate, rng)
        length = turn_length(candidate, thinking=thinking) if candidate is not None else 0
        if candidate is not None and length <= left and candidate.question not in [t.question for t in turns]:
            turns.append(candidate)
            left -= length
            if staged:
                break
        candidate = None
    return _tokens(turns or [refusal_turn(source)], thinking=thinking)


def _stages(turn: Turn, rng: Random, mixture: Mixture) -> bool:
    """Whether a turn becomes a stage; it is the last one of its conversation then."""
    return rng.random() < mixture.staged and can_be_staged(turn)


def _stage(turn: Turn, rng: Random) -> Turn:
    return cut_turn(turn, rng) if turn.marks and rng.random() < _CUT_SHARE else stage_turn(turn, rng)


def _tokens(turns: list[Turn], *, thinking: bool) -> Tokens:
    tokens = Tokens()
    for index, turn in enumerate(turns):
        tokens.add_turn(turn, first=index == 0, thinking=thinking and index == len(turns) - 1)
    return tokens


def draw_pages(
    pages: list[tuple[str, Canvas]], source: TextSource, max_chars: int, max_tokens: int, mixture: Mixture
) -> Tokens:
    """Paint some pages and talk about them: read all or one, say which one holds a word.

    Args:
        pages: what stands before each, with its number in it, and what is painted on.
        source: of text and chance.
        max_chars: in one picture.
        max_tokens: of the conversation.
        mixture: of skills.
    """
    rng = source.rng
    canvases = [canvas for _, canvas in pages]
    for canvas in canvases:
        rng.choice((paint_page, paint_page, paint_paragraph))(canvas, source, max_chars=max_chars)
    named = pages[0][0].startswith("Page")
    noun = "page" if named else "picture"

    def maker() -> Turn | None:
        lead, canvas = rng.choice(pages)
        number = "".join(char for char in lead.split(" ")[1] if char.isdigit())
        if rng.random() < 0.6:
            turn = read_turn(canvas, canvas.lines)
            wording = rng.choice(prompts.READ_PAGE if named else prompts.READ_PICTURE)
            return replace(turn, question=wording.format(n=number))
        word = rng.choice(rng.choice(canvas.lines).text.split(" "))
        if len(word) < 3 or sum(any(word in line.text for line in c.lines) for c in canvases) != 1:
            return None
        question = rng.choice(prompts.WHICH_PAGE if named else prompts.WHICH_PICTURE).format(text=word)
        return Turn(question, number, None, f'"{word}" is on {noun} {number}.')

    every = [line for canvas in canvases for line in canvas.lines]
    first = read_turn(canvases[0], every) if rng.random() < 0.5 else None
    return _converse(source, first, maker, max_tokens, mixture)


def draw_video(before: Canvas, after: Canvas, change: int, fps: float, mixture: Mixture) -> Tokens:
    """Paint both states of a scene that changes at frame number `change`, and ask when."""
    rng = before.rng
    what = paint_change(before, after)
    middle = (change - 0.5) / fps
    time = f"{int(middle // 60):02d}:{middle % 60:05.2f}"
    if rng.random() < 0.8:
        turn = Turn(rng.choice(prompts.WHEN), time, None, f"At {time} {what}.")
    else:
        turn = Turn(rng.choice(prompts.WHAT_CHANGES), what.capitalize() + ".", None, f"At {time} {what}.")
    return _tokens([turn], thinking=rng.random() < mixture.thinking)


def draw_talk(source: TextSource, max_tokens: int, mixture: Mixture) -> Tokens:
    """A conversation without a picture."""
    rng = source.rng
    # Long lists are rare: their batches are for nothing else.
    share = 0.7 if mixture.most_items <= DEFAULT_MIXTURE.most_items else 0.95
    turn = text_turn(source, most=mixture.most_items) if rng.random() < share else talk_turn(source)
    thinking = rng.random() < max(mixture.thinking, 0.5 if mixture.thinking else 0.0)
    if thinking and _stages(turn, rng, mixture):
        turn = _stage(turn, rng)
    if turn_length(turn, thinking=thinking) > max_tokens:
        turn = talk_turn(source)
    return _tokens([turn], thinking=thinking)

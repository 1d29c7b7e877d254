"""One sample: a planned picture and the conversation about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models.pocket import prompts
from models.pocket.conversation import Tokens, Turn, turn_length
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
from models.pocket.scene import Canvas
from models.pocket.shapes import paint_change, paint_shapes, shape_turn
from models.pocket.sums import draw_items, item_turn, paint_expression, paint_items, text_turn
from models.pocket.words import TextSource


@dataclass(frozen=True, slots=True)
class Mixture:
    """How often each sort of picture and answer comes; the rest of the pictures are sums.

    Args:
        pages: share of pictures with lines of text.
        labels: share with words and buttons at separate places.
        shapes: share with coloured shapes.
        thinking: share of conversations whose last answer opens with a thought.
        most_turns: in one conversation.
    """

    pages: float = 0.30
    labels: float = 0.24
    shapes: float = 0.22
    thinking: float = 0.4
    most_turns: int = 6


DEFAULT_MIXTURE = Mixture()


def draw_dense(canvas: Canvas, source: TextSource) -> None:
    """A picture full of text."""
    if canvas.rng.random() < 0.25:
        paint_labels(canvas, source, max_chars=1000)
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
    if draw < mixture.pages:
        first, maker = _page(canvas, source, max_chars)
    elif draw < mixture.pages + mixture.labels:
        first, maker = _labels(canvas, source, max_chars)
    elif draw < mixture.pages + mixture.labels + mixture.shapes:
        shapes = paint_shapes(canvas, most=9)
        first, maker = None, lambda: shape_turn(canvas, shapes)
    else:
        first, maker = _sums(canvas, source)
    return _converse(source, first, maker, max_tokens, mixture)


def _page(
    canvas: Canvas, source: TextSource, max_chars: int
) -> tuple[Turn | None, Callable[[], Turn | None]]:
    paint_page(canvas, source, max_chars=max_chars)
    lines = canvas.lines

    def maker() -> Turn | None:
        draw = canvas.rng.random()
        if draw < 0.4:
            return find_word_turn(canvas, lines)
        return line_turn(canvas, lines) if draw < 0.95 else absent_turn(canvas, source, lines)

    return (read_turn(canvas, lines) if canvas.rng.random() < 0.8 else None), maker


def _labels(
    canvas: Canvas, source: TextSource, max_chars: int
) -> tuple[Turn | None, Callable[[], Turn | None]]:
    boxes = paint_labels(canvas, source, max_chars=max_chars)
    if not boxes:
        return _page(canvas, source, max_chars)
    lines = canvas.lines

    def maker() -> Turn | None:
        draw = canvas.rng.random()
        if draw < 0.62:
            return find_label_turn(canvas, lines, boxes)
        if draw < 0.72:
            return find_word_turn(canvas, lines)
        return read_box_turn(canvas, lines, boxes) if draw < 0.95 else absent_turn(canvas, source, lines)

    return (read_turn(canvas, lines) if canvas.rng.random() < 0.3 else None), maker


def _sums(canvas: Canvas, source: TextSource) -> tuple[Turn | None, Callable[[], Turn | None]]:
    if canvas.rng.random() < 0.3:
        turn = paint_expression(canvas, source)
        return (read_turn(canvas, canvas.lines) if canvas.rng.random() < 0.3 else None), lambda: turn
    items = draw_items(source, most=min(6, canvas.height // 40))
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
        length = turn_length(candidate, thinking=thinking) if candidate is not None else 0
        if candidate is not None and length <= left and candidate.question not in [t.question for t in turns]:
            turns.append(candidate)
            left -= length
        candidate = None
    return _tokens(turns or [refusal_turn(source)], thinking=thinking)


def _tokens(turns: list[Turn], *, thinking: bool) -> Tokens:
    tokens = Tokens()
    for index, turn in enumerate(turns):
        tokens.add_turn(turn, first=index == 0, thinking=thinking and index == len(turns) - 1)
    return tokens


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
    turn = text_turn(source) if source.rng.random() < 0.7 else talk_turn(source)
    thinking = source.rng.random() < max(mixture.thinking, 0.5 if mixture.thinking else 0.0)
    return (
        _tokens([turn], thinking=thinking)
        if turn_length(turn, thinking=thinking) <= max_tokens
        else _tokens([talk_turn(source)], thinking=thinking)
    )

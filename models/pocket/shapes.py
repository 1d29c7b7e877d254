"""Scenes of coloured shapes: naming, counting, placing, finding; and scenes that change for videos."""

from __future__ import annotations

from collections import Counter

import numpy as np

from models.pocket import prompts
from models.pocket.conversation import Chain, Turn
from models.pocket.glyphs import SHAPE_NAMES, SHAPE_SIZES_PX
from models.pocket.reading import box_answer
from models.pocket.scene import COLOURS, Canvas, Shape

_TRIES = 40
_GAP_PX = 4


def paint_shapes(canvas: Canvas, *, most: int, crowded: bool = False) -> list[Shape]:
    """Shapes that do not touch, in reading order.

    Args:
        canvas: is painted on.
        most: of them.
        crowded: half as many at least, of one or two kinds and colours: there is something to count.
    """
    rng = canvas.rng
    dark = rng.random() < 0.4
    canvas.paint_background(dark=dark)
    hidden = {"black"} if dark else {"white"}
    colours = [name for name in COLOURS if name not in hidden]
    if crowded or rng.random() < 0.4:
        colours = rng.sample(colours, rng.randint(1, 2) if crowded else 2)
    few = crowded or rng.random() >= 0.6
    kinds = rng.sample(SHAPE_NAMES, rng.randint(1, 2) if crowded else 2) if few else list(SHAPE_NAMES)
    shapes: list[Shape] = []
    target = rng.randint((most + 1) // 2 if crowded else 1, most)
    limit = min(canvas.width, canvas.height) / (2.2 if target < 5 else 3.2)
    sizes = [index for index, size in enumerate(SHAPE_SIZES_PX) if size < limit]
    for _ in range(_TRIES):
        if len(shapes) == target:
            break
        size = rng.choice(sizes)
        side = SHAPE_SIZES_PX[size]
        x, y = rng.randint(0, canvas.width - side), rng.randint(0, canvas.height - side)
        if all(_apart(shape, x, y, side) for shape in shapes):
            shapes.append(canvas.paint_shape(rng.choice(kinds), rng.choice(colours), size, x, y))
    return sorted(shapes, key=lambda shape: (shape.middle[1], shape.middle[0]))


def _apart(shape: Shape, x: int, y: int, side: int) -> bool:
    left, top, right, bottom = shape.box
    return (
        x + side + _GAP_PX < left or right + _GAP_PX < x or y + side + _GAP_PX < top or bottom + _GAP_PX < y
    )


def name_of(shape: Shape, *, chinese: bool) -> str:
    """As "red circle"."""
    if chinese:
        return prompts.COLOUR_CHINESE[shape.colour] + prompts.SHAPE_CHINESE[shape.kind]
    return f"{shape.colour} {shape.kind}"


def place_of(canvas: Canvas, shape: Shape, *, chinese: bool) -> str | None:
    """Name of the ninth of the picture that a shape's middle is in; None within 4 % of a border between two."""
    x, y = shape.middle
    column, row = 3 * x / canvas.width, 3 * y / canvas.height
    if any(abs(value - border) < 0.12 for value in (column, row) for border in (1, 2)):
        return None
    names = prompts.PLACES_CHINESE if chinese else prompts.PLACES
    return names[min(2, int(row))][min(2, int(column))]


def shape_turn(canvas: Canvas, shapes: list[Shape]) -> Turn | None:
    """A question about the shapes; None if the one drawn has no clear answer."""
    makers = (
        _count_all,
        _count_some,
        _count_some,
        _count_some,
        _name_at,
        _where,
        _colour,
        _name_all,
        _find,
        _find,
    )
    return canvas.rng.choice(makers)(canvas, shapes)


def count_turn(canvas: Canvas, shapes: list[Shape]) -> Turn:
    """The question how many shapes, or how many of a kind or colour, there are."""
    return canvas.rng.choice((_count_all, _count_some, _count_some))(canvas, shapes)


def _listing(shapes: list[Shape]) -> Chain:
    chain = Chain().say("I see:")
    seen = []
    for index, shape in enumerate(shapes):
        seen.append(f"{index + 1} {name_of(shape, chinese=False)}")
        chain.say(f" {seen[-1]}", shape.middle).say("," if index + 1 < len(shapes) else ".")
        listed = ", ".join(seen)
        chain.mark((f"I see {listed}", f"看到 {listed}"), ("the other shapes", "其余的图形"))
    return chain


def _turn(
    question: str, answer: str, shapes: list[Shape], at: Shape | None = None, chain: Chain | None = None
) -> Turn:
    """A turn whose thought lists the shapes; `at` is the one that the answer looks at."""
    chain = chain or _listing(shapes)
    places = None if at is None else _look(at, answer)
    return Turn(question, answer, places, chain.text, chain.places, tuple(chain.marks))


def _count_all(canvas: Canvas, shapes: list[Shape]) -> Turn:
    return _turn(canvas.rng.choice(prompts.COUNT_SHAPES), str(len(shapes)), shapes)


def _count_some(canvas: Canvas, shapes: list[Shape]) -> Turn:
    rng = canvas.rng
    model = rng.choice(shapes)
    kind = rng.choice(SHAPE_NAMES) if rng.random() < 0.2 else model.kind
    colour = rng.choice(list(COLOURS)) if rng.random() < 0.2 else model.colour
    way = rng.randrange(3)
    if way == 2:
        question = rng.choice(prompts.COUNT_COLOUR)
        what = prompts.COLOUR_CHINESE[colour] if prompts.is_chinese(question) else colour
        match = [shape for shape in shapes if shape.colour == colour]
        named = colour
    else:
        question = rng.choice(prompts.COUNT_KIND)
        full = way == 1
        match = [shape for shape in shapes if shape.kind == kind and (not full or shape.colour == colour)]
        named = f"{colour} {kind}" if full else kind
        what = prompts.plural(named)
        if prompts.is_chinese(question):
            what = (prompts.COLOUR_CHINESE[colour] if full else "") + prompts.SHAPE_CHINESE[kind]
    chain = _listing(shapes).say(f" {named}: ")
    for index, shape in enumerate(match):
        chain.say(f"{index + 1} {name_of(shape, chinese=False)}", shape.middle)
        chain.say(", " if index + 1 < len(match) else ".")
    if not match:
        chain.say("none.")
    return _turn(question.format(what=what), str(len(match)), shapes, None, chain)


def _name_at(canvas: Canvas, shapes: list[Shape]) -> Turn | None:
    question = canvas.rng.choice(prompts.NAME_PLACE)
    chinese = prompts.is_chinese(question)
    shape = canvas.rng.choice(shapes)
    places = [place_of(canvas, other, chinese=chinese) for other in shapes]
    place = place_of(canvas, shape, chinese=chinese)
    if place is None or None in places or places.count(place) != 1:
        return None
    return _turn(question.format(place=place), name_of(shape, chinese=chinese), shapes, shape)


def _unique(canvas: Canvas, shapes: list[Shape]) -> Shape | None:
    shape = canvas.rng.choice(shapes)
    same = [other for other in shapes if other.kind == shape.kind and other.colour == shape.colour]
    return shape if len(same) == 1 else None


def _where(canvas: Canvas, shapes: list[Shape]) -> Turn | None:
    shape = _unique(canvas, shapes)
    question = canvas.rng.choice(prompts.PLACE_OF)
    chinese = prompts.is_chinese(question)
    if shape is None or (place := place_of(canvas, shape, chinese=chinese)) is None:
        return None
    return _turn(question.format(what=name_of(shape, chinese=chinese)), place, shapes, shape)


def _colour(canvas: Canvas, shapes: list[Shape]) -> Turn | None:
    shape = canvas.rng.choice(shapes)
    if sum(other.kind == shape.kind for other in shapes) != 1:
        return None
    question = canvas.rng.choice(prompts.COLOUR_OF)
    chinese = prompts.is_chinese(question)
    what = prompts.SHAPE_CHINESE[shape.kind] if chinese else shape.kind
    answer = prompts.COLOUR_CHINESE[shape.colour] if chinese else shape.colour
    return _turn(question.format(what=what), answer, shapes, shape)


def _name_all(canvas: Canvas, shapes: list[Shape]) -> Turn:
    question = canvas.rng.choice(prompts.NAME_ALL)
    chinese = prompts.is_chinese(question)
    counts = Counter(name_of(shape, chinese=chinese) for shape in shapes)
    if chinese:
        answer = "，".join(f"{count}个{name}" for name, count in counts.items())
    else:
        answer = ", ".join(
            f"{count} {prompts.plural(name) if count > 1 else name}" for name, count in counts.items()
        )
    return _turn(question, answer, shapes)


def _find(canvas: Canvas, shapes: list[Shape]) -> Turn | None:
    shape = _unique(canvas, shapes)
    if shape is None:
        return None
    question = canvas.rng.choice(prompts.FIND_SHAPE)
    what = name_of(shape, chinese=prompts.is_chinese(question))
    answer, places = box_answer(canvas, shape.box, name_of(shape, chinese=False))
    chain = _listing(shapes)
    return Turn(question.format(what=what), answer, places, chain.text, chain.places)


def _look(shape: Shape, answer: str) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.full((len(answer.encode()), 2), shape.middle, np.float32)


def paint_change(before: Canvas, after: Canvas) -> str:
    """A scene in two states; returns what changes, in English.

    Args:
        before: is painted with the state up to the change.
        after: of the same size, is painted with the state from the change on.
    """
    rng = before.rng
    shapes = paint_shapes(before, most=4)
    after.background = before.background
    after.shapes = list(before.shapes)
    index = rng.randrange(len(after.shapes))
    x, y, mask, *colour = after.shapes[index]
    old = next(s for s in shapes if (round(s.box[0]), round(s.box[1])) == (x, y))
    what = f"the {old.colour} {old.kind}"
    draw = rng.random()
    if draw < 0.3 and len(shapes) > 1:
        if rng.random() < 0.5:
            del after.shapes[index]
            return f"{what} disappears"
        del before.shapes[index]
        return f"{what} appears"
    if draw < 0.75:
        names = [name for name in COLOURS if name != old.colour and name not in ("black", "white")]
        name = rng.choice(names)
        after.shapes[index] = (x, y, mask, *after.stray(name), list(COLOURS).index(name))
        return f"{what} turns {name}"
    side = round(old.box[2] - old.box[0])
    for _ in range(_TRIES):
        to_x, to_y = rng.randint(0, before.width - side), rng.randint(0, before.height - side)
        far = abs(to_x - x) + abs(to_y - y) > side
        if far and all(_apart(other, to_x, to_y, side) for other in shapes if other is not old):
            after.shapes[index] = (to_x, to_y, mask, *(int(c) for c in colour))
            return f"{what} moves"
    after.paint_background(dark=sum(before.background[0]) > 380)
    return "the background changes"

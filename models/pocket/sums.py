"""Numbers in pictures: lists of things with a number each, and written sums. Chains add one number at a time."""

from __future__ import annotations

from random import Random

import numpy as np
from numpy.typing import NDArray

from models.pocket import prompts
from models.pocket.conversation import Chain, Turn
from models.pocket.reading import places_of
from models.pocket.scene import Canvas
from models.pocket.words import TextSource

Items = list[tuple[str, int]]
_LARGEST = (9, 20, 50, 99, 99, 99, 200)


def draw_items(source: TextSource, *, most: int) -> Items:
    """Two to `most` different names with different numbers."""
    rng = source.rng
    count = rng.randint(2, most)
    largest = max(rng.choice(_LARGEST), count + 1)
    names: list[str] = []
    while len(names) < count:
        name = source.plain_word().capitalize()
        if len(name) < 10 and name not in names:
            names.append(name)
    return list(zip(names, rng.sample(range(1, largest + 1), count), strict=True))


def paint_items(canvas: Canvas, items: Items) -> None:
    """A table: name on the left, number on the right of each row."""
    rng = canvas.rng
    ground = canvas.paint_background()
    gap = (canvas.height - 16) / len(items)
    atlas = canvas.atlas
    for _ in range(200):
        face = rng.randrange(atlas.faces)
        widest = max(float(canvas.measure(f"{name} {number}", face)[1][-1]) for name, number in items)
        if atlas.face_size[face] * 1.1 < gap and widest < canvas.width - 24:
            break
    size = float(atlas.face_size[face])
    gap = min(gap, size * rng.uniform(1.15, 2.2))
    slack_y = canvas.height - 12 - gap * len(items)
    slack_x = canvas.width - 16 - widest
    top = 6 + rng.random() * slack_y + 0.8 * size
    left = 8 + rng.random() * slack_x * 0.5
    column = left + widest + rng.random() * (slack_x - left + 8)
    ink = canvas.ink(ground)
    style = rng.random()
    for row, (name, number) in enumerate(items):
        y = top + row * gap
        if style < 0.4:
            canvas.paint_text(f"{name} {number}", face, left, y, ink)
            continue
        canvas.paint_text(name, face, left, y, ink)
        text = str(number)
        canvas.paint_text(text, face, column - float(canvas.measure(text, face)[1][-1]), y, ink)


def paint_expression(canvas: Canvas, source: TextSource) -> Turn:
    """A written sum, and the question for its result."""
    rng = canvas.rng
    numbers = [rng.randint(1, rng.choice((9, 20, 50, 99))) for _ in range(rng.randint(2, 4))]
    text, steps, total = expression(rng, numbers)
    ground = canvas.paint_background()
    for _ in range(200):
        face = rng.randrange(canvas.atlas.faces)
        extent = float(canvas.measure(text, face)[1][-1])
        if extent < canvas.width - 16:
            break
    size = float(canvas.atlas.face_size[face])
    x = 8 + rng.random() * (canvas.width - 16 - extent)
    y = 6 + 0.8 * size + rng.random() * (canvas.height - 12 - 1.1 * size)
    line = canvas.paint_text(text, face, x, y, canvas.ink(ground))
    chain = Chain().say(text, places_of([line])).say(steps)
    return Turn(rng.choice(prompts.SOLVE), str(total), None, chain.text, chain.places)


def expression(rng: Random, numbers: list[int]) -> tuple[str, str, int]:
    """A sum of these numbers as it is written, the steps behind it, and its value, which is not negative."""
    total = numbers[0]
    text = str(total)
    steps = []
    for number in numbers[1:]:
        minus = rng.random() < 0.4 and number <= total
        after = total - number if minus else total + number
        sign = "-" if minus else "+"
        text += f" {sign} {number}"
        steps.append(f"{total} {sign} {number} = {after}.")
        total = after
    ending = rng.choice(("", " =", " = ?"))
    return text + ending, ": " + " ".join(steps), total


def item_turn(canvas: Canvas | None, rng: Random, items: Items) -> Turn:
    """A question about items; `canvas` gives the places where they stand."""
    numbers = [number for _, number in items]
    draw = rng.random()
    if draw < 0.34:
        chain = _listing(canvas, items).say(" " + add_up(numbers))
        return _turn(rng.choice(prompts.SUM_ALL), str(sum(numbers)), chain)
    if draw < 0.58:
        return _pair_turn(canvas, rng, items, difference=draw >= 0.46)
    if draw < 0.70:
        high, low = max(numbers), min(numbers)
        chain = _listing(canvas, items)
        chain.say(f" The largest is {high}. The smallest is {low}. {high} - {low} = {high - low}.")
        return _turn(rng.choice(prompts.SPREAD), str(high - low), chain)
    if draw < 0.86:
        wording, best, by_name = rng.choice(
            (
                (prompts.LARGEST, max, False),
                (prompts.SMALLEST, min, False),
                (prompts.MOST, max, True),
                (prompts.LEAST, min, True),
            )
        )
        name, number = best(items, key=lambda item: item[1])
        word = "largest" if best is max else "smallest"
        chain = _listing(canvas, items).say(f" The {word} is {name} {number}.")
        return _turn(rng.choice(wording), name if by_name else str(number), chain)
    name, number = rng.choice(items)
    chain = Chain()
    _say_item(chain, canvas, name, number, " is ")
    places = None if canvas is None else _item_places(canvas, name, number)[1]
    question = rng.choice(prompts.PRICE).format(a=name)
    return Turn(question, str(number), places, chain.say(".").text, chain.places)


def _pair_turn(canvas: Canvas | None, rng: Random, items: Items, *, difference: bool) -> Turn:
    pair = rng.sample(items, 2)
    if difference:
        pair.sort(key=lambda item: -item[1])
    (a, x), (b, y) = pair
    chain = Chain()
    _say_item(chain, canvas, a, x, " is ")
    _say_item(chain.say(". "), canvas, b, y, " is ")
    sign, result = ("-", x - y) if difference else ("+", x + y)
    chain.say(f". {x} {sign} {y} = {result}.")
    wording = prompts.DIFFERENCE if difference else prompts.SUM_TWO
    return _turn(rng.choice(wording).format(a=a, b=b), str(result), chain)


def _turn(question: str, answer: str, chain: Chain) -> Turn:
    return Turn(question, answer, None, chain.text, chain.places)


def _listing(canvas: Canvas | None, items: Items) -> Chain:
    chain = Chain()
    for index, (name, number) in enumerate(items):
        _say_item(chain, canvas, name, number, " ")
        chain.say(", " if index + 1 < len(items) else ".")
    return chain


def _say_item(chain: Chain, canvas: Canvas | None, name: str, number: int, between: str) -> None:
    at_name, at_number = (None, None) if canvas is None else _item_places(canvas, name, number)
    chain.say(name, at_name)
    if at_number is None:
        chain.say(f"{between}{number}")
    else:
        # What comes between is said while looking at the number already.
        point = (float(at_number[0, 0]), float(at_number[0, 1]))
        chain.say(between, point).say(str(number), at_number)


def _item_places(canvas: Canvas, name: str, number: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where the characters of an item's name and of its number are."""
    index, line = next(
        (index, line) for index, line in enumerate(canvas.lines) if line.text in (name, f"{name} {number}")
    )
    digits = line if line.text != name else canvas.lines[index + 1]
    return places_of([line])[: len(name)], places_of([digits])[-len(str(number)) :]


def add_up(numbers: list[int]) -> str:
    """The chain that adds numbers one after another."""
    total = numbers[0]
    steps = []
    for number in numbers[1:]:
        steps.append(f"{total} + {number} = {total + number}.")
        total += number
    return " ".join(steps)


def text_turn(source: TextSource) -> Turn:
    """A sum or items without a picture, in the question's own text."""
    rng = source.rng
    if rng.random() < 0.5:
        numbers = [rng.randint(1, rng.choice((9, 20, 50, 99, 200))) for _ in range(rng.randint(2, 6))]
        text, steps, total = expression(rng, numbers)
        return Turn(f"{text.rstrip(' =?')} = ?", str(total), None, text + steps)
    items = draw_items(source, most=6)
    turn = item_turn(None, rng, items)
    return Turn(
        ", ".join(f"{name} {number}" for name, number in items) + ". " + turn.question,
        turn.answer,
        None,
        turn.thought,
    )

"""Numbers in pictures: lists of things with a number each, and written sums. Chains go item by item."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    for _ in range(200):
        face = canvas.choose_face(gap / 1.1)
        widest = max(float(canvas.measure(f"{name} {number}", face)[1][-1]) for name, number in items)
        if widest < canvas.width - 24:
            break
    size = float(canvas.atlas.face_size[face])
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


@dataclass(frozen=True, slots=True)
class Expression:
    """A written sum.

    Args:
        text: as it is written.
        steps: each step's text, and what is left to calculate behind it.
        total: its value, not negative.
    """

    text: str
    steps: list[tuple[str, str]]
    total: int

    def add_to(self, chain: Chain) -> Chain:
        """Append the steps; each can be gone on from."""
        chain.mark(("nothing", "无"), (self.text.rstrip(" =?"), self.text.rstrip(" =?")))
        for step, left in self.steps:
            chain.say(f" {step}").mark((step.rstrip("."), step.rstrip(".")), (left, left))
        return chain


def paint_expression(canvas: Canvas, source: TextSource) -> Turn:
    """A written sum, and the question for its result."""
    rng = canvas.rng
    numbers = [rng.randint(1, rng.choice((9, 20, 50, 99))) for _ in range(rng.randint(2, 4))]
    written = make_expression(rng, numbers)
    ground = canvas.paint_background()
    for _ in range(200):
        face = canvas.choose_face(canvas.height / 1.4)
        extent = float(canvas.measure(written.text, face)[1][-1])
        if extent < canvas.width - 16:
            break
    size = float(canvas.atlas.face_size[face])
    x = 8 + rng.random() * (canvas.width - 16 - extent)
    y = 6 + 0.8 * size + rng.random() * (canvas.height - 12 - 1.1 * size)
    line = canvas.paint_text(written.text, face, x, y, canvas.ink(ground))
    chain = written.add_to(Chain().say(written.text, places_of([line])).say(":"))
    return _turn(rng.choice(prompts.SOLVE), str(written.total), chain)


def make_expression(rng: Random, numbers: list[int]) -> Expression:
    """A sum or difference of these numbers, from left to right."""
    terms = [str(numbers[0])]
    values = [numbers[0]]
    for number in numbers[1:]:
        minus = rng.random() < 0.4 and number <= values[-1]
        terms.append(f"{'-' if minus else '+'} {number}")
        values.append(values[-1] - number if minus else values[-1] + number)
    steps = []
    for index in range(1, len(terms)):
        left = " ".join([str(values[index]), *terms[index + 1 :]])
        steps.append((f"{values[index - 1]} {terms[index]} = {values[index]}.", left))
    return Expression(" ".join(terms) + rng.choice(("", " =", " = ?")), steps, values[-1])


def item_turn(canvas: Canvas | None, rng: Random, items: Items) -> Turn:
    """A question about items; `canvas` gives the places where they stand."""
    numbers = [number for _, number in items]
    draw = rng.random()
    if draw < 0.30:
        return _turn(rng.choice(prompts.SUM_ALL), str(sum(numbers)), _running_sum(canvas, items))
    if draw < 0.48:
        return _pair_turn(canvas, rng, items, difference=draw >= 0.39)
    if draw < 0.56:
        high, low = max(numbers), min(numbers)
        chain = _listing(canvas, items)
        chain.say(f" The largest is {high}. The smallest is {low}. {high} - {low} = {high - low}.")
        return _turn(rng.choice(prompts.SPREAD), str(high - low), chain)
    if draw < 0.72:
        return _count_over(canvas, rng, items)
    if draw < 0.93:
        return _extreme(canvas, rng, items)
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
    _say_item(chain.say("."), canvas, b, y, " is ")
    sign, result = ("-", x - y) if difference else ("+", x + y)
    chain.say(f". {x} {sign} {y} = {result}.")
    wording = prompts.DIFFERENCE if difference else prompts.SUM_TWO
    return _turn(rng.choice(wording).format(a=a, b=b), str(result), chain)


def _turn(question: str, answer: str, chain: Chain) -> Turn:
    return Turn(question, answer, None, chain.text, chain.places, tuple(chain.marks))


def _listing(canvas: Canvas | None, items: Items) -> Chain:
    chain = Chain()
    for index, (name, number) in enumerate(items):
        _say_item(chain, canvas, name, number, " ")
        chain.say("," if index + 1 < len(items) else ".")
    return chain


def _say_item(chain: Chain, canvas: Canvas | None, name: str, number: int, between: str) -> None:
    at_name, at_number = (None, None) if canvas is None else _item_places(canvas, name, number)
    if chain.text.endswith((".", ",")):
        chain.say(" ", None if at_name is None else (float(at_name[0, 0]), float(at_name[0, 1])))
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


def _running_sum(canvas: Canvas | None, items: Items) -> Chain:
    """Adds one number after another, reading it where it is added."""
    chain = Chain()
    total = 0
    for index, (name, number) in enumerate(items):
        _say_item(chain, canvas, name, number, " ")
        if index:
            chain.say(f": {total} + {number} = {total + number}")
        total += number
        _mark_item(chain.say("."), name, f"the sum is {total}", f"和是{total}")
    return chain


def _extreme(canvas: Canvas | None, rng: Random, items: Items) -> Turn:
    """The largest or smallest, kept up to date from item to item: the one held so far is said beside each."""
    wording, best, by_name = rng.choice(
        (
            (prompts.LARGEST, max, False),
            (prompts.SMALLEST, min, False),
            (prompts.MOST, max, True),
            (prompts.LEAST, min, True),
        )
    )
    word, chinese = ("largest", "最大的是") if best is max else ("smallest", "最小的是")
    chain = Chain()
    held = items[0]
    for index, item in enumerate(items):
        _say_item(chain, canvas, *item, " ")
        if index:
            chain.say(f", {held[1]}")
        held = best(held, item, key=lambda one: one[1])
        chain.say(f": {word} {held[0]} {held[1]}.")
        _mark_item(chain, item[0], f"the {word} is {held[0]} {held[1]}", f"{chinese}{held[0]} {held[1]}")
    return _turn(rng.choice(wording), held[0] if by_name else str(held[1]), chain)


def _count_over(canvas: Canvas | None, rng: Random, items: Items) -> Turn:
    """How many numbers are larger than a bound, which is said beside each."""
    numbers = sorted(number for _, number in items)
    bound = max(1, rng.choice(numbers) + rng.choice((-2, -1, 0, 1, 2)))
    chain = Chain()
    count = 0
    for name, number in items:
        count += number > bound
        _say_item(chain, canvas, name, number, " ")
        chain.say(f", {bound}: {'yes' if number > bound else 'no'}, {count}.")
        _mark_item(chain, name, f"the count is {count}", f"个数是{count}")
    return _turn(rng.choice(prompts.COUNT_OVER).format(n=bound), str(count), chain)


def _mark_item(chain: Chain, name: str, state: str, chinese: str) -> None:
    """What holds behind an item."""
    chain.mark(
        (f"up to {name} {state}", f"到{name}为止，{chinese}"),
        (f"the items after {name}", f"{name}之后的各项"),
    )


def text_turn(source: TextSource, *, most: int = 6) -> Turn:
    """A sum or up to `most` items without a picture, in the question's own text."""
    rng = source.rng
    if rng.random() < 0.5:
        largest = rng.choice((9, 20, 50, 99, 200) if most < 10 else (9, 20, 50))
        written = make_expression(rng, [rng.randint(1, largest) for _ in range(rng.randint(2, most))])
        text = written.text.rstrip(" =?")
        chain = written.add_to(Chain().say(f"{text}:"))
        return _turn(f"{text} = ?", str(written.total), chain)
    items = draw_items(source, most=most)
    turn = item_turn(None, rng, items)
    listed = ", ".join(f"{name} {number}" for name, number in items)
    return replace(turn, question=f"{listed}. {turn.question}", places=None, thought_places=None)

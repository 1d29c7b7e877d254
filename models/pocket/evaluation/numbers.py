"""Items about lists of numbers: sums, long chains, and the turns of staged reasoning."""

from __future__ import annotations

from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QFontMetricsF

from desktopapp.engine.reasoning.stage_prompts import stage_prompts
from models.pocket import prompts
from models.pocket.conversation import Mark
from models.pocket.evaluation.item import Item
from models.pocket.evaluation.items import INKS, ItemMaker, open_painter
from models.pocket.staging import carry_over, found

_LONG = (6, 10)


class NumberItems:
    """Paints lists of names with a number each, and asks about them.

    Args:
        maker: gives paper, fonts, words and chance.
    """

    def __init__(self, maker: ItemMaker) -> None:
        self._maker = maker
        self._rng = maker.rng

    def sums(self, name: str) -> Item:
        """A sum or difference over two to five numbers."""
        rng = self._rng
        width, height = rng.randint(300, 512), rng.randint(240, 420)
        picture, names, numbers = self._list(name, width, height, (2, 5), (20, 30))
        question, expected = self._ask_sums(names, numbers)
        return Item("sums", (picture,), question, expected)

    def chain(self, name: str) -> Item:
        """A question whose chain has six steps or more."""
        picture, names, numbers = self._long_list(name)
        rng = self._rng
        draw = rng.random()
        if draw < 0.5:
            return Item("chain", (picture,), rng.choice(prompts.SUM_ALL), str(sum(numbers)))
        if draw < 0.75:
            question, expected = self._ask_count(numbers)
            return Item("chain", (picture,), question, expected)
        wording, best = rng.choice(((prompts.MOST, max), (prompts.LEAST, min)))
        return Item("chain", (picture,), rng.choice(wording), names[numbers.index(best(numbers))])

    def notes(self, name: str) -> Item:
        """Go on from a carry-over to the answer, and write it down."""
        picture, names, numbers = self._long_list(name)
        rng = self._rng
        question = rng.choice(prompts.SUM_ALL)
        said = stage_prompts(question)
        mark = self._sum_mark(names, numbers)
        asked = question + said.further_step(carry_over(said, mark))
        return Item("notes", (picture,), asked, found(said, str(sum(numbers))))

    def check(self, name: str) -> Item:
        """Confirm or refute a proposed answer; half of them are wrong, two thirds of the sums come with notes."""
        picture, names, numbers = self._long_list(name)
        rng = self._rng
        is_sum = rng.random() < 0.6
        question, right = (
            (rng.choice(prompts.SUM_ALL), str(sum(numbers))) if is_sum else self._ask_count(numbers)
        )
        said = stage_prompts(question)
        is_right = rng.random() < 0.5
        proposed = right if is_right else str(max(0, int(right) + rng.choice((-10, -3, -1, 1, 2, 10, 20))))
        has_notes = is_sum and rng.random() < 2 / 3
        notes = carry_over(said, self._sum_mark(names, numbers)) if has_notes else ""
        verdict = said.confirmed if proposed == right else said.refuted
        return Item("check", (picture,), question + said.check_of(proposed, notes), f"{verdict} {right}")

    def _sum_mark(self, names: list[str], numbers: list[int]) -> Mark:
        """What a sum has come to somewhere on its way."""
        last = self._rng.randint(1, len(numbers) - 2)
        total = sum(numbers[: last + 1])
        return Mark(
            0,
            (f"up to {names[last]} the sum is {total}", f"到{names[last]}为止，和是{total}"),
            (f"the items after {names[last]}", f"{names[last]}之后的各项"),
        )

    def _long_list(self, name: str) -> tuple[str, list[str], list[int]]:
        width, height = self._rng.randint(300, 500), self._rng.randint(400, 500)
        return self._list(name, width, height, _LONG, (18, 26))

    def _list(
        self, name: str, width: int, height: int, counts: tuple[int, int], sizes: tuple[int, int]
    ) -> tuple[str, list[str], list[int]]:
        """Paint names on the left and numbers on the right; returns the file's name and both."""
        rng = self._rng
        image, dark = self._maker.paper(width, height)
        painter = open_painter(image)
        painter.setPen(QColor(rng.choice(INKS[dark])))
        names: list[str] = []
        count = rng.randint(*counts)
        while len(names) < count:
            word = self._maker.source.plain_word().capitalize()
            if len(word) < 9 and word not in names:
                names.append(word)
        numbers = rng.sample(range(1, 100), count)
        font = self._maker.font(rng.randint(*sizes))
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        gap = min(metrics.height() * rng.uniform(1.0, 1.5), (height - 16) / count)
        y = 8 + rng.random() * (height - 16 - gap * count)
        right = 24 + max(metrics.horizontalAdvance(f"{n} 000") for n in names)
        for word, number in zip(names, numbers, strict=True):
            painter.drawText(QPointF(12, y + metrics.ascent()), word)
            extent = metrics.horizontalAdvance(str(number))
            painter.drawText(QPointF(12 + right - extent, y + metrics.ascent()), str(number))
            y += gap
        painter.end()
        return self._maker.save(image, name), names, numbers

    def _ask_sums(self, names: list[str], numbers: list[int]) -> tuple[str, str]:
        rng = self._rng
        draw = rng.randrange(5)
        a, b = rng.sample(range(len(names)), 2)
        if draw in (0, 1):
            return rng.choice(prompts.SUM_ALL), str(sum(numbers))
        if draw == 2:
            return rng.choice(prompts.SUM_TWO).format(a=names[a], b=names[b]), str(numbers[a] + numbers[b])
        if draw == 3:
            return rng.choice(prompts.SPREAD), str(max(numbers) - min(numbers))
        if numbers[a] < numbers[b]:
            a, b = b, a
        return rng.choice(prompts.DIFFERENCE).format(a=names[a], b=names[b]), str(numbers[a] - numbers[b])

    def _ask_count(self, numbers: list[int]) -> tuple[str, str]:
        bound = self._rng.randint(10, 90)
        question = self._rng.choice(prompts.COUNT_OVER).format(n=bound)
        return question, str(sum(number > bound for number in numbers))

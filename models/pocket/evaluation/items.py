"""The evaluation items: pictures painted by Qt with held-out words, fonts and seeds, questions, right answers."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QFontMetricsF,
    QImage,
    QPainter,
    QPainterPath,
    QPolygonF,
)

from models.pocket import prompts
from models.pocket.evaluation.item import VIDEO_FPS, Item, write_video
from models.pocket.words import TextSource

SEED = 71
SKILLS = ("read", "shapes", "ground", "video", "sums", "chain", "notes", "check")
_PAINTS = {"red": "#d62728", "orange": "#ff9020", "yellow": "#f2d822", "green": "#2ca02c", "blue": "#2457e0",
           "purple": "#8a30b0", "black": "#101010", "white": "#fafafa"}  # fmt: skip
_PAPERS = ("#ffffff", "#f4f1e8", "#e8eef7", "#fdf6e3", "#dddddd", "#1e1e1e", "#20242c", "#0d1b2a", "#282c34")
INKS = {
    False: ("#000000", "#222222", "#1a237e", "#5d1010"),
    True: ("#ffffff", "#e0e0e0", "#ffd866", "#9cdcfe"),
}


class ItemMaker:
    """Paints items; needs a QGuiApplication.

    Args:
        folder: takes the pictures.
        fonts: held-out font files.
        words: held-out words.
        seed: of everything.

    Attributes:
        rng: of every random choice.
        source: of held-out words.
    """

    def __init__(self, folder: Path, fonts: list[Path], words: list[str], seed: int = SEED) -> None:
        self._folder = folder
        self._seed = seed
        self.rng = Random(seed)
        self.source = TextSource(words, self.rng)
        self._fonts: list[tuple[str, str]] = []
        for file in sorted(fonts):
            identifier = QFontDatabase.addApplicationFont(str(file))
            for family in QFontDatabase.applicationFontFamilies(identifier):
                self._fonts += [(family, style) for style in QFontDatabase.styles(family)]
        self._fonts = sorted(set(self._fonts))
        folder.mkdir(parents=True, exist_ok=True)

    def seeded(self, make: Callable[[str], Item], name: str) -> Item:
        """An item by a seed of its own: it is the same however many others are made."""
        self.rng.seed(f"{self._seed}-{name}")
        return make(name)

    def paper(self, width: int, height: int) -> tuple[QImage, bool]:
        """An empty picture, and whether it is dark."""
        image = QImage(width, height, QImage.Format.Format_RGB32)
        paper = QColor(self.rng.choice(_PAPERS))
        image.fill(paper)
        return image, paper.lightness() < 128

    def font(self, size: int) -> QFont:
        """One of the fonts, `size` px an em."""
        family, style = self.rng.choice(self._fonts)
        font = QFontDatabase.font(family, style, 12)
        font.setPixelSize(size)
        return font

    def _line(self, metrics: QFontMetricsF, width: float) -> str:
        """Held-out words, at times a number, that fit."""
        rng = self.rng
        text = ""
        wanted = rng.randint(1, 6)
        for _ in range(wanted):
            word = self.source.word() if rng.random() < 0.85 else str(rng.randint(0, 9999))
            longer = f"{text} {word}".strip()
            if metrics.horizontalAdvance(longer) > width:
                break
            text = longer
        return text

    def _lines(self, painter: QPainter, width: int, height: int) -> list[tuple[str, QRectF]]:
        """One to six lines painted, with their boxes."""
        rng = self.rng
        while True:
            font = self.font(rng.randint(18, 40))
            metrics = QFontMetricsF(font)
            gap = metrics.height() * rng.uniform(1.0, 1.4)
            count = min(rng.randint(1, 6), int((height - 16) / gap))
            if count:
                texts = [self._line(metrics, width - 24) for _ in range(count)]
                if all(texts):
                    break
        painter.setFont(font)
        y = 8 + rng.random() * (height - 16 - gap * count)
        x = 8 + rng.random() * 0.5 * (width - 16 - max(metrics.horizontalAdvance(t) for t in texts))
        lines = []
        for text in texts:
            painter.drawText(QPointF(x, y + metrics.ascent()), text)
            box = metrics.tightBoundingRect(text).translated(x, y + metrics.ascent())
            lines.append((text, box))
            y += gap
        return lines

    def read(self, name: str) -> Item:
        """One to six lines of text, to be read."""
        width, height = self.rng.randint(200, 512), self.rng.randint(130, 512)
        image, dark = self.paper(width, height)
        painter = open_painter(image)
        painter.setPen(QColor(self.rng.choice(INKS[dark])))
        lines = self._lines(painter, width, height)
        painter.end()
        question = self.rng.choice(prompts.READ_ALL)
        return Item("read", (self.save(image, name),), question, "\n".join(text for text, _ in lines))

    def ground(self, name: str) -> Item:
        """A word or a button, to be found."""
        rng = self.rng
        width, height = rng.randint(300, 512), rng.randint(220, 512)
        image, dark = self.paper(width, height)
        painter = open_painter(image)
        painter.setPen(QColor(rng.choice(INKS[dark])))
        if rng.random() < 0.5:
            labels = self._buttons(painter, width, height, dark)
            wording: tuple[str, ...] = prompts.FIND_BUTTON
        else:
            labels = self._words(painter, width, height)
            wording = prompts.FIND_TEXT
        painter.end()
        texts = [text for text, _ in labels]
        single = [label for label in labels if sum(label[0] in text for text in texts) == 1]
        text, box = rng.choice(single or labels)
        sides = (width, height, width, height)
        edges = (box.left(), box.top(), box.right(), box.bottom())
        expected = tuple(round(1000 * edge / side, 1) for edge, side in zip(edges, sides, strict=True))
        return Item("ground", (self.save(image, name),), rng.choice(wording).format(text=text), expected)

    def _words(self, painter: QPainter, width: int, height: int) -> list[tuple[str, QRectF]]:
        """Words of painted lines, each with the box of its ink."""
        words = []
        for text, box in self._lines(painter, width, height):
            metrics = QFontMetricsF(painter.font())
            place = 0
            for word in text.split(" "):
                start = metrics.horizontalAdvance(text[:place])
                end = metrics.horizontalAdvance(text[: place + len(word)])
                words.append((word, QRectF(box.left() + start, box.top(), end - start, box.height())))
                place += len(word) + 1
        return words

    def _buttons(self, painter: QPainter, width: int, height: int, dark: bool) -> list[tuple[str, QRectF]]:
        rng = self.rng
        buttons: list[tuple[str, QRectF]] = []
        wanted = rng.randint(2, 6)
        for _ in range(60):
            if len(buttons) == wanted:
                break
            font = self.font(rng.randint(18, 26))
            metrics = QFontMetricsF(font)
            text = self.source.label()
            pad = rng.uniform(6, 16)
            box = QRectF(0, 0, metrics.horizontalAdvance(text) + 2.4 * pad, metrics.height() + pad)
            if box.width() > width - 8:
                continue
            box.moveTo(
                4 + rng.random() * (width - 8 - box.width()), 4 + rng.random() * (height - 8 - box.height())
            )
            grown = box.adjusted(-6, -6, 6, 6)
            if any(grown.intersects(other) for _, other in buttons):
                continue
            plate = QColor(
                rng.choice(("#3a3f4b", "#0b57d0", "#444444") if dark else ("#d0d7e2", "#0b57d0", "#ffffff"))
            )
            painter.setBrush(plate)
            painter.setPen(QColor("#808080"))
            radius = rng.choice((0, 4, 8))
            painter.drawRoundedRect(box, radius, radius)
            painter.setPen(QColor("#ffffff" if plate.lightness() < 140 else "#101010"))
            painter.setFont(font)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
            buttons.append((text, box))
        return buttons

    def _place_shapes(self, width: int, height: int, most: int, dark: bool) -> list[tuple[str, str, QRectF]]:
        rng = self.rng
        colours = [name for name in _PAINTS if name != ("black" if dark else "white")]
        kinds = ["circle", "square", "triangle", "star", "diamond", "cross"]
        if rng.random() < 0.5:
            colours, kinds = rng.sample(colours, 2), rng.sample(kinds, 2)
        shapes: list[tuple[str, str, QRectF]] = []
        wanted = rng.randint(1, most)
        for _ in range(200):
            if len(shapes) == wanted:
                break
            side = rng.randint(28, int(min(width, height) / 3.4))
            box = QRectF(rng.randint(2, width - side - 2), rng.randint(2, height - side - 2), side, side)
            if not any(box.adjusted(-5, -5, 5, 5).intersects(other) for _, _, other in shapes):
                shapes.append((rng.choice(kinds), rng.choice(colours), box))
        return shapes

    def shapes(self, name: str) -> Item:
        """Coloured shapes, to be counted, named or placed."""
        rng = self.rng
        width, height = rng.randint(256, 512), rng.randint(256, 448)
        image, dark = self.paper(width, height)
        shapes = self._place_shapes(width, height, 8, dark)
        painter = open_painter(image)
        for kind, colour, box in shapes:
            _paint_shape(painter, kind, colour, box)
        painter.end()
        question, expected = self._ask_shapes(shapes, width, height)
        return Item("shapes", (self.save(image, name),), question, expected)

    def _ask_shapes(self, shapes: list[tuple[str, str, QRectF]], width: int, height: int) -> tuple[str, str]:
        rng = self.rng
        kind, colour, box = rng.choice(shapes)
        chinese = rng.random() < 0.3
        draw = rng.randrange(4)
        alike = [shape for shape in shapes if shape[0] == kind]
        if draw == 0:
            full = rng.random() < 0.5
            count = sum(shape[1] == colour for shape in alike) if full else len(alike)
            what = prompts.plural(f"{colour} {kind}" if full else kind)
            if chinese:
                what = (prompts.COLOUR_CHINESE[colour] if full else "") + prompts.SHAPE_CHINESE[kind]
            return _wording(rng, prompts.COUNT_KIND, chinese).format(what=what), str(count)
        if draw == 1 and len(alike) == 1:
            what = prompts.SHAPE_CHINESE[kind] if chinese else kind
            answer = prompts.COLOUR_CHINESE[colour] if chinese else colour
            return _wording(rng, prompts.COLOUR_OF, chinese).format(what=what), answer
        if draw == 2 and sum(shape[1] == colour for shape in alike) == 1:
            column, row = 3 * box.center().x() / width, 3 * box.center().y() / height
            if all(abs(value - border) > 0.15 for value in (column, row) for border in (1, 2)):
                what = f"{colour} {kind}"
                places = prompts.PLACES
                if chinese:
                    what, places = (
                        prompts.COLOUR_CHINESE[colour] + prompts.SHAPE_CHINESE[kind],
                        prompts.PLACES_CHINESE,
                    )
                return _wording(rng, prompts.PLACE_OF, chinese).format(what=what), places[int(row)][
                    int(column)
                ]
        return _wording(rng, prompts.COUNT_SHAPES, chinese), str(len(shapes))

    def video(self, name: str) -> Item:
        """A scene that changes once: when?"""
        rng = self.rng
        width, height = 32 * rng.randint(4, 8), 32 * rng.randint(4, 6)
        frames = 2 * rng.randint(3, 8)
        image, dark = self.paper(width, height)
        shapes = self._place_shapes(width, height, 4, dark)
        later = list(shapes)
        changed = rng.randrange(len(shapes))
        kind, colour, box = shapes[changed]
        if rng.random() < 0.6:
            others = [c for c in ("red", "orange", "green", "blue", "purple") if c != colour]
            later[changed] = (kind, rng.choice(others), box)
        else:
            del later[changed]
        change = rng.randint(1, frames - 1)
        states = []
        for painted in (shapes, later):
            copy = image.copy()
            painter = open_painter(copy)
            for one in painted:
                _paint_shape(painter, *one)
            painter.end()
            states.append(_pixels(copy))
        shown = [states[0] if frame < change else states[1] for frame in range(frames)]
        # The real change lies anywhere between two frames; the answer may be half a second off.
        time = (change - rng.random()) / VIDEO_FPS
        file = f"{name}.avi"
        write_video(self._folder / file, shown)
        return Item("video", (file,), rng.choice(prompts.WHEN), round(time, 3))

    def save(self, image: QImage, name: str) -> str:
        """Write a picture; returns its file name."""
        image.save(str(self._folder / f"{name}.png"))
        return f"{name}.png"


def _pixels(image: QImage) -> NDArray[np.uint8]:
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
    return rows[:, : 3 * rgb.width()].reshape(rgb.height(), rgb.width(), 3).copy()


def _wording(rng: Random, wordings: tuple[str, ...], chinese: bool) -> str:
    return rng.choice([wording for wording in wordings if prompts.is_chinese(wording) is chinese])


def open_painter(image: QImage) -> QPainter:
    """A painter with smooth edges."""
    painter = QPainter(image)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
    return painter


def _paint_shape(painter: QPainter, kind: str, colour: str, box: QRectF) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(_PAINTS[colour]))
    middle, radius = box.center(), box.width() / 2
    if kind == "circle":
        painter.drawEllipse(box)
        return
    if kind == "square":
        painter.drawRect(box.adjusted(radius * 0.25, radius * 0.25, -radius * 0.25, -radius * 0.25))
        return
    if kind == "cross":
        path = QPainterPath()
        path.addRect(QRectF(middle.x() - radius * 0.3, box.top(), radius * 0.6, box.height()))
        arm = QPainterPath()
        arm.addRect(QRectF(box.left(), middle.y() - radius * 0.3, box.width(), radius * 0.6))
        painter.drawPath(path.united(arm))
        return
    corners = {"triangle": 3, "diamond": 4, "star": 10}[kind]
    points = []
    for corner in range(corners):
        turn = 2 * math.pi * corner / corners
        reach = radius * (0.42 if kind == "star" and corner % 2 else 1.0)
        squeeze = 0.7 if kind == "diamond" else 1.0
        points.append(
            QPointF(middle.x() + squeeze * reach * math.sin(turn), middle.y() - reach * math.cos(turn))
        )
    painter.drawPolygon(QPolygonF(points))

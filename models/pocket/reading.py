"""Scenes of text: pages, scattered labels, buttons; reading and finding what they say."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.pocket import prompts
from models.pocket.conversation import Chain, Turn
from models.pocket.scene import Box, Canvas, Line
from models.pocket.words import TextSource

MARGIN_PX = 6
_LINE_GAP_EM = (1.12, 1.9)
_MAX_LINES = 9
_ICON_SHARE = 0.2
# Boxes are told on this grid: the true edge is rarely between two answers then, and no box gets much worse.
BOX_GRID = 10


def paint_page(canvas: Canvas, source: TextSource, *, max_chars: int, fill: bool = False) -> None:
    """Lines of one face, left-aligned or centred, at a random place.

    Args:
        canvas: is painted on.
        source: of the text.
        max_chars: of all lines together.
        fill: as many lines as fit, for the tower's first lessons.
    """
    while not canvas.lines:
        _paint_lines(canvas, source, max_chars, fill=fill)


def _paint_lines(canvas: Canvas, source: TextSource, max_chars: int, *, fill: bool) -> None:
    rng = canvas.rng
    ground = canvas.paint_background()
    face = canvas.choose_face(_most_px(canvas))
    size = float(canvas.atlas.face_size[face])
    gap = size * rng.uniform(*_LINE_GAP_EM)
    most = max(1, int((canvas.height - 2 * MARGIN_PX - size) / gap) + 1)
    count = most if fill else min(most, rng.randint(1, 6) if rng.random() < 0.9 else _MAX_LINES)
    slack = canvas.height - 2 * MARGIN_PX - size - gap * (count - 1)
    baseline = MARGIN_PX + 0.82 * size + rng.random() * max(slack, 0)
    indent = 0 if fill else rng.random() * rng.random() * canvas.width * 0.4
    centred = rng.random() < 0.2
    colour = canvas.ink(ground)
    one_colour = rng.random() < 0.8
    spacing = rng.choice((0.0, 0.0, 0.0, 0.0, rng.uniform(-0.4, 1.5)))
    left = max_chars
    for _ in range(count):
        width = canvas.width - 2 * MARGIN_PX - indent
        text = fit_text(canvas, source, face, width, left, spacing)
        if not text:
            break
        extent = float(canvas.measure(text, face)[1][-1]) + spacing * len(text)
        x = MARGIN_PX + indent + ((width - extent) / 2 if centred else 0)
        if not one_colour:
            colour = canvas.ink(ground)
        canvas.paint_text(text, face, x, baseline, colour, spacing=spacing)
        baseline += gap
        left -= len(text)
        if left < 2:
            break


def paint_labels(canvas: Canvas, source: TextSource, *, max_chars: int) -> list[Box]:
    """Words and buttons at separate places, each with its own face and colours.

    Returns:
        The box of each line: its button's where it stands on one, else its ink's. Lines are in reading order.
    """
    rng = canvas.rng
    ground = canvas.paint_background()
    boxes: list[Box] = []
    face = canvas.choose_face(_most_px(canvas))
    y = float(MARGIN_PX)
    left = max_chars
    while True:
        if rng.random() < 0.5:
            face = canvas.choose_face(_most_px(canvas))
        size = float(canvas.atlas.face_size[face])
        y += rng.random() ** 2 * canvas.height * 0.3
        pad = size * rng.uniform(0.25, 0.7)
        if y + size + 2 * pad > canvas.height - 4:
            return boxes
        x = MARGIN_PX + rng.random() * canvas.width * 0.5
        style = rng.random()
        while x < canvas.width * 0.9:
            text = fit_text(
                canvas, source, face, canvas.width - x - MARGIN_PX - 4 * pad, left, 0.0, label=True
            )
            if not text:
                break
            left -= len(text)
            boxes.append(_paint_label(canvas, text, face, x, y, pad, ground, button=style < 0.6))
            x = boxes[-1][2] + pad + rng.random() * canvas.width * 0.3
            if rng.random() < 0.4:
                break
        if left < 3:
            return boxes
        y += size + 2 * pad + 3


def _paint_label(
    canvas: Canvas,
    text: str,
    face: int,
    x: float,
    y: float,
    pad: float,
    ground: tuple[int, int, int],
    *,
    button: bool,
) -> Box:
    rng = canvas.rng
    size = float(canvas.atlas.face_size[face])
    baseline = y + pad + 0.8 * size
    if not button:
        return canvas.paint_text(text, face, x, baseline, canvas.ink(ground)).box
    extent = float(canvas.measure(text, face)[1][-1])
    side = pad * rng.uniform(1.0, 2.0)
    icon = rng.random() < _ICON_SHARE
    if icon:
        extent += 1.4 * size
    box = (
        float(round(x)),
        float(round(y)),
        float(round(x + extent + 2 * side)),
        float(round(y + size + 2 * pad)),
    )
    plate = canvas.ink(ground) if rng.random() < 0.5 else tuple(_near(canvas, channel) for channel in ground)
    radius = rng.choice((0.0, 0.0, size * 0.25, size * 0.5))
    if rng.random() < 0.4:
        canvas.paint_rectangle(box, canvas.ink(ground), radius)
        inner = (box[0] + 1, box[1] + 1, box[2] - 1, box[3] - 1)
        canvas.paint_rectangle(inner, (plate[0], plate[1], plate[2]), radius)
    else:
        canvas.paint_rectangle(box, (plate[0], plate[1], plate[2]), radius)
    ink = canvas.ink((plate[0], plate[1], plate[2]))
    if icon:
        canvas.paint_icon(x + side, baseline - 0.35 * size, 1.2 * size, ink)
        side += 1.4 * size
    canvas.paint_text(text, face, x + side, baseline, ink)
    return box


def _most_px(canvas: Canvas) -> float:
    """Em of letters that fit the picture some times over."""
    return min(canvas.height / 2.2, canvas.width / 5)


def _near(canvas: Canvas, channel: int) -> int:
    return max(0, min(255, channel + canvas.rng.choice((-1, 1)) * canvas.rng.randint(10, 40)))


def fit_text(
    canvas: Canvas,
    source: TextSource,
    face: int,
    width: float,
    left: int,
    spacing: float,
    *,
    label: bool = False,
) -> str:
    """Text that is at most `width` px wide and `left` characters long; empty if none is."""
    rng = canvas.rng
    guess = int(width / (0.42 * float(canvas.atlas.face_size[face])))
    length = min(left, guess)
    if length < 2:
        return ""
    if label:
        text = source.label() if rng.random() < 0.75 else source.line(min(length, 12))
    else:
        text = source.line(length if rng.random() < 0.7 else max(2, int(length * rng.random())))
    text = text[:length]
    pens = canvas.measure(text, face)[1] + spacing * np.arange(len(text) + 1, dtype=np.float32)
    fits = int(np.searchsorted(pens, width, side="right")) - 1
    if label and fits < len(text):
        return ""
    return text[:fits].strip() if fits >= 1 else ""


def read_turn(canvas: Canvas, lines: list[Line]) -> Turn:
    """Read everything, line after line."""
    text = "\n".join(line.text for line in lines)
    thought = f"The picture has {len(lines)} line{'s' if len(lines) > 1 else ''} of text."
    return Turn(canvas.rng.choice(prompts.READ_ALL), text, places_of(lines), thought)


def places_of(lines: list[Line]) -> NDArray[np.float32]:
    """Where each character of the joined lines is; a line end looks at the next line's start."""
    parts = []
    for index, line in enumerate(lines):
        if index:
            parts.append(np.array([[line.x[0], line.y]], np.float32))
        parts.append(np.column_stack([line.x, np.full(len(line.x), line.y, np.float32)]))
    return np.concatenate(parts).astype(np.float32)


def line_turn(canvas: Canvas, lines: list[Line]) -> Turn:
    """Read one line, or count them."""
    rng = canvas.rng
    draw = rng.random()
    thought = f"The picture has {len(lines)} line{'s' if len(lines) > 1 else ''} of text."
    if draw < 0.15:
        return Turn(rng.choice(prompts.COUNT_LINES), str(len(lines)), None, thought)
    index = 0 if draw < 0.3 else len(lines) - 1 if draw < 0.45 else rng.randrange(len(lines))
    wording = prompts.READ_FIRST if draw < 0.3 else prompts.READ_LAST if draw < 0.45 else prompts.READ_LINE
    question = rng.choice(wording).format(n=index + 1)
    return Turn(question, lines[index].text, places_of([lines[index]]), thought)


def find_word_turn(canvas: Canvas, lines: list[Line]) -> Turn | None:
    """Ground one word that stands in the picture once; None if there is none."""
    rng = canvas.rng
    words = " ".join(line.text for line in lines).split(" ")
    for _ in range(4):
        index = rng.randrange(len(lines))
        line = lines[index]
        word = rng.choice(line.text.split(" "))
        if len(word) < 2 or '"' in word or sum(word in other for other in words) != 1:
            continue
        start = line.text.index(word)
        step = float(line.x[-1] - line.x[0]) / max(1, len(line.text) - 1)
        box = line.part(start, start + len(word), step)
        return _find_turn(canvas, prompts.FIND_TEXT, word, box, f'"{word}" is in line {index + 1}.')
    return None


def find_label_turn(canvas: Canvas, lines: list[Line], boxes: list[Box]) -> Turn | None:
    """Ground a label or button; None if all texts are doubled."""
    rng = canvas.rng
    index = rng.randrange(len(lines))
    text = lines[index].text
    if '"' in text or sum(text in line.text for line in lines) != 1:
        return None
    button = boxes[index] != lines[index].box
    wording = prompts.FIND_BUTTON if button else prompts.FIND_TEXT
    return _find_turn(canvas, wording, text, boxes[index], f'"{text}" is label {index + 1} of {len(lines)}.')


def read_box_turn(canvas: Canvas, lines: list[Line], boxes: list[Box]) -> Turn:
    """Read what stands in a box."""
    index = canvas.rng.randrange(len(lines))
    # A person's box is on no grid.
    rough = (max(0, min(1000, v + canvas.rng.randint(-5, 5))) for v in relative_box(canvas, boxes[index]))
    box = "[" + ", ".join(str(v) for v in rough) + "]"
    question = canvas.rng.choice(prompts.READ_BOX).format(box=box)
    return Turn(question, lines[index].text, places_of([lines[index]]), "I look at that place.")


def absent_turn(canvas: Canvas, source: TextSource, lines: list[Line]) -> Turn | None:
    """Ask for a word that is not there; None if it happens to be."""
    word = source.plain_word()
    if any(word.lower() in line.text.lower() for line in lines):
        return None
    question = canvas.rng.choice(prompts.FIND_TEXT).format(text=word)
    answer = prompts.NOT_THERE_CHINESE if prompts.is_chinese(question) else prompts.NOT_THERE
    return Turn(question, answer, None, f'I do not see "{word}".')


def _find_turn(canvas: Canvas, wording: tuple[str, ...], text: str, box: Box, thought: str) -> Turn:
    answer, places = box_answer(canvas, box, text)
    return Turn(canvas.rng.choice(wording).format(text=text), answer, places, thought)


def box_answer(canvas: Canvas, box: Box, label: str) -> tuple[str, NDArray[np.float32]]:
    """The `bbox_2d` JSON of a box in px; each character looks at the edge that it tells."""
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    answer = Chain().say("[", middle)
    for part, place in box_parts(canvas, box):
        answer.say(part, place)
    answer.say(f', "label": "{label}"}}]', middle)
    return answer.text, answer.places


def box_parts(canvas: Canvas, box: Box) -> list[tuple[str, tuple[float, float]]]:
    """An opened JSON object with a box in px, in parts, each with the edge that it tells."""
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    edges = ((box[0], middle[1]), (middle[0], box[1]), (box[2], middle[1]), (middle[0], box[3]))
    values = relative_box(canvas, box)
    told = [(f"{value}{', ' if i < 3 else ''}", edges[i]) for i, value in enumerate(values)]
    return [('{"bbox_2d": [', middle), *told, ("]", middle)]


def relative_box(canvas: Canvas, box: Box) -> tuple[int, int, int, int]:
    """A box in thousandths of the picture's width and height, on the grid of `BOX_GRID`."""
    sides = (canvas.width, canvas.height, canvas.width, canvas.height)
    steps = 1000 // BOX_GRID
    a, b, c, d = (max(0, min(steps, round(steps * v / side))) for v, side in zip(box, sides, strict=True))
    return a * BOX_GRID, b * BOX_GRID, c * BOX_GRID, d * BOX_GRID

"""Scenes as pages and windows have them: dense paragraphs, tables, and single lines on a strip, with icons and edges."""

from __future__ import annotations

import numpy as np

from models.pocket.reading import MARGIN_PX, fit_text
from models.pocket.scene import Canvas, Line, Rgb
from models.pocket.words import TextSource

_PARAGRAPH_GAP_EM = (1.08, 1.5)
_LETTERS_A_LINE = 16
_TWO_FACES_SHARE = 0.35


def paint_paragraph(canvas: Canvas, source: TextSource, *, max_chars: int) -> None:
    """Close lines of running text over the whole width, at times in two paragraphs or with a heading."""
    while not canvas.lines:
        canvas.clear()
        _paint_paragraph(canvas, source, max_chars)


def _paint_paragraph(canvas: Canvas, source: TextSource, max_chars: int) -> None:
    rng = canvas.rng
    ground = canvas.paint_background(dark=rng.random() < 0.25)
    face = canvas.choose_face(max(canvas.width / _LETTERS_A_LINE, 11))
    size = float(canvas.atlas.face_size[face])
    gap = size * rng.uniform(*_PARAGRAPH_GAP_EM)
    left, right = (rng.choice((1, 2, MARGIN_PX, rng.random() * canvas.width * 0.1)) for _ in range(2))
    most = max(1, int((canvas.height - 4 - size) / gap) + 1)
    count = min(most, rng.randint(2, 14))
    baseline = 2 + 0.8 * size + rng.random() * max(0.0, canvas.height - 4 - size - gap * (count - 1))
    ink = canvas.ink(ground)
    text = source.paragraph(max_chars)
    width = canvas.width - left - right
    second = _second_face(canvas, face) if rng.random() < _TWO_FACES_SHARE else face
    lines = _wrap(canvas, text, face, width if second == face else 0.9 * width, max_chars)
    second_ink = ink if rng.random() < 0.6 else canvas.ink(ground)
    for line in lines[:count]:
        if baseline + 0.2 * size > canvas.height:
            break
        if second == face:
            canvas.paint_text(line, face, left, baseline, ink)
        else:
            _paint_in_two_faces(canvas, line, (face, second), (left, baseline), (ink, second_ink))
        baseline += gap * (1.6 if rng.random() < 0.05 else 1.0)
    if canvas.lines:
        _cut_lines(canvas, source, face, ink)


def _second_face(canvas: Canvas, face: int) -> int:
    """Another face of about the same size, as code and emphasis have."""
    sizes = canvas.atlas.face_size
    for _ in range(80):
        other = canvas.rng.randrange(len(sizes))
        if abs(float(sizes[other]) / float(sizes[face]) - 0.97) < 0.08:
            return other
    return face


def _paint_in_two_faces(
    canvas: Canvas, text: str, faces: tuple[int, int], start: tuple[float, float], inks: tuple[Rgb, Rgb]
) -> None:
    """A line whose words stand in one face or the other; one that runs out of the picture is left out."""
    rng = canvas.rng
    x, baseline = start
    gap = float(canvas.atlas.advance[faces[0], 0])
    kind = int(rng.random() < 0.3)
    parts: list[tuple[int, str]] = []
    for word in text.split(" "):
        if parts and parts[-1][0] == kind:
            parts[-1] = (kind, f"{parts[-1][1]} {word}")
        else:
            parts.append((kind, word))
        kind = int(rng.random() < (0.5 if kind else 0.15))
    ends = [float(canvas.measure(part, faces[which])[1][-1]) for which, part in parts]
    if x + sum(ends) + gap * (len(parts) - 1) > canvas.width - 1:
        return
    cells: list[Line] = []
    for (which, part), extent in zip(parts, ends, strict=True):
        cells.append(canvas.paint_text(part, faces[which], x, baseline, inks[which]))
        x += extent + gap
    del canvas.lines[-len(cells) :]
    canvas.lines.append(join_cells(cells))


def _wrap(canvas: Canvas, text: str, face: int, width: float, max_chars: int) -> list[str]:
    """Lines of whole words that fit, `max_chars` at most."""
    pens = canvas.measure(text, face)[1]
    lines: list[str] = []
    start = 0
    while start < min(len(text), max_chars):
        fits = int(np.searchsorted(pens, pens[start] + width, side="right")) - 1
        end = min(fits, max_chars)
        if end < len(text):
            end = text.rfind(" ", start, end + 1)
        if end <= start:
            break
        lines.append(text[start:end])
        start = end + 1
    return lines


def _cut_lines(canvas: Canvas, source: TextSource, face: int, ink: Rgb) -> None:
    """At times the edges cut through the line before and the line behind."""
    rng = canvas.rng
    size = float(canvas.atlas.face_size[face])
    for edge, free in (
        (canvas.lines[0].box[1], canvas.lines[0].box[1]),
        (canvas.height, canvas.height - canvas.lines[-1].box[3]),
    ):
        if rng.random() < 0.75 or free > 0.5 * size:
            continue
        text = fit_text(canvas, source, face, canvas.width - 2 * MARGIN_PX, 80, 0.0)
        # Descenders and no more, or the tips of capitals.
        baseline = -1.0 if edge != canvas.height else canvas.height + 0.62 * size
        if text:
            canvas.paint_scrap(text, face, MARGIN_PX, baseline, ink)


def paint_table(canvas: Canvas, source: TextSource, *, max_chars: int) -> list[list[Line]]:
    """Rows of two to four cells, which are returned."""
    rows: list[list[Line]] = []
    while not rows:
        canvas.clear()
        rows = _paint_table(canvas, source, max_chars)
    return rows


def _paint_table(canvas: Canvas, source: TextSource, max_chars: int) -> list[list[Line]]:
    rng = canvas.rng
    ground = canvas.paint_background()
    face = canvas.choose_face(max(min(canvas.height / 3, canvas.width / 12), 11))
    size = float(canvas.atlas.face_size[face])
    gap = size * rng.uniform(1.2, 2.4)
    columns = rng.randint(2, 4 if canvas.width > 16 * size else 2)
    count = max(1, min(rng.randint(1, 8), int((canvas.height - 8) / gap)))
    top = 4 + rng.random() * max(0.0, canvas.height - 8 - gap * count)
    starts = sorted(rng.uniform(0, 0.8) for _ in range(columns - 1))
    edges = [4.0 + rng.random() * 8, *(s * canvas.width + 12 for s in starts), float(canvas.width - 2)]
    _rule_table(canvas, ground, top, gap, count)
    ink = canvas.ink(ground)
    rows: list[list[Line]] = []
    left = max_chars
    for row in range(count):
        baseline = top + row * gap + gap / 2 + 0.35 * size
        cells: list[Line] = []
        for column in range(columns):
            width = edges[column + 1] - edges[column] - 0.6 * size
            text = fit_text(canvas, source, face, width, min(left, 24), 0.0, label=rng.random() < 0.5)
            if text:
                cells.append(canvas.paint_text(text, face, edges[column], baseline, ink))
                left -= len(text) + 1
        if cells:
            rows.append(cells)
    return rows


def _rule_table(canvas: Canvas, ground: Rgb, top: float, gap: float, count: int) -> None:
    """No rules, rules below rows, or every other row shaded."""
    rng = canvas.rng
    style = rng.random()
    if style < 0.4:
        return
    shade: Rgb = (
        (ground[0] + canvas.ink(ground)[0]) // 2,
        (ground[1] + canvas.ink(ground)[1]) // 2,
        (ground[2] + canvas.ink(ground)[2]) // 2,
    )
    faint: Rgb = (
        (7 * ground[0] + shade[0]) // 8,
        (7 * ground[1] + shade[1]) // 8,
        (7 * ground[2] + shade[2]) // 8,
    )
    for row in range(count + 1):
        y = top + row * gap
        if style < 0.75:
            canvas.paint_rectangle((2.0, y - 0.5, canvas.width - 2.0, y + 0.5), shade)
        elif row % 2 and row < count:
            canvas.paint_rectangle((2.0, y, canvas.width - 2.0, y + gap), faint)


def join_cells(cells: list[Line]) -> Line:
    """Cells of a row as one line; the space between two looks at the second."""
    xs = [cells[0].x]
    for cell in cells[1:]:
        xs += [cell.x[:1], cell.x]
    boxes = np.array([cell.box for cell in cells])
    left, top = boxes[:, :2].min(0)
    right, bottom = boxes[:, 2:].max(0)
    text = " ".join(cell.text for cell in cells)
    return Line(text, (float(left), float(top), float(right), float(bottom)), np.concatenate(xs), cells[0].y)


def paint_strip(canvas: Canvas, source: TextSource, *, max_chars: int) -> None:
    """A line or two, as a label or a row of a window is cropped: with an icon, a frame, or the neighbours' edges."""
    while not canvas.lines:
        canvas.clear()
        _paint_strip(canvas, source, max_chars)


def _paint_strip(canvas: Canvas, source: TextSource, max_chars: int) -> None:
    rng = canvas.rng
    ground = canvas.paint_background()
    face = canvas.choose_face(min(canvas.height / 1.35, canvas.width / 4))
    size = float(canvas.atlas.face_size[face])
    if rng.random() < 0.35:
        ground = _frame(canvas, ground, size)
    ink = canvas.ink(ground)
    gap = size * rng.uniform(1.15, 1.5)
    count = min(rng.choice((1, 1, 1, 2, 3)), max(1, int((canvas.height - 4) / gap)))
    baseline = (canvas.height - gap * (count - 1)) / 2 + 0.36 * size + rng.uniform(-0.15, 0.15) * size
    x = rng.choice(
        (3.0, float(MARGIN_PX), rng.random() * canvas.width * 0.3, rng.random() * canvas.width * 0.7)
    )
    if rng.random() < 0.35:
        x += canvas.paint_icon(x, baseline - 0.36 * size, 1.5 * size, ink) + rng.uniform(0.25, 0.9) * size
    left = max_chars
    full = rng.random() < 0.5
    for _ in range(count):
        room = canvas.width - x - 4
        if full:
            lines = _wrap(canvas, source.paragraph(left), face, room, left)
            text = lines[0] if lines else ""
        else:
            text = fit_text(canvas, source, face, room, left, 0.0, label=rng.random() < 0.6)
        if not text:
            return
        end = canvas.paint_text(text, face, x, baseline, ink).box[2]
        if count == 1 and rng.random() < 0.1 and end + 2.5 * size < canvas.width:
            canvas.paint_icon(end + 0.5 * size, baseline - 0.36 * size, 1.5 * size, ink)
        left -= len(text)
        baseline += gap
        if left < 2:
            return


def _frame(canvas: Canvas, ground: Rgb, size: float) -> Rgb:
    """A plate or the edge of one around the line; returns the colour below the text."""
    rng = canvas.rng
    margin = rng.uniform(0, 0.3) * size
    box = (margin, margin, canvas.width - margin, canvas.height - margin)
    radius = rng.choice((0.0, 0.2, 0.5)) * size
    edge = canvas.ink(ground)
    canvas.paint_rectangle(box, edge, radius)
    plate = ground if rng.random() < 0.5 else edge
    inner = (box[0] + 1, box[1] + 1, box[2] - 1, box[3] - 1)
    canvas.paint_rectangle(inner, plate, max(0.0, radius - 1))
    return plate

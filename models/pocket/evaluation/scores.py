"""How answers are scored."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

_TIME = re.compile(r"(\d+):(\d\d(?:\.\d+)?)")


def edit_distance(a: str, b: str) -> int:
    """Fewest insertions, deletions and replacements that turn `a` into `b` (Levenshtein)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1]


def character_error_rate(pairs: Sequence[tuple[str, str]]) -> float:
    """Edits over characters that should have been read, all items together.

    Args:
        pairs: (read, written).
    """
    edits = sum(edit_distance(read.strip(), written) for read, written in pairs)
    return edits / max(1, sum(len(written) for _, written in pairs))


def is_exact(answer: str, expected: str) -> bool:
    """Whether an answer is the expected one, but for case, a final full stop and white space around it."""
    return answer.strip().rstrip(".").lower() == expected.strip().rstrip(".").lower()


def read_box(answer: str) -> tuple[float, float, float, float] | None:
    """The first `bbox_2d` of an answer, or None."""
    found = re.search(r"\[\s*\{.*?\}\s*\]", answer, re.DOTALL)
    try:
        x0, y0, x1, y1 = (float(value) for value in json.loads(found[0] if found else "")[0]["bbox_2d"])
    except (ValueError, KeyError, TypeError):
        return None
    return x0, y0, x1, y1


def overlap(a: Sequence[float], b: Sequence[float]) -> float:
    """Intersection over union of two boxes (left, top, right, bottom)."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    common = max(0.0, width) * max(0.0, height)
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common
    return common / both if both > 0 else 0.0


def read_time_s(answer: str) -> float | None:
    """The first `mm:ss.ff` of an answer in seconds, or None."""
    found = _TIME.search(answer)
    return int(found[1]) * 60 + float(found[2]) if found else None

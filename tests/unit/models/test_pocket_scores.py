from __future__ import annotations

import pytest

from models.pocket.evaluation.scores import (
    character_error_rate,
    edit_distance,
    is_exact,
    overlap,
    read_box,
    read_time_s,
)


@pytest.mark.parametrize(
    ("a", "b", "edits"), [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("ab", "ba", 2)]
)
def test_edit_distance(a: str, b: str, edits: int) -> None:
    assert edit_distance(a, b) == edit_distance(b, a) == edits


def test_error_rate_counts_all_characters_together() -> None:
    assert character_error_rate([("abcd", "abcd"), ("", "ef")]) == pytest.approx(2 / 6)


def test_exact_forgives_case_and_a_full_stop_only() -> None:
    assert is_exact(" Red.\n", "red")
    assert not is_exact("12", "120")


@pytest.mark.parametrize(
    ("answer", "box"),
    [
        ('[{"bbox_2d": [1, 2, 30, 40], "label": "a"}]', (1, 2, 30, 40)),
        ('```json\n[\n\t{"bbox_2d": [1, 2, 30, 40], "label": "a"}\n]\n```', (1, 2, 30, 40)),
        ('[{"bbox_2d": [1, 2, 30], "label": "a"}]', None),
        ('[{"bbox": [1, 2, 30, 40]}]', None),
        ("It is not in the picture.", None),
        ("", None),
    ],
)
def test_box(answer: str, box: tuple[float, ...] | None) -> None:
    assert read_box(answer) == box


def test_overlap() -> None:
    assert overlap((0, 0, 10, 10), (0, 0, 10, 10)) == 1
    assert overlap((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 1, 1), (2, 2, 3, 3)) == 0


def test_time() -> None:
    assert read_time_s("At 01:02.25 it turns red.") == 62.25
    assert read_time_s("never") is None

"""Page ranges and times as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktopapp.engine.media.selection_text import format_time, parse_pages, parse_time


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        ("", (1, None)),
        ("3", (3, 3)),
        ("3-7", (3, 7)),
        ("3 – 7", (3, 7)),
        ("3-", (3, None)),
        ("-7", (1, 7)),
        ("7-3", None),
        ("0", None),
        ("11", None),
        ("x", None),
        ("1,2", None),
        ("²", None),
    ],
)
def test_pages(text: str, pages: tuple[int, int | None] | None) -> None:
    assert parse_pages(text, 10) == pages


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        ("0:07.5", 7.5),
        ("2:03", 123),
        ("1:02:03", 3723),
        ("x", None),
        ("1:2:3:4", None),
        ("-1", None),
    ],
)
def test_times(text: str, seconds: float | None) -> None:
    assert parse_time(text) == seconds


@given(st.integers(0, 999_990))
def test_a_written_time_is_read_back(tenths: int) -> None:
    assert parse_time(format_time(tenths / 10)) == pytest.approx(tenths / 10)


def test_how_times_are_written() -> None:
    assert [format_time(s) for s in (0, 7, 59.96, 750, 3723, 61.5)] == [
        "0:00",
        "0:07",
        "1:00",
        "12:30",
        "1:02:03",
        "1:01.5",
    ]

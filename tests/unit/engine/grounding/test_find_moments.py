"""Seconds of a video out of answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktopapp.engine.grounding.find_moments import find_moments


@pytest.mark.parametrize(
    ("text", "moments"),
    [
        ("At 0:07 the light turns red.", [(7, None)]),
        ("It happens at 00:12.50.", [(12.5, None)]),
        ("From 00:12 - 00:15 a car passes", [(12, 15)]),
        ("1:02:03 – 1:02:10: credits", [(3723, 3730)]),
        ("after 12.5 seconds", [(12.5, None)]),
        ("between 3 and 4, 5-8 s", [(5, 8)]),
        ("<3.0 seconds>", [(3, None)]),
        ("在第 8 秒，灯变红。", [(8, None)]),
        ("The ratio 16:9 and version 1.2.3", []),
        ("There are 3 cars and 2024 people", []),
        ('{"start": "00:01.20", "end": "00:04.00", "event": "A door opens"}', [(1.2, 4.0)]),
        ('{"start_time": 2, "end_time": 3.5, "description": "x"}', [(2, 3.5)]),
        (
            '[{"start": "0:01", "end": "0:02", "event": "a"}, {"start": "0:03", "end": "0:04", "event": "b"}]',
            [(1, 2), (3, 4)],
        ),
        ("{'time': '0:07', 'label': 'it\\'s on'}", [(7, None)]),
        ('[{"time": 1.0, "bbox_2d": [1, 2, 3, 4], "label": "a"}]', [(1, None)]),
    ],
)
def test_times(text: str, moments: list[tuple[float, float | None]]) -> None:
    assert [(moment.start_s, moment.end_s) for moment in find_moments(text)] == moments


def test_what_happens_is_the_rest_of_the_line() -> None:
    text = '- **0:07** The light turns red.\n{"start": "0:09", "end": "0:10", "event": "A horn"}\n'
    moments = find_moments(text)
    assert [moment.label for moment in moments] == ["The light turns red", "A horn"]
    assert text[moments[0].start : moments[0].end] == "0:07"


def test_events_in_one_line_keep_their_own_words() -> None:
    text = '[{"start": "0:01", "end": "0:02", "event": "it rests"}, {"start": "0:03", "end": "0:04", "event": "it goes"}]'
    assert [moment.label for moment in find_moments(text)] == ["it rests", "it goes"]


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_any_text_is_survived(text: str) -> None:
    for moment in find_moments(text):
        assert moment.start_s >= 0
        assert moment.end_s is None or moment.end_s >= 0
        assert 0 <= moment.start < moment.end <= len(text)

"""Calls of the zoom tool are read as the model writes them, whole or broken, and never reach the answer's text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktopapp.engine.zoom.call import read_zoom_call
from desktopapp.engine.zoom.call_filter import CallFilter
from desktopapp.engine.zoom.crop import widen

CALL = '\n{"name": "image_zoom_in_tool", "arguments": {"label": "the sign", "bbox_2d": [100, 200, 300, 400], "img_idx": 1}}\n'


def test_a_call_as_the_model_writes_it() -> None:
    call = read_zoom_call(CALL)
    assert call is not None
    assert (call.picture, call.box, call.label) == (1, (100, 200, 300, 400), "the sign")


@pytest.mark.parametrize(
    ("text", "picture", "box"),
    [
        ('{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [1, 2, 3, 4]', 0, (1, 2, 3, 4)),
        ("{'name': 'image_zoom_in_tool', 'arguments': {'bbox_2d': [9, 8, 3, 4]}}", 0, (3, 4, 9, 8)),
        (
            '{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [-5, 0, 1004, 500]}}',
            0,
            (0, 0, 1000, 500),
        ),
        ('{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [5, 5, 5, 9]}}', 0, None),
        ('{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": "all", "img_idx": "x"}}', -1, None),
        ('{"name": "image_zoom_in_tool", "arguments": "none"}', 0, None),
        ('{"name": "image_zoom_in_tool"}', 0, None),
    ],
)
def test_odd_calls(text: str, picture: int, box: tuple[float, ...] | None) -> None:
    call = read_zoom_call(text)
    assert call is not None
    assert (call.picture, call.box) == (picture, box)


@pytest.mark.parametrize("text", ["", "{}", '{"name": "computer_use", "arguments": {}}', "zoom in please"])
def test_what_is_no_call_of_this_tool(text: str) -> None:
    assert read_zoom_call(text) is None


@given(
    st.lists(st.integers(1, 40)), st.sampled_from(["", "I look closer.\n\n", "a < b <tool", "<<tool_call"])
)
def test_a_call_is_kept_out_of_the_text_however_it_is_cut(cuts: list[int], before: str) -> None:
    text, shown, calls = f"{before}<tool_call>{CALL}</tool_call>", "", CallFilter()
    while text:
        size = cuts.pop() if cuts else 7
        shown += calls.feed(text[:size])
        text = text[size:]
    assert calls.is_complete
    assert shown + calls.flush() == before.rstrip("\n")
    assert calls.take_call().lstrip("\n") == f"<tool_call>{CALL}</tool_call>"
    assert calls.take_call() == ""


@given(st.text(alphabet="<tool_cal>/ab \n", max_size=80))
def test_other_text_comes_out_whole(text: str) -> None:
    calls = CallFilter()
    shown = "".join(calls.feed(char) for char in text) + calls.flush()
    assert shown + calls.take_call() == text
    assert "<tool_call>" in text or not calls.has_begun


def test_another_tools_call_is_text_and_what_follows_as_well() -> None:
    text = 'Say <tool_call>{"name": "other"}</tool_call>, then go on <b>.'
    for size in (1, 5, 200):
        calls = CallFilter()
        shown = "".join(calls.feed(text[at : at + size]) for at in range(0, len(text), size)) + calls.flush()
        assert (shown, calls.has_begun) == (text, False)


def test_an_opening_that_nothing_closes_comes_out() -> None:
    text = "<tool_call>" + "word " * 1_000
    calls = CallFilter()
    assert "".join(calls.feed(char) for char in text) + calls.flush() == text


@given(
    st.tuples(st.floats(0, 990), st.floats(0, 990), st.floats(0.5, 1000), st.floats(0.5, 1000)),
    st.integers(1, 5000),
    st.integers(1, 5000),
)
def test_a_box_is_widened_to_what_can_be_looked_at(
    start_size: tuple[float, ...], width: int, height: int
) -> None:
    x1, y1 = start_size[:2]
    box = (x1, y1, min(1000, x1 + start_size[2]), min(1000, y1 + start_size[3]))
    wide = widen(box, width, height)
    assert 0 <= wide[0] < wide[2] <= 1000
    assert 0 <= wide[1] < wide[3] <= 1000
    for axis, side in ((0, width), (1, height)):
        assert (wide[axis + 2] - wide[axis]) * side / 1000 >= min(32, side) - 1e-6
        assert wide[axis] <= box[axis] + 0.2
        assert wide[axis + 2] >= box[axis + 2] - 0.2

"""What of a cut thought goes into the next step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktopapp.engine.reasoning.carried_thought import last_sentences


@pytest.mark.parametrize(
    ("thought", "most", "carried"),
    [
        ("One is 1. Two is 2. Three", 99, "One is 1. Two is 2. Three"),
        ("One is 1. Two is 2. Three", 20, "Two is 2. Three"),
        ("One is 1. Two is 2. Three", 15, "Two is 2. Three"),
        ("One is 1. Two is 2. Three", 14, "Three"),
        ("One is 1. Two is 2. ", 10, "Two is 2. "),
        ("One is 1. Two is 2.\n\n", 9, "Two is 2."),
        ("It is 3.1415926 and so on", 10, " and so on"),
        ("甲是一。乙是二。丙是", 8, "乙是二。丙是"),
        ("nospacesatall", 5, "atall"),
        ("", 5, ""),
        ("Done.", 0, ""),
    ],
)
def test_it_begins_with_a_sentence_where_one_fits(thought: str, most: int, carried: str) -> None:
    assert last_sentences(thought, most) == carried


@given(st.text("ab .!\n。3", max_size=60), st.integers(0, 70))
def test_it_is_an_end_of_the_thought_and_never_too_long(thought: str, most: int) -> None:
    carried = last_sentences(thought, most)
    assert thought.rstrip("\n").endswith(carried)
    assert len(carried) <= most

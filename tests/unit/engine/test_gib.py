from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from desktopapp.engine.gib import gib_had, gib_needed

GIB = 2**30


def test_round_sizes_stay() -> None:
    for size_bytes, words in ((12 * GIB, "12.00"), (GIB // 4, "0.25"), (0, "0.00")):
        assert gib_needed(size_bytes) == gib_had(size_bytes) == words


@given(st.integers(0, 2**45), st.integers(1, 2**40))
def test_what_is_needed_is_told_to_be_more(had_bytes: int, missing_bytes: int) -> None:
    assert float(gib_needed(had_bytes + missing_bytes)) > float(gib_had(had_bytes))
    assert float(gib_needed(missing_bytes)) > 0

from __future__ import annotations

import random
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from desktopapp.engine.reasoning.loops import LoopDetector


def found_at(tokens: Iterable[int], text: str = "") -> int | None:
    detector = LoopDetector()
    return next((number for number, token in enumerate(tokens) if detector.add(token, text)), None)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 99), min_size=1, max_size=200), st.integers(0, 2**32))
def test_a_cycle_is_found_within_a_few_rounds(cycle: list[int], seed: int) -> None:
    rng = random.Random(seed)
    start = [rng.randrange(100_000) for _ in range(150)]
    found = found_at(start + cycle * (64 + 6 * 200 // len(cycle)))
    assert found is not None
    assert found <= len(start) + max(5 * len(cycle), 64) + 64


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
def test_random_words_are_no_loop(seed: int) -> None:
    rng = random.Random(seed)
    assert found_at(rng.randrange(500) for _ in range(4000)) is None


def test_a_long_sum_byte_by_byte_is_no_loop() -> None:
    total, chain = 0, []
    for number in range(1, 400):
        chain.append(f"{total} + {number * 37 % 97} = {total + number * 37 % 97}. ")
        total += number * 37 % 97
    assert found_at("".join(chain).encode()) is None


def test_a_loop_that_varies_a_little_is_found() -> None:
    rng = random.Random(3)
    phrase = [rng.randrange(10_000) for _ in range(80)]
    tokens = []
    for _ in range(40):
        tokens += [*phrase, rng.randrange(10_000)]
    assert found_at(tokens) is not None


def test_a_paragraph_for_the_third_time_is_a_loop() -> None:
    paragraph = "Wait, let me look at the second picture again, since the price may be another one.\n"
    detector = LoopDetector()
    found = []
    for number in range(3):
        found.append(detector.add(number, paragraph))
        found.append(detector.add(100 + number, f"Something else comes between, number {number}.\n"))
    assert found == [False, False, False, False, True, False]


def test_short_lines_may_come_again() -> None:
    detector = LoopDetector()
    assert not any(detector.add(number, "So:\n") for number in range(30))

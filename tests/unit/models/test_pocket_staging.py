"""The turns of staged reasoning that Thinking is taught: what they claim is so, and only what may be taught counts."""

from __future__ import annotations

import re
from random import Random

import numpy as np
import pytest

from desktopapp.engine.reasoning.stage_prompts import CHINESE, ENGLISH, stage_prompts
from models.pocket.conversation import Tokens, Turn
from models.pocket.prompts import SUM_ALL, is_chinese
from models.pocket.shape import THOUGHT_END_ID
from models.pocket.staging import can_be_staged, carry_over, cut_turn, stage_turn
from models.pocket.sums import make_expression, text_turn
from models.pocket.words import TextSource

WORDS = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "kilo"]
SEEDS = range(300)
ASKED = tuple(f". {wording}" for wording in SUM_ALL if not is_chinese(wording))


def sum_turn(seed: int) -> Turn:
    """A list of items whose sum is asked for, in English."""
    rng = Random(seed)
    while True:
        turn = text_turn(TextSource(WORDS, rng), most=9)
        if turn.marks and turn.question.endswith(ASKED):
            return turn


def items_of(turn: Turn) -> list[tuple[str, int]]:
    return [(name, int(number)) for name, number in re.findall(r"([A-Z]\w*) (\d+)[,.]", turn.question)]


@pytest.mark.parametrize("seed", range(40))
def test_marks_say_what_the_items_up_to_them_add_up_to(seed: int) -> None:
    turn = sum_turn(seed)
    items = items_of(turn)
    assert str(sum(number for _, number in items)) == turn.answer
    assert len(turn.marks) == len(items)
    for index, mark in enumerate(turn.marks):
        total = sum(number for _, number in items[: index + 1])
        assert mark.established[0] == f"up to {items[index][0]} the sum is {total}"
        assert (turn.thought or "")[: mark.end].endswith(
            f"{items[index][1]}." if index == 0 else f"= {total}."
        )


def test_further_steps_go_on_where_their_notes_end() -> None:
    seen = 0
    for seed in SEEDS:
        turn = sum_turn(seed % 20)
        stage = stage_turn(turn, Random(seed))
        found = re.search(r"Established: up to (\w+) the sum is (\d+)\.", stage.question)
        if found is None or ENGLISH.go_on not in stage.question or len(stage.thought or "") < 12:
            continue
        names = [name for name, _ in items_of(turn)]
        following = names.index(found[1]) + 1
        if following < len(names) and not stage.given:
            seen += 1
            assert str(stage.thought).startswith(names[following][: len(str(stage.thought))])
            assert found[2] in str(stage.thought) or stage.is_cut
    assert seen > 10


def test_a_cut_thought_stands_in_the_next_step_and_is_not_taught_again() -> None:
    seen = 0
    for seed in SEEDS:
        turn = sum_turn(seed % 20)
        stage = stage_turn(turn, Random(seed))
        if not stage.given:
            continue
        seen += 1
        thought = str(stage.thought)
        assert thought in str(turn.thought)
        assert 0 < stage.given <= min(64, len(thought))
        found = re.search(r"Established: up to (\w+) the sum is (\d+)\.", stage.question)
        assert found is not None
        names = [name for name, _ in items_of(turn)]
        item = names.index(found[1])
        # It stands up to somewhere in the item behind the notes' last one, and begins at an item.
        assert all(f"{name} " not in thought[: stage.given] for name in names[item + 2 :])
        assert thought.startswith(tuple(names))
        tokens = Tokens()
        tokens.add_turn(stage, first=True, thinking=True)
        ids, counts, _ = tokens.joined()
        taught = bytes(ids[counts].clip(0, 255).astype("uint8"))
        assert taught.startswith(thought[stage.given :].encode())
    assert seen > 10


def test_a_thought_that_was_cut_at_its_very_end_has_found_the_answer() -> None:
    ends = set()
    for seed in SEEDS:
        turn = sum_turn(seed % 20)
        stage = stage_turn(turn, Random(seed))
        whole = bool(stage.thought) and str(turn.thought).endswith(str(stage.thought))
        if whole and stage.is_cut and stage.answer.startswith(ENGLISH.established):
            ends.add(f"the answer is {turn.answer}." in stage.answer)
    assert ends == {True}


def test_carry_over_is_what_the_thought_reached_and_finds_the_answer_only_at_its_end() -> None:
    for seed in SEEDS:
        turn = sum_turn(seed % 20)
        stage = stage_turn(turn, Random(seed))
        if stage.answer.startswith(ENGLISH.established):
            done = f"{ENGLISH.open} {ENGLISH.nothing}." in stage.answer
            thought = str(stage.thought)
            if thought:
                assert done is (str(turn.thought).endswith(thought) or thought == "All is established.")
            assert (f"the answer is {turn.answer}." in stage.answer) is done


def test_verdicts_confirm_the_right_answer_and_refute_others_with_it() -> None:
    verdicts = set()
    for seed in SEEDS:
        turn = sum_turn(seed % 20)
        stage = stage_turn(turn, Random(seed))
        proposed = re.search(r"Proposed answer: (\d+)", stage.question)
        if proposed is None:
            continue
        verdict, value = stage.answer.split(" ")
        verdicts.add(verdict)
        if stage.is_cut:
            assert (verdict, value) == (ENGLISH.undecided, proposed[1])
        else:
            assert value == turn.answer
            assert (verdict == ENGLISH.confirmed) is (proposed[1] == turn.answer)
            assert str(stage.thought).rstrip(".").endswith(turn.answer) or f", not {proposed[1]}" in str(
                stage.thought
            )
    assert verdicts == {ENGLISH.confirmed, ENGLISH.refuted, ENGLISH.undecided}


def test_stages_are_asked_in_the_question_s_language() -> None:
    turn = Turn("总共是多少？", "7", None, "Alpha 3. Bravo 4: 3 + 4 = 7.")
    for seed in range(30):
        stage = stage_turn(turn, Random(seed))
        assert stage_prompts(stage.question) is CHINESE
        assert not any(
            word in stage.answer for word in (ENGLISH.established, ENGLISH.confirmed, ENGLISH.refuted)
        )


def test_thought_that_was_cut_is_not_taught_to_end_there() -> None:
    cut = cut_turn(sum_turn(3), Random(5))
    assert cut.is_cut
    assert cut.answer.startswith("Not finished: ")
    tokens = Tokens()
    tokens.add_turn(cut, first=True, thinking=True)
    ids, counts, _ = tokens.joined()
    assert not counts[np.flatnonzero(ids == THOUGHT_END_ID)].any()
    whole = Tokens()
    whole.add_turn(sum_turn(3), first=True, thinking=True)
    ids, counts, _ = whole.joined()
    assert counts[np.flatnonzero(ids == THOUGHT_END_ID)].all()


@pytest.mark.parametrize("seed", range(20))
def test_rest_of_an_expression_has_its_value(seed: int) -> None:
    rng = Random(seed)
    written = make_expression(rng, [rng.randint(1, 50) for _ in range(7)])
    assert len(written.steps) == 6
    for step, left in written.steps:
        calculated, value = step.rstrip(".").split(" = ")
        assert eval(calculated) == int(value)
        assert eval(left) == written.total


def test_boxes_and_long_texts_are_not_staged() -> None:
    for answer in ('[{"bbox_2d": [1, 2, 3, 4], "label": "a"}]', "two\nlines", "long " * 20):
        assert not can_be_staged(Turn("?", answer, None, "thought"))
    assert not can_be_staged(Turn("?", "7", None, None))


def test_carry_over_has_two_lines_in_both_languages() -> None:
    mark = sum_turn(1).marks[0]
    for said in (ENGLISH, CHINESE):
        established, left = carry_over(said, mark).split("\n")
        assert established.startswith(said.established)
        assert left.startswith(said.open)

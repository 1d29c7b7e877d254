"""Turns of staged reasoning, made of plain ones: a step, a further step, a check, the answer from notes.

The wordings are those that the program itself uses, `desktopapp.engine.reasoning.stage_prompts`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random

import numpy as np

from desktopapp.engine.reasoning.stage_prompts import CHINESE, StagePrompts, stage_prompts
from models.pocket.conversation import NOWHERE, Mark, Turn

_NOTHING_YET = Mark(0, ("nothing", "无"), ("everything", "全部"))
_LONGEST_ANSWER = 60
# Characters of a cut thought that the next step begins with, at most: those of the shortest step.
_MOST_CARRIED = 64
_NAME = re.compile(r"\b[A-Z][a-z]+\b")


def can_be_staged(turn: Turn) -> bool:
    """Whether a turn has a chain and an answer that notes can hold."""
    if turn.thought is None or turn.answer.startswith("["):
        return False
    return len(turn.answer) <= _LONGEST_ANSWER and "\n" not in turn.answer


def stage_turn(turn: Turn, rng: Random) -> Turn:
    """One stage of a turn that `can_be_staged`, drawn at random."""
    said = stage_prompts(turn.question)
    draw = rng.random()
    if draw < 0.3:
        return _step(turn, rng, said, _NOTHING_YET, turn.question + said.first_step(_doubted(turn, rng)))
    if draw < 0.62:
        start = rng.choice((_NOTHING_YET, *turn.marks))
        asked = said.further_step(carry_over(said, start), _doubted(turn, rng))
        return _step(turn, rng, said, start, turn.question + asked)
    if draw < 0.84 and _wrong_answer(turn, rng):
        return _check(turn, rng, said)
    return _final(turn, rng, said)


def cut_turn(turn: Turn, rng: Random) -> Turn:
    """The plain question with its thought cut: the answer says how far it came."""
    return _unfinished(turn, rng, stage_prompts(turn.question), _NOTHING_YET, turn.question)


def carry_over(said: StagePrompts, mark: Mark) -> str:
    """The two lines at a mark."""
    language = int(said is CHINESE)
    stop = "。" if language else "."
    gap = "" if language else " "
    return (
        f"{said.established}{gap}{mark.established[language]}{stop}\n"
        f"{said.open}{gap}{mark.left[language]}{stop}"
    )


def found(said: StagePrompts, answer: str) -> str:
    """The two lines once the answer is known."""
    answer = answer.rstrip(".。")
    mark = Mark(0, (f"the answer is {answer}", f"答案是{answer}"), (said.nothing, said.nothing))
    return carry_over(said, mark)


def _step(turn: Turn, rng: Random, said: StagePrompts, start: Mark, question: str) -> Turn:
    """Think from `start`, or from a little behind it, to the end or to a cut, then write the carry-over."""
    begin, stands = _cut_before(turn, rng, start) if rng.random() < 0.5 else (start.end, start.end)
    if not turn.marks or rng.random() > 0.7:
        return _with_thought(turn, question, found(said, turn.answer), begin, stands=stands)
    whole = len(turn.thought or "")
    if rng.random() < 0.1:
        # Cut where it would have ended by itself.
        return _with_thought(turn, question, found(said, turn.answer), begin, whole, stands)
    cut, reached = _cut(turn, rng, start, stands)
    return _with_thought(turn, question, carry_over(said, reached), begin, cut, stands)


def _cut_before(turn: Turn, rng: Random, start: Mark) -> tuple[int, int]:
    """Where a thought that was cut behind `start` begins in the next step, and how far it stands there.

    The program carries the last sentences of a cut thought over word for word, the one that was cut among them.
    """
    thought = turn.thought or ""
    following = min((mark.end for mark in turn.marks if mark.end > start.end), default=0)
    if not start.end or not following:
        return start.end, start.end
    stands = rng.randint(start.end, min(following, len(thought) - 1))
    begins = [mark.end for mark in turn.marks if mark.end <= start.end and stands - mark.end <= _MOST_CARRIED]
    return (rng.choice(begins), stands) if begins else (start.end, start.end)


def _doubted(turn: Turn, rng: Random) -> str:
    """Now and then an answer that a check refuted: mostly a wrong one, but a check can err."""
    wrong = _wrong_answer(turn, rng)
    if not wrong or rng.random() > 0.15:
        return ""
    return wrong if rng.random() < 0.85 else turn.answer


def _check(turn: Turn, rng: Random, said: StagePrompts) -> Turn:
    """Do the last step again, from the notes that it began with, and compare."""
    start = rng.choice(turn.marks) if turn.marks and rng.random() < 0.75 else _NOTHING_YET
    notes = carry_over(said, start) if start.end else ""
    right = rng.random() < 0.5
    proposed = turn.answer if right else _wrong_answer(turn, rng)
    question = turn.question + said.check_of(proposed, notes)
    if turn.marks and rng.random() < 0.15:
        cut, _ = _cut(turn, rng, start)
        return _with_thought(turn, question, f"{said.undecided} {proposed}", start.end, cut)
    verdict = said.confirmed if right else said.refuted
    judged = _with_thought(turn, question, f"{verdict} {turn.answer}", start.end)
    compared = f" It is {turn.answer}{'' if right else f', not {proposed}'}."
    places = judged.thought_places
    if places is not None:
        places = np.concatenate([places, np.full((len(compared), 2), NOWHERE, np.float32)])
    return replace(judged, thought=f"{judged.thought}{compared}", thought_places=places)


def _final(turn: Turn, rng: Random, said: StagePrompts) -> Turn:
    """Answer from notes: those that hold the answer, or those that stop short of it."""
    if not turn.marks or rng.random() < 0.6:
        question = turn.question + said.answer_from(found(said, turn.answer))
        return Turn(question, turn.answer, None, "The answer is found.")
    start = rng.choice(turn.marks)
    question = turn.question + said.answer_from(carry_over(said, start))
    if rng.random() < 0.25:
        return _unfinished(turn, rng, said, start, question)
    return _with_thought(turn, question, turn.answer, start.end)


def _unfinished(turn: Turn, rng: Random, said: StagePrompts, start: Mark, question: str) -> Turn:
    cut, reached = _cut(turn, rng, start)
    answer = (
        f"未完成：{reached.established[1]}。"
        if said is CHINESE
        else f"Not finished: {reached.established[0]}."
    )
    return _with_thought(turn, question, answer, start.end, cut)


def _cut(turn: Turn, rng: Random, start: Mark, stands: int = 0) -> tuple[int, Mark]:
    """Where a thought from `start`, which stands already up to `stands`, is cut, and the last mark before it.

    It is cut behind a sentence, mostly.
    """
    thought = turn.thought or ""
    earliest = max(start.end, stands)
    latest = max(earliest, len(thought) - 1)
    sentences = [mark.end + 1 for mark in turn.marks if earliest < mark.end < latest]
    cut = rng.choice(sentences) if sentences and rng.random() < 0.6 else rng.randint(earliest, latest)
    return cut, max((mark for mark in (start, *turn.marks) if mark.end <= cut), key=lambda mark: mark.end)


def _with_thought(
    turn: Turn, question: str, answer: str, start: int, cut: int | None = None, stands: int = 0
) -> Turn:
    """The part of the thought from `start` to `cut`, given up to `stands`, and another question and answer."""
    thought = turn.thought or ""
    if thought[start:].startswith(" "):
        start += 1
    end = len(thought) if cut is None else max(cut, start)
    places = None if turn.thought_places is None else turn.thought_places[start:end]
    if cut is None and start >= len(thought):
        return Turn(question, answer, None, "All is established.")
    given = max(0, min(stands, end) - start)
    return Turn(question, answer, None, thought[start:end], places, (), is_cut=cut is not None, given=given)


def _wrong_answer(turn: Turn, rng: Random) -> str:
    """A wrong answer that lies near: another number, or another name of the thought; empty where there is none."""
    if turn.answer.isdigit():
        return _near_miss(int(turn.answer), rng)
    names = {*_NAME.findall(turn.thought or "")}
    others = sorted(names - {turn.answer})
    return rng.choice(others) if turn.answer in names and others else ""


def _near_miss(right: int, rng: Random) -> str:
    """A near miss."""
    while True:
        wrong = right + rng.choice((-100, -10, -2, -1, 1, 2, 10, 100, rng.randint(-30, 30)))
        if wrong >= 0 and wrong != right:
            return str(wrong)

"""Steps with notes between them: what each is asked, what goes on, what is checked, and that the question is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from desktopapp.engine.backend import GenerationEnded, GenerationStep, PromptProgress, TokenAdded
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.events import Channel, Event, FinishReason, TextAdded
from desktopapp.engine.prompt_parts import PromptPart
from desktopapp.engine.reasoning.stage_prompts import CHINESE, ENGLISH
from desktopapp.engine.reasoning_events import StepKind, StepStarted, ThoughtEnd, ThoughtEnded
from desktopapp.engine.request import ReasoningLimits, Role, Turn
from tests.engine_bench import Bench, failure, last
from tests.unit.engine.reasoning.test_reply import text_of, words

STAGED = ReasoningLimits(max_steps=6, step_tokens=40)
OPEN = "Established: the total of rows 1 to {n} is {n}0.\nOpen: row {m}."
FOUND = "Established: the answer is 42.\nOpen: nothing."

Reply = Callable[[str], tuple[str, str]]
"""From a prompt's text to a thought and what stands behind it."""


def bench_with(reply: Reply) -> Bench:
    """A model that thinks and replies word by word; a thought that was closed for it is followed by the reply."""

    def run(prompt: Sequence[PromptPart], cancel: CancelToken) -> Iterator[GenerationStep]:
        text = text_of(prompt)
        thought, behind = reply(text)
        said = behind if text.endswith("</think>\n\n") else f"{thought}\n</think>\n\n{behind}"
        said = said if thought or behind else ""
        yield PromptProgress(100, 100, cached_tokens=0)
        for number, piece in enumerate(said.split(" ")):
            cancel.raise_if_cancelled()
            yield TokenAdded(number, (" " * bool(number) + piece).encode())
        yield GenerationEnded(FinishReason.STOP, 1)

    return Bench(run)


def ask(
    reply: Reply, limits: ReasoningLimits = STAGED, question: str = "Add it all up."
) -> tuple[Bench, list[Event]]:
    bench = bench_with(reply)
    return bench, bench.ask("a-thinking", reasoning=limits, turns=(Turn(Role.USER, question),))


def steps(events: list[Event]) -> list[tuple[int, StepKind]]:
    return [(event.step, event.kind) for event in events if isinstance(event, StepStarted)]


def counting(found_at: int, verdict: str = "Confirmed: 42") -> Reply:
    """Establishes one row a step, and the answer in step `found_at`."""
    done = [0]

    def reply(prompt: str) -> tuple[str, str]:
        if ENGLISH.final in prompt:
            return "The answer is found.", "42"
        if "Proposed answer" in prompt:
            return "Again from the start.", verdict
        if not prompt.endswith("</think>\n\n"):
            done[0] += 1
        n = done[0]
        return f"Row {n}.", FOUND if n >= found_at else OPEN.format(n=n, m=n + 1)

    return reply


def test_steps_then_a_check_then_the_answer() -> None:
    bench, events = ask(counting(3))
    think, check, answer = StepKind.THINK, StepKind.CHECK, StepKind.ANSWER
    assert steps(events) == [(1, think), (2, think), (3, think), (3, check), (3, answer)]
    end = last(events)
    assert (end.text, end.finish_reason, end.stats.steps) == ("42", FinishReason.STOP, 3)
    assert "**Step 2**" in end.thought
    assert "rows 1 to 2" in end.thought
    assert "Confirmed: 42" in end.thought
    assert "".join(e.text for e in events if isinstance(e, TextAdded) and e.channel is Channel.ANSWER) == "42"
    asked = [text_of(prompt) for prompt in bench.backend.prompts]
    question = asked[0].partition(ENGLISH.step)[0]
    assert question.endswith("Add it all up.")
    assert all(text.startswith(question) for text in asked)
    assert "rows 1 to 1 is" in asked[1]
    assert ENGLISH.go_on in asked[1]
    assert "rows 1 to 1 is" not in asked[2]
    assert "Proposed answer: 42\n" in asked[3]
    assert f"{FOUND}{ENGLISH.final}" in asked[4]


def test_a_step_is_cut_at_its_length_and_writes_its_notes() -> None:
    def reply(prompt: str) -> tuple[str, str]:
        if ENGLISH.final in prompt:
            return "Found.", "42"
        return " ".join(words(500)), FOUND if "rows 1 to 1 is" in prompt else OPEN.format(n=1, m=2)

    _, events = ask(reply)
    cut = [e.tokens for e in events if isinstance(e, ThoughtEnded) and e.reason is ThoughtEnd.BUDGET]
    assert cut == [40, 80, 80 + 40 + 64]  # a check may think longer, and write less
    assert last(events).text == "42"
    assert last(events).stats.kv_peak_tokens < 100 + 40 + 64 + 60


def test_no_more_steps_than_allowed() -> None:
    _, events = ask(counting(99))
    assert steps(events)[-2:] == [(6, StepKind.THINK), (6, StepKind.ANSWER)]
    assert last(events).text == "42"


def test_notes_that_stay_the_same_end_the_steps() -> None:
    _, events = ask(lambda prompt: ("hm", "42" if ENGLISH.final in prompt else OPEN.format(n=1, m=2)))
    assert steps(events) == [(1, StepKind.THINK), (2, StepKind.THINK), (2, StepKind.ANSWER)]


def test_a_check_begins_with_the_notes_that_the_last_step_began_with() -> None:
    for found_at in (1, 2, 3):
        bench, _ = ask(counting(found_at))
        check = next(text for text in map(text_of, bench.backend.prompts) if "Proposed answer" in text)
        assert ("Notes so far" in check) is (found_at > 1)
        assert (f"rows 1 to {found_at - 1} is" in check) is (found_at > 1)


def test_a_refuted_answer_is_thought_about_once_more_from_before_it() -> None:
    bench, events = ask(counting(2, verdict="Refuted: 41"))
    kinds = [kind for _, kind in steps(events)]
    think, check, answer = StepKind.THINK, StepKind.CHECK, StepKind.ANSWER
    assert kinds == [think, think, check, think, answer]
    again = text_of(bench.backend.prompts[3])
    assert "rows 1 to 1 is" in again
    assert f"refuted the answer 42.{ENGLISH.go_on}" in again


def test_a_refuted_first_step_is_done_again_from_nothing() -> None:
    bench, _ = ask(counting(1, verdict="Refuted: 41"))
    assert f"Add it all up.\n\nA check refuted the answer 42.{ENGLISH.step}" in text_of(
        bench.backend.prompts[2]
    )


def test_without_steps_left_the_check_s_own_answer_is_taken() -> None:
    bench, events = ask(counting(2, verdict="Refuted: 41"), ReasoningLimits(max_steps=2, step_tokens=40))
    assert [kind for _, kind in steps(events)][-2:] == [StepKind.CHECK, StepKind.ANSWER]
    assert ENGLISH.answer_from("Established: the answer is 41.\nOpen: nothing.") in text_of(
        bench.backend.prompts[-1]
    )


def test_steps_that_turn_in_a_circle_end() -> None:
    rounds = iter(range(99))

    def reply(prompt: str) -> tuple[str, str]:
        if ENGLISH.final in prompt:
            return "hm", "42"
        return "hm", OPEN.format(n=next(rounds) % 3, m=2)

    _, events = ask(reply)
    assert [step for step, kind in steps(events) if kind is StepKind.THINK] == [1, 2, 3, 4]


def test_a_step_close_to_its_length_ends_with_a_sentence() -> None:
    sentence = "so it is. "

    def reply(prompt: str) -> tuple[str, str]:
        if ENGLISH.final in prompt:
            return "Found.", "42"
        return sentence * 50, FOUND

    _, events = ask(reply)
    cut = next(e.tokens for e in events if isinstance(e, ThoughtEnded) and e.reason is ThoughtEnd.BUDGET)
    assert cut == 27  # the first end of a sentence of three words behind 40 - 40 // 3


def test_a_thought_that_is_complete_at_its_last_sentence_is_not_told_that_it_was_cut() -> None:
    def reply(prompt: str) -> tuple[str, str]:
        return "so it is " * 10 + "now. \n", "42" if ENGLISH.final in prompt else FOUND

    _, events = ask(reply)
    ends = [(e.tokens, e.reason) for e in events if isinstance(e, ThoughtEnded)]
    assert ends[0][0] > 27  # within the last third of 40, where a thought is closed behind a sentence
    assert {reason for _, reason in ends} == {ThoughtEnd.MODEL}


def test_a_cut_thought_is_gone_on_from_behind_its_last_sentences() -> None:
    rows = [f"Row {n} makes {n} tens." for n in range(20)]

    def reply(prompt: str) -> tuple[str, str]:
        if ENGLISH.final in prompt or "Proposed answer" in prompt:
            return "", "42"
        standing = prompt.rpartition("<think>\n")[2]
        done = max((n + 1 for n, row in enumerate(rows) if row in standing), default=0)
        gap = " " if standing.endswith(".") else ""
        return gap + " ".join(rows[done:]), OPEN if standing.endswith("</think>\n\n") else FOUND

    bench, events = ask(reply)
    thought = last(events).thought
    assert [thought.count(row) for row in rows] == [1] * 20
    asked = [text_of(prompt) for prompt in bench.backend.prompts]
    carried = [text.rpartition("<think>\n")[2] for text in asked if text.endswith("tens.")]
    assert all(text.startswith("Row ") and len(text.split(" ")) <= STAGED.step_tokens for text in carried)
    assert [text.rpartition("Row ")[2] for text in carried[:3]] == [
        "5 makes 5 tens.",
        "11 makes 11 tens.",
        "17 makes 17 tens.",
    ]
    assert steps(events)[-3:] == [(4, StepKind.THINK), (4, StepKind.CHECK), (4, StepKind.ANSWER)]


def test_the_thought_budget_holds_for_all_steps() -> None:
    limits = ReasoningLimits(max_steps=50, step_tokens=40, thought_budget=100)

    def reply(prompt: str) -> tuple[str, str]:
        if ENGLISH.final in prompt:
            return " ".join(words(100)), "42"
        return " ".join(words(100)), f"Established: {len(prompt)}.\nOpen: the rest."

    _, events = ask(reply, limits)
    thought = [event.tokens for event in events if isinstance(event, ThoughtEnded)]
    assert thought == [40, 80, 100, 100]
    assert last(events).text == "42"


@pytest.mark.parametrize("most", [45, 100, 150, 300])
def test_the_longest_output_holds_for_all_steps(most: int) -> None:
    def reply(prompt: str) -> tuple[str, str]:
        if ENGLISH.final in prompt:
            return "", "42"
        return " ".join(words(100)), f"Established: {len(prompt)}.\nOpen: the rest."

    bench = bench_with(reply)
    limits = ReasoningLimits(max_steps=50, step_tokens=40)
    events = bench.ask("a-thinking", reasoning=limits, turns=(Turn(Role.USER, "Add."),), max_new_tokens=most)
    assert steps(events)[-1][1] is StepKind.ANSWER
    assert last(events).text == "42"
    notes_and_answer = 10
    assert most // 4 < last(events).stats.new_tokens <= most + notes_and_answer


def test_an_output_no_longer_than_a_step_takes_none() -> None:
    bench = bench_with(lambda prompt: ("hm", "42"))
    events = bench.ask(
        "a-thinking", reasoning=STAGED, turns=(Turn(Role.USER, "Add."),), max_new_tokens=STAGED.step_tokens
    )
    assert steps(events) == []
    assert (last(events).text, last(events).thought) == ("42", "hm")


@pytest.mark.parametrize(
    ("found_at", "answer"),
    [(2, "The answer is: 42"), (99, "The answer is: the total of rows 1 to 6 is 60.")],
)
def test_a_model_that_stays_silent_at_the_end_is_answered_for_by_its_notes(
    found_at: int, answer: str
) -> None:
    thinks = counting(found_at)

    def reply(prompt: str) -> tuple[str, str]:
        return ("", "") if ENGLISH.final in prompt else thinks(prompt)

    _, events = ask(only_behind_thoughts(reply))
    assert last(events).text == answer


def test_headings_of_ours_are_no_answer() -> None:
    assert failure(ask(only_behind_thoughts(lambda prompt: ("", "")))[1]).error == "AnswerEmpty"


def only_behind_thoughts(reply: Reply) -> Reply:
    """The same, but nothing where the model is led into an answer."""

    def run(prompt: str) -> tuple[str, str]:
        return ("", "") if prompt.endswith("The answer is") else reply(prompt)

    return run


def test_stop_within_a_step_keeps_what_was_thought_and_asks_for_nothing_more() -> None:
    bench = bench_with(counting(99))
    events = []
    for event in bench.stream("a-thinking", reasoning=STAGED):
        events.append(event)
        if isinstance(event, StepStarted) and event.step == 2:
            bench.cancel.cancel()
            bench.cancel.ask_for_answer()
    end = last(events)
    assert (end.text, end.finish_reason) == ("", FinishReason.CANCELLED)
    assert "rows 1 to 1 is" in end.thought
    assert len(bench.backend.prompts) == 2
    assert steps(events)[-1] == (2, StepKind.THINK)


@pytest.mark.parametrize("end", ["budget", "longest output", "answer now"])
def test_an_answer_that_was_found_is_given_when_there_may_be_no_more_thought(end: str) -> None:
    limits = ReasoningLimits(max_steps=6, step_tokens=4, thought_budget=1 if end == "budget" else None)
    bench = bench_with(counting(1))
    most = 9 if end == "longest output" else None
    events = []
    for event in bench.stream("a-thinking", reasoning=limits, max_new_tokens=most):
        events.append(event)
        if end == "answer now" and isinstance(event, StepStarted) and event.kind is StepKind.CHECK:
            bench.cancel.ask_for_answer()
    asked = text_of(bench.backend.prompts[-1])
    assert (asked.endswith("<think>\nThe answer is 42.\n</think>\n\n"), last(events).text) == (True, "42")


def test_answer_now_skips_to_the_answer() -> None:
    bench = bench_with(counting(99))
    events = []
    for event in bench.stream("a-thinking", reasoning=STAGED):
        events.append(event)
        if isinstance(event, StepStarted) and event.step == 2:
            bench.cancel.ask_for_answer()
    assert steps(events) == [(1, StepKind.THINK), (2, StepKind.THINK), (2, StepKind.ANSWER)]
    assert last(events).text == "42"


def test_a_chinese_question_is_asked_in_chinese() -> None:
    def reply(prompt: str) -> tuple[str, str]:
        if CHINESE.final in prompt:
            return "找到了。", "42"
        return "想一想。", "已确定：答案是42。\n待解决：无。" if "候选答案" not in prompt else "确认：42"

    bench, events = ask(reply, question="一共多少？")
    assert [kind for _, kind in steps(events)] == [StepKind.THINK, StepKind.CHECK, StepKind.ANSWER]
    assert "候选答案：42\n" in text_of(bench.backend.prompts[1])
    assert "第 1 步" in last(events).thought

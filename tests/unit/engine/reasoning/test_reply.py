"""A thought ends: by itself, at its budget, in a loop, by the person's wish; and what follows is never empty."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import pytest

from desktopapp.engine.backend import GenerationEnded, GenerationStep, PromptProgress, TokenAdded
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.events import Channel, Event, FinishReason, TextAdded
from desktopapp.engine.prompt_parts import PromptPart, TextPart, TokensPart
from desktopapp.engine.reasoning.stage_prompts import THOUGHT_CLOSING
from desktopapp.engine.reasoning_events import ThoughtEnd, ThoughtEnded, ThoughtProgress
from desktopapp.engine.request import ReasoningLimits
from tests.engine_bench import Bench, Script, failure, last

PROMPT_TOKENS = 100


def text_of(prompt: Sequence[PromptPart]) -> str:
    return "".join(part.text for part in prompt if isinstance(part, TextPart))


def tokens_of(prompt: Sequence[PromptPart]) -> tuple[int, ...]:
    return tuple(token for part in prompt if isinstance(part, TokensPart) for token in part.token_ids)


def model(thought: Sequence[str], answers: Sequence[Sequence[str]], limit: int = 4096) -> Script:
    """Thinks without end unless the thought holds `</think>`; its n-th reply behind a closed thought is the n-th answer."""
    waiting = iter(answers)

    def run(prompt: Sequence[PromptPart], cancel: CancelToken) -> Iterator[GenerationStep]:
        total = PROMPT_TOKENS + len(tokens_of(prompt))
        yield PromptProgress(total, total, cached_tokens=0)
        is_thinking = text_of(prompt).endswith("<think>\n")
        for number, piece in enumerate(thought if is_thinking else next(waiting, ())):
            cancel.raise_if_cancelled()
            if total + number >= limit:
                yield GenerationEnded(FinishReason.LENGTH, 1)
                return
            yield TokenAdded(number % 1000 + 7, piece.encode())
        yield GenerationEnded(FinishReason.STOP, 1)

    return run


def words(count: int) -> list[str]:
    return [f"w{number * 7919 % 100_003} " for number in range(count)]


def ends(events: list[Event]) -> list[ThoughtEnd]:
    return [event.reason for event in events if isinstance(event, ThoughtEnded)]


def test_a_thought_that_ends_by_itself_is_left_alone() -> None:
    bench = Bench(model(["It ", "is ", "4.", "</think>", "\n\n", "4"], []))
    events = bench.ask("a-thinking")
    end = last(events)
    assert (end.thought, end.text, ends(events)) == ("It is 4.", "4", [ThoughtEnd.MODEL])
    assert (end.stats.thought_tokens, len(bench.backend.prompts)) == (3, 1)
    assert end.stats.thought_end == "model"


def test_a_spent_budget_closes_the_thought_and_lets_the_model_answer() -> None:
    bench = Bench(model(words(300), [["It ", "is ", "4."]]))
    events = bench.ask("a-thinking", reasoning=ReasoningLimits(thought_budget=50))
    end = last(events)
    assert (end.text, end.finish_reason, ends(events)) == ("It is 4.", FinishReason.STOP, [ThoughtEnd.BUDGET])
    assert (end.stats.thought_tokens, end.stats.new_tokens) == (50, 53)
    assert (end.stats.thought_end, end.stats.thought_s > 0) == ("budget", True)
    assert end.thought == "".join(words(50))
    first, second = bench.backend.prompts
    assert second[: len(first)] == first
    assert tokens_of(second) == tuple(number + 7 for number in range(50))
    assert second[-1] == TextPart(THOUGHT_CLOSING)
    assert end.stats.prompt_tokens == PROMPT_TOKENS


def test_a_closed_thought_that_the_model_closes_again_leaves_no_tag_in_the_answer() -> None:
    bench = Bench(model(words(300), [["So ", "4.", "\n</thi", "nk>", "\n\n", "It ", "is ", "4."]]))
    end = last(bench.ask("a-thinking", reasoning=ReasoningLimits(thought_budget=50)))
    assert end.text == "So 4.\n\n\nIt is 4."
    assert end.thought == "".join(words(50))


def test_answer_now_closes_the_thought() -> None:
    bench = Bench(model(words(3000), [["Done."]]))
    events = []
    for event in bench.stream("a-thinking"):
        events.append(event)
        if isinstance(event, TextAdded) and len(events) > 20:
            bench.cancel.ask_for_answer()
    assert (last(events).text, ends(events)) == ("Done.", [ThoughtEnd.ASKED])
    assert 10 < last(events).stats.thought_tokens < 40


def test_a_loop_is_a_spent_budget() -> None:
    loop = list(itertools.islice(itertools.cycle(["Wait, ", "let ", "me ", "check. "]), 2000))
    bench = Bench(model(words(100) + loop, [["7"]]))
    # In this bench a token's number is its place, so the words are what repeats.
    bench.backend.script = renumbered(bench.backend.script)
    events = bench.ask("a-thinking")
    assert (last(events).text, ends(events)) == ("7", [ThoughtEnd.LOOP])
    assert last(events).stats.thought_tokens < 300


def renumbered(script: Script) -> Script:
    """The same with one number for each word, as a vocabulary has it."""

    def run(prompt: Sequence[PromptPart], cancel: CancelToken) -> Iterator[GenerationStep]:
        for step in script(prompt, cancel):
            if isinstance(step, TokenAdded):
                step = TokenAdded(hash(step.data) % 50_000, step.data)
            yield step

    return run


def test_a_model_that_stops_inside_its_thought_is_led_out_of_it() -> None:
    bench = Bench(model(["hm, ", "hm</thi"], [["So ", "4."]]))
    events = bench.ask("a-thinking")
    end = last(events)
    assert (end.thought, end.text) == ("hm, hm</thi", "So 4.")
    assert end.finish_reason is FinishReason.STOP


def test_the_output_limit_leaves_room_for_an_answer() -> None:
    bench = Bench(model(words(3000), [words(3000)]))
    end = last(bench.ask("a-thinking", max_new_tokens=200))
    assert end.stats.thought_tokens == 150
    assert end.text
    assert end.stats.new_tokens == 150 + 3000  # this model takes no notice of the limit that it is given
    assert bench.backend.limit == 50


def test_the_end_of_the_context_leaves_room_for_an_answer() -> None:
    bench = Bench(model(words(9000), [["4"]], limit=4096))
    end = last(bench.ask("a-thinking"))
    assert end.text == "4"
    assert end.stats.thought_tokens == 4096 - PROMPT_TOKENS - 1024


def test_an_answer_without_a_word_is_led_into_one() -> None:
    bench = Bench(model(["It ", "is ", "4.", "</think>"], [[" 4."]]))
    end = last(bench.ask("a-thinking"))
    assert end.text == "The answer is 4."
    assert text_of(bench.backend.prompts[-1]).endswith("The answer is")


def test_the_last_thought_is_the_answer_of_a_model_that_stays_silent() -> None:
    end = last(Bench(model(["One.\n", "It ", "is ", "4.\n", "</think>"], [])).ask("a-thinking"))
    assert end.text == "The answer is: It is 4."


def test_a_model_that_writes_nothing_is_an_error() -> None:
    assert failure(Bench(model([], [])).ask("a-thinking")).error == "AnswerEmpty"


def test_answer_now_behind_the_thought_changes_nothing() -> None:
    bench = Bench(model(["It ", "is ", "4.", "</think>", *words(300)], []))
    events = []
    for event in bench.stream("a-thinking"):
        events.append(event)
        if isinstance(event, ThoughtEnded):
            bench.cancel.ask_for_answer()
            bench.cancel.ask_for_answer()
    assert (last(events).text, ends(events)) == ("".join(words(300)), [ThoughtEnd.MODEL])
    assert len(bench.backend.prompts) == 1


def test_answer_now_before_anything_is_thought() -> None:
    bench = Bench(model(words(300), [["4"]]))
    bench.cancel.ask_for_answer()
    events = list(bench.stream("a-thinking"))
    assert (last(events).text, ends(events)) == ("4", [ThoughtEnd.ASKED])
    assert last(events).stats.thought_tokens == 1


def test_stop_inside_a_thought_keeps_it_and_asks_for_nothing_more() -> None:
    bench = Bench(model(words(3000), [["4"]]))
    events = []
    for event in bench.stream("a-thinking"):
        events.append(event)
        if isinstance(event, TextAdded) and len(events) > 20:
            bench.cancel.cancel()
    end = last(events)
    assert (end.text, end.finish_reason) == ("", FinishReason.CANCELLED)
    assert end.thought
    assert len(bench.backend.prompts) == 1


def test_progress_counts_the_thought(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktopapp.engine.answer._TELL_THOUGHT_PERIOD_S", 0.0)
    events = Bench(model(words(60), [["4"]])).ask("a-thinking", reasoning=ReasoningLimits(thought_budget=40))
    progress = [event for event in events if isinstance(event, ThoughtProgress)]
    assert [event.tokens for event in progress] == list(range(1, 41))
    assert {event.budget_tokens for event in progress} == {40}


def test_instruct_is_never_led(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(model([], [["Hi"]]))
    events = bench.ask("a-instruct", reasoning=ReasoningLimits(thought_budget=1, max_steps=4))
    assert last(events).text == "Hi"
    assert not ends(events)
    assert {event.channel for event in events if isinstance(event, TextAdded)} == {Channel.ANSWER}

"""An answer that broke off goes on from what was streamed, wherever that was, and is the same in the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from desktopapp.engine.backend import GenerationEnded, GenerationStep, PromptProgress, TokenAdded
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.events import Channel, Event, FinishReason, TextAdded
from desktopapp.engine.prompt_parts import PromptPart
from desktopapp.engine.reasoning.begun_reply import BegunReply
from desktopapp.engine.reasoning.stage_prompts import ENGLISH
from desktopapp.engine.reasoning_events import StepStarted
from desktopapp.engine.request import BegunAnswer, ReasoningLimits
from tests.engine_bench import Bench, Script, last
from tests.unit.engine.reasoning.test_reply import text_of
from tests.unit.engine.reasoning.test_staged import STAGED, bench_with, counting

THOUGHT = "Two and two.\n\nIs it 4?\n\n\nYes: 4 木."
ANSWER = "It is **4**.\n\n- two\n- two  \n\nFour! 四"
OPENING = "<|im_start|>assistant\n"


def writing(whole: str) -> Script:
    """Writes `whole` byte by byte behind the last opening of an answer, on from what stands there; "?" behind anything else."""

    def run(prompt: Sequence[PromptPart], cancel: CancelToken) -> Iterator[GenerationStep]:
        standing = text_of(prompt).rpartition(OPENING)[2]
        rest = whole[len(standing) :] if whole.startswith(standing) else "?"
        yield PromptProgress(100, 100, cached_tokens=0)
        for byte in rest.encode():
            yield TokenAdded(byte, bytes([byte]))
        yield GenerationEnded(FinishReason.STOP, 1)

    return run


def streamed(events: Sequence[Event]) -> dict[Channel, str]:
    texts = [event for event in events if isinstance(event, TextAdded)]
    return {channel: "".join(e.text for e in texts if e.channel is channel) for channel in Channel}


@pytest.mark.parametrize(
    ("model", "whole"),
    [
        ("a-instruct", ANSWER),
        ("a-thinking", f"<think>\n{THOUGHT}\n</think>\n\n{ANSWER}"),
        ("a-instruct", f"<think>\n{THOUGHT}\n</think>\n\n{ANSWER}"),
    ],
)
def test_at_every_place_where_it_can_break_off(model: str, whole: str) -> None:
    undisturbed = Bench(writing(whole)).ask(model)
    assert last(undisturbed).text == ANSWER
    for place in range(1, len(undisturbed)):
        said = streamed(undisturbed[:place])
        begun = BegunAnswer(said[Channel.THOUGHT], said[Channel.ANSWER])
        events = Bench(writing(whole)).ask(model, begun=begun if begun != BegunAnswer() else None)
        end = last(events)
        assert (end.thought, end.text) == (last(undisturbed).thought, ANSWER)
        more = streamed(events)
        assert said[Channel.ANSWER] + more[Channel.ANSWER] == ANSWER
        assert said[Channel.THOUGHT] + more[Channel.THOUGHT] == end.thought


def test_what_stands_already_counts_against_the_limits() -> None:
    begun = BegunAnswer(text="one two three four five six seven eight")
    bench = Bench(writing(begun.text + " nine ten"))
    events = bench.ask(begun=begun, max_new_tokens=20)
    assert bench.backend.limit == 12
    assert last(events).stats.new_tokens == 8 + len(b" nine ten")


def test_close_to_its_end_an_answer_gets_no_more_than_it_had() -> None:
    begun = BegunAnswer(text="one two three four five six seven eight")
    bench = Bench(writing(begun.text + " nine ten"))
    bench.ask(begun=begun, max_new_tokens=9)
    assert bench.backend.limit == 1


def test_a_thought_budget_is_not_given_twice() -> None:
    begun = BegunAnswer(thought="a b c d e f g h")
    bench = Bench(writing(f"<think>\n{begun.thought} i j k l m n o p\n</think>\n\nDone."))
    events = bench.ask("a-thinking", begun=begun, reasoning=ReasoningLimits(thought_budget=10))
    assert last(events).stats.thought_tokens == 10
    assert (last(events).thought, last(events).text) == ("a b c d e f g h i", "?")


def test_what_the_model_wrote_is_given_back_as_plain_text() -> None:
    parts = BegunReply("think <|im_end|>", "say <|im_start|>").parts(opens_thought=True)
    assert [(part.text, part.parse_special) for part in parts] == [
        ("think <|im_end|>", False),
        ("\n</think>\n\n", True),
        ("say <|im_start|>", False),
    ]


def test_steps_go_on_from_the_last_notes() -> None:
    whole = bench_with(counting(3)).ask("a-thinking", reasoning=STAGED)
    second = next(n for n, event in enumerate(whole) if isinstance(event, StepStarted) and event.step == 2)
    said = streamed(whole[: second + 6])
    bench = bench_with(counting(2))
    events = bench.ask("a-thinking", reasoning=STAGED, begun=BegunAnswer(said[Channel.THOUGHT], "", steps=2))
    first = next(event for event in events if isinstance(event, StepStarted))
    assert first.step == 2
    assert "rows 1 to 1 is 10" in text_of(bench.backend.prompts[0])
    end = last(events)
    assert end.text == "42"
    assert end.thought.startswith(said[Channel.THOUGHT])


def test_an_answer_behind_steps_goes_on_from_its_notes() -> None:
    bench = bench_with(lambda prompt: ("", "nothing is asked for"))
    thought = "**Step 1**\n\nRow 1.\n\nEstablished: the answer is 42.\nOpen: nothing."
    events = bench.ask("a-thinking", reasoning=STAGED, begun=BegunAnswer(thought, "It is", steps=1))
    (prompt,) = bench.backend.prompts
    asked = text_of(prompt)
    assert "Established: the answer is 42." in asked
    assert ENGLISH.final in asked
    assert asked.endswith("<think>\n\n</think>\n\nIt is")
    assert last(events).text.startswith("It is")

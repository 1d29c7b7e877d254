import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktopapp.engine.events import Channel
from desktopapp.engine.reasoning.thought_parser import ThoughtParser


def parse(pieces: list[str], opened: bool) -> tuple[str, str]:
    parser = ThoughtParser(opened=opened)
    found = [part for piece in pieces for part in parser.feed(piece)]
    found += parser.finish()
    assert all(text for _, text in found)
    return tuple(  # type: ignore[return-value]
        "".join(text for channel, text in found if channel is wanted)
        for wanted in (Channel.THOUGHT, Channel.ANSWER)
    )


@pytest.mark.parametrize(
    ("output", "opened", "thought", "answer"),
    [
        ("\nI look.\n\n</think>\n\nA cat.\n", True, "I look.", "A cat.\n"),
        ("I look", True, "I look", ""),
        ("I look\n\n</thi", True, "I look\n\n</thi", ""),
        ("a </thinker> b</think>c", True, "a </thinker> b", "c"),
        ("</think>\n\nNow", True, "", "Now"),
        ("a</think>b</think>c", True, "a", "b</think>c"),
        ("A cat.", False, "", "A cat."),
        ("<think>\nhm\n</think>\n\nA cat.", False, "hm", "A cat."),
        ("\n<think>hm</think>x", False, "hm", "x"),
        ("<thin ice", False, "", "<thin ice"),
        ("  <b>", False, "", "  <b>"),
        ("The tag <think> opens a thought", False, "", "The tag <think> opens a thought"),
        ("", True, "", ""),
        ("\n\n", False, "", "\n\n"),
        ("one\n\ntwo</think>", True, "one\n\ntwo", ""),
    ],
)
def test_channels(output: str, opened: bool, thought: str, answer: str) -> None:
    assert parse([output], opened) == (thought, answer)
    assert parse(list(output), opened) == (thought, answer)


_OUTPUT = st.lists(
    st.sampled_from(["<think>", "</think>", "</thi", "<", ">", "\n", "\n\n", "word ", "k", "/", "好"]),
    max_size=12,
)


@given(_OUTPUT, st.booleans(), st.lists(st.integers(0, 60), max_size=8))
def test_any_division_gives_the_same_channels(words: list[str], opened: bool, cuts: list[int]) -> None:
    output = "".join(words)
    edges = [0, *sorted(min(c, len(output)) for c in cuts), len(output)]
    pieces = [output[a:b] for a, b in itertools.pairwise(edges)]
    assert parse(pieces, opened) == parse([output], opened)


@given(_OUTPUT, st.lists(st.integers(0, 60), max_size=8))
def test_a_thought_that_was_closed_for_the_model_is_not_closed_again(
    words: list[str], cuts: list[int]
) -> None:
    output = "".join(words)
    edges = [0, *sorted(min(c, len(output)) for c in cuts), len(output)]
    found: list[tuple[Channel, str]] = []
    for pieces in ([output], [output[a:b] for a, b in itertools.pairwise(edges)]):
        parser = ThoughtParser(opened=True)
        list(parser.feed("I look"))
        assert list(parser.close()) == []
        behind = [part for piece in pieces for part in parser.feed(piece)] + list(parser.finish())
        assert {channel for channel, _ in behind} <= {Channel.ANSWER}
        found.append((Channel.ANSWER, "".join(text for _, text in behind)))
    assert found[0] == found[1] == (Channel.ANSWER, output.lstrip("\n").replace("</think>", ""))


@given(_OUTPUT, st.booleans())
def test_nothing_but_one_pair_of_tags_and_line_breaks_is_lost(words: list[str], opened: bool) -> None:
    output = "".join(words)
    thought, answer = parse([output], opened)
    left = output
    for tag in ("<think>", "</think>"):
        if (thought + answer).count(tag) < output.count(tag):
            left = left.replace(tag, "", 1)
    assert left.replace("\n", "") == (thought + answer).replace("\n", "")


def test_text_comes_as_soon_as_it_is_certain() -> None:
    parser = ThoughtParser(opened=True)
    assert list(parser.feed("I look")) == [(Channel.THOUGHT, "I look")]
    assert list(parser.feed("\n</th")) == []
    assert list(parser.feed("e")) == [(Channel.THOUGHT, "\n</the")]
    assert parser.inside_thought

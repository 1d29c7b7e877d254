"""Notes and verdicts are read as models write them."""

from __future__ import annotations

import pytest

from desktopapp.engine.reasoning.notes import Notes, read_notes, read_refutation, write_notes
from desktopapp.engine.reasoning.stage_prompts import CHINESE, ENGLISH, StagePrompts


@pytest.mark.parametrize(
    ("reply", "notes"),
    [
        ("Established: x is 3.\nOpen: y.", Notes("Established: x is 3.\nOpen: y.")),
        ("Established: the answer is 7.\nOpen: nothing.", Notes("Established: the answer is 7.\nOpen: nothing.", "7")),
        ("**Established:** The answer is: 7 cm\n**Open:** Nothing", Notes("Established: The answer is: 7 cm\nOpen: Nothing", "7 cm")),
        ("- Established: both agree\n- Open: nothing", Notes("Established: both agree\nOpen: nothing", "both agree")),
        ("I am not sure yet.", Notes("I am not sure yet.")),
        ("Established: a.\nOpen: b.\nEstablished: c.\nOpen: d.", Notes("Established: c.\nOpen: d.")),
        ("Established: a.", Notes("Established: a.\nOpen: ?")),
        ("", Notes("")),
    ],
)  # fmt: skip
def test_notes_are_read_from_a_reply(reply: str, notes: Notes) -> None:
    assert read_notes(reply, ENGLISH) == notes


@pytest.mark.parametrize(
    ("reply", "right"),
    [
        ("Refuted: 41", "41"),
        ("**Refuted:** 41.", "41"),
        ("Refuted: 41\nbecause row 2 is 7", "41"),
        ("Refuted:", ""),
        ("Confirmed: 42", None),
        ("Undecided: 42", None),
        ("I would not say Refuted: it holds.\nConfirmed: 42", None),
        ("no verdict", None),
        ("", None),
    ],
)
def test_the_last_verdict_counts(reply: str, right: str | None) -> None:
    assert read_refutation(reply, ENGLISH) == right


@pytest.mark.parametrize("wordings", [ENGLISH, CHINESE])
def test_written_notes_are_read_as_an_answer(wordings: StagePrompts) -> None:
    assert read_notes(write_notes("42", wordings), wordings).answer == "42"


@pytest.mark.parametrize(
    ("notes", "conclusion"),
    [
        (Notes("Established: the answer is 7.\nOpen: nothing.", "7"), "7"),
        (Notes("Established: the sum is 12.\nOpen: the rest."), "the sum is 12."),
        (Notes("已确定：和是12。\n待解决：其余。"), "和是12。"),
        (Notes("I am not sure yet."), "I am not sure yet."),
        (Notes("Established:\nOpen: all."), "Established:\nOpen: all."),
        (Notes(""), ""),
    ],
)
def test_the_conclusion_is_the_answer_or_what_is_sure(notes: Notes, conclusion: str) -> None:
    assert notes.conclusion == conclusion

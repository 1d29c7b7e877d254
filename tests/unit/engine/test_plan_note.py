"""Sentences of plans."""

from __future__ import annotations

import string

import pytest

from desktopapp.engine.plan_note import TEMPLATES, NoteCode, PlanNote, english, is_size


def test_every_code_has_a_sentence() -> None:
    assert set(TEMPLATES) == {str(code) for code in NoteCode}


@pytest.mark.parametrize(
    ("note", "sentence"),
    [
        (PlanNote(NoteCode.TEXT_ALONE), "Attach fewer pages or pictures: the text alone fits."),
        (
            PlanNote(NoteCode.RAISE_CEILING, {"missing_bytes": 3 << 29, "free_bytes": 9 << 30}),
            "Raise the ceiling by 1.5 GiB: 9.0 GiB are free.",
        ),
        (
            PlanNote(NoteCode.CONTEXT_TOO_SHORT, {"tokens": 300_000, "most": 262_144}),
            "Prompt and answer take 300,000 tokens; this model reads 262,144 at once.",
        ),
    ],
)
def test_figures_are_filled_in(note: PlanNote, sentence: str) -> None:
    assert english(note) == sentence


def test_sizes_are_named_as_such() -> None:
    names = {name for text in TEMPLATES.values() for _, name, _, _ in string.Formatter().parse(text) if name}
    kinds = ("saved", "missing", "free", "kv", "work", "vision", "weight", "limit", "other", "unused")
    assert {name for name in names if is_size(name)} == {f"{kind}_bytes" for kind in kinds}

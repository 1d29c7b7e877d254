from dataclasses import fields

import pytest

from desktopapp.engine.reasoning.stage_prompts import CHINESE, ENGLISH, StagePrompts, stage_prompts

_FILLED = {"notes": "{carry_over}", "check": "{answer}", "doubt": "{answer}"}


@pytest.mark.parametrize("prompts", [ENGLISH, CHINESE])
def test_only_notes_check_and_doubt_take_something_in(prompts: StagePrompts) -> None:
    for field in fields(StagePrompts):
        text = getattr(prompts, field.name)
        assert text
        assert _FILLED.get(field.name, "") in text
        assert text.count("{") == (field.name in _FILLED)


@pytest.mark.parametrize("prompts", [ENGLISH, CHINESE])
def test_what_the_model_shall_write_is_named_in_what_asks_for_it(prompts: StagePrompts) -> None:
    for word in (prompts.established, prompts.open, prompts.nothing):
        assert word in prompts.step
    for word in (prompts.confirmed, prompts.refuted):
        assert word in prompts.check


def test_every_stage_keeps_the_question_as_its_prefix() -> None:
    for prompts in (ENGLISH, CHINESE):
        assert all(text.startswith("\n\n") for text in (prompts.step, prompts.notes, prompts.check))


@pytest.mark.parametrize(
    ("question", "prompts"),
    [
        ("How much is it in all?", ENGLISH),
        ("总共是多少？", CHINESE),
        ("Add “π” and 3", ENGLISH),
        ("", ENGLISH),
        ("设 a,b,c>0 且 abc=1，求证 a+b+c≥3", CHINESE),
        ("用 Python 写的这段代码 return 了什么？", CHINESE),
        ("What does 停车 on the sign mean?", ENGLISH),
        ("合計はいくらですか", ENGLISH),
    ],
)
def test_the_language_is_the_question_s(question: str, prompts: StagePrompts) -> None:
    assert stage_prompts(question) is prompts

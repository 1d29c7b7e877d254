"""The chip that says which model was chosen, asking the other one, and thoughts with their count and their end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktopapp.app import Desktop
from desktopapp.engine.events import Channel, Finished, FinishReason, ModelReady, PrefillProgress, Stats
from desktopapp.engine.reasoning_events import (
    Routed,
    StepKind,
    StepStarted,
    ThoughtEnd,
    ThoughtEnded,
    ThoughtProgress,
)
from desktopapp.engine.request import Mode, ReasoningLimits
from desktopapp.errors import OutOfMemory
from desktopapp.settings import Settings
from desktopapp.ui.conversation.answer import AnswerMessage
from desktopapp.ui.conversation.thought import ThoughtBlock
from tests.gui.scripted_worker import ScriptedWorker, script_of
from tests.gui.window_actions import ask, roles

THINKING = Stats("llama.cpp", "only GGUF", "tiny-thinking", "thinking", 100, 0, 12, 0.4, 23.4, 2**30)


def route(script: ScriptedWorker, mode: str = "thinking", **changes: object) -> None:
    routed = Routed(
        script.requests[-1].request_id, f"tiny-{mode}", mode, 0.9, "task", "multi-step sum", 3.14, True
    )
    script.routed.emit(replace(routed, **changes))


def shown(desktop: Desktop) -> AnswerMessage:
    answer = desktop.window.view.shown_answer(script_of(desktop).requests[-1].request_id)
    assert isinstance(answer, AnswerMessage)
    return answer


def thought(desktop: Desktop) -> ThoughtBlock:
    desktop.window.view.flush()
    block = shown(desktop).thought
    assert block is not None
    return block


def finish(script: ScriptedWorker, stats: Stats = THINKING) -> None:
    script.finished.emit(Finished(script.requests[-1].request_id, "42", "", FinishReason.STOP, stats))


def test_the_chip_names_the_model_the_task_and_the_swap(desktop: Desktop) -> None:
    script = script_of(desktop)
    ask(desktop, "Add it up.")
    assert script.requests[-1].choice.mode is Mode.AUTO
    assert shown(desktop).route.isHidden()
    route(script)
    chip = shown(desktop).route
    assert not chip.isHidden()
    assert chip.label.text() == "Thinking: multi-step sum; swap 3.1 s"
    assert shown(desktop).label.text() == "tiny-thinking"
    assert chip.other_button.isHidden()
    script.model_ready.emit(
        ModelReady("tiny-thinking", "/m", "llama.cpp", "", "thinking", "Q8_0", "cpu", 4096, 5.27)
    )
    assert chip.label.text().endswith("swap 5.3 s")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cause": "only one", "swap_s": 0.0}, "Thinking: the only one here"),
        ({"cause": "follow-up", "swap_s": 0.0}, "Thinking: goes on with this conversation"),
        ({"cause": "resident", "swap_s": 0.0}, "Thinking: a close call, and it is loaded"),
        ({"cause": "asked", "swap_s": 0.0}, "Thinking: as you asked"),
        ({"task": "", "mode": "instruct", "swap_s": 0.0}, "Instruct: no sign of several steps"),
    ],
)
def test_the_chip_says_what_settled_it(desktop: Desktop, changes: dict[str, object], words: str) -> None:
    ask(desktop, "Add it up.")
    route(script_of(desktop), **changes)
    assert shown(desktop).route.label.text() == words


def test_one_click_asks_the_other_model_the_same_question(
    desktop: Desktop, make_png: Callable[..., str], qtbot: QtBot
) -> None:
    script = script_of(desktop)
    ask(desktop, "First.")
    script.finish("One.")
    desktop.session.intake.take_paths((make_png(),))
    ask(desktop, "Add it up.")
    route(script)
    finish(script)
    button = shown(desktop).route.other_button
    assert button.text() == "Ask Instruct"
    asked = script.requests[-1]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    again = script.requests[-1]
    assert again is not asked
    assert again.choice == replace(asked.choice, mode=Mode.INSTRUCT)
    assert again.turns == asked.turns
    assert again.previous_mode is Mode.INSTRUCT  # of the first answer, as for the question that is repeated
    assert roles(desktop)[-2:] == ["user:sent", "assistant:running"]


def test_the_other_one_is_asked_after_what_runs(desktop: Desktop, qtbot: QtBot) -> None:
    script = script_of(desktop)
    ask(desktop, "Add it up.")
    route(script)
    finish(script)
    button = shown(desktop).route.other_button
    ask(desktop, "Something else.")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert len(script.requests) == 2
    script.finish("Else.")
    assert (script.requests[-1].turns[-1].text, script.requests[-1].choice.mode) == (
        "Add it up.",
        Mode.INSTRUCT,
    )
    assert len(script.requests[-1].turns) == 1


def test_there_is_no_button_without_another_model(desktop: Desktop) -> None:
    script = script_of(desktop)
    ask(desktop, "Add it up.")
    route(script, has_other=False, cause="only one")
    finish(script)
    assert shown(desktop).route.other_button.isHidden()


def test_a_follow_up_tells_what_answered_before(desktop: Desktop) -> None:
    script = script_of(desktop)
    ask(desktop, "Add it up.")
    assert script.requests[-1].previous_mode is None
    finish(script)
    ask(desktop, "And why?")
    assert script.requests[-1].previous_mode is Mode.THINKING


def test_the_thought_counts_its_tokens_and_says_why_it_ended(desktop: Desktop) -> None:
    script = script_of(desktop)
    ask(desktop, "Add it up.")
    request_id = script.requests[-1].request_id
    script.say("Let me see.", Channel.THOUGHT)
    script.thought_progressed.emit(ThoughtProgress(request_id, 1500, 4096))
    assert thought(desktop).header.text().endswith("1,500 tokens")
    script.thought_ended.emit(ThoughtEnded(request_id, 4096, ThoughtEnd.BUDGET))
    assert "4,096 tokens · budget spent" in thought(desktop).header.text()
    assert thought(desktop).answer_now.isHidden()
    script.say("42")
    finish(script)
    assert "4,096 tokens · budget spent" in thought(desktop).header.text()
    assert thought(desktop).header.text().startswith("Thought for")


def test_answer_now_reaches_the_engine_once(desktop: Desktop, qtbot: QtBot) -> None:
    script = script_of(desktop)
    ask(desktop, "Add it up.")
    script.say("Let me see.", Channel.THOUGHT)
    button = thought(desktop).answer_now
    assert not button.isHidden()
    assert (button.text(), button.isEnabled()) == ("Answer now", True)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert script.hurried == [script.requests[-1].request_id]
    assert script.cancelled == []
    script.thought_ended.emit(ThoughtEnded(script.requests[-1].request_id, 7, ThoughtEnd.ASKED))
    assert "ended by you" in thought(desktop).header.text()


def test_steps_are_named(desktop: Desktop) -> None:
    script = script_of(desktop)
    ask(desktop, "Add it up.")
    request_id = script.requests[-1].request_id
    script.step_started.emit(StepStarted(request_id, 1, 8, StepKind.THINK))
    script.prefill_progressed.emit(PrefillProgress(request_id, 400, 900))
    assert shown(desktop).status.text() == "Reading 400 of 900 tokens …"
    words = []
    for kind in StepKind:
        script.step_started.emit(StepStarted(request_id, 2, 8, kind))
        script.prefill_progressed.emit(PrefillProgress(request_id, 900, 950))
        words.append(shown(desktop).status.text())
    assert words == ["Step 2 of at most 8 …", "Checking the result …", "Writing the answer …"]


def test_the_settings_limit_the_thought(open_desktop: Callable[..., Desktop]) -> None:
    settings = Settings(language="en", theme="light", thought_budget=512, max_steps=8, step_tokens=256)
    desktop = open_desktop(settings)
    script_of(desktop).be_ready()
    ask(desktop, "Add it up.")
    assert script_of(desktop).requests[-1].reasoning == ReasoningLimits(512, 8, 256)
    desktop.window.settings_menu.changed.emit(replace(settings, thought_budget=None, max_steps=1))
    script_of(desktop).finish("x")
    ask(desktop, "Again.")
    assert script_of(desktop).requests[-1].reasoning == ReasoningLimits(None, 1, 256)


def test_chip_count_and_time_come_back_after_a_restart(
    open_desktop: Callable[..., Desktop], qtbot: QtBot
) -> None:
    desktop = open_desktop()
    script = script_of(desktop)
    script.be_ready()
    ask(desktop, "Add it up.")
    request_id = script.requests[-1].request_id
    route(script)
    script.model_ready.emit(
        ModelReady("tiny-thinking", "/m", "llama.cpp", "", "thinking", "Q8_0", "cpu", 4096, 5.27)
    )
    script.say("Let me see.", Channel.THOUGHT)
    script.thought_ended.emit(ThoughtEnded(request_id, 4096, ThoughtEnd.BUDGET))
    stats = replace(THINKING, thought_tokens=4096, thought_s=65.4, thought_end="budget")
    script.finished.emit(Finished(request_id, "42", "Let me see.", FinishReason.STOP, stats))
    desktop.window.close()
    again = open_desktop()
    answer = again.window.view.shown_answer(request_id)
    assert isinstance(answer, AnswerMessage)
    assert answer.route.label.text() == "Thinking: multi-step sum; swap 5.3 s"
    assert answer.label.text() == "tiny-thinking"
    assert answer.thought is not None
    assert answer.thought.is_folded()
    assert answer.thought.header.text() == "Thought for 65 s · 4,096 tokens · budget spent"
    script_of(again).be_ready()
    qtbot.mouseClick(answer.route.other_button, Qt.MouseButton.LeftButton)
    assert script_of(again).requests[-1].choice.mode is Mode.INSTRUCT


def test_the_chip_of_a_broken_off_answer_comes_back(open_desktop: Callable[..., Desktop]) -> None:
    desktop = open_desktop()
    script_of(desktop).be_ready()
    ask(desktop, "Add it up.")
    route(script_of(desktop))
    request_id = script_of(desktop).requests[-1].request_id
    script_of(desktop).say("Let me see.", Channel.THOUGHT)
    desktop.window.close()
    answer = open_desktop().window.view.shown_answer(request_id)
    assert isinstance(answer, AnswerMessage)
    assert answer.route.label.text().startswith("Thinking: multi-step sum")
    assert answer.thought is not None
    assert answer.thought.header.text() == "Thought"


@pytest.mark.parametrize("kept", [{"cause": "weather"}, {"mode": 3}, {"unknown": 1}, {"request_id": "other"}])
def test_a_choice_of_another_version_is_left_out(desktop: Desktop, kept: dict[str, object]) -> None:
    script = script_of(desktop)
    ask(desktop, "Add it up.")
    route(script)
    finish(script)
    message = desktop.session.chat.messages[-1]
    shown(desktop).route.hide()
    fields = {"cause": "task"} if "unknown" in kept else message.route
    desktop.session.thinking.show_kept([replace(message, route=fields | kept)])
    assert shown(desktop).route.isHidden()


def test_answer_now_is_there_in_every_step(desktop: Desktop, qtbot: QtBot) -> None:
    script = script_of(desktop)
    ask(desktop, "Add it up.")
    request_id = script.requests[-1].request_id
    script.say("Step 1.", Channel.THOUGHT)
    script.thought_ended.emit(ThoughtEnded(request_id, 40, ThoughtEnd.BUDGET))
    button = thought(desktop).answer_now
    assert button.isHidden()
    script.step_started.emit(StepStarted(request_id, 2, 8, StepKind.THINK))
    script.say("Step 2.", Channel.THOUGHT)
    script.thought_progressed.emit(ThoughtProgress(request_id, 41, 320))
    assert not button.isHidden()
    assert "budget" not in thought(desktop).header.text()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    script.thought_progressed.emit(ThoughtProgress(request_id, 42, 320))
    assert not button.isEnabled()
    assert script.hurried == [request_id]
    script.say("42")
    finish(script)
    script.thought_progressed.emit(ThoughtProgress(request_id, 43, 320))
    assert thought(desktop).answer_now.isHidden()


@pytest.mark.parametrize("end", ["failed", "stopped before it was loaded"])
def test_the_other_one_can_be_asked_where_this_one_gave_no_figures(
    desktop: Desktop, qtbot: QtBot, end: str
) -> None:
    script = script_of(desktop)
    ask(desktop, "Add it up.")
    route(script)
    if end == "failed":
        script.fail(OutOfMemory(what="answering", detail=""))
    else:
        finish(script, replace(THINKING, mode=""))
    qtbot.mouseClick(shown(desktop).route.other_button, Qt.MouseButton.LeftButton)
    assert len(script.requests) == 2
    assert script.requests[-1].choice.mode is Mode.INSTRUCT
    assert [turn.text for turn in script.requests[-1].turns] == ["Add it up."]


def test_the_other_one_s_answer_is_asked_for_again_as_it_was(desktop: Desktop, qtbot: QtBot) -> None:
    script = script_of(desktop)
    ask(desktop, "Add it up.")
    route(script)
    finish(script)
    qtbot.mouseClick(shown(desktop).route.other_button, Qt.MouseButton.LeftButton)
    asked = script.requests[-1]
    route(script, "instruct", cause="asked")
    script.fail(OutOfMemory(what="answering", detail=""))
    desktop.session.chat.retry(asked.request_id)
    again = script.requests[-1]
    assert (again.choice, again.turns) == (asked.choice, asked.turns)
    route(script, "instruct", cause="asked")
    script.finish("41")
    qtbot.mouseClick(shown(desktop).route.other_button, Qt.MouseButton.LeftButton)
    back = script.requests[-1]
    assert back.choice.mode is Mode.THINKING
    assert back.turns == asked.turns  # the first question's answer is no part of the same question


def test_a_follow_up_stays_with_a_model_that_broke_off_and_not_with_one_that_said_nothing(
    desktop: Desktop,
) -> None:
    script = script_of(desktop)
    ask(desktop, "Add it up.")
    route(script)
    script.say("Let me see.", Channel.THOUGHT)
    script.fail(OutOfMemory(what="answering", detail=""))
    ask(desktop, "And why?")
    assert script.requests[-1].previous_mode is None
    route(script)
    script.say("Because of")
    script.fail(OutOfMemory(what="answering", detail=""))
    ask(desktop, "Go on.")
    assert script.requests[-1].previous_mode is Mode.THINKING

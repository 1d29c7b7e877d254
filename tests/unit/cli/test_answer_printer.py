from __future__ import annotations

import io
import json

from desktopapp.cli.answer_printer import AnswerPrinter, JsonPrinter
from desktopapp.engine.events import (
    AttachmentRead,
    Channel,
    Event,
    Failed,
    Finished,
    FinishReason,
    ModelLoading,
    ModelReady,
    PrefillProgress,
    RequestStarted,
    Stats,
    TextAdded,
)
from desktopapp.engine.media_events import ZoomedIn
from desktopapp.engine.price_events import Planned, PlannedParts, PlannedPhases
from desktopapp.worker.process_events import HandedOn

STATS = Stats("fake", "named", "m", "instruct", 10, 0, 2, 0.5, 20.0, 1)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def answer(text: str) -> TextAdded:
    return TextAdded("r", Channel.ANSWER, text)


def thought(text: str) -> TextAdded:
    return TextAdded("r", Channel.THOUGHT, text)


def finished(text: str = "", thought: str = "", reason: FinishReason = FinishReason.STOP) -> Finished:
    return Finished("r", text, thought, reason, STATS)


def shown(*events: Event, output: io.StringIO, notes: io.StringIO) -> tuple[str, str]:
    printer = AnswerPrinter(output, notes)
    for event in events:
        printer.show(event)
    return output.getvalue(), notes.getvalue()


def piped(*events: Event) -> tuple[str, str]:
    return shown(*events, output=io.StringIO(), notes=io.StringIO())


def test_a_pipe_gets_the_answer_and_nothing_else() -> None:
    out, err = piped(
        RequestStarted("r"),
        ModelLoading("m", "fake", "weights", 0.5),
        PrefillProgress("r", 5, 10),
        thought("hmm"),
        answer("two "),
        answer("words"),
        finished("two words", "hmm"),
    )
    assert out == "two words\n"
    assert err == ""


def test_an_answer_that_ends_its_line_gets_no_second_end() -> None:
    assert piped(answer("line\n"), finished("line\n"))[0] == "line\n"


def test_what_the_person_should_know_is_noted() -> None:
    ready = ModelReady("m", "p", "b", "r", "instruct", "F16", "cpu", 1, 1.0, random_weights=True)
    _, err = piped(
        ready,
        AttachmentRead("r", "a.gif", 1, 1, 1, "first frame of 3"),
        ZoomedIn("r", "a.pdf", 2, (0.0, 10.0, 500.0, 520.5), "the sign", 300),
        answer("x"),
        finished("x", reason=FinishReason.LENGTH),
    )
    assert [line.split(" ")[0] for line in err.splitlines()] == ["m", "a.gif:", "Looked", "The"]
    assert "Looked closer at the sign: a.pdf, page 2, 0, 10, 500, 520.5" in err
    assert "random weights" in err


def test_an_unfinished_thought_reaches_the_person() -> None:
    out, err = piped(thought("hmm"), finished("", "hmm", FinishReason.LENGTH))
    assert out == ""
    assert err.startswith("hmm\n")
    assert "did not end" in err


def test_a_failure_ends_the_line_and_is_told() -> None:
    out, err = piped(answer("half"), Failed("r", "EngineDied", "It died.", "Try again."))
    assert out == "half\n"
    assert err == "It died. Try again.\n"


def test_a_terminal_sees_progress_and_the_thought_dimmed() -> None:
    out, err = shown(
        ModelLoading("m", "fake", "weights", 0.5),
        thought("hmm"),
        answer("x"),
        finished("x", "hmm"),
        output=Terminal(),
        notes=Terminal(),
    )
    assert out == "x\n"
    assert "weights 50%" in err
    assert "\x1b[2mhmm\x1b[0m" in err
    assert err.endswith("m with fake, 2 tokens, 20.0 tokens/s, first after 0.50 s\n")


def test_a_models_text_cannot_steer_the_terminal() -> None:
    hostile = "a\x1b]0;owned\x07b\x9b2Jc\td\n"
    out, _ = shown(answer(hostile), finished(hostile), output=Terminal(), notes=io.StringIO())
    assert out == "a\ufffd]0;owned\ufffdb\ufffd2Jc\td\n"
    assert piped(answer(hostile))[0] == hostile


def test_a_files_name_cannot_steer_the_terminal() -> None:
    _, err = piped(Failed("r", "AttachmentGone", "“\x1b[31m.png” is gone.", "Look."))
    assert "\x1b" not in err


def test_json_is_one_line_an_event() -> None:
    output = io.StringIO()
    printer = JsonPrinter(output)
    for event in (answer("über\n🙂"), finished("x")):
        printer.show(event)
    lines = output.getvalue().splitlines()
    assert all(line.isascii() for line in lines)
    assert json.loads(lines[0]) == {
        "event": "text_added",
        "request_id": "r",
        "channel": "answer",
        "text": "über\n🙂",
    }
    assert json.loads(lines[1])["stats"]["decode_tokens_per_s"] == 20.0


def planned(*steps: str) -> Planned:
    return Planned(
        request_id="r",
        model="m",
        backend="fake",
        precision="none",
        device="System memory",
        prompt_tokens=9,
        answer_tokens=10,
        context_tokens=99,
        parts=PlannedParts(1, 2, 3, 4, 5),
        phases=PlannedPhases(0, 12, 11),
        peak_bytes=12,
        limit_bytes=20,
        fits=True,
        kv_type="int8",
        prefill_chunk=64,
        steps_taken=steps,
        reasons=("The KV cache holds 8-bit numbers.",),
    )


def test_what_was_given_up_is_told() -> None:
    notes = io.StringIO()
    AnswerPrinter(io.StringIO(), notes).show(planned("kv_8bit"))
    assert notes.getvalue() == "The KV cache holds 8-bit numbers.\n"


def test_a_plan_without_loss_is_silent() -> None:
    notes = io.StringIO()
    AnswerPrinter(io.StringIO(), notes).show(planned())
    assert notes.getvalue() == ""


def test_a_new_engine_process_is_a_note() -> None:
    handed_on = HandedOn("r", "killed by the system, SIGKILL")
    out, err = piped(handed_on, answer("Hi"), finished("Hi"))
    assert out == "Hi\n"
    assert (
        err == "The engine had ended (killed by the system, SIGKILL) before it began; a new one was asked.\n"
    )
    output = io.StringIO()
    JsonPrinter(output).show(handed_on)
    assert json.loads(output.getvalue()) == {
        "event": "handed_on", "request_id": "r", "detail": "killed by the system, SIGKILL"
    }  # fmt: skip

"""`ask` as people and scripts run it: a process of its own, its streams, its exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 120.0
NO_QT = "import sys; sys.modules['PySide6'] = None; "
RUN = "from desktopapp.cli import run_command; sys.exit(run_command(sys.argv[1:]))"
posix = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QWEN3VL_DESKTOP_HOME", str(tmp_path / "home"))


def start(*arguments: str, before: str = "") -> subprocess.Popen[str]:
    """Run a command without Qt; `before` is Python that is run first."""
    return subprocess.Popen(
        [sys.executable, "-c", f"{NO_QT}{before}\n{RUN}", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def run(*arguments: str, before: str = "") -> tuple[int, str, str]:
    with start(*arguments, before=before) as process:
        out, err = process.communicate(timeout=TIMEOUT_S)
    return process.returncode, out, err


def ask(*arguments: str, before: str = "") -> tuple[int, list[dict[str, Any]], str]:
    code, out, err = run("ask", "--backend", "fake", "--json", *arguments, before=before)
    return code, [json.loads(line) for line in out.splitlines()], err


def with_backends(factory: str) -> str:
    """Python that puts backends of `faulty_backends` under a command."""
    return f"import desktopapp.cli.engine_run as er, tests.faulty_backends as fb; er.default_backends = fb.{factory}"


PATIENT = (
    "\nimport functools\nfrom desktopapp.worker.watchdog import HangLimits\n"
    "limits = HangLimits(silence_s=300, stop_silence_s=300, step_s=300, load_s=300)\n"
    "er.EngineProcess = functools.partial(er.EngineProcess, limits=limits)\n"
    "er.default_backends = functools.partial(fb.faulty, 'wait', 'load', {marker!r})"
)
"""Python that makes a load hang, and lets nothing but the person end that, however busy the machine is."""


def picture(folder: Path) -> str:
    path = folder / "picture.png"
    Image.new("RGB", (64, 64), "red").save(path)
    return str(path)


def test_the_answer_is_on_stdout(tmp_path: Path) -> None:
    code, out, err = run(
        "ask", "--backend", "fake", "--seed", "1", "--attach", picture(tmp_path), "What is it?"
    )
    assert code == 0, err
    assert out.endswith("\n")
    assert len(out) > 10
    assert err == ""


def test_every_event_is_a_line_and_the_text_is_its_sum(tmp_path: Path) -> None:
    code, events, err = ask("--seed", "1", "--attach", picture(tmp_path), "What is it?")
    assert code == 0, err
    last = events[-1]
    assert last["event"] == "finished"
    added = [event for event in events if event["event"] == "text_added"]
    assert "".join(event["text"] for event in added if event["channel"] == "answer") == last["text"]
    wanted = "backend model mode prompt_tokens cached_tokens new_tokens time_to_first_token_s decode_tokens_per_s peak_bytes"
    assert set(wanted.split()) <= set(last["stats"])
    assert last["stats"]["backend"] == "fake"


def test_a_thinking_model_streams_both_channels() -> None:
    code, events, err = ask("--mode", "thinking", "Why?")
    assert code == 0, err
    channels = [event["channel"] for event in events if event["event"] == "text_added"]
    assert set(channels) == {"thought", "answer"}
    assert events[-1]["thought"]


@pytest.mark.parametrize(
    ("question", "mode"), [("Prove that 2 is prime.", "thinking"), ("Hello!", "instruct")]
)
def test_by_itself_it_chooses_by_the_task_and_says_so(question: str, mode: str) -> None:
    code, events, err = ask("--mode", "auto", question)
    assert code == 0, err
    (routed,) = [event for event in events if event["event"] == "routed"]
    assert (routed["mode"], routed["cause"]) == (mode, "task")
    assert events[-1]["stats"]["mode"] == mode


def test_steps_are_events() -> None:
    steps = ("--max-steps", "3", "--step-tokens", "64", "--thought-budget", "500")
    code, events, err = ask("--mode", "thinking", *steps, "Why?")
    assert code == 0, err
    started = [event for event in events if event["event"] == "step_started"]
    assert [(event["step"], event["kind"]) for event in started] == [
        (1, "think"),
        (2, "think"),
        (3, "think"),
        (3, "answer"),
    ]
    assert {event["max_steps"] for event in started} == {3}
    assert events[-1]["stats"]["steps"] == 3
    assert events[-1]["text"].strip()


def test_a_seed_repeats() -> None:
    first, second = (ask("--seed", "7", "--max-new-tokens", "12", "x")[1][-1]["text"] for _ in range(2))
    assert first == second


def test_a_bad_attachment_is_named(tmp_path: Path) -> None:
    code, events, _ = ask("--attach", str(tmp_path / "gone.png"), "What is it?")
    assert code == 1
    assert events[-1]["event"] == "failed"
    assert events[-1]["error"] == "AttachmentGone"
    assert "gone.png" in events[-1]["message"]
    assert events[-1]["remedy"]
    code, out, err = run("ask", "--backend", "fake", "--attach", str(tmp_path / "gone.png"), "What is it?")
    assert (code, out) == (1, "")
    assert "The file “gone.png” is not there." in err
    code, out, err = run("ask", "--backend", "fake", "--attach", str(tmp_path), "What is it?")
    assert (code, out) == (1, "")
    assert f"“{tmp_path.name}” is a folder." in err


def test_a_model_that_is_not_here_fails() -> None:
    code, out, err = run("ask", "--model", "no-such-model", "x")
    assert (code, out) == (1, "")
    assert "“no-such-model”" in err


def test_what_libraries_print_does_not_garble_the_events() -> None:
    code, events, _ = ask("x", before=with_backends("noisy"))
    assert code == 0
    assert events[-1]["event"] == "finished"


LONG = with_backends("endless")


def read_until_text(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["event"] == "text_added":
            return
    pytest.fail("no text came")


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_answer_and_keeps_what_was_said(number: signal.Signals) -> None:
    with start("ask", "--backend", "fake", "--json", "x", before=LONG) as process:
        read_until_text(process)
        process.send_signal(number)
        out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 130, err
    last = json.loads(out.splitlines()[-1])
    assert (last["event"], last["finish_reason"]) == ("finished", "cancelled")
    assert last["text"]
    assert "Traceback" not in err


@posix
def test_a_signal_that_the_caller_had_ignored_stays_ignored() -> None:
    ignore = LONG + "\nimport signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
    with start("ask", "--backend", "fake", "--json", "x", before=ignore) as process:
        read_until_text(process)
        process.send_signal(signal.SIGINT)
        for _ in range(30):  # a second of text behind it
            read_until_text(process)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 130, err
    assert json.loads(out.splitlines()[-1])["finish_reason"] == "cancelled"


@posix
def test_a_second_ctrl_c_ends_what_hangs(tmp_path: Path) -> None:
    marker = tmp_path / "hangs"
    hang = with_backends("faulty") + PATIENT.format(marker=str(marker))
    with start("ask", "--backend", "fake", "--json", "x", before=hang) as process:
        deadline_s = time.monotonic() + TIMEOUT_S
        while not marker.exists() and time.monotonic() < deadline_s:  # before that a first one ends it
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 130


@posix
def test_a_closed_pipe_ends_quietly() -> None:
    with start("ask", "--backend", "fake", "x", before=LONG) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(5)
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait(TIMEOUT_S) == 0
    assert err == ""


@posix
def test_a_closed_pipe_under_a_listing_ends_quietly() -> None:
    with start("models", before="import time; time.sleep(0.5)") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait(TIMEOUT_S) == 0
    assert err == ""


@posix
@pytest.mark.parametrize("closed", [(0, 1, 2), (1,), (2,)])
@pytest.mark.parametrize("command", [("ask", "--backend", "fake", "x"), ("models",)])
def test_closed_streams_are_no_failure(closed: tuple[int, ...], command: tuple[str, ...]) -> None:
    names = {0: "stdin", 1: "stdout", 2: "stderr"}
    # What Python makes of a stream that is closed when it starts.
    before = "import os; " + "; ".join(f"os.close({n}); sys.{names[n]} = None" for n in closed)
    code, out, err = run(*command, before=before)
    assert (code, err) == (0, "")
    assert bool(out) == (1 not in closed)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_an_answer_that_cannot_be_written_is_said() -> None:
    before = "import os; os.dup2(os.open('/dev/full', os.O_WRONLY), 1)"
    code, _, err = run("ask", "--backend", "fake", "x", before=before)
    assert code == 1
    (line,) = err.splitlines()
    assert "could not be written" in line


@posix
def test_a_question_and_a_file_name_that_are_no_utf_8(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff.png"
    Path(os.fsdecode(name)).write_bytes(Path(picture(tmp_path)).read_bytes())
    code, events, err = ask("--attach", os.fsdecode(name), os.fsdecode(b"What is \xff?"))
    assert code == 0, err
    (read,) = (event for event in events if event["event"] == "attachment_read")
    assert os.fsencode(read["path"]) == name


@pytest.mark.parametrize("command", ["models", "doctor"])
def test_the_light_commands_import_nothing_heavy(command: str) -> None:
    check = "import atexit; atexit.register(lambda: print({'numpy', 'torch', 'transformers', 'llama_cpp'} & set(sys.modules)))"
    _, out, err = run(command, "--json", before=check)
    assert out.splitlines()[-1] == "set()", err


def test_the_settings_limit_the_conversation(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "config.yaml").write_text("max_seq_len: 256\n")
    code, events, _ = ask("word " * 2000)
    assert code == 1
    assert events[-1]["error"] == "PromptTooLong"
    assert "256" in events[-1]["message"]

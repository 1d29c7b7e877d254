"""The frozen program's real window, under a virtual screen: another program drags a file onto it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.packaging.built_programs import ANSWER, HERE, QUESTION, Program, environment


def wait_for(is_there: Callable[[], str], timeout_s: float) -> str:
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        found = is_there()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {timeout_s} s in vain for {is_there.__name__}")


def xdotool(*arguments: str) -> str:
    done = subprocess.run(["xdotool", *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def stored(home: Path, query: str) -> list[str]:
    """A column of the conversations' file, or nothing while it cannot be read."""
    files = list(home.rglob("conversations.sqlite3"))
    try:
        with sqlite3.connect(f"file:{files[0]}?mode=ro", uri=True) as database:
            return [value for (value,) in database.execute(query)]
    except (IndexError, sqlite3.Error):
        return []


def stored_text(home: Path, role: str) -> str:
    """What was said by one side."""
    bodies = [json.loads(body) for body in stored(home, "SELECT body FROM message")]
    said = [body["text"] for body in bodies if body["role"] == role and body["state"] in ("sent", "done")]
    return "\n".join(said)


@pytest.fixture
def window(program: Program, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The open window's process; the full flavour answers with transformers."""
    if not shutil.which("xdotool") or not os.environ.get("DISPLAY"):
        pytest.skip("needs xdotool and a screen; see docs/packaging.md")
    if program.has("torch"):
        settings = home / ".local" / "share" / "qwen3-vl-desktop" / "config.yaml"
        settings.parent.mkdir(parents=True)
        settings.write_text("backend: transformers\n", encoding="utf-8")
    process = subprocess.Popen([str(program.executable)], env=environment(home), cwd=home)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def test_a_file_dropped_on_the_real_window_is_answered(
    window: subprocess.Popen[bytes], program: Program, home: Path, tmp_path: Path
) -> None:
    def shown() -> str:
        return xdotool("search", "--onlyvisible", "--name", "Qwen3-VL Desktop")

    number = wait_for(shown, 60).splitlines()[0]
    xdotool("windowmove", number, "200", "150")
    source = subprocess.Popen([sys.executable, str(HERE / "drag_source.py"), program.sample("receipt.png")])
    try:
        wait_for(lambda: xdotool("search", "--onlyvisible", "--name", "^drag source$"), 60)
        for step in ("40 40", "60 60", "300 300", "500 400", "505 405"):
            xdotool("mousemove", *step.split())
            if step == "40 40":
                xdotool("mousedown", "1")
            time.sleep(0.3)
        xdotool("mouseup", "1")
        assert source.wait(60) == 0, "the window did not take the file"
    finally:
        source.kill()
        source.wait()
    xdotool("windowfocus", "--sync", number)
    xdotool("type", "--delay", "30", QUESTION)
    xdotool("key", "Return")
    try:
        answer = wait_for(lambda: stored_text(home, "assistant"), 120)
        time.sleep(1.0)
    finally:
        out = Path(os.environ.get("QWEN3VL_SCREENSHOT", tmp_path / "window.png"))
        subprocess.run([sys.executable, str(HERE / "grab_screen.py"), str(out)], check=True)
    assert ANSWER in answer
    assert stored_text(home, "user") == QUESTION
    assert {path.name for path in home.iterdir()} <= {".local", ".cache", ".config"}
    second = program.run(home, program.sample("shapes.png"))
    assert second.returncode == 0, second.stderr

    def handed_over() -> str:
        drafts = stored(home, "SELECT draft FROM conversation")
        return next((draft for draft in drafts if "shapes.png" in draft), "")

    wait_for(handed_over, 30)
    assert window.poll() is None

"""The frozen program as a person has it: away from its sources, with an empty home and no Python on PATH.

Runs where a program was built (`make package`), or where `QWEN3VL_BUNDLE` names its folder.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
NAME = "qwen3-vl-desktop"
QUESTION = "What does it say?"
ANSWER = "Rye bread 4.50"


def built_program() -> Path | None:
    """The folder of the newest built program, or None."""
    named = os.environ.get("QWEN3VL_BUNDLE")
    places = (
        [Path(named)] if named else [ROOT / "build" / "bundle" / name / NAME for name in ("lite", "full")]
    )
    return next((place for place in places if place.is_dir()), None)


pytestmark = pytest.mark.skipif(built_program() is None, reason="no program was built")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, copied away from the sources."""
    built = built_program()
    assert built is not None
    target = tmp_path_factory.mktemp("elsewhere") / "Program Files" / NAME
    shutil.copytree(built, target, symlinks=True)
    names = (f"{NAME}-cli.exe", NAME)
    return next(target / name for name in names if (target / name).is_file())


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty one; its path is short, as a person's is, since a socket's path has a limit."""
    with tempfile.TemporaryDirectory(prefix="home-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def environment(home: Path, **more: str) -> dict[str, str]:
    """As after a log-in, without anything of this one."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "DISPLAY") if name in os.environ}
    own = {"HOME": str(home), "APPDATA": str(home), "LOCALAPPDATA": str(home), "PATH": "/nonexistent"}
    return {**kept, **own, "OMP_NUM_THREADS": "1", **more}


def run(program: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(program), *arguments],
        env=environment(home),
        cwd=home,
        capture_output=True,
        encoding="utf-8",
        timeout=150,
        check=False,
    )


def sample(program: Path, name: str) -> str:
    (found,) = program.parent.rglob(f"resources/samples/{name}")
    return str(found)


def state_of(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.rglob("*")}


def test_it_says_its_version(program: Path, home: Path) -> None:
    from desktopapp import __version__

    done = run(program, home, "--version")
    assert done.stdout == f"Qwen3-VL Desktop {__version__}\n", done.stderr
    assert list(home.iterdir()) == []


def test_doctor_finds_nothing_to_mend(program: Path, home: Path) -> None:
    done = run(program, home, "doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing to mend." in done.stdout
    assert "qwen3-vl-pocket-thinking: Thinking" in done.stdout
    if "Backend llama.cpp: Vulkan" in done.stdout:
        assert "\nVulkan: " in done.stdout


def test_the_pocket_model_answers_and_nothing_is_written_beside_the_program(
    program: Path, home: Path
) -> None:
    before = state_of(program.parent)
    done = run(program, home, "ask", "--attach", sample(program, "receipt.png"), QUESTION)
    assert done.returncode == 0, done.stderr
    assert ANSWER in done.stdout
    assert state_of(program.parent) == before


@pytest.mark.parametrize("name", ["circle.mp4", "garden.pdf"])
def test_videos_and_documents_are_read(name: str, program: Path, home: Path) -> None:
    done = run(program, home, "plan", "--json", "--attach", sample(program, name), QUESTION)
    assert done.returncode == 0, done.stderr
    assert "tokens" in done.stdout


def test_heic_and_avif_are_read(program: Path, home: Path) -> None:
    """Their decoders work without the encoder that was left out."""
    from PIL import Image
    from pillow_heif import register_heif_opener

    register_heif_opener()
    with Image.open(sample(program, "receipt.png")) as picture:
        for suffix in ("heic", "avif"):
            picture.convert("RGB").save(home / f"receipt.{suffix}", quality=95)
            done = run(program, home, "ask", "--attach", str(home / f"receipt.{suffix}"), QUESTION)
            assert done.returncode == 0, done.stderr
            assert ANSWER in done.stdout


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


def stored_text(home: Path, role: str) -> str:
    """What the conversation's file holds of one side, or nothing."""
    files = list(home.rglob("conversations.sqlite3"))
    if not files:
        return ""
    try:
        with sqlite3.connect(f"file:{files[0]}?mode=ro", uri=True) as database:
            bodies = [json.loads(body) for (body,) in database.execute("SELECT body FROM message")]
    except sqlite3.Error:
        return ""
    said = [body["text"] for body in bodies if body["role"] == role and body["state"] in ("sent", "done")]
    return "\n".join(said)


@pytest.fixture
def window(program: Path, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The open window's process."""
    if not shutil.which("xdotool") or not os.environ.get("DISPLAY"):
        pytest.skip("needs xdotool and a screen; see docs/packaging.md")
    process = subprocess.Popen([str(program)], env=environment(home), cwd=home)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def test_a_file_dropped_on_the_real_window_is_answered(
    window: subprocess.Popen[bytes], program: Path, home: Path, tmp_path: Path
) -> None:
    def shown() -> str:
        return xdotool("search", "--onlyvisible", "--name", "Qwen3-VL Desktop")

    number = wait_for(shown, 60).splitlines()[0]
    xdotool("windowmove", number, "200", "150")
    source = subprocess.Popen([sys.executable, str(HERE / "drag_source.py"), sample(program, "receipt.png")])
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
    second = run(program, home, sample(program, "shapes.png"))
    assert second.returncode == 0, second.stderr
    assert window.poll() is None

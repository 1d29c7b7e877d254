"""The frozen program as a person has it: away from its sources, with an empty home and no Python on PATH.

Runs where programs were built (`make package`, `make package-full`), or where `QWEN3VL_BUNDLE` names their folders.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.hub_server import running_hub
from tests.packaging.built_programs import ANSWER, QUESTION, Program, environment


def state_of(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.rglob("*")}


_CALLS = (
    "openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,symlink,symlinkat,link,linkat,truncate,mknod"
)
# A call that was made to write: all but opening what is only read.
_WRITE = re.compile(r"^\d+ +(?:open(?:at)?\(.*(?:O_WRONLY|O_RDWR|O_CREAT)|(?!open)\w+\()")


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_nothing_is_written_outside_the_person_s_folder(program: Program, home: Path) -> None:
    trace = home.parent / f"{home.name}.trace"
    question = [program.executable, "ask", "--attach", program.sample("receipt.png"), QUESTION]
    command = [
        str(shutil.which("strace")),
        "-f",
        "-qq",
        "-o",
        str(trace),
        "-e",
        f"trace={_CALLS}",
        *map(str, question),
    ]
    try:
        done = subprocess.run(command, env=environment(home), capture_output=True, text=True, timeout=280)
        lines = trace.read_text(encoding="utf-8", errors="replace").splitlines() if trace.exists() else []
    finally:
        trace.unlink(missing_ok=True)
    if "ptrace" in done.stderr:
        pytest.skip("this machine forbids strace")
    assert ANSWER in done.stdout
    writes = [line for line in lines if _WRITE.match(line) and " = -1 " not in line]
    assert any(str(home) in line for line in writes)
    assert [line for line in writes if f'"{home}/' not in line and '"/dev/' not in line] == []


def test_it_says_its_version(program: Program, home: Path) -> None:
    from desktopapp import __version__

    done = program.run(home, "--version")
    assert done.stdout == f"Qwen3-VL Desktop {__version__}\n", done.stderr
    assert list(home.iterdir()) == []


def test_doctor_finds_nothing_to_mend(program: Program, home: Path) -> None:
    done = program.run(home, "doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing to mend." in done.stdout
    assert "qwen3-vl-pocket-thinking: Thinking" in done.stdout
    if "Backend llama.cpp: Vulkan" in done.stdout:
        assert "\nVulkan: " in done.stdout


@pytest.mark.parametrize("backend", ["llama.cpp", "transformers"])
def test_the_pocket_model_answers_and_nothing_is_written_beside_the_program(
    backend: str, program: Program, home: Path
) -> None:
    if backend == "transformers" and not program.has("torch"):
        pytest.skip("the lite flavour has no torch")
    before = state_of(program.folder)
    done = program.run(home, "ask", "--backend", backend, "--attach", program.sample("receipt.png"), QUESTION)
    assert done.returncode == 0, done.stderr
    assert ANSWER in done.stdout
    assert state_of(program.folder) == before
    assert {path.name for path in home.iterdir()} <= {".local", ".cache", ".config", "qwen3-vl-desktop"}


@pytest.mark.parametrize("name", ["circle.mp4", "garden.pdf"])
def test_videos_and_documents_are_read(name: str, program: Program, home: Path) -> None:
    done = program.run(home, "plan", "--json", "--attach", program.sample(name), QUESTION)
    assert done.returncode == 0, done.stderr
    assert "tokens" in done.stdout


def test_heic_and_avif_are_read(program: Program, home: Path) -> None:
    """Their decoders work without the encoder that was left out."""
    from PIL import Image
    from pillow_heif import register_heif_opener

    register_heif_opener()
    with Image.open(program.sample("receipt.png")) as picture:
        for suffix in ("heic", "avif"):
            picture.convert("RGB").save(home / f"receipt.{suffix}", quality=95)
            done = program.run(home, "ask", "--attach", str(home / f"receipt.{suffix}"), QUESTION)
            assert done.returncode == 0, done.stderr
            assert ANSWER in done.stdout


def test_a_model_is_fetched_from_a_hub_and_answers(program: Program, home: Path) -> None:
    own = next(program.folder.rglob("qwen3-vl-pocket-instruct"))
    with running_hub() as hub:
        repository = "somebody/Fetched-Instruct-GGUF"
        hub.repositories[repository] = {file.name: file.read_bytes() for file in own.glob("*.gguf")}
        done = program.run(home, "get", repository, "--endpoint", hub.url)
    assert done.returncode == 0, done.stderr
    listed = json.loads(program.run(home, "models", "--json").stdout)["models"]
    (fetched,) = [model for model in listed if str(home) in model["folder"]]
    assert fetched["usable"]
    picture = program.sample("receipt.png")
    done = program.run(home, "ask", "--model", fetched["name"], "--attach", picture, QUESTION)
    assert done.returncode == 0, done.stderr
    assert ANSWER in done.stdout

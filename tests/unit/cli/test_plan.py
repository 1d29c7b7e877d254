"""`main.py plan`, without a model's weights and without a GPU."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from desktopapp.cli.command_line import run_command
from desktopapp.cli.plan_text import plan_lines
from desktopapp.engine.media.headers import HeaderCache
from desktopapp.engine.memory.machine import imagine_machine
from desktopapp.engine.planning import RequestPlanner
from desktopapp.engine.price_events import PlannedAttachment
from desktopapp.engine.request import ModelChoice, Request, Role, Turn
from desktopapp.modelstore import store
from tests.published_configs import write_published_config

GIB = 2**30
FIELDS = {
    "prompt_tokens", "parts", "phases", "peak_bytes", "limit_bytes", "fits", "kv_type", "prefill_chunk", "segments",
    "attachments", "steps_taken", "remedies",
}  # fmt: skip


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QWEN3VL_DESKTOP_HOME", str(tmp_path / "home"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_published_config(tmp_path / "Qwen3-VL-4B-Instruct", "4B")
    return tmp_path / "Qwen3-VL-4B-Instruct"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.new("RGB", (1920, 1088)).save(tmp_path / "screen.png")
    return tmp_path / "screen.png"


def plan(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    assert run_command(["plan", *map(str, arguments), "--json", "What is this?"]) == 0
    value: dict[str, Any] = json.loads(capsys.readouterr().out)
    return value


def test_all_fields(folder: Path, picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = plan(capsys, "--model", folder, "--free-gib", "24", "--attach", picture)
    assert set(found) >= FIELDS
    assert set(found["parts"]) == {"weights", "kv_cache", "vision", "workspace", "overhead"}
    assert set(found["phases"]) == {"vision", "prefill", "decode"}
    assert found["fits"] is True
    assert found["limit_bytes"] == 24 * GIB
    assert found["parts"]["weights"] == 2 * 4_437_815_808
    assert found["peak_bytes"] == max(found["phases"].values())
    (attachment,) = found["attachments"]
    assert attachment["path"] == str(picture)
    assert attachment["tokens"] == 2040
    assert attachment["bytes"] == 2040 * 147_456
    assert attachment["size"] == [1920, 1088]


def test_the_ceiling_and_another_machine(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = plan(capsys, "--model", folder, "--free-gib", "24", "--vram-limit", "9.5")
    assert found["limit_bytes"] == round(9.5 * GIB)
    found = plan(capsys, "--model", folder, "--no-gpu", "--free-gib", "5")
    assert found["device"] == "System memory"
    assert found["fits"] is False
    assert found["limit_bytes"] == 5 * GIB


def test_longer_answers_cost_more(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    short, long = (
        plan(capsys, "--model", folder, "--free-gib", "40", "--max-new-tokens", count)
        for count in ("1024", "9216")
    )
    assert long["parts"]["kv_cache"] - short["parts"]["kv_cache"] == 8192 * 147_456


def test_an_answer_longer_than_the_context_does_not_fit(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--model", folder, "--free-gib", "4000", "--max-new-tokens", "9999999"]
    found = plan(capsys, *arguments)
    assert found["fits"] is False
    assert found["remedies"]
    assert run_command(["plan", *map(str, arguments), "hi"]) == 0
    assert "It does NOT fit: it is longer than the 262,144 tokens" in capsys.readouterr().out


def test_small_sizes_and_single_things(folder: Path) -> None:
    attachment = PlannedAttachment("a.mp4", 70, 3 * 2**20, (64, 64), frames=1)
    planner = RequestPlanner(store, machine=lambda *_: imagine_machine(8 * GIB, has_gpu=True))
    request = Request("", ModelChoice(str(folder)), (Turn(Role.USER, "hi"),))
    event = replace(planner.preview(request, HeaderCache()).event, attachments=(attachment,))
    assert "  a.mp4: 70 tokens, + 3.0 MiB, 1 frame, shown at 64 x 64" in list(plan_lines(event, ""))


def test_text_for_a_person(folder: Path, picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--model", str(folder), "--free-gib", "5", "--attach", str(picture)]
    assert run_command(["plan", *arguments, "Read this"]) == 0
    text = capsys.readouterr().out
    assert "screen.png: " in text
    assert "It does NOT fit" in text
    assert all(len(line) <= 160 for line in text.splitlines())


def test_the_pocket_model_is_priced_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    found = plan(capsys, "--no-gpu")
    assert found["fits"] is True
    assert found["model"].startswith("qwen3-vl-pocket")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--free-gib", "0"],
        ["--free-gib", "x"],
        ["--vram-limit", "-1"],
        ["--backend", "onnx"],
        ["--free-gib", "nan"],
    ],
)
def test_wrong_words(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["plan", *arguments, "hi"]) == 2
    assert capsys.readouterr().err


def test_a_model_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["plan", "--model", "/nowhere", "hi"]) == 1
    assert "/nowhere" in capsys.readouterr().err


def test_planning_imports_no_inference_library(folder: Path) -> None:
    program = (
        "import sys; from desktopapp.cli.command_line import run_command;"
        f"code = run_command(['plan', '--model', {str(folder)!r}, '--free-gib', '24', 'hi']);"
        "sys.exit(code or any(name in sys.modules for name in ('torch', 'transformers', 'llama_cpp')) * 9)"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == 0

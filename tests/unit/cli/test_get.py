"""`main.py get`: the list without a network, a download, going on, and what is said when it fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import close_session

from desktopapp import paths
from desktopapp.cli import get as get_module
from desktopapp.cli.command_line import run_command
from desktopapp.engine.memory.machine import Device, Machine
from desktopapp.modelstore.model import ModelFiles
from tests.hub_server import HubServer, running_hub

ROOT = Path(__file__).resolve().parents[3]
REPOSITORY = "Qwen/Qwen3-VL-4B-{}-GGUF"
GIB = 2**30


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "home"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    machine = Machine(Device("System memory", False, 16 * GIB, 16 * GIB))
    monkeypatch.setattr(get_module, "read_machine", lambda: machine)
    return tmp_path / "home"


@pytest.fixture
def hub(random_gguf: ModelFiles) -> Iterator[HubServer]:
    assert random_gguf.projector is not None
    close_session()
    with running_hub() as server:
        for kind in ("Instruct", "Thinking"):
            weights = random_gguf.path.read_bytes()
            server.repositories[REPOSITORY.format(kind)] = {
                f"Qwen3VL-4B-{kind}-Q8_0.gguf": weights,
                f"Qwen3VL-4B-{kind}-Q4_K_M.gguf": weights,
                f"mmproj-Qwen3VL-4B-{kind}-F16.gguf": random_gguf.projector.read_bytes(),
            }
        yield server
        close_session()


def get(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    code = run_command(["get", *arguments, "--json"])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_list_contacts_nothing(hub: HubServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["get", "--endpoint", hub.url]) == 0
    text = capsys.readouterr().out
    assert text.count("<- recommended") == 1
    assert "30B-A3B" in text
    code, (listed,) = get(capsys)
    assert code == 0
    assert len(listed["models"]) >= 15
    assert listed["free_disk_bytes"] > 0
    assert hub.requests == []


def test_a_size_brings_the_pair_in_the_form_that_fits(
    hub: HubServer, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    code, events = get(capsys, "4B", "--endpoint", hub.url)
    assert code == 0
    assert [event["precision"] for event in events if event["event"] == "found"] == ["Q8_0", "Q8_0"]
    finished = [event["model"] for event in events if event["event"] == "finished"]
    assert finished == ["Qwen3-VL-4B-Instruct-GGUF", "Qwen3-VL-4B-Thinking-GGUF"]
    assert run_command(["models", "--json"]) == 0
    models = {model["name"]: model for model in json.loads(capsys.readouterr().out)["models"]}
    pair = [models[name] for name in finished]
    assert [model["usable"] for model in pair] == [True, True]
    assert pair[0]["family"] == pair[1]["family"] == "qwen3-vl-4b"
    assert str(home) in pair[0]["folder"]


def test_a_person_reads_where_it_went(hub: HubServer, capsys: pytest.CaptureFixture[str]) -> None:
    name = REPOSITORY.format("Thinking")
    assert run_command(["get", name, "--precision", "q4_k_m", "--endpoint", hub.url]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("Qwen3-VL-4B-Thinking-GGUF is in ")
    assert "Q4_K_M, 2 files" in printed.err
    assert "checking Qwen3VL-4B-Thinking-Q4_K_M.gguf" in printed.err


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("nonsense",), "AddressUnknown"),
        (("nobody/nothing",), "RepositoryAbsent"),
        (("4B-instruct:Q2_K",), "PrecisionAbsent"),
        (("4B", "--endpoint", "nowhere"), "EndpointUnusable"),
    ],
)
def test_failures_are_one_sentence_and_a_remedy(
    hub: HubServer, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], error: str
) -> None:
    endpoint = () if "--endpoint" in arguments else ("--endpoint", hub.url)
    code, events = get(capsys, *arguments, *endpoint)
    assert code == 1
    assert events[-1]["event"] == "failed"
    assert events[-1]["error"] == error
    assert events[-1]["remedy"]


def test_the_setting_names_the_hub(hub: HubServer, capsys: pytest.CaptureFixture[str], home: Path) -> None:
    home.mkdir()
    (home / "config.yaml").write_text(f"hub_endpoint: {hub.url}\n")
    code, events = get(capsys, "4B-instruct")
    assert code == 0
    assert events[0]["host"] in hub.url


def test_an_interrupted_download_goes_on_in_the_next_run(
    hub: HubServer, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    hub.block_pause_s = 0.05
    command = [sys.executable, "main.py", "get", REPOSITORY.format("Instruct"), "--precision", "Q8_0"]
    child = subprocess.Popen(
        [*command, "--endpoint", hub.url, "--json"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, env=dict(os.environ),
    )  # fmt: skip
    assert child.stdout is not None
    with child.stdout:
        for line in child.stdout:
            event = json.loads(line)
            if event["event"] == "progress" and event["done_bytes"] > 0:
                child.send_signal(signal.SIGINT)
                break
        rest = [json.loads(line) for line in child.stdout]
    assert child.wait() == 130
    assert rest[-1]["event"] == "interrupted"
    (listed,) = get(capsys)[1]
    assert listed["begun"][0]["repository"] == REPOSITORY.format("Instruct")
    hub.block_pause_s = 0.0
    code, events = get(capsys, REPOSITORY.format("Instruct") + ":Q8_0", "--endpoint", hub.url)
    assert code == 0
    found = next(event for event in events if event["event"] == "found")
    assert 0 < found["missing_bytes"] < found["total_bytes"]

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from desktopapp import __main__ as program
from desktopapp.cli import ask as ask_module
from desktopapp.cli import belongs_to_cli, command_line, run_command
from desktopapp.cli.ask import make_request
from desktopapp.engine.request import BackendChoice, Mode, ModelChoice, Request, Role
from desktopapp.settings import Settings

DEFAULTS = Settings()


@pytest.mark.parametrize(
    ("arguments", "belongs"),
    [
        (["ask", "x"], True),
        (["models"], True),
        (["doctor", "--json"], True),
        (["--version"], True),
        (["--help"], True),
        ([], False),
        (["a.png", "b.png"], False),
        (["./ask"], False),
        (["--backend", "fake"], False),
        (["asks", "hi"], True),
        (["tests"], False),
    ],
)
def test_commands_are_told_from_files(arguments: list[str], belongs: bool) -> None:
    assert belongs_to_cli(arguments) is belongs


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ask"], "PROMPT"),
        (["asks", "hi"], "no such file or command: “asks”. Did you mean “ask”?"),
        (["hello"], "no such file or command: “hello”. See “"),
        (["ask", "  "], "the question is empty"),
        (["ask", "--backend", "cuda", "x"], "there is no backend “cuda”"),
        (["ask", "--mode", "fast", "x"], "--mode: there is no mode “fast”; choose auto, instruct, thinking"),
        (["ask", "--attach", "", "x"], "the file's name is empty"),
        (["ask", "--max-new-tokens", "0", "x"], "no whole number from 1 to 4294967295"),
        (["ask", "--max-new-tokens", "many", "x"], "no whole number"),
        (["ask", "--thought-budget", "0", "x"], "no whole number from 1 to 1048576"),
        (["ask", "--max-steps", "1001", "x"], "no whole number from 1 to 1000"),
        (["ask", "--step-tokens", "63", "x"], "no whole number from 64 to 65536"),
        (["ask", "--temperature", "-1", "x"], "no number from 0 up"),
        (["ask", "--temperature", "nan", "x"], "no number from 0 up"),
        (["ask", "--temperature", "inf", "x"], "no number from 0 up"),
        (["ask", "--seed", "-1", "x"], "no whole number from 0 to 4294967295"),
        (["ask", "--seed", "4294967296", "x"], "no whole number from 0 to 4294967295"),
        (["ask", "--mod", "auto", "x"], "no option “--mod”. Did you mean “--mode”? See “"),
        (["ask", "--temprature", "0", "x"], "no option “--temprature”. Did you mean “--temperature”?"),
        (["ask", "two", "prompts"], "“prompts” is one word too many. Put a question"),
        (["models", "--all"], "no option “--all”. See “"),
    ],
)
def test_wrong_usage_is_one_line_with_a_remedy(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert words in line
    assert line.endswith("--help”.")


def parse(*arguments: str, settings: Settings = DEFAULTS, monkeypatch: pytest.MonkeyPatch) -> Request:
    requests: list[Request] = []

    def keep(options: object) -> int:
        requests.append(make_request(options, settings))  # type: ignore[arg-type]
        return 0

    monkeypatch.setattr(ask_module, "ask", keep)
    assert run_command(["ask", *arguments]) == 0
    return requests[0]


def test_every_option_reaches_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = (
        "--model m --backend transformers --mode thinking --attach a.png --attach b.png --system S "
        "--max-new-tokens 7 --temperature 0 --seed 3"
    )
    request = parse(*arguments.split(), "What?", monkeypatch=monkeypatch)
    assert request.choice == ModelChoice("m", BackendChoice.TRANSFORMERS, Mode.THINKING)
    (turn,) = request.turns
    assert (turn.role, turn.text) == (Role.USER, "What?")
    assert [attachment.path for attachment in turn.attachments] == [
        str(Path.cwd() / name) for name in ("a.png", "b.png")
    ]
    assert (request.system, request.max_new_tokens) == ("S", 7)
    assert (request.sampling.temperature, request.sampling.seed) == (0.0, 3)


def test_the_settings_stand_behind_the_options(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(model_name="mine", backend="llama.cpp", use_thinking_mode="true")
    request = parse("x", settings=settings, monkeypatch=monkeypatch)
    assert request.choice == ModelChoice("mine", BackendChoice.LLAMA_CPP, Mode.THINKING)
    request = parse("--mode", "auto", "--backend", "auto", "x", settings=settings, monkeypatch=monkeypatch)
    assert request.choice == ModelChoice("mine", BackendChoice.AUTO, Mode.AUTO)
    request = parse("--model", "other", "x", settings=settings, monkeypatch=monkeypatch)
    assert request.choice == ModelChoice("other", BackendChoice.LLAMA_CPP, None)  # who names a model means it


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_command(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("Qwen3-VL Desktop ")


def test_ctrl_c_while_libraries_are_imported_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_options: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "_run", interrupt)
    assert run_command(["models"]) == 130
    assert capsys.readouterr().err == ""


def test_files_open_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[list[str]] = []
    app = ModuleType("desktopapp.app")
    app.main = lambda arguments: opened.append(arguments) or 5  # type: ignore[attr-defined, func-returns-value]
    app.end_process = sys.exit  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "desktopapp.app", app)
    monkeypatch.setattr(sys, "argv", ["main.py", "a.png", "b.png"])
    with pytest.raises(SystemExit) as ended:
        program.main()
    assert ended.value.code == 5
    assert opened == [["a.png", "b.png"]]


def test_models_as_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QWEN3VL_DESKTOP_HOME", str(tmp_path))
    monkeypatch.setattr("desktopapp.paths.program_dir", lambda: tmp_path / "program")
    folder = tmp_path / "models" / "qwen3-vl" / "broken"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    assert run_command(["models", "--json"]) == 0
    listing = json.loads(capsys.readouterr().out)
    (model,) = listing["models"]
    assert (model["name"], model["usable"], model["files"]) == ("broken", False, [])
    assert "llama" in model["problem"]
    assert listing["places"][-1] == str(tmp_path / "models" / "qwen3-vl")


def test_models_as_text_says_where_to_put_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QWEN3VL_DESKTOP_HOME", str(tmp_path))
    monkeypatch.setattr("desktopapp.paths.program_dir", lambda: tmp_path / "program")
    assert run_command(["models"]) == 0
    assert str(tmp_path / "models" / "qwen3-vl") in capsys.readouterr().out

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desktopapp.cli import belongs_to_cli, run_command


def test_one_prompt_is_answered_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["route", "Prove that the sum of two odd numbers is even."]) == 0
    assert capsys.readouterr().out.startswith("Thinking: proof (")


def test_json_has_mode_probability_and_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["route", "--json", "--attach", "a.png", "Read the label."]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found.keys() == {"mode", "probability", "reason"}
    assert (found["mode"], found["reason"]) == ("instruct", "reading")
    assert 0 <= found["probability"] < 0.5


def test_attachments_count(capsys: pytest.CaptureFixture[str]) -> None:
    probabilities = []
    for attached in ([], ["--attach", "1.png", "--attach", "2.png"]):
        run_command(["route", "--json", *attached, "Compare them."])
        probabilities.append(json.loads(capsys.readouterr().out)["probability"])
    assert probabilities[0] != probabilities[1]


def test_a_file_gives_one_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text("你好\n\n为什么天平会倾斜？请一步步推理\nRead this.\n", encoding="utf-8")
    assert run_command(["route", "--prompts", str(file)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["mode"] for line in lines] == ["instruct", "thinking", "instruct"]
    assert lines[0]["prompt"] == "你好"


def test_a_prompt_ends_with_its_line_and_nowhere_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "prompts.txt"
    file.write_bytes("Read\u2028this.\r\n\tAdd\x0c3 and 4.\n".encode())
    assert run_command(["route", "--prompts", str(file)]) == 0
    prompts = [json.loads(line)["prompt"] for line in capsys.readouterr().out.splitlines()]
    assert prompts == ["Read\u2028this.", "\tAdd\x0c3 and 4."]


@pytest.mark.parametrize(
    "text",
    ["😀", "x" * 100_000, "这" * 100_000, "Lies das vor", "請問", "a\x00b", "\u202e"],
    ids=lambda text: f"{len(text)} characters",
)
def test_any_text_is_routed(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["route", "--json", text]) == 0
    assert json.loads(capsys.readouterr().out)["mode"] in ("instruct", "thinking")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["route", "--prompts", "/x", "y"], "a prompt and a file"),
        (["route"], "There is no prompt"),
        (["route", "--prompts", "/nowhere/at/all"], "No such file"),
    ],
)
def test_wrong_usage(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(arguments) == 2
    assert words in capsys.readouterr().err


def test_a_file_that_is_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "x.bin"
    file.write_bytes(b"\xff\xfe\x80")
    assert run_command(["route", "--prompts", str(file)]) == 2
    assert "not UTF-8" in capsys.readouterr().err


def test_route_is_a_command_of_the_command_line() -> None:
    assert belongs_to_cli(["route", "x"])

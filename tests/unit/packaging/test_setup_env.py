from __future__ import annotations

import importlib.util
import os
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


def load_script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"script_{name}", ROOT / "packaging" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


setup_env = load_script("setup_env")
system_packages = load_script("system_packages")


@pytest.mark.parametrize(
    ("choice", "has_nvcc", "has_driver", "wanted"),
    [
        ("", True, True, True),
        ("", True, False, False),
        ("", False, True, False),
        ("on", True, False, True),
        ("off", True, True, False),
    ],
)
def test_cuda_is_built_where_it_can_run_or_was_asked_for(
    choice: str, has_nvcc: bool, has_driver: bool, wanted: bool
) -> None:
    assert setup_env.wants_cuda(choice, has_nvcc, has_driver) is wanted


@pytest.mark.parametrize(("choice", "has_nvcc"), [("yes", True), ("on", False)])
def test_a_choice_that_cannot_be_is_refused(choice: str, has_nvcc: bool) -> None:
    with pytest.raises(setup_env.SetupFailed, match="LLAMA_CUDA"):
        setup_env.wants_cuda(choice, has_nvcc, True)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("  [129/193] Building CXX object vendor/llama.cpp/x.o\n", "step 129 of 193"),
        ("[1/2] ok", "step 1 of 2"),
        ("-- Found Git: /usr/bin/git", ""),
        ("", ""),
    ],
)
def test_progress_of_the_build(line: str, words: str) -> None:
    assert setup_env.build_progress(line) == words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Collecting torch==2.13.0\n", "looking for torch==2.13.0"),
        (
            "  Downloading https://x/y/torch-2.13.0-cp311.whl (192.0 MB)\n",
            "downloading torch-2.13.0-cp311.whl (192.0 MB)",
        ),
        ("Installing collected packages: a, b, c\n", "installing 3 packages"),
        ("Requirement already satisfied: a", ""),
        ("\n", ""),
    ],
)
def test_progress_of_pip(line: str, words: str) -> None:
    assert setup_env.pip_progress(line) == words


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "0 s"), (59.6, "1 min 00 s"), (605, "10 min 05 s")])
def test_durations(seconds: float, words: str) -> None:
    assert setup_env.duration_words(seconds) == words


def test_stamps_know_what_was_made_and_survive_garbage(tmp_path: Path) -> None:
    stamps = setup_env.Stamps(tmp_path / "stamps.json")
    assert not stamps.is_current("a", "1")
    stamps.set("a", "1")
    stamps.set("b", "2")
    assert stamps.is_current("a", "1")
    assert not stamps.is_current("b", "1")
    for garbage in ("{", "[]"):
        (tmp_path / "stamps.json").write_text(garbage)
        assert not stamps.is_current("a", "1")
    stamps.set("a", "3")
    assert stamps.is_current("a", "3")


def test_a_hash_changes_with_content_name_and_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_env, "ROOT", tmp_path)
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("1")
    second.write_text("1")
    hashes = {
        setup_env.hash_of(*arguments)
        for arguments in (([first],), ([second],), ([first], "x"), ([first, second],))
    }
    first.write_text("2")
    hashes.add(setup_env.hash_of([first]))
    assert len(hashes) == 5


def test_a_tool_that_fails_ends_the_setup_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup_env, "LOG", tmp_path / "build" / "setup.log")
    seen: list[str] = []

    class Recorder:
        def update(self, progress: str) -> None:
            seen.append(progress)

    script = "import sys; print('[1/2] half'); print('boom', file=sys.stderr); sys.exit(3)"
    with pytest.raises(setup_env.SetupFailed, match=r"(?s)boom.*setup.log"):
        setup_env.run_logged([sys.executable, "-c", script], Recorder(), setup_env.build_progress)
    assert seen == ["step 1 of 2"]
    assert "boom" in (tmp_path / "build" / "setup.log").read_text()


def test_plain_output_is_not_flooded(capsys: pytest.CaptureFixture[str]) -> None:
    display = setup_env.Display(interval_s=3600.0)
    with display.step("building"):
        for number in range(1000):
            display.update(f"step {number} of 1000")
    first, second = capsys.readouterr().out.splitlines()
    assert first == "  building ..."
    assert re.fullmatch(r"  building: done in \d+ s", second)


def test_translations_are_compiled_when_their_source_is_newer(tmp_path: Path) -> None:
    source, result = tmp_path / "a.ts", tmp_path / "a.qm"
    source.touch()
    assert setup_env.is_older(result, source)
    result.touch()
    os.utime(source, (1, 1))
    assert not setup_env.is_older(result, source)
    os.utime(result, (0, 0))
    assert setup_env.is_older(result, source)


def packages_missing(**changes: object) -> list[str]:
    arguments = {"has_font": True, "has_venv": True, "headless": False} | changes
    return list(
        system_packages.missing_packages(
            {"libegl1": "libEGL.so.1", "libx": "libx.so"},
            arguments.pop("loads", lambda _library: True),
            arguments.pop("which", lambda _program: "/usr/bin/program"),
            **arguments,
        )
    )


def test_nothing_is_installed_where_everything_is() -> None:
    assert packages_missing(headless=True) == []


def test_only_what_is_missing_is_installed() -> None:
    assert packages_missing(loads=lambda library: library != "libx.so") == ["libx"]
    assert packages_missing(has_font=False) == ["fonts-dejavu-core"]
    assert packages_missing(has_venv=False) == [
        f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    ]


def test_a_virtual_screen_is_for_tests_only() -> None:
    assert packages_missing(which=lambda _program: None) == ["g++"]
    assert packages_missing(which=lambda _program: None, headless=True) == ["g++", "xvfb", "xauth"]


def test_the_list_of_libraries_is_whole() -> None:
    libraries = system_packages.read_libraries(system_packages.LIBRARIES.read_text())
    assert libraries["libxcb-cursor0"] == "libxcb-cursor.so.0"
    assert all(".so." in library for library in libraries.values())


def test_constraints_pin_every_dependency_without_local_versions_or_places() -> None:
    import tomllib

    lines = [
        line
        for line in (ROOT / "packaging" / "constraints.txt").read_text().splitlines()
        if not line.startswith("#")
    ]
    pins = dict(line.split("==") for line in lines)
    assert not [line for line in lines if "+" in line or "/" in line or "--" in line]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = [re.split(r"[!<>=;]", requirement)[0].strip() for requirement in wanted]
    assert [name for name in names if name not in pins] == []
    assert (pins["torch"], pins["transformers"], pins["llama-cpp-python"]) == ("2.13.0", "5.23.0", "0.3.36")


def test_packaging_is_no_package_since_it_would_shadow_the_one_of_that_name() -> None:
    assert not (ROOT / "packaging" / "__init__.py").exists()


def test_an_interrupted_setup_leaves_no_tool_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_env, "LOG", tmp_path / "build" / "setup.log")

    class Interrupting:
        def update(self, _progress: str) -> None:
            raise KeyboardInterrupt

    script = "import time; print('[1/2]', flush=True); time.sleep(600)"
    with pytest.raises(KeyboardInterrupt):
        setup_env.run_logged([sys.executable, "-c", script], Interrupting(), setup_env.build_progress)

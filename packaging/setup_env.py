"""Make the environment that `make run` and `make test` need; run again, it skips what is done.

    python3 packaging/setup_env.py

Standard library only, since it runs on the system's Python before anything is installed. Each step leaves a
stamp with a hash of what it was made from, so an interrupted set-up goes on where it was. `LLAMA_CUDA=on|off`
overrides whether llama.cpp is built for NVIDIA GPUs. The full output of the tools is in `build/setup.log`.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOG = ROOT / "build" / "setup.log"
CONSTRAINTS = ROOT / "packaging" / "constraints.txt"
MODELS = ROOT / "models" / "qwen3-vl"
POCKET = "qwen3-vl-pocket-*"
OLDEST_PYTHON = (3, 11)
LLAMA = "llama-cpp-python"


class SetupFailed(Exception):
    """Ends the set-up; the text says what happened and what to do."""


# ---------------------------------------------------------------- output


class Display:
    """A few lines of progress: on a terminal the running one is rewritten, else a plain line now and then.

    Args:
        interval_s: shortest time between two plain lines of one step.
    """

    def __init__(self, interval_s: float = 15.0) -> None:
        self._is_terminal = sys.stdout.isatty()
        self._interval_s = interval_s
        self._step = ""
        self._began_s = self._last_s = 0.0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Announce a step, and how long it took when it is over."""
        self._step = name
        self._began_s = self._last_s = time.monotonic()
        self._write(f"  {name} ...")
        yield
        self._write(f"  {name}: done in {duration_words(time.monotonic() - self._began_s)}", last=True)

    def update(self, progress: str) -> None:
        """Say where the step is."""
        now_s = time.monotonic()
        if now_s - self._last_s < (0.2 if self._is_terminal else self._interval_s):
            return
        self._last_s = now_s
        self._write(f"  {self._step}: {progress}, {duration_words(now_s - self._began_s)} so far")

    def _write(self, text: str, *, last: bool = False) -> None:
        if self._is_terminal:
            width = shutil.get_terminal_size().columns - 1
            sys.stdout.write(f"\r\x1b[K{text[:width]}" + ("\n" if last else ""))
        else:
            sys.stdout.write(text + "\n")
        sys.stdout.flush()


def duration_words(seconds: float) -> str:
    """A duration as `8 s` or `3 min 05 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def build_progress(line: str) -> str:
    """What a line of ninja's output says about the build, as `step 129 of 193`; empty for other lines."""
    match = re.search(r"\[(\d+)/(\d+)\]", line)
    return f"step {match[1]} of {match[2]}" if match else ""


def pip_progress(line: str) -> str:
    """What a line of pip's output says, in a few words; empty for other lines."""
    words = line.split()
    if words[:1] == ["Collecting"]:
        return f"looking for {words[1]}"
    if words[:1] == ["Downloading"]:
        return f"downloading {words[1].rpartition('/')[2]} {' '.join(words[2:])}".strip()
    if words[:2] == ["Installing", "collected"]:
        return f"installing {len(words) - 3} packages"
    return ""


def run_logged(
    command: Sequence[str | Path],
    display: Display,
    progress: Callable[[str], str],
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a tool; its output goes to the log, what `progress` makes of its lines to the display.

    Raises:
        SetupFailed: it failed; the text ends with its last lines.
    """
    LOG.parent.mkdir(exist_ok=True)
    tail: list[str] = []
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"\n$ {' '.join(map(str, command))}\n")
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        assert process.stdout is not None
        with process:
            try:
                for line in process.stdout:
                    log.write(line)
                    tail = [*tail[-11:], line.rstrip()]
                    words = progress(line)
                    if words:
                        display.update(words)
            except KeyboardInterrupt:
                process.terminate()  # a terminal's Ctrl-C reaches it anyway, a lone signal does not
                raise
    if process.returncode:
        name = Path(command[0]).name
        raise SetupFailed("\n".join([*tail, f"{name} failed; all of its output is in {LOG}."]))


# ---------------------------------------------------------------- decisions


def wants_cuda(choice: str, has_nvcc: bool, has_driver: bool) -> bool:
    """Whether to build llama.cpp with CUDA.

    Args:
        choice: `LLAMA_CUDA`: `on`, `off`, or empty to decide here.
        has_nvcc: the CUDA compiler is there.
        has_driver: NVIDIA's driver is there; a CUDA build does not even load without it.

    Raises:
        SetupFailed: the choice is neither, or cannot be.
    """
    if choice not in ("", "on", "off"):
        raise SetupFailed(f"LLAMA_CUDA cannot be “{choice}”; set it to on or off.")
    if choice == "on" and not has_nvcc:
        raise SetupFailed(
            "LLAMA_CUDA=on needs nvcc on the PATH; install the CUDA toolkit, or unset LLAMA_CUDA."
        )
    return choice == "on" or (choice == "" and has_nvcc and has_driver)


def can_load(library: str) -> bool:
    """Whether the system's loader finds a shared library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def hash_of(paths: Iterable[Path], *texts: str) -> str:
    """A hash of files and texts."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    for text in texts:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()


class Stamps:
    """What each step was last made from; kept inside the environment, so that it goes with it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def is_current(self, step: str, value: str) -> bool:
        """Whether a step was made from just this."""
        return self._read().get(step) == value

    def set(self, step: str, value: str) -> None:
        """Remember that a step is done."""
        temporary = self._file.with_suffix(".tmp")
        temporary.write_text(json.dumps({**self._read(), step: value}, indent=1))
        temporary.replace(self._file)

    def _read(self) -> dict[str, str]:
        try:
            values = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return {}
        return values if isinstance(values, dict) else {}


# ---------------------------------------------------------------- steps


class Setup:
    """All steps in order.

    Args:
        display: where progress is shown.
    """

    def __init__(self, display: Display) -> None:
        self._display = display
        self._python = VENV / ("Scripts" if os.name == "nt" else "bin") / "python"
        self._stamps = Stamps(VENV / "setup-stamps.json")
        self._has_driver = can_load("libcuda.so.1")
        self._cuda = wants_cuda(
            os.environ.get("LLAMA_CUDA", ""), shutil.which("nvcc") is not None, self._has_driver
        )

    def run(self) -> bool:
        """Do what is not done yet; returns whether there was anything."""
        variant = "cuda" if self._cuda else "cpu"
        steps = (
            ("environment", hash_of([], sys.version), self._environment_step),
            ("packages", hash_of([CONSTRAINTS, ROOT / "pyproject.toml"], sys.version), self._packages_step),
            ("llama.cpp", hash_of([CONSTRAINTS], sys.version, variant), self._llama_step),
            ("models", hash_of(self._model_sources()), self._models_step),
        )
        pending = [step for step in steps if not self._is_done(*step[:2])]
        if pending:
            print("Setting up Qwen3-VL Desktop; this is done once.")
        for name, value, step in pending:
            step()
            self._stamps.set(name, value)
        return self._translations_step() or bool(pending)

    def _is_done(self, name: str, value: str) -> bool:
        if name == "models" and len(list(MODELS.glob(POCKET + "/mmproj-*.gguf"))) < 2:
            return False
        return self._stamps.is_current(name, value)

    def _environment_step(self) -> None:
        make_venv(self._python, self._display)

    def _packages_step(self) -> None:
        import tomllib

        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
        with self._display.step("Python packages (PyTorch, Qt and others)"):
            self._pip(pip_progress, *(name for name in wanted if name != LLAMA))

    def _llama_step(self) -> None:
        variant = "with CUDA" if self._cuda else "for the CPU"
        with self._display.step(f"llama.cpp {variant} (compiled here, about ten minutes on two cores)"):
            setting = f"{os.environ.get('CMAKE_ARGS', '')} -DGGML_CUDA={'on' if self._cuda else 'off'}"
            environment = {"CMAKE_ARGS": setting.strip()}
            self._pip(build_progress, "-v", LLAMA, environment=environment)
            if not self._llama_is_right():
                # pip keeps one compiled wheel a version, whatever CMAKE_ARGS it was made with.
                again = ("-v", "--force-reinstall", "--no-deps", "--no-cache-dir", LLAMA)
                self._pip(build_progress, *again, environment=environment)
                if not self._llama_is_right():
                    raise SetupFailed(f"llama.cpp was built {variant} and does not load; see {LOG}.")

    def _llama_is_right(self) -> bool:
        """Whether the wanted variant is installed and loads; CUDA's cannot load without the driver."""
        if bool(list(VENV.glob("**/llama_cpp/lib/*ggml-cuda*"))) != self._cuda:
            return False
        command: list[str | Path] = [self._python, "-c", "import llama_cpp; llama_cpp.llama_backend_init()"]
        loads = subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0
        return loads or (self._cuda and not self._has_driver)

    def _model_sources(self) -> list[Path]:
        code = (ROOT / "desktopapp/modelstore/gguf_export").glob("**/*.py")
        files = (path for suffix in ("json", "safetensors") for path in MODELS.glob(f"{POCKET}/*.{suffix}"))
        return [*code, *files]

    def _models_step(self) -> None:
        with self._display.step("GGUF files of the pocket models"):
            for folder in sorted(MODELS.glob(POCKET)):
                weights = folder / f"{folder.name}-Q8_0.gguf"
                projector = folder / f"mmproj-{folder.name}-F16.gguf"
                self._run_module("desktopapp.modelstore.gguf_export", folder, weights, projector)

    def _translations_step(self) -> bool:
        """Compile the translations that are newer than their result; returns whether there were any."""
        sources = sorted((ROOT / "resources" / "translations").glob("*.ts"))
        stale = [path for path in sources if is_older(path.with_suffix(".qm"), path)]
        compiler = self._python.with_name("pyside6-lrelease")
        for path in stale:
            run_logged([compiler, path, "-qm", path.with_suffix(".qm")], self._display, lambda _line: "")
        return bool(stale)

    def _run_module(self, module: str, *arguments: str | Path) -> None:
        run_logged([self._python, "-m", module, *arguments], self._display, lambda _line: "")

    def _pip(
        self,
        progress: Callable[[str], str],
        *arguments: str,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        quiet = ("--disable-pip-version-check", "--no-input", "--progress-bar", "off")
        command: list[str | Path] = [
            self._python,
            "-m",
            "pip",
            "install",
            *quiet,
            "-c",
            CONSTRAINTS,
            *arguments,
        ]
        run_logged(command, self._display, progress, environment)


def is_older(result: Path, source: Path) -> bool:
    """Whether a result is missing or older than its source."""
    return not result.exists() or result.stat().st_mtime < source.stat().st_mtime


def make_venv(python: Path, display: Display) -> None:
    """Make the environment, or make it anew where it is broken or of another Python."""
    version = tuple(sys.version_info[:2])
    check = f"import sys, pip; sys.exit(sys.version_info[:2] != {version})"
    if (
        python.exists()
        and subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0
    ):
        return
    if importlib.util.find_spec("ensurepip") is None:
        raise SetupFailed(
            f"Python has no venv; run: sudo apt-get install python{version[0]}.{version[1]}-venv"
        )
    with display.step("Python environment in .venv"):
        run_logged([sys.executable, "-m", "venv", "--clear", VENV], display, lambda _line: "")


def main() -> None:
    """Set up, telling what and how long."""
    if sys.version_info < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        sys.exit(f"Python {wanted} or newer is needed; choose one: make PYTHON=python{wanted} run")
    began_s = time.monotonic()
    try:
        if Setup(Display()).run():
            took = duration_words(time.monotonic() - began_s)
            print(f"Set-up is complete ({took}). `make run` opens the window, `make test` runs the tests.")
    except SetupFailed as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        print("\nStopped; the next run goes on from here.")
        sys.exit(130)


if __name__ == "__main__":
    main()

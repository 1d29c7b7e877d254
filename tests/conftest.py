"""Fixtures that every suite shares."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

# Read when Triton is first imported: without an NVIDIA driver its kernels run in its interpreter.
os.environ.setdefault("TRITON_INTERPRET", "0" if Path("/dev/nvidiactl").exists() else "1")
# Read when torch and ggml are first imported, here and in engine processes: threads of models this small mostly wait for
# each other, for many times the work where other programs want the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings
from pytestqt.qtbot import QtBot

from desktopapp import paths
from desktopapp.modelstore.gguf_export import export_gguf
from desktopapp.modelstore.model import ModelFiles, ModelKind, WeightFormat
from desktopapp.ui.garbage_collector import collect_due
from models.random_pair import make_random_model
from tests.leaks import left_behind, own_processes, own_threads

# The same examples on every machine, however slow it is.
settings.register_profile(
    "everywhere", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("everywhere")

# A shell's background job ignores Ctrl-C, and so would every program that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_PATIENCE_MS = 60_000
"""What `qtbot` waits for unless told otherwise: its own five seconds are short for a machine that is busy."""


@pytest.fixture(scope="session", autouse=True)
def _home_of_all_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A per-user folder, so that no test finds the settings and models of whoever runs it, or changes them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(paths.HOME_VARIABLE, str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session")
def random_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random-weight Instruct model in 32 bits, made once; not to be changed."""
    folder = tmp_path_factory.mktemp("random") / "qwen3-vl-random-instruct"
    make_random_model(folder, ModelKind.INSTRUCT, seed=7, dtype="F32")
    return folder


@pytest.fixture(scope="session")
def random_gguf(random_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    """The same model as GGUF files in 32 bits, made once; not to be changed."""
    folder = tmp_path_factory.mktemp("gguf")
    text_file, projector_file = folder / "random-F32.gguf", folder / "mmproj-random-F32.gguf"
    export_gguf(random_folder, text_file, projector_file, "F32", "F32")
    size_bytes = text_file.stat().st_size + projector_file.stat().st_size
    return ModelFiles(WeightFormat.GGUF, text_file, projector_file, "F32", size_bytes)


@pytest.fixture(scope="session", autouse=True)
def _no_garbage_collected_elsewhere() -> Iterator[None]:
    """Python's own collection is off, as in the program's window: a worker's thread would destroy what tests left."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(autouse=True)
def _garbage_collected() -> Iterator[None]:
    """Collect between tests what Python would have within them."""
    yield
    collect_due()


@pytest.fixture(scope="module", autouse=True)
def _no_object_of_qt_left_to_others(request: pytest.FixtureRequest) -> Iterator[None]:
    """Collect what the windows of a module left: a load of the transformers engine collects garbage, in its thread."""
    yield
    of_module = (item for item in request.session.items if item.nodeid.startswith(request.node.nodeid))
    if any("qapp" in getattr(item, "fixturenames", ()) for item in of_module):
        gc.collect()


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fail a test that leaves a thread or a child process behind."""
    before = own_threads(), own_processes()
    yield
    assert not left_behind(before)


@pytest.fixture
def qtbot(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> QtBot:
    """pytest-qt's, more patient."""
    for name in ("waitActive", "waitExposed", "waitSignal", "waitSignals", "waitUntil"):
        monkeypatch.setattr(qtbot, name, partial(getattr(qtbot, name), timeout=_PATIENCE_MS))
    return qtbot

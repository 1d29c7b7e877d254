"""The main job in the real window with the real engine process, and everything that can end that process."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from desktopapp import paths
from desktopapp.app import Desktop
from desktopapp.conversations import MessageState, StoredMessage
from desktopapp.engine.backends.registry import BackendFactory, default_backends
from desktopapp.engine.request import BackendChoice, Role
from desktopapp.modelstore.gguf_export import export_gguf
from desktopapp.modelstore.model import ModelKind
from desktopapp.settings import Settings, load_settings
from desktopapp.ui.chat import ChatState
from desktopapp.worker.inference_worker import InferenceWorker
from desktopapp.worker.watchdog import HangLimits
from models.random_pair import make_random_model
from tests.desktop import opened_desktop
from tests.faulty_backends import faulty, slow
from tests.leaks import command_of

PATIENCE_MS = 150_000
POCKET = paths.program_dir() / "models" / "qwen3-vl" / "qwen3-vl-pocket-instruct"
POINTS = ("load", "prefill", "decode")
IMPATIENT = HangLimits(silence_s=6.0, stop_silence_s=2.0, step_s=7.0, load_s=8.0)
FAKE = Settings(model_name="fake", backend="fake", language="en", theme="light")

OpenDesktop = Callable[..., Desktop]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A per-user folder of this test's own."""
    folder = tmp_path / "home"
    monkeypatch.setenv(paths.HOME_VARIABLE, str(folder))
    return folder


@pytest.fixture
def open_desktop(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[OpenDesktop]:
    """Opens the window with the real worker and the real child process."""
    with ExitStack() as stack:

        def open_one(
            settings: Settings = FAKE,
            make_backends: BackendFactory = default_backends,
            limits: HangLimits | None = None,
        ) -> Desktop:
            worker = InferenceWorker(make_backends, limits=limits, log_dir=tmp_path / "logs")
            return stack.enter_context(opened_desktop(qapp, qtbot, worker, settings))

        yield open_one


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model in both formats."""
    folder = tmp_path_factory.mktemp("models") / "qwen3-vl-random-instruct"
    make_random_model(folder, ModelKind.INSTRUCT, seed=3, dtype="F32")
    export_gguf(folder, folder / "random-Q8_0.gguf", folder / "mmproj-F16.gguf")
    return folder


@pytest.fixture(scope="module")
def pocket_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped Instruct model in both formats."""
    folder = tmp_path_factory.mktemp("pocket") / POCKET.name
    shutil.copytree(POCKET, folder, ignore=shutil.ignore_patterns("*.gguf"))
    export_gguf(folder, folder / "pocket-Q8_0.gguf", folder / "mmproj-F16.gguf")
    return folder


def drop_file(desktop: Desktop, path: Path) -> None:
    """What Qt delivers when a file is dropped on the window."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    copy, button, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(desktop.window, QDragEnterEvent(QPoint(200, 200), copy, mime, button, keys))
    QApplication.sendEvent(desktop.window, QDropEvent(QPointF(200, 200), copy, mime, button, keys))


def type_and_send(desktop: Desktop, qtbot: QtBot, text: str) -> None:
    edit = desktop.window.composer.edit
    qtbot.keyClicks(edit, text)
    qtbot.keyClick(edit, Qt.Key.Key_Return)


def answers(desktop: Desktop) -> list[StoredMessage]:
    return [message for message in desktop.session.chat.messages if message.role == Role.ASSISTANT]


def wait_for_text(desktop: Desktop, qtbot: QtBot, length: int = 1) -> None:
    """Wait until the last answer shows so many characters."""
    view = desktop.window.view
    qtbot.waitUntil(
        lambda: len(view.answer_text(answers(desktop)[-1].message_id)) >= length, timeout=PATIENCE_MS
    )


def wait_until_idle(desktop: Desktop, qtbot: QtBot) -> StoredMessage:
    """Wait for the answer's end and return it."""
    qtbot.waitUntil(lambda: desktop.session.chat.state is ChatState.IDLE, timeout=PATIENCE_MS)
    return answers(desktop)[-1]


def shown_texts(desktop: Desktop) -> str:
    """Everything that labels of the window say."""
    return "\n".join(label.text() for label in desktop.window.findChildren(QLabel) if label.isVisible())


def engine_processes() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "spawn_main" in command_of(child)]


@pytest.mark.parametrize("backend", [BackendChoice.LLAMA_CPP, BackendChoice.TRANSFORMERS])
def test_drop_a_picture_and_read_the_answer_and_ask_again(
    open_desktop: OpenDesktop, qtbot: QtBot, pocket_folder: Path, backend: BackendChoice
) -> None:
    settings = Settings(model_name=str(pocket_folder), backend=str(backend), language="en", theme="light")
    desktop = open_desktop(settings)
    drop_file(desktop, paths.resources_dir() / "samples" / "receipt.png")
    assert [Path(path).name for path in desktop.window.composer.strip.paths] == ["receipt.png"]
    (card,) = desktop.window.composer.strip.cards
    qtbot.waitUntil(lambda: "tokens" in card.accessibleDescription(), timeout=PATIENCE_MS)
    for question, expected in (("What does it say?", "Rye bread 4.50"), ("Read line 1.", "CORNER SHOP")):
        type_and_send(desktop, qtbot, question)
        assert desktop.window.composer.is_empty
        answer = wait_until_idle(desktop, qtbot)
        assert answer.state is MessageState.DONE
        assert expected in answer.text
        assert desktop.window.view.answer_text(answer.message_id) == answer.text
    assert str(backend) in shown_texts(desktop)


def test_random_weights_are_named_so(open_desktop: OpenDesktop, qtbot: QtBot, model_folder: Path) -> None:
    desktop = open_desktop(
        Settings(model_name=str(model_folder), backend="llama.cpp", language="en", theme="light")
    )
    qtbot.waitUntil(lambda: "andom weights" in shown_texts(desktop), timeout=PATIENCE_MS)


def test_stop_ends_an_answer_and_keeps_it(open_desktop: OpenDesktop, qtbot: QtBot) -> None:
    desktop = open_desktop(make_backends=slow)
    type_and_send(desktop, qtbot, "tell me a lot")
    wait_for_text(desktop, qtbot, 40)
    qtbot.keyClick(desktop.window.composer.edit, Qt.Key.Key_Escape)
    assert desktop.session.chat.state is ChatState.STOPPING
    answer = wait_until_idle(desktop, qtbot)
    assert (answer.state, answer.finish_reason) == (MessageState.DONE, "cancelled")
    assert len(answer.text) >= 40


def assert_recovers(desktop: Desktop, qtbot: QtBot, point: str, says: str) -> None:
    """The person reads what happened, what was streamed is there, and the next question is answered.

    The window loads its model ahead. What happens then is not the question's doing: the next engine answers it.
    """
    first = wait_until_idle(desktop, qtbot)
    if point == "load":
        assert (first.state, bool(first.text)) == (MessageState.DONE, True)
        assert says in shown_texts(desktop)
    else:
        assert first.state is MessageState.FAILED
        assert first.error is not None
        assert says in first.error.message
        assert first.error.remedy
        assert first.error.message in shown_texts(desktop)
        assert bool(first.text) is (point == "decode")
    assert [m.text for m in desktop.session.chat.messages if m.role == Role.USER] == ["first"]
    type_and_send(desktop, qtbot, "second")
    answer = wait_until_idle(desktop, qtbot)
    assert (answer.state, bool(answer.text)) == (MessageState.DONE, True)
    assert len(engine_processes()) == 1


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("abort", "SIGABRT"),
        ("exit", "exit code 7"),
        ("garbage", "unreadable"),
        ("out_of_memory", "Memory ran out"),
        ("wait", "did not answer"),
        ("hold_gil", "did not answer"),
    ],
)
def test_the_window_outlives_its_engine(
    open_desktop: OpenDesktop, qtbot: QtBot, tmp_path: Path, fault: str, says: str, point: str
) -> None:
    make_backends = partial(faulty, fault, point, str(tmp_path / "once"))
    desktop = open_desktop(make_backends=make_backends, limits=IMPATIENT)
    type_and_send(desktop, qtbot, "first")
    assert_recovers(desktop, qtbot, point, says)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize("point", POINTS)
def test_the_window_outlives_a_killed_engine(
    open_desktop: OpenDesktop, qtbot: QtBot, tmp_path: Path, point: str
) -> None:
    marker = tmp_path / "once"
    desktop = open_desktop(make_backends=partial(faulty, "wait", point, str(marker)))
    type_and_send(desktop, qtbot, "first")
    qtbot.waitUntil(marker.exists, timeout=PATIENCE_MS)
    (child,) = engine_processes()
    os.kill(child.pid, signal.SIGKILL)
    assert_recovers(desktop, qtbot, point, "SIGKILL")


def test_a_question_sent_right_behind_a_kill_is_answered_without_sending_it_again(
    open_desktop: OpenDesktop, qtbot: QtBot
) -> None:
    desktop = open_desktop()
    type_and_send(desktop, qtbot, "first")
    wait_until_idle(desktop, qtbot)
    (child,) = engine_processes()
    child.suspend()  # it takes nothing up any more, whether or not the message reaches it
    type_and_send(desktop, qtbot, "second")
    child.kill()
    second = wait_until_idle(desktop, qtbot)
    assert (second.state, second.error) == (MessageState.DONE, None)
    assert second.text
    said = [message.text for message in desktop.session.chat.messages if message.role == Role.USER]
    assert said == ["first", "second"]
    assert len(answers(desktop)) == 2


def test_closing_the_window_ends_the_engine_in_the_middle_of_an_answer(
    open_desktop: OpenDesktop, qtbot: QtBot
) -> None:
    desktop = open_desktop(make_backends=slow)
    type_and_send(desktop, qtbot, "tell me a lot")
    wait_for_text(desktop, qtbot)
    children = engine_processes()
    desktop.window.close()
    gone, alive = psutil.wait_procs(children, timeout=60.0)
    assert gone
    assert not alive


def _no_projector(folder: Path) -> None:
    next(folder.glob("mmproj*")).unlink()


def _truncated_gguf(folder: Path) -> None:
    file = next(folder.glob("random*.gguf"))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _torn_projector(folder: Path) -> None:
    (projector,) = folder.glob("mmproj*.gguf")
    projector.rename(folder / "mmproj-random-F16.gguf").write_bytes(b"GGUF, it was")


def _truncated_safetensors(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    for gguf in folder.glob("*.gguf"):
        gguf.unlink()


def _no_vision_part(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    del config["vision_config"]
    (folder / "config.json").write_text(json.dumps(config))
    for gguf in folder.glob("*.gguf"):
        gguf.unlink()


@pytest.mark.parametrize(
    ("spoil", "backend", "says"),
    [
        (_no_projector, "llama.cpp", "has no mmproj file"),
        (_truncated_gguf, "llama.cpp", "“random-Q8_0.gguf” is damaged"),
        (_torn_projector, "llama.cpp", "“mmproj-random-F16.gguf” is damaged"),
        (_truncated_safetensors, "transformers", "the rest of “model.safetensors”"),
        (_no_vision_part, "transformers", "no vision part"),
    ],
)
def test_a_bad_model_is_one_sentence_and_another_one_still_answers(
    open_desktop: OpenDesktop,
    qtbot: QtBot,
    tmp_path: Path,
    model_folder: Path,
    spoil: Callable[[Path], None],
    backend: str,
    says: str,
) -> None:
    folder = tmp_path / "bad"
    shutil.copytree(model_folder, folder)
    spoil(folder)
    desktop = open_desktop(Settings(model_name=str(folder), backend=backend, language="en", theme="light"))
    desktop.window.composer.set_text("kept")
    qtbot.waitUntil(lambda: says in shown_texts(desktop), timeout=PATIENCE_MS)
    assert desktop.window.composer.draft.text == "kept"
    desktop.window.picker.place_opened.emit(str(model_folder))
    # A place is looked into before it is taken; until then the old model stays.
    qtbot.waitUntil(lambda: load_settings().settings.model_name == str(model_folder), timeout=PATIENCE_MS)
    qtbot.keyClick(desktop.window.composer.edit, Qt.Key.Key_Return)
    wait_for_text(desktop, qtbot)
    desktop.session.chat.stop()
    assert wait_until_idle(desktop, qtbot).state is MessageState.DONE

"""A second start hands its files to the open window."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtNetwork import QLocalServer, QLocalSocket
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktopapp.app import Desktop
from desktopapp.ui.single_instance import SingleInstance

ROOT = Path(__file__).resolve().parents[2]
SECOND = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from desktopapp.ui.single_instance import SingleInstance
app = QCoreApplication([])
guard = SingleInstance(Path(sys.argv[1]))
assert not guard.claim()
sys.exit(0 if guard.hand_over(sys.argv[2:]) else 3)
"""


@pytest.fixture
def short_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="run-") as folder:
        yield Path(folder)


@pytest.fixture
def folder(short_folder: Path) -> Path:
    """Whose path leaves room for a socket's name, wherever temporary files are."""
    return short_folder / "home"


@pytest.fixture
def first(qapp: QApplication, folder: Path) -> Iterator[SingleInstance]:
    guard = SingleInstance(folder)
    assert guard.claim()
    assert guard.listen()
    yield guard
    guard.close()


def second_start(folder: Path, *files: str, cwd: Path = ROOT) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "XDG_ACTIVATION_TOKEN": "token-7"}
    return subprocess.Popen([sys.executable, "-c", SECOND, str(folder), *files], cwd=cwd, env=environment)


def test_files_of_a_second_start_arrive_with_their_whole_paths(
    first: SingleInstance, folder: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_ACTIVATION_TOKEN", raising=False)
    with qtbot.waitSignal(first.files_received) as received:
        second = second_start(folder, "a b.png", "/x/字.pdf", cwd=tmp_path)
    assert received.args == [[str(tmp_path / "a b.png"), "/x/字.pdf"]]
    assert second.wait(60) == 0
    assert os.environ["XDG_ACTIVATION_TOKEN"] == "token-7"


def test_a_start_without_files_brings_the_window_to_the_front_only(
    first: SingleInstance, folder: Path, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(first.files_received) as received:
        second = second_start(folder)
    assert received.args == [[]]
    assert second.wait(60) == 0


def test_another_folder_is_another_person(first: SingleInstance, tmp_path: Path) -> None:
    other = SingleInstance(tmp_path / "other")
    assert other.claim()
    other.close()


def test_the_socket_of_a_crashed_window_is_no_obstacle(qapp: QApplication, folder: Path) -> None:
    folder.mkdir()
    code = (
        "import os, sys; from pathlib import Path; from PySide6.QtCore import QCoreApplication\n"
        "from desktopapp.ui.single_instance import SingleInstance\n"
        "app = QCoreApplication([]); guard = SingleInstance(Path(sys.argv[1]))\n"
        "assert guard.claim() and guard.listen(); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, check=True, timeout=60)
    assert (folder / "window.socket").exists()
    guard = SingleInstance(folder)
    assert guard.claim()
    assert guard.listen()
    guard.close()


def test_a_window_that_does_not_answer_is_not_waited_for_for_ever(
    qapp: QApplication, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktopapp.ui.single_instance._PATIENCE_MS", 300)
    hung = SingleInstance(folder)
    assert hung.claim()  # and never listens
    later = SingleInstance(folder)
    assert not later.claim()
    assert not later.hand_over(["a.png"])
    hung.close()


def test_where_the_folder_cannot_be_written_each_start_has_its_window(
    qapp: QApplication, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    guard = SingleInstance(tmp_path / "file" / "home")
    assert not guard.claim()
    assert not guard.hand_over(["a.png"])
    assert not guard.listen()


def test_a_path_too_long_for_a_socket_goes_to_the_session_s_folder(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = short_folder
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(session))
    folder = tmp_path / ("long" * 30)
    guard = SingleInstance(folder)
    assert guard.claim()
    assert guard.listen()
    with qtbot.waitSignal(guard.files_received):
        second = second_start(folder, "/a.png")
    assert second.wait(60) == 0
    guard.close()
    assert list(session.iterdir()) == []


def test_a_path_too_long_for_a_socket_leaves_each_start_its_window(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    guard = SingleInstance(tmp_path / ("long" * 30))
    assert guard.claim()
    assert not guard.listen()
    guard.close()


@pytest.mark.parametrize(
    "line", [b"rubbish\n", b"[]\n", b'{"files": "a"}\n', b'{"files": [1]}\n', b"\xff\n", b"x" * (2**20 + 1)]
)
def test_rubbish_is_refused_and_the_next_start_is_heard(
    line: bytes, first: SingleInstance, folder: Path, qtbot: QtBot
) -> None:
    socket = QLocalSocket()
    socket.connectToServer(str(folder / "window.socket"))
    assert socket.waitForConnected(30_000)
    socket.write(line)
    qtbot.waitUntil(lambda: socket.state() is QLocalSocket.LocalSocketState.UnconnectedState)
    with qtbot.waitSignal(first.files_received):
        second = second_start(folder, "/a.png")
    assert second.wait(60) == 0


def test_only_the_same_user_can_open_the_socket(first: SingleInstance, folder: Path) -> None:
    assert (folder / "window.socket").stat().st_mode & 0o077 == 0
    assert isinstance(first._server, QLocalServer)


def test_the_window_attaches_what_it_is_handed_and_comes_back_from_the_task_bar(
    desktop: Desktop, make_png: Callable[..., str], qtbot: QtBot
) -> None:
    desktop.window.showMinimized()
    picture = make_png()
    desktop.take_over([picture])
    qtbot.waitUntil(lambda: bool(desktop.window.composer.strip.cards))
    assert [card.path for card in desktop.window.composer.strip.cards] == [picture]
    assert not desktop.window.windowState() & Qt.WindowState.WindowMinimized

"""One window for each person: a later start hands its files to the window that is open.

Who holds the lock file is first. The others find its socket beside it, which only the same user can open.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QDeadlineTimer, QLockFile, QObject, QThread, Signal

if TYPE_CHECKING:
    from PySide6.QtNetwork import QLocalServer, QLocalSocket

_CONNECT_MS = 500
# A window that has just been started listens once it is painted.
_PATIENCE_MS = 4000
_LOOK_AGAIN_MS = 100
_LARGEST_MESSAGE_BYTES = 2**20
# Source: sun_path of sockaddr_un is 108 bytes on Linux and 104 on macOS, with its closing zero.
_LONGEST_SOCKET_PATH = 100
_TOKEN_VARIABLE = "XDG_ACTIVATION_TOKEN"
_TAKEN = b"taken\n"


class SingleInstance(QObject):
    """This start of the program among the others of the same person.

    Args:
        folder: the per-user folder; another one is another person as far as this goes.

    Signals:
        files_received: paths (`list[str]`, perhaps none) of a later start; the window should come to the front.
    """

    files_received = Signal(object)

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self._lock = QLockFile(str(folder / "window.lock"))
        # By its process alone: a window may be open for weeks.
        self._lock.setStaleLockTime(0)
        self._server: QLocalServer | None = None

    def claim(self) -> bool:
        """Be the first, if nobody is. False where another start is, or where the folder cannot be written."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return False
        return self._lock.tryLock(0)

    def hand_over(self, files: Sequence[str]) -> bool:
        """Give files to the first window. False where it does not take them in time.

        Args:
            files: paths; relative ones are of this process's folder.
        """
        name = _socket_name(self._folder)
        if not name or self._lock.error() is not QLockFile.LockError.LockFailedError:
            return False
        message = {
            "files": [str(Path(file).absolute()) for file in files],
            "token": os.environ.get(_TOKEN_VARIABLE, ""),
        }
        _let_it_come_to_the_front()
        deadline = QDeadlineTimer(_PATIENCE_MS)
        while not deadline.hasExpired():
            if _send(name, json.dumps(message).encode() + b"\n"):
                return True
            QThread.msleep(_LOOK_AGAIN_MS)
        return False

    def listen(self) -> bool:
        """Take the files of later starts from now on; only the first may. False where there can be no socket."""
        from PySide6.QtNetwork import QLocalServer

        name = _socket_name(self._folder)
        if not name or not self._lock.isLocked() or self._server is not None:
            return False
        QLocalServer.removeServer(name)  # of a window that crashed; the lock says that it is gone
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)
        return self._server.listen(name)

    def close(self) -> None:
        """Make room for the next start."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._lock.unlock()

    def _on_connection(self) -> None:
        while self._server is not None and self._server.hasPendingConnections():
            socket = self._server.nextPendingConnection()
            socket.setReadBufferSize(_LARGEST_MESSAGE_BYTES)
            socket.readyRead.connect(self._on_readable)
            socket.disconnected.connect(socket.deleteLater)
            self._take(socket)

    def _on_readable(self) -> None:
        from PySide6.QtNetwork import QLocalSocket

        socket = self.sender()
        if isinstance(socket, QLocalSocket):
            self._take(socket)

    def _take(self, socket: QLocalSocket) -> None:
        if not socket.canReadLine():
            if socket.bytesAvailable() >= _LARGEST_MESSAGE_BYTES:
                socket.abort()
            return
        files = _read_message(bytes(socket.readLine().data()))
        if files is None:
            socket.abort()
            return
        socket.write(_TAKEN)
        socket.flush()
        socket.disconnectFromServer()
        self.files_received.emit(files)


def _read_message(line: bytes) -> list[str] | None:
    """The files of a message, its token put where Qt looks for it; None for what is no message."""
    try:
        message = json.loads(line)
    except ValueError:
        return None
    files = message.get("files") if isinstance(message, dict) else None
    if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
        return None
    token = message.get("token")
    if isinstance(token, str) and token:
        os.environ[_TOKEN_VARIABLE] = token
    return files


def _send(name: str, message: bytes) -> bool:
    """Send a message; True once it was taken."""
    from PySide6.QtNetwork import QLocalSocket

    socket = QLocalSocket()
    socket.connectToServer(name)
    if not socket.waitForConnected(_CONNECT_MS):
        return False
    socket.write(message)
    while socket.bytesToWrite() and socket.waitForBytesWritten(_CONNECT_MS):
        pass
    socket.waitForReadyRead(_CONNECT_MS * 4)
    return socket.readAll().data() == _TAKEN


def _socket_name(folder: Path) -> str:
    """Where the first window listens: a path in the folder, a pipe's name on Windows; empty where there is no way.

    Where the folder's path is too long for a socket, the session's own folder takes it, if there is one.
    """
    number = hashlib.sha256(os.fsencode(folder)).hexdigest()[:24]
    if sys.platform == "win32":
        return f"qwen3-vl-desktop-{number}"
    session = os.environ.get("XDG_RUNTIME_DIR", "")
    paths = [folder / "window.socket", *([Path(session, f"qwen3-vl-desktop-{number}")] if session else [])]
    return next((str(path) for path in paths if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH), "")


def _let_it_come_to_the_front() -> None:
    """Windows lets only the program in front, which this one is, choose which may come there next."""
    if sys.platform == "win32":
        import ctypes

        any_process = 0xFFFFFFFF  # Source: ASFW_ANY
        ctypes.windll.user32.AllowSetForegroundWindow(any_process)

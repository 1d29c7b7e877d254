"""Pages are drawn in a process of their own, which ends itself when one takes too long, or with the engine.

PDFium cannot be interrupted, and a page of a few hundred bytes can keep it busy for years. The process lives from
the first page until a minute after its last document was closed. Where none can be started, pages are drawn in this process.

Requests are lines of JSON; an answer is a line of JSON, and the bytes that it announces.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

from desktopapp import paths
from desktopapp.attachment_errors import (
    AttachmentGone,
    AttachmentNeedsMemory,
    AttachmentUnreadable,
    DocumentDamaged,
    DocumentLocked,
    PageTooSlow,
)
from desktopapp.engine.media.file import open_regular_file
from desktopapp.engine.media.pdfium_pages import DrawnPage, blamed_on, draw_page, load_document, page_text
from desktopapp.errors import AppError

DRAW_PAGES = "--draw-pages"
"""The program started with this word serves pages on its standard streams."""

PAGE_LIMIT_S = 7.0
"""Of one page; a dense map takes half a second."""

_IDLE_S = 60.0
_MOST_BYTES = 4 * 2**30
_TOO_SLOW, _IDLE = 3, 4
_KILLED = -9
"""By the system where memory runs out: for this page, or while the process rested."""
_ERRORS: dict[str, type[AppError]] = {
    kind.__name__: kind
    for kind in (
        AttachmentGone,
        AttachmentNeedsMemory,
        AttachmentUnreadable,
        DocumentDamaged,
        DocumentLocked,
    )
}
_resting: list[PageProcess] = []
_resting_lock = threading.Lock()


class PageProcess:
    """One started process; for one thread at a time.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            _command(),
            cwd=paths.program_dir(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise OSError("no streams")
        self._requests, self._answers = self._process.stdin, self._process.stdout
        if not self._answers.readline():
            self.close()
            raise OSError("it ended at once")

    def ask(self, **request: Any) -> tuple[dict[str, Any], bytes]:
        """The answer to a request, and its bytes.

        Raises:
            EOFError: the process has ended; its exit code is the argument.
        """
        try:
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.flush()
            answer: dict[str, Any] = json.loads(self._answers.readline())
            payload = self._answers.read(answer["bytes"])
        except (OSError, ValueError):
            payload, answer = b"", {"bytes": 1}
        if len(payload) != answer["bytes"]:
            self.close()
            raise EOFError(self._process.returncode)
        return answer, payload

    def close(self) -> None:
        """End it."""
        for stream in (self._requests, self._answers):
            with contextlib.suppress(OSError):
                stream.close()
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class PageSource:
    """The pages of one document. For one thread at a time.

    Args:
        path: of the file.
        password: that opens it, or None.
        limit_s: how long a page may take.

    Raises:
        OSError: no process can be started.
    """

    def __init__(self, path: str, password: str | None, limit_s: float = PAGE_LIMIT_S) -> None:
        self._name = Path(path).name
        self._document = {"path": path, "password": password, "limit_s": limit_s}
        self._process: PageProcess | None = _take_resting() or PageProcess()

    def draw(self, number: int, width: int, height: int) -> DrawnPage:
        """See `pdfium_pages.draw_page`.

        Raises:
            AttachmentError: it cannot be drawn.
            PageTooSlow: not within the limit.
        """
        size, pixels = self._ask("draw", number, width=width, height=height)
        return DrawnPage(size["width"], size["height"], size["channels"], size["stride"], pixels)

    def text(self, number: int) -> str:
        """See `pdfium_pages.page_text`; raises as `draw`."""
        _, text = self._ask("text", number)
        return text.decode("utf-8", "replace")

    def close(self) -> None:
        """Let the next document have the process."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(EOFError):
            process.ask(do="close")
            with _resting_lock:
                _resting.append(process)

    def _ask(self, what: str, number: int, **more: int) -> tuple[dict[str, Any], bytes]:
        request = {"do": what, "page": number, **self._document, **more}
        try:
            answer, payload = self._ask_process(request)
        except EOFError as end:
            (code,) = end.args
            if code == _TOO_SLOW:
                raise PageTooSlow(name=self._name, page=number) from end
            if code == _KILLED:
                raise AttachmentNeedsMemory(name=self._name) from end
            raise DocumentDamaged(name=self._name) from end
        if "error" in answer:
            raise _ERRORS.get(answer["error"], DocumentDamaged)(name=self._name)
        return answer, payload

    def _ask_process(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Ask the process; a fresh one, once, where it had ended for a reason that is not this page's.

        Raises:
            EOFError: as `PageProcess.ask`.
        """
        if self._process is None:
            self._process = PageProcess()
        try:
            return self._process.ask(**request)
        except EOFError as end:
            self._process = None
            if end.args[0] not in (_IDLE, _KILLED):
                raise
        self._process = PageProcess()
        try:
            return self._process.ask(**request)
        except EOFError:
            self._process = None
            raise


@atexit.register
def end_resting() -> None:
    """End the processes that wait for another document."""
    with _resting_lock:
        processes, _resting[:] = _resting[:], []
    for process in processes:
        process.close()


def _take_resting() -> PageProcess | None:
    with _resting_lock:
        return _resting.pop() if _resting else None


def _command() -> list[str]:
    if paths.is_packaged():
        return [sys.executable, DRAW_PAGES]
    return [sys.executable, "-m", "desktopapp", DRAW_PAGES]


def serve_pages() -> None:
    """Be the process: answer until the requests end."""
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit_memory()
    requests, answers = os.fdopen(0, "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing that a library prints may stand between answers
    answers.write(b"ready\n")
    answers.flush()
    server = _PageServer()
    while True:
        idle = _end_after(_IDLE_S, _IDLE)
        line = requests.readline()
        idle.cancel()
        if not line:
            return
        answer, payload = server.obey(json.loads(line))
        answers.write(json.dumps({**answer, "bytes": len(payload)}).encode() + b"\n" + payload)
        answers.flush()


class _PageServer:
    """Keeps the document that was asked for last."""

    def __init__(self) -> None:
        self._key: tuple[str, str | None] | None = None
        self._file: BinaryIO | None = None
        self._document: Any = None

    def obey(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        if request["do"] == "close":
            self._close()
            return {}, b""
        too_slow = _end_after(request["limit_s"], _TOO_SLOW)
        name = Path(request["path"]).name
        try:
            with blamed_on(name):
                return self._answer(request, name)
        except AppError as error:
            return {"error": error.error}, b""
        finally:
            too_slow.cancel()

    def _answer(self, request: dict[str, Any], name: str) -> tuple[dict[str, Any], bytes]:
        key = (request["path"], request["password"])
        if key != self._key:
            self._close()
            self._file = open_regular_file(request["path"])
            self._document = load_document(self._file, request["password"], name)
            self._key = key
        if request["do"] == "text":
            return {}, page_text(self._document, request["page"]).encode("utf-8", "replace")
        drawn = draw_page(self._document, request["page"], request["width"], request["height"], name)
        size = {name: getattr(drawn, name) for name in ("width", "height", "channels", "stride")}
        return size, drawn.pixels

    def _close(self) -> None:
        if self._document is not None:
            self._document.close()
        if self._file is not None:
            self._file.close()
        self._key = self._document = self._file = None


def _end_after(seconds: float, code: int) -> threading.Timer:
    """End this process unless the timer is cancelled; works while PDFium is busy."""
    timer = threading.Timer(seconds, os._exit, (code,))
    timer.daemon = True
    timer.start()
    return timer


def _limit_memory() -> None:
    """A page that wants more fails, instead of taking what the model needs; if memory runs out, this process goes first."""
    if sys.platform == "linux":
        import resource

        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")  # Source: proc(5); the most there is

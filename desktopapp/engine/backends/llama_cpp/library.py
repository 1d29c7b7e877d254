"""llama.cpp's libraries, loaded quietly: what they log goes to `logging`, nothing to the terminal.

The rest of the backend imports `llama` and `mtmd` from here, so that this set-up always comes first.
"""

from __future__ import annotations

import ctypes
import logging
import os
import threading
from collections import deque
from pathlib import Path

# Read by ggml when it loads: without it `ggml_abort` starts a debugger to print a backtrace, which can hang.
os.environ.setdefault("GGML_NO_BACKTRACE", "1")

import llama_cpp.llama_cpp as llama
import llama_cpp.mtmd_cpp as mtmd
from llama_cpp._ctypes_extensions import load_shared_library

from desktopapp.engine.backends.llama_cpp.buffer_sizes import BufferSize, is_buffer_line, read_buffer_sizes

logger = logging.getLogger("desktopapp.engine.llama_cpp")
# Without any handler `logging` would write warnings to the terminal.
logger.addHandler(logging.NullHandler())

_LIBRARY_FOLDER = Path(llama.__file__).parent / "lib"
ggml = load_shared_library("ggml", _LIBRARY_FOLDER)
ggml_base = load_shared_library("ggml-base", _LIBRARY_FOLDER)

# Source: enum ggml_log_level. llama.cpp's INFO is a page for each load, so it is DEBUG here.
_LEVELS = {1: logging.DEBUG, 2: logging.DEBUG, 3: logging.WARNING, 4: logging.ERROR}
_CONTINUED = 5
_KEPT_LINES = 20
_KEPT_BUFFER_LINES = 500


class LibraryLog:
    """Receives what the libraries log, in pieces and from any thread; keeps the last errors and buffers' sizes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending = ""
        self._level = logging.DEBUG
        self._trouble: deque[str] = deque(maxlen=_KEPT_LINES)
        self._buffers: deque[str] = deque(maxlen=_KEPT_BUFFER_LINES)

    def add(self, level: int, text: bytes | None) -> None:
        """Take one piece; a line is complete with its line end."""
        lines = []
        with self._lock:
            if level != _CONTINUED:
                self._level = _LEVELS.get(level, logging.DEBUG)
            *complete, self._pending = (self._pending + (text or b"").decode("utf-8", "replace")).split("\n")
            for line in filter(None, map(str.rstrip, complete)):
                lines.append((self._level, line))
                if self._level >= logging.ERROR:
                    self._trouble.append(line)
                elif is_buffer_line(line):
                    self._buffers.append(line)
        for log_level, line in lines:
            logger.log(log_level, "%s", line)

    def forget(self) -> None:
        """Drop what is kept, before a call whose trouble or sizes one wants to read."""
        with self._lock:
            self._trouble.clear()
            self._buffers.clear()

    def trouble(self) -> tuple[str, ...]:
        """Errors since `forget`, oldest first."""
        with self._lock:
            return tuple(self._trouble)

    def buffers(self) -> tuple[BufferSize, ...]:
        """Buffers made since `forget`."""
        with self._lock:
            return read_buffer_sizes(self._buffers)


log = LibraryLog()


def _forward(level: int, text: bytes | None, _user_data: object) -> None:
    log.add(level, text)


# Kept in a name of the module: the libraries call it for as long as the process lives.
_on_log = llama.llama_log_callback(_forward)
llama.llama_log_set(_on_log, ctypes.c_void_p(0))
mtmd.mtmd_helper_log_set(_on_log, ctypes.c_void_p(0))
# In a packaged program each backend is a library of its own, and nothing is loaded by itself.
ggml.ggml_backend_dev_count.argtypes = []
ggml.ggml_backend_dev_count.restype = ctypes.c_size_t
if not ggml.ggml_backend_dev_count():
    ggml.ggml_backend_load_all_from_path.argtypes = [ctypes.c_char_p]
    ggml.ggml_backend_load_all_from_path.restype = None
    ggml.ggml_backend_load_all_from_path(os.fsencode(_LIBRARY_FOLDER))
llama.llama_backend_init()

__all__ = ["LibraryLog", "ggml", "ggml_base", "llama", "log", "logger", "mtmd"]

"""Open what people drop: regular files only, without waiting for a pipe and without touching a device."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from desktopapp.attachment_errors import (
    AttachmentGone,
    AttachmentIsFolder,
    AttachmentUnreadable,
    NotAnImage,
)

HEAD_BYTES = 1024
"""How much of a file tells its format; the signature of a PDF may stand anywhere in it."""


def open_regular_file(path: str) -> BinaryIO:
    """Open a file for reading.

    Args:
        path: of the file.

    Raises:
        AttachmentGone: there is no such file.
        AttachmentUnreadable: it may not be read.
        AttachmentIsFolder: it is one.
        NotAnImage: a device.
    """
    name = Path(path).name
    try:
        kind = Path(path).stat().st_mode
        if stat.S_ISDIR(kind):
            raise AttachmentIsFolder(name=name)
        if not stat.S_ISREG(kind):
            raise NotAnImage(name=name)
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise AttachmentGone(name=name) from error
    except OSError as error:
        raise AttachmentUnreadable(name=name) from error
    return os.fdopen(descriptor, "rb")


def read_head(path: str) -> bytes:
    """The first `HEAD_BYTES` of a file, or all of a shorter one.

    Args:
        path: of the file.

    Raises:
        AttachmentError: as `open_regular_file`.
    """
    with open_regular_file(path) as file:
        try:
            return file.read(HEAD_BYTES)
        except OSError as error:
            raise AttachmentUnreadable(name=Path(path).name) from error

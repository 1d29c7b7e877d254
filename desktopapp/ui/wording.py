"""How quantities, file names and errors are worded for people."""

from __future__ import annotations

import html
import unicodedata
from pathlib import PurePath
from typing import Protocol

from PySide6.QtCore import QCoreApplication, QLocale

from desktopapp import errors

# Other than these, characters of these categories are invisible or turn the order of what follows around.
_HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


class ErrorFields(Protocol):
    """What `engine.events.Failed` and `conversations.StoredError` share."""

    @property
    def error(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def remedy(self) -> str: ...
    @property
    def values(self) -> dict[str, str]: ...


def translate_error(failed: ErrorFields) -> tuple[str, str]:
    """Message and remedy in the window's language; in English where the error is not one of ours."""
    kind = getattr(errors, failed.error, None)
    if not (isinstance(kind, type) and issubclass(kind, errors.AppError)):
        return failed.message, failed.remedy
    values = {name: translate_phrase(value) for name, value in failed.values.items()}
    try:
        return (
            QCoreApplication.translate("errors", kind.message_template).format(**values),
            QCoreApplication.translate("errors", kind.remedy_template).format(**values)
            if kind.remedy_template
            else "",
        )
    except (KeyError, IndexError, ValueError):
        return failed.message, failed.remedy


def translate_phrase(phrase: str) -> str:
    """A phrase of the engine in the window's language, where it is one of `engine_phrases`; else as it is."""
    return QCoreApplication.translate("errors", phrase) if phrase else ""


def kind_word(kind: str) -> str:
    """`instruct` or `thinking` as the window names them."""
    if kind == "thinking":
        return QCoreApplication.translate("ModelPicker", "Thinking")
    return QCoreApplication.translate("ModelPicker", "Instruct")


def file_label(path: str) -> str:
    """A file's name that is safe to show: one line, nothing invisible, nothing that turns text around."""
    name = PurePath(path).name or path
    return "".join("�" if unicodedata.category(char) in _HIDDEN_CATEGORIES else char for char in name)


def tooltip_text(text: str) -> str:
    """Text for a tool tip, which Qt would otherwise take for HTML when it looks like it."""
    return f"<p>{html.escape(text)}</p>" if text else ""


def format_size(size_bytes: int) -> str:
    """A size on disk or in memory, in powers of 1000 as disks are sold, with three digits at most."""
    return QLocale().formattedDataSize(size_bytes, 1, QLocale.DataSizeFormat.DataSizeSIFormat)


def format_memory(size_bytes: int) -> str:
    """A size of memory in GiB, with one decimal, without its unit."""
    return QLocale().toString(size_bytes / 2**30, "f", 1)


def format_number(value: float, decimals: int = 0) -> str:
    """A number as the language writes it."""
    return QLocale().toString(float(value), "f", decimals)


def format_figure(value: float) -> str:
    """A measured number with as many digits as a person reads at a glance: two or three that count."""
    return format_number(value, 2 if value < 1 else 1 if value < 100 else 0)

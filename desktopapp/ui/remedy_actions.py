"""What the window itself can do about a request that did not fit: each remedy of the engine's as a button."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import msgspec
from PySide6.QtCore import QCoreApplication

from desktopapp.engine.plan_note import NoteCode, PlanNote
from desktopapp.settings import Settings
from desktopapp.ui.wording import format_memory_size, note_sentence

_GIB = 2**30
# A ceiling is set in tenths of a GiB.
_CEILING_STEPS = 10
_TO_EDIT = frozenset(
    {
        NoteCode.FEWER_FILES,
        NoteCode.TEXT_ALONE,
        NoteCode.SMALLER_FILES,
        NoteCode.SHORTER_TEXT,
        NoteCode.SHORTER_ANSWER,
    }
)


@dataclass(frozen=True, slots=True)
class RemedyOffer:
    """A button.

    Args:
        label: on it, in the window's language.
        note: the remedy that it applies.
    """

    label: str
    note: PlanNote


def read_notes(notes_json: str) -> tuple[PlanNote, ...]:
    """Notes as an error's values carry them; none where they cannot be read.

    Args:
        notes_json: a list of notes, or empty.
    """
    try:
        return tuple(msgspec.json.decode(notes_json or "[]", type=list[PlanNote]))
    except msgspec.MsgspecError:
        return ()


def offers_of(values: Mapping[str, str]) -> list[RemedyOffer]:
    """The buttons for an error, by what its values hold; two that do the same are one.

    Args:
        values: of the error.
    """
    offers: dict[str, RemedyOffer] = {}
    for note in read_notes(values.get("remedy_notes", "")):
        for label in _labels(note):
            offers.setdefault(label, RemedyOffer(label, note))
    return list(offers.values())


def wants_edit(note: PlanNote) -> bool:
    """Whether the message itself has to change."""
    return note.code in _TO_EDIT


def changed_settings(note: PlanNote, settings: Settings) -> Settings | None:
    """The settings that a remedy asks for; None where it is about something else.

    Args:
        note: the remedy.
        settings: of now.
    """
    if note.code == NoteCode.AUTOMATIC_KV:
        return replace(settings, kv_cache_quantization="auto")
    if note.code == NoteCode.AUTOMATIC_CHUNK:
        return replace(settings, chunked_prefill=True, prefill_chunk_size=None)
    if note.code == NoteCode.RAISE_CEILING and settings.vram_limit_gib is not None:
        return replace(settings, vram_limit_gib=_raised(settings.vram_limit_gib, note))
    return None


def _raised(limit_gib: float, note: PlanNote) -> float:
    """High enough, in whole steps; no higher than what is free."""
    missing, free = (note.figures.get(name) for name in ("missing_bytes", "free_bytes"))
    wanted = limit_gib + (missing / _GIB if isinstance(missing, int) else 0)
    rounded = math.ceil(wanted * _CEILING_STEPS) / _CEILING_STEPS
    return min(rounded, free / _GIB) if isinstance(free, int) and free else rounded


def _labels(note: PlanNote) -> Iterator[str]:
    """At most one."""
    translate = QCoreApplication.translate
    if note.code == NoteCode.AUTOMATIC_KV:
        yield translate("RemedyActions", "Set the KV cache to automatic")
    elif note.code == NoteCode.AUTOMATIC_CHUNK:
        yield translate("RemedyActions", "Read it in smaller chunks")
    elif note.code == NoteCode.RAISE_CEILING:
        words = translate("RemedyActions", "Raise the ceiling by {size}")
        missing = note.figures.get("missing_bytes")
        yield words.format(size=format_memory_size(missing if isinstance(missing, int) else 0))
    elif note.code == NoteCode.USE_MODEL:
        yield translate("RemedyActions", "Use {model}").format(model=note.figures.get("model", ""))
    elif note.code in _TO_EDIT:
        yield translate("RemedyActions", "Edit the message")


def why_of(values: Mapping[str, str]) -> str:
    """Which part takes what, and what stands in the way, a line each; empty where an error does not say.

    Args:
        values: of the error.
    """
    lines = [note_sentence(note) for note in read_notes(values.get("conflict_notes", ""))]
    try:
        parts = msgspec.json.decode(values.get("parts", ""), type=dict[str, int])
    except msgspec.MsgspecError:
        parts = {}
    words = QCoreApplication.translate(
        "RemedyActions",
        "Weights {weights}, KV cache {kv_cache}, pictures {vision}, work space {workspace}, runtime {overhead}.",
    )
    names = ("weights", "kv_cache", "vision", "workspace", "overhead")
    if all(name in parts for name in names):
        lines.insert(0, words.format(**{name: format_memory_size(parts[name]) for name in names}))
    return "\n".join(line for line in lines if line)

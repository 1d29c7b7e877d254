"""What the window itself can do about a request that did not fit: each remedy of the engine's as a button."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec
from PySide6.QtCore import QCoreApplication

from desktopapp.conversations import Draft
from desktopapp.engine.plan_note import NoteCode, PlanNote
from desktopapp.errors import MemoryExhausted, NoModel, OutOfMemory
from desktopapp.settings import Settings
from desktopapp.ui.wording import format_memory_size, format_number, note_sentence

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
_TOGETHER = frozenset({NoteCode.AUTOMATIC_SETTINGS, NoteCode.AUTOMATIC_AND_RAISED})
_KV_TO_AUTOMATIC = _TOGETHER | {NoteCode.AUTOMATIC_KV}
_CHUNK_TO_AUTOMATIC = _TOGETHER | {NoteCode.AUTOMATIC_CHUNK}
_CEILING_UP = frozenset({NoteCode.RAISE_CEILING, NoteCode.AUTOMATIC_AND_RAISED})
NEW_CONVERSATION = PlanNote("new_conversation")
"""What some remedies' sentences name beside themselves: the same question without what was said before."""

GET_MODEL = PlanNote("get_model")
"""What helps where no model is here."""

_WITH_NEW_CONVERSATION = frozenset({NoteCode.SMALLER_FILES, NoteCode.SHORTER_TEXT})
# What helps where memory ran out and nobody planned what would.
_OUT_OF_MEMORY = frozenset({OutOfMemory.__name__, MemoryExhausted.__name__})
_ALWAYS_HELPS = (PlanNote(NoteCode.PICK_SMALLER_MODEL), PlanNote(NoteCode.SMALLER_FILES))


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


def offers_of(error: str, values: Mapping[str, str]) -> list[RemedyOffer]:
    """The buttons for an error, by what its values hold; two that do the same are one.

    Args:
        error: its name.
        values: its own.
    """
    notes = read_notes(values.get("remedy_notes", ""))
    if not notes and error in _OUT_OF_MEMORY:
        notes = _ALWAYS_HELPS
    if error == NoModel.__name__:
        notes = (GET_MODEL,)
    offers: dict[str, RemedyOffer] = {}
    for note in notes:
        if label := _label(note):
            offers.setdefault(label, RemedyOffer(label, note))
        if note.code in _WITH_NEW_CONVERSATION:
            words = QCoreApplication.translate("RemedyActions", "Ask in a new conversation")
            offers.setdefault(words, RemedyOffer(words, NEW_CONVERSATION))
    return list(offers.values())


def wants_edit(note: PlanNote) -> bool:
    """Whether the message itself has to change."""
    return note.code in _TO_EDIT


def reduced(draft: Draft, note: PlanNote) -> Draft:
    """A message with as many of its files as a remedy leaves, the first ones; else as it is.

    Args:
        draft: the message.
        note: the remedy.
    """
    kept = len(draft.attachments)
    if note.code == NoteCode.TEXT_ALONE:
        kept = 0
    elif (
        note.code == NoteCode.FEWER_FILES and _left_out(note) < kept
    ):  # else files of earlier messages are too many
        kept -= _left_out(note)
    return replace(draft, attachments=draft.attachments[:kept])


def changed_settings(note: PlanNote, settings: Settings) -> Settings | None:
    """The settings that a remedy asks for; None where it is about something else, or they are so already.

    Args:
        note: the remedy.
        settings: of now.
    """
    changed = settings
    if note.code in _KV_TO_AUTOMATIC:
        changed = replace(changed, kv_cache_quantization="auto")
    if note.code in _CHUNK_TO_AUTOMATIC:
        changed = replace(changed, chunked_prefill=True, prefill_chunk_size=None)
    if note.code in _CEILING_UP and settings.vram_limit_gib is not None:
        changed = replace(changed, vram_limit_gib=_raised(settings.vram_limit_gib, note))
    return changed if changed != settings else None


def _raised(limit_gib: float, note: PlanNote) -> float:
    """High enough, in whole steps; no higher than what is free."""
    missing, free = (note.figures.get(name) for name in ("missing_bytes", "free_bytes"))
    wanted = limit_gib + (missing / _GIB if isinstance(missing, int) else 0)
    rounded = math.ceil(wanted * _CEILING_STEPS) / _CEILING_STEPS
    return min(rounded, free / _GIB) if isinstance(free, int) and free else rounded


def _label(note: PlanNote) -> str:
    """On its button; empty for what only the person can do."""
    translate = QCoreApplication.translate
    if note.code == NoteCode.AUTOMATIC_KV:
        return translate("RemedyActions", "Set the KV cache to automatic")
    if note.code == NoteCode.AUTOMATIC_CHUNK:
        return translate("RemedyActions", "Read it in smaller chunks")
    if note.code in _TOGETHER:
        return translate("RemedyActions", "Set the memory settings to automatic")
    if note.code == NoteCode.RAISE_CEILING:
        words = translate("RemedyActions", "Raise the ceiling by {size}")
        missing = note.figures.get("missing_bytes")
        return words.format(size=format_memory_size(missing if isinstance(missing, int) else 0))
    if note.code == NoteCode.RELOAD_MODEL:
        return translate("RemedyActions", "Load the model anew")
    if note.code == NoteCode.USE_MODEL:
        return translate("RemedyActions", "Use {model}").format(model=note.figures.get("model", ""))
    if note.code == NoteCode.PICK_SMALLER_MODEL:
        return translate("RemedyActions", "Pick another model")
    if note == GET_MODEL:
        return translate("RemedyActions", "Get a model …")
    if note.code == NoteCode.TEXT_ALONE:
        return translate("RemedyActions", "Leave the files out")
    if note.code == NoteCode.FEWER_FILES:
        one = translate("RemedyActions", "Leave the last file out")
        many = translate("RemedyActions", "Leave the last {count} files out")
        return one if _left_out(note) == 1 else many.format(count=format_number(_left_out(note)))
    return translate("RemedyActions", "Edit the message") if note.code in _TO_EDIT else ""


def _left_out(note: PlanNote) -> int:
    """Files that are too many."""
    fitting, files = (note.figures.get(name) for name in ("fitting", "files"))
    return max(0, files - fitting) if isinstance(fitting, int) and isinstance(files, int) else 0


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

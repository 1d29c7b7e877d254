"""How quantities, file names and errors are worded for people."""

from __future__ import annotations

import html
import unicodedata
from pathlib import PurePath
from typing import Protocol

import msgspec
from PySide6.QtCore import QCoreApplication, QLocale

from desktopapp import attachment_errors, errors, hub_errors
from desktopapp.engine.memory_events import IDLE_MODEL, SMALLER_CACHE
from desktopapp.engine.plan_note import TEMPLATES, PlanNote, is_size

SYSTEM_MEMORY = "System memory"  # as the engine names it in `memory.probe`

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
    kinds = (getattr(module, failed.error, None) for module in (errors, attachment_errors, hub_errors))
    kind = next((one for one in kinds if one is not None), None)
    if not (isinstance(kind, type) and issubclass(kind, errors.AppError)):
        return failed.message, failed.remedy
    values = {name: translate_phrase(value) for name, value in failed.values.items()}
    if sentences := sentences_of(values.get("remedy_notes", "")):
        values["remedies"] = sentences
    try:
        return (
            QCoreApplication.translate("errors", kind.message_template).format(**values),
            QCoreApplication.translate("errors", kind.remedy_template).format(**values)
            if kind.remedy_template
            else "",
        )
    except (KeyError, IndexError, ValueError):
        return failed.message, failed.remedy


def error_sentences(failed: ErrorFields) -> str:
    """Message and remedy in one line; full stops as wide as Chinese characters bring their own space."""
    message, remedy = translate_error(failed)
    return f"{message}{remedy}" if message.endswith("。") else f"{message} {remedy}".strip()


def translate_phrase(phrase: str) -> str:
    """A phrase of the engine in the window's language, where it is one of `engine_phrases`; else as it is."""
    return QCoreApplication.translate("errors", phrase) if phrase else ""


def note_sentence(note: PlanNote) -> str:
    """A note as a sentence; empty for one that this version does not know."""
    template = TEMPLATES.get(note.code)
    if template is None:
        return ""
    figures = {name: _note_figure(name, value) for name, value in note.figures.items()}
    try:
        return QCoreApplication.translate("PlanNote", template).format(**figures)
    except (KeyError, IndexError, ValueError):
        return ""


def sentences_of(notes_json: str) -> str:
    """The notes of an error, as sentences in a row; empty where they cannot be read.

    Args:
        notes_json: a list of notes, as `DoesNotFit` carries it.
    """
    try:
        notes = msgspec.json.decode(notes_json, type=list[PlanNote])
    except msgspec.MsgspecError:
        return ""
    # Chinese sentences stand side by side.
    sentences = [sentence for note in notes if (sentence := note_sentence(note))]
    return "".join(
        sentence if number == 0 or before.endswith("\u3002") else f" {sentence}"
        for number, (before, sentence) in enumerate(zip(["", *sentences], sentences, strict=False))
    )


def _note_figure(name: str, value: int | str) -> str:
    if isinstance(value, str):
        return device_word(value)
    return format_memory_size(value) if is_size(name) else format_number(value)


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
    """Text for a tool tip, which Qt would otherwise take for HTML when it looks like it; lines stay lines."""
    lines = html.escape(text).replace("\n", "<br>")
    return f"<p>{lines}</p>" if text else ""


def format_size(size_bytes: int) -> str:
    """A size on disk or in memory, in powers of 1000 as disks are sold, with three digits at most."""
    return QLocale().formattedDataSize(size_bytes, 1, QLocale.DataSizeFormat.DataSizeSIFormat)


def format_memory(size_bytes: int) -> str:
    """A size of memory in GiB, with one decimal, without its unit."""
    return QLocale().toString(size_bytes / 2**30, "f", 1)


def format_memory_size(size_bytes: int, decimals: int = 1) -> str:
    """A size of memory with its unit: GiB, small ones in MiB."""
    if size_bytes >= 2**30 // 10 or size_bytes == 0:
        figure = format_number(size_bytes / 2**30, decimals)
        return QCoreApplication.translate("MemoryGauge", "%1 GiB").replace("%1", figure)
    megabytes = max(1, round(size_bytes / 2**20))
    return QCoreApplication.translate("MemoryGauge", "%1 MiB").replace("%1", format_number(megabytes))


def device_word(device: str) -> str:
    """The memory that answers run in: a GPU's own name, or the system's in the window's language."""
    if device == SYSTEM_MEMORY:
        return QCoreApplication.translate("MemoryGauge", "System memory")
    return device


def step_words(step: str) -> str:
    """What was given up, for people; the name itself where it is a new one."""
    translate = QCoreApplication.translate
    return {
        "smaller_chunk": translate("PlanStep", "smaller prompt chunks"),
        "cheap_placement": translate("PlanStep", "some layers on the processor"),
        "kv_8bit": translate("PlanStep", "8-bit KV cache"),
        "weights_8bit": translate("PlanStep", "8-bit weights"),
        "kv_4bit": translate("PlanStep", "4-bit KV cache"),
        "fewer_pixels": translate("PlanStep", "smaller pictures"),
        "fewer_frames": translate("PlanStep", "fewer frames"),
        "segments": translate("PlanStep", "parts read one by one"),
        "other_weights": translate("PlanStep", "smaller weights of this model"),
        "other_backend": translate("PlanStep", "the other backend"),
        "smaller_model": translate("PlanStep", "a smaller model"),
        "most_layers_on_cpu": translate("PlanStep", "most layers on the processor, which is slow"),
        "small_pictures": translate("PlanStep", "very small pictures, which loses small print"),
        IDLE_MODEL: translate("PlanStep", "the other model let go of"),
        SMALLER_CACHE: translate("PlanStep", "room for a shorter conversation"),
    }.get(step, step.replace("_", " "))


def kv_type_word(kv_type: str) -> str:
    """Numbers of a KV cache, for people; the name itself where it is a new one."""
    translate = QCoreApplication.translate
    return {
        "16bit": translate("KvType", "16 bits"),
        "fp8_e4m3": translate("KvType", "8 bits (FP8 E4M3)"),
        "fp8_e5m2": translate("KvType", "8 bits (FP8 E5M2)"),
        "int8": translate("KvType", "8 bits"),
        "q8_0": translate("KvType", "8 bits"),
        "int4": translate("KvType", "4 bits"),
        "q4_0": translate("KvType", "4 bits"),
        "f32": translate("KvType", "32 bits"),
    }.get(kv_type, kv_type)


def format_number(value: float, decimals: int = 0) -> str:
    """A number as the language writes it."""
    return QLocale().toString(float(value), "f", decimals)


def format_figure(value: float) -> str:
    """A measured number with as many digits as a person reads at a glance: two or three that count."""
    return format_number(value, 2 if value < 1 else 1 if value < 100 else 0)

"""The errors that this program raises on purpose, so that the person is told of each in the same words everywhere.

AppError
├── UsageError                  wrong words on the command line
├── ModelError
│   ├── ModelNotFound
│   ├── NoModel                 none is installed at all
│   ├── ModelIncomplete         a shard, a tokenizer, a config is missing
│   ├── ModelUnsupported        another architecture, no vision part
│   ├── ModelDamaged            truncated or malformed file
│   ├── ProjectorMissing        a GGUF without its mmproj
│   ├── ProjectorMismatch       an mmproj made for another model
│   ├── VariantMissing          the Instruct or Thinking sister is not here
│   └── BackendUnavailable      what the person asked for cannot run here
├── AttachmentError             something is wrong with an attached file: `attachment_errors.py`
├── HubError                    a model could not be fetched: `hub_errors.py`
├── PromptTooLong
├── AnswerEmpty                 the model ended its turn without a word
├── DoesNotFit                  a plan found no way within the memory that may be used
├── NeedsSegments               it fits part by part only
├── OutOfMemory
├── MemoryExhausted             it ran out, and nothing is left to give up
├── StorageError
│   ├── AnswerInterrupted       the program ended while an answer ran
│   ├── ConversationsDamaged    the file was set aside and a new one begun
│   ├── ConversationsUnavailable
│   ├── ConversationOpenElsewhere
│   └── LogFolderUnwritable     where the engine writes its log
└── EngineError
    ├── EngineDied              the child process ended by itself
    ├── EngineHung              it stopped answering, or a step outlasted its estimate
    ├── EngineGarbled           it sent what cannot be read
    └── UnexpectedError         a defect of ours; the report says where

An error has a `message` (what happened, in the person's words) and a `remedy` (what to do now).
Both are templates filled with `values`, so that the window can translate them; `error` is the
class's name, which is what crosses the border between processes and what `--json` prints.
"""

from __future__ import annotations

from typing import ClassVar


def QT_TRANSLATE_NOOP(context: str, text: str) -> str:
    """Mark `text` for Qt's lupdate, which finds the marker by this name; no Qt is needed here."""
    return text


class AppError(Exception):
    """An error that the person is told about in one sentence, with a remedy.

    Args:
        **values: what the templates name, as strings or numbers.
    """

    message_template: ClassVar[str] = QT_TRANSLATE_NOOP("errors", "{reason}")
    remedy_template: ClassVar[str] = ""

    def __init__(self, **values: object) -> None:
        self.values: dict[str, str] = {name: str(value) for name, value in values.items()}
        super().__init__(self.message)

    @property
    def error(self) -> str:
        """The class's name: stable, for programs."""
        return type(self).__name__

    @property
    def message(self) -> str:
        """What happened, in English."""
        return self.message_template.format(**self.values)

    @property
    def remedy(self) -> str:
        """What to do now, in English."""
        return self.remedy_template.format(**self.values)


class UsageError(AppError):
    """Wrong words on the command line. Values: reason, remedy."""

    remedy_template = QT_TRANSLATE_NOOP("errors", "{remedy}")


class ModelError(AppError):
    """Something is wrong with a model's files."""


class ModelNotFound(ModelError):
    """Values: name."""

    message_template = QT_TRANSLATE_NOOP("errors", "There is no model “{name}” here.")
    remedy_template = QT_TRANSLATE_NOOP(
        "errors", "Pick a model from the list, or open its folder or GGUF file."
    )


class NoModel(ModelError):
    """Values: folder."""

    message_template = QT_TRANSLATE_NOOP("errors", "No usable model is here yet.")
    remedy_template = QT_TRANSLATE_NOOP(
        "errors",
        "Choose “Get a model …” in the list of models (in a terminal: the command “get”), or put a Qwen3-VL folder, or "
        "its GGUF file with the mmproj file, into {folder}.",
    )


class ModelIncomplete(ModelError):
    """Values: name, missing."""

    message_template = QT_TRANSLATE_NOOP("errors", "“{name}” is not complete: {missing} is missing.")
    remedy_template = QT_TRANSLATE_NOOP(
        "errors", "Download the missing file into the model's folder, then try again."
    )


class ModelUnsupported(ModelError):
    """Values: name, reason."""

    message_template = QT_TRANSLATE_NOOP("errors", "“{name}” is not a Qwen3-VL model: {reason}.")
    remedy_template = QT_TRANSLATE_NOOP("errors", "Choose a Qwen3-VL model with its vision part.")


class ModelDamaged(ModelError):
    """Values: file, reason."""

    message_template = QT_TRANSLATE_NOOP("errors", "The model file “{file}” is damaged: {reason}.")
    remedy_template = QT_TRANSLATE_NOOP("errors", "Download this file again.")


class ProjectorMissing(ModelError):
    """Values: name."""

    message_template = QT_TRANSLATE_NOOP("errors", "“{name}” has no mmproj file, so it cannot see pictures.")
    remedy_template = QT_TRANSLATE_NOOP("errors", "Put the model's mmproj GGUF file into the same folder.")


class ProjectorMismatch(ModelError):
    """Values: file, reason."""

    message_template = QT_TRANSLATE_NOOP(
        "errors", "The mmproj file “{file}” belongs to another model: {reason}."
    )
    remedy_template = QT_TRANSLATE_NOOP("errors", "Use the mmproj file that was published with this model.")


class VariantMissing(ModelError):
    """Values: name, kind (`instruct` or `thinking`)."""

    message_template = QT_TRANSLATE_NOOP("errors", "“{name}” has no {kind} variant here.")
    remedy_template = QT_TRANSLATE_NOOP(
        "errors", "Set the mode to “auto”, or put that variant beside this model."
    )


class BackendUnavailable(ModelError):
    """Values: backend, reason."""

    message_template = QT_TRANSLATE_NOOP("errors", "The {backend} backend cannot run this model: {reason}.")
    remedy_template = QT_TRANSLATE_NOOP("errors", "Set the backend to “auto”, or pick another model.")


class PromptTooLong(AppError):
    """Values: tokens, limit."""

    message_template = QT_TRANSLATE_NOOP(
        "errors", "This conversation needs {tokens} tokens; the model's context holds {limit}."
    )
    remedy_template = QT_TRANSLATE_NOOP(
        "errors", "Start a new conversation, or attach fewer or smaller files."
    )


class AnswerEmpty(AppError):
    """The model wrote nothing, asked twice."""

    message_template = QT_TRANSLATE_NOOP("errors", "The model ended without writing anything.")
    remedy_template = QT_TRANSLATE_NOOP("errors", "Send the question again, or ask the other model.")


class DoesNotFit(AppError):
    """Values: model, needed_gib, limit_gib, missing_gib, device, remedies, remedy_notes, conflict_notes, parts.

    The remedies are sentences in English, and their notes the same as JSON (`engine/plan_note.py`), for translation.
    """

    message_template = QT_TRANSLATE_NOOP(
        "errors",
        "This does not fit: {needed_gib} GiB are needed, {limit_gib} GiB may be used ({device}), "
        "{missing_gib} GiB are missing.",
    )
    remedy_template = QT_TRANSLATE_NOOP("errors", "{remedies}")


class NeedsSegments(AppError):
    """What is attached is answered part by part (`engine/long_job.py`). Values: segments."""

    message_template = QT_TRANSLATE_NOOP("errors", "This fits in {segments} parts only, one after the other.")
    remedy_template = QT_TRANSLATE_NOOP(
        "errors", "Ask about some of the pages, or a shorter stretch of the video."
    )


FREED = "freed"
"""A further value of `OutOfMemory`: the idle model that was let go of, so that the same may fit now."""

SHORT = "short_bytes"
"""Likewise: how much was missing, where that was counted before the allocation was tried."""


class OutOfMemory(AppError):
    """Values: what, detail; perhaps `FREED` and `SHORT`."""

    message_template = QT_TRANSLATE_NOOP("errors", "Memory ran out while {what}.")
    remedy_template = QT_TRANSLATE_NOOP(
        "errors",
        "Close other programs that use the graphics card, attach fewer files, or pick a smaller model.",
    )


class MemoryExhausted(AppError):
    """The end of the ladder. Values: what, tries, needed_gib, limit_gib, device, parts, remedies (sentences, in English)."""

    message_template = QT_TRANSLATE_NOOP(
        "errors",
        "Memory ran out while {what}, and nothing is left to give up: {needed_gib} GiB are needed, "
        "{limit_gib} GiB could be used ({device}).",
    )
    remedy_template = QT_TRANSLATE_NOOP("errors", "{remedies}")


class StorageError(AppError):
    """What the program keeps for the person could not be read or written."""


class AnswerInterrupted(StorageError):
    """Values: none."""

    message_template = QT_TRANSLATE_NOOP("errors", "The program ended while this answer was being written.")
    remedy_template = QT_TRANSLATE_NOOP("errors", "What was written is kept. Ask again, or go on from here.")


class ConversationsDamaged(StorageError):
    """Values: file, kept_as."""

    message_template = QT_TRANSLATE_NOOP(
        "errors", "The file with your conversations was damaged, so a new one was begun."
    )
    remedy_template = QT_TRANSLATE_NOOP(
        "errors",
        "The old file was kept beside it as “{kept_as}”; restore a backup of “{file}” if you have one.",
    )


class ConversationsUnavailable(StorageError):
    """Values: reason."""

    message_template = QT_TRANSLATE_NOOP("errors", "Your conversation cannot be saved ({reason}).")
    remedy_template = QT_TRANSLATE_NOOP(
        "errors",
        "Check the free space and the permissions of your user folder; until then it lives only in this window.",
    )


class ConversationOpenElsewhere(StorageError):
    """Values: none."""

    message_template = QT_TRANSLATE_NOOP("errors", "This conversation is open in another window.")
    remedy_template = QT_TRANSLATE_NOOP("errors", "Go on in that window, or close it first.")


class LogFolderUnwritable(StorageError):
    """Values: folder, reason."""

    message_template = QT_TRANSLATE_NOOP("errors", "The folder “{folder}” cannot be written ({reason}).")
    remedy_template = QT_TRANSLATE_NOOP(
        "errors", "Check its permissions and the free space, or name another one in QWEN3VL_DESKTOP_HOME."
    )


class EngineError(AppError):
    """The engine process failed."""


class EngineDied(EngineError):
    """Values: what (while doing what), detail (exit code or signal, last line of its output)."""

    message_template = QT_TRANSLATE_NOOP("errors", "The engine stopped while {what} ({detail}).")
    remedy_template = QT_TRANSLATE_NOOP(
        "errors", "It starts again by itself: send once more what stays unanswered."
    )


class EngineHung(EngineError):
    """Values: what, seconds."""

    message_template = QT_TRANSLATE_NOOP("errors", "The engine did not answer for {seconds} s while {what}.")
    remedy_template = QT_TRANSLATE_NOOP(
        "errors", "It starts again by itself: send once more what stays unanswered."
    )


class EngineGarbled(EngineError):
    """Values: what."""

    message_template = QT_TRANSLATE_NOOP("errors", "The engine sent something unreadable while {what}.")
    remedy_template = QT_TRANSLATE_NOOP(
        "errors", "It starts again by itself: send once more what stays unanswered."
    )


class UnexpectedError(EngineError):
    """A defect of this program. Values: reason."""

    message_template = QT_TRANSLATE_NOOP("errors", "Something went wrong inside the program: {reason}.")
    remedy_template = QT_TRANSLATE_NOOP(
        "errors", "Try once more; if it happens again, please report it with the log file."
    )

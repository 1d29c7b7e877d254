"""What a plan says of itself: a code and figures, and the sentence that they make.

The engine and the command line speak English; the window fills the same sentence in its own language (context
`PlanNote` of its catalogues) with figures written as that language writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from desktopapp.errors import QT_TRANSLATE_NOOP

_GIB = 2**30
_SIZE_ENDING = "_bytes"


class NoteCode(StrEnum):
    """What can be said."""

    NOTHING_GIVEN_UP = "nothing_given_up"
    SMALLER_CHUNK = "smaller_chunk"
    VISION_IN_SYSTEM_MEMORY = "vision_in_system_memory"
    LAYERS_IN_SYSTEM_MEMORY = "layers_in_system_memory"
    KV_8BIT = "kv_8bit"
    KV_4BIT = "kv_4bit"
    WEIGHTS_8BIT = "weights_8bit"
    FEWER_PIXELS = "fewer_pixels"
    SMALL_PICTURES = "small_pictures"
    FEWER_FRAMES = "fewer_frames"
    SEGMENTS = "segments"
    FEW_LAYERS_ON_GPU = "few_layers_on_gpu"
    OTHER_MODEL = "other_model"
    SHORTFALL = "shortfall"
    CONTEXT_TOO_SHORT = "context_too_short"
    SHORTER_ANSWER = "shorter_answer"
    SEND_IN_PARTS = "send_in_parts"
    SMALLER_FILES = "smaller_files"
    SHORTER_TEXT = "shorter_text"
    AUTOMATIC_KV = "automatic_kv"
    AUTOMATIC_CHUNK = "automatic_chunk"
    RAISE_CEILING = "raise_ceiling"
    AUTOMATIC_SETTINGS = "automatic_settings"
    AUTOMATIC_AND_RAISED = "automatic_and_raised"
    CLOSE_PROGRAMS = "close_programs"
    RELOAD_MODEL = "reload_model"
    USE_MODEL = "use_model"
    FEWER_FILES = "fewer_files"
    TEXT_ALONE = "text_alone"
    PICK_SMALLER_MODEL = "pick_smaller_model"
    WIDE_KV = "wide_kv"
    LARGE_CHUNK = "large_chunk"
    FINE_PICTURES = "fine_pictures"
    ENLARGED_PICTURES = "enlarged_pictures"
    WIDE_WEIGHTS = "wide_weights"
    LOW_CEILING = "low_ceiling"
    OTHER_PROGRAMS = "other_programs"
    FRAGMENTS = "fragments"


@dataclass(frozen=True, slots=True)
class PlanNote:
    """One sentence of a plan, without its words.

    Args:
        code: a `NoteCode`.
        figures: what the sentence names; sizes in bytes end in `_bytes`.
    """

    code: str
    figures: dict[str, int | str] = field(default_factory=dict)


TEMPLATES: Mapping[str, str] = MappingProxyType(
    {
        NoteCode.NOTHING_GIVEN_UP: QT_TRANSLATE_NOOP(
            "PlanNote", "Everything fits as it is; nothing was given up."
        ),
        NoteCode.SMALLER_CHUNK: QT_TRANSLATE_NOOP(
            "PlanNote",
            "The prompt is read {tokens} tokens at a time instead of {before}: less work space, a little slower.",
        ),
        NoteCode.VISION_IN_SYSTEM_MEMORY: QT_TRANSLATE_NOOP(
            "PlanNote", "The vision part stays in system memory, since there is nothing to see."
        ),
        NoteCode.LAYERS_IN_SYSTEM_MEMORY: QT_TRANSLATE_NOOP(
            "PlanNote", "{moved} of {layers} layers stay in system memory: a little slower."
        ),
        NoteCode.KV_8BIT: QT_TRANSLATE_NOOP(
            "PlanNote",
            "The KV cache holds 8-bit numbers ({kv_type}): {saved_bytes} less, hardly any loss.",
        ),
        NoteCode.KV_4BIT: QT_TRANSLATE_NOOP(
            "PlanNote", "The KV cache holds 4-bit numbers ({kv_type}): {saved_bytes} less, some loss."
        ),
        NoteCode.WEIGHTS_8BIT: QT_TRANSLATE_NOOP(
            "PlanNote", "The weights are loaded in 8 bits: {saved_bytes} less, hardly any loss."
        ),
        NoteCode.FEWER_PIXELS: QT_TRANSLATE_NOOP(
            "PlanNote", "Pictures are shown with at most {tokens} tokens each."
        ),
        NoteCode.SMALL_PICTURES: QT_TRANSLATE_NOOP(
            "PlanNote",
            "Pictures are shown with at most {tokens} tokens each, under the {wanted} that small text and exact "
            "places want: both may be missed.",
        ),
        NoteCode.FEWER_FRAMES: QT_TRANSLATE_NOOP(
            "PlanNote", "At most {frames} frames of a video are looked at."
        ),
        NoteCode.SEGMENTS: QT_TRANSLATE_NOOP(
            "PlanNote", "The attachments are read in {parts} parts, one after the other."
        ),
        NoteCode.FEW_LAYERS_ON_GPU: QT_TRANSLATE_NOOP(
            "PlanNote", "Only {kept} of {layers} layers are on the GPU: the answer comes much more slowly."
        ),
        NoteCode.OTHER_MODEL: QT_TRANSLATE_NOOP(
            "PlanNote", "{model} answers with {backend} and {precision} weights."
        ),
        NoteCode.SHORTFALL: QT_TRANSLATE_NOOP("PlanNote", "{missing_bytes} are missing even so."),
        NoteCode.CONTEXT_TOO_SHORT: QT_TRANSLATE_NOOP(
            "PlanNote", "Prompt and answer take {tokens} tokens; this model reads {most} at once."
        ),
        NoteCode.SHORTER_ANSWER: QT_TRANSLATE_NOOP(
            "PlanNote", "Ask for an answer of at most {tokens} tokens."
        ),
        NoteCode.SEND_IN_PARTS: QT_TRANSLATE_NOOP(
            "PlanNote",
            "Send it as it is: it is answered in about {parts} parts, which become one answer.",
        ),
        NoteCode.SMALLER_FILES: QT_TRANSLATE_NOOP(
            "PlanNote", "Attach fewer or smaller files, or start a new conversation."
        ),
        NoteCode.SHORTER_TEXT: QT_TRANSLATE_NOOP(
            "PlanNote", "Ask with a shorter text, or start a new conversation."
        ),
        NoteCode.AUTOMATIC_KV: QT_TRANSLATE_NOOP(
            "PlanNote", "Set the KV cache to automatic: a smaller number type would fit."
        ),
        NoteCode.AUTOMATIC_CHUNK: QT_TRANSLATE_NOOP(
            "PlanNote", "Let the prompt be read in chunks of any size: smaller ones would fit."
        ),
        NoteCode.RAISE_CEILING: QT_TRANSLATE_NOOP(
            "PlanNote", "Raise the ceiling by {missing_bytes}: {free_bytes} are free."
        ),
        NoteCode.AUTOMATIC_SETTINGS: QT_TRANSLATE_NOOP(
            "PlanNote",
            "Set the KV cache to automatic and let the prompt be read in chunks of any size: together they would fit.",
        ),
        NoteCode.AUTOMATIC_AND_RAISED: QT_TRANSLATE_NOOP(
            "PlanNote",
            "Set the KV cache and the chunks to automatic and raise the ceiling by {missing_bytes} ({free_bytes} are "
            "free): together they would fit.",
        ),
        NoteCode.CLOSE_PROGRAMS: QT_TRANSLATE_NOOP(
            "PlanNote", "Close other programs: {missing_bytes} more must be free on {device}."
        ),
        NoteCode.RELOAD_MODEL: QT_TRANSLATE_NOOP(
            "PlanNote", "Load the model anew: {unused_bytes} that lie in pieces can be used then."
        ),
        NoteCode.USE_MODEL: QT_TRANSLATE_NOOP("PlanNote", "Use {model} with {backend}: it fits."),
        NoteCode.FEWER_FILES: QT_TRANSLATE_NOOP(
            "PlanNote", "Attach fewer files: {fitting} of the {files} fit."
        ),
        NoteCode.TEXT_ALONE: QT_TRANSLATE_NOOP(
            "PlanNote", "Attach fewer pages or pictures: the text alone fits."
        ),
        NoteCode.PICK_SMALLER_MODEL: QT_TRANSLATE_NOOP("PlanNote", "Pick a smaller model."),
        NoteCode.WIDE_KV: QT_TRANSLATE_NOOP(
            "PlanNote",
            "The KV cache is set to {bits}-bit numbers, and the conversation is long: {kv_bytes} for {tokens} tokens, "
            "{saved_bytes} more than it could be.",
        ),
        NoteCode.LARGE_CHUNK: QT_TRANSLATE_NOOP(
            "PlanNote",
            "{tokens} tokens of the prompt are set to be read at once: {work_bytes} of work space.",
        ),
        NoteCode.FINE_PICTURES: QT_TRANSLATE_NOOP(
            "PlanNote",
            "The pictures are very fine: {tokens} tokens for the largest; reading it takes {vision_bytes}.",
        ),
        NoteCode.ENLARGED_PICTURES: QT_TRANSLATE_NOOP(
            "PlanNote",
            "The task shows every picture with {tokens} tokens or more: {pictures} of them, {kv_bytes} in the KV cache.",
        ),
        NoteCode.WIDE_WEIGHTS: QT_TRANSLATE_NOOP(
            "PlanNote", "The weights are stored in 32 bits: {weight_bytes}, twice of what 16 bits take."
        ),
        NoteCode.LOW_CEILING: QT_TRANSLATE_NOOP(
            "PlanNote", "The ceiling is set to {limit_bytes}, and {free_bytes} are free."
        ),
        NoteCode.OTHER_PROGRAMS: QT_TRANSLATE_NOOP(
            "PlanNote", "Other programs hold {other_bytes} of {device}."
        ),
        NoteCode.FRAGMENTS: QT_TRANSLATE_NOOP(
            "PlanNote", "{unused_bytes} of the engine's memory lie in pieces that are too small to be used."
        ),
    }
)
"""The sentence of each code."""


def is_size(name: str) -> bool:
    """Whether a figure of that name is a size in bytes."""
    return name.endswith(_SIZE_ENDING)


def english(note: PlanNote) -> str:
    """A note as a sentence in English."""
    return TEMPLATES[note.code].format(**{name: _figure(name, value) for name, value in note.figures.items()})


def _figure(name: str, value: int | str) -> str:
    if isinstance(value, str):
        return value
    if not is_size(name):
        return f"{value:,}"
    is_small = 0 < value < _GIB // 10
    return f"{max(1, round(value / 2**20))} MiB" if is_small else f"{value / _GIB:.1f} GiB"

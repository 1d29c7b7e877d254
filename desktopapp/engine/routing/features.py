"""What the router sees of a request: some eighty numbers from 0 to 1, each with a name that can be read."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from desktopapp.engine.media.kind import MediaKind
from desktopapp.engine.routing.lexicon import first_matches

_READ_CHARACTERS = 400  # more would take longer than the 2 ms that a decision may
_HAN = re.compile(r"[\u4e00-\u9fff]")
_NUMBER = re.compile(
    r"\d+(?:[.,:]\d+)*"
    r"|(?<![零一二两三四五六七八九十百千万])[零一二两三四五六七八九十百千万]++(?=[个人天小分元块年月升米斤公次岁倍件页份家本台周步])"
)
_OPERATOR = re.compile(r"(?<=[\w)\]])\s*[-+*/×÷^=<>≤≥²³]\s*(?=[\w(\[])|[≥≤√∑∫²³]|\d\s*%")
_CODE = re.compile(
    r"[a-z_]+\([^)]*\)|[{};]|=>|==|\b[a-z]+_[a-z]+\b|`|\b(?:def|return|import|null|none|print)\b|\b[a-z]+error\b"
)
_WORD = re.compile(r"[a-z0-9']+|[\u4e00-\u9fff]")
# What no later opening could end either is looked for behind the first one alone.
_QUOTED = re.compile(r"\A[^\"“「『]*+[\"“「『].{2,}?[\"”」』]|[:：]\s*+\S.{12,}", re.DOTALL)
_SENTENCE_END = re.compile(r"[.!?;](?:\s|$)|[。！？；]")
# A situation is told first, and then something is asked about it.
_STORY = re.compile(r"\w[.!。！]\s*[^.!。！]*[^.!。！\s][?？]")
_CLAUSE_END = re.compile(r"[,，、；;]")
_DOCUMENTS = {"pdf"}
_VIDEOS = {"mp4", "mov", "mkv", "webm", "avi", "m4v"}


def media_kind(path: str) -> MediaKind:
    """What a file is, by its ending; everything that is neither document nor video counts as a picture."""
    ending = path.rpartition(".")[2].lower()
    if ending in _DOCUMENTS:
        return MediaKind.DOCUMENT
    return MediaKind.VIDEO if ending in _VIDEOS else MediaKind.PICTURE


def extract_features(text: str, media: Sequence[MediaKind] = ()) -> dict[str, float]:
    """Look at a question and its attachments.

    Args:
        text: as the person wrote it; of a long one its beginning and its end count.
        media: of the question itself.

    Returns:
        Name to value, 0..1; what is absent is 0.
    """
    if len(text) > _READ_CHARACTERS:
        half = _READ_CHARACTERS // 2
        text = f"{text[:half]}\n{text[-half:]}"
    text = text.lower().replace("’", "'").strip()
    is_chinese = bool(_HAN.search(text))
    values = _task_features(text, is_chinese=is_chinese)
    values |= _shape_features(text, is_chinese=is_chinese)
    values |= _media_features(media)
    if len(media) > 1 and "compare" in values:
        values["several:compare"] = 1.0
    if "amount" in values or "compute" in values:
        values["very_short"] = 0.0  # “What is the total?” is short, and a sum all the same
    if values["numbers"] > 0.5 and ("amount" in values or "compute" in values):
        values["numbers:sum"] = 1.0
    return {name: value for name, value in values.items() if value}


def _task_features(text: str, *, is_chinese: bool) -> dict[str, float]:
    found = first_matches(text, is_chinese=is_chinese)
    values = dict.fromkeys(found, 1.0)
    if found:
        # The verb that a request begins with is its task: “transcribe the proof” is reading.
        first = min(found.values())
        values |= {f"first:{group}": 1.0 for group, start in found.items() if start == first}
    else:
        values["no_task_word"] = 1.0
    return values


def _shape_features(text: str, *, is_chinese: bool) -> dict[str, float]:
    words = len(_WORD.findall(text))
    return {
        "chinese": float(is_chinese),
        "length": _share(words, 60),
        "very_short": float(words <= (8 if is_chinese else 5)),
        "numbers": _share(len(_NUMBER.findall(text)), 4),
        "operators": _share(len(_OPERATOR.findall(text)), 3),
        "code": _share(len(_CODE.findall(text)), 2),
        "quoted": float(bool(_QUOTED.search(text))),
        "sentences": _share(len(_SENTENCE_END.findall(text)) - 1, 3),
        "clauses": _share(len(_CLAUSE_END.findall(text)), 4),
        "question": float(text.endswith(("?", "？"))),
        "story": float(bool(_STORY.search(text))),
    }


def _media_features(media: Sequence[MediaKind]) -> dict[str, float]:
    return {
        "no_media": float(not media),
        "picture": float(MediaKind.PICTURE in media),
        "document": float(MediaKind.DOCUMENT in media),
        "video": float(MediaKind.VIDEO in media),
        "several": float(len(media) > 1),
    }


def _share(count: int, full: int) -> float:
    """0 for none, 1 for `full` and more, growing slower and slower between."""
    return min(1.0, math.log1p(max(count, 0)) / math.log1p(full))

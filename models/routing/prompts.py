"""The labelled prompts, and the fixed rule that holds a third of them out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from desktopapp.engine.media.kind import MediaKind
from desktopapp.modelstore.model import ModelKind

LANGUAGES = ("en", "zh")
_HERE = Path(__file__).parent
_KINDS = {"I": ModelKind.INSTRUCT, "T": ModelKind.THINKING}
_MEDIA = {"i": MediaKind.PICTURE, "d": MediaKind.DOCUMENT, "v": MediaKind.VIDEO}


@dataclass(frozen=True, slots=True)
class LabelledPrompt:
    """A prompt and the model that is the better one for its task.

    Args:
        text: as a person would write it.
        media: that go with it.
        kind: the label.
        language: of `LANGUAGES`.
    """

    text: str
    media: tuple[MediaKind, ...]
    kind: ModelKind
    language: str

    @property
    def is_held_out(self) -> bool:
        """Whether it is never trained on: a third, by the hash of its text."""
        return int(hashlib.sha256(self.text.encode()).hexdigest(), 16) % 3 == 0


def read_prompts(name: str = "prompts") -> list[LabelledPrompt]:
    """All prompts of both languages, in the order of their files.

    Args:
        name: how the files' names begin: `prompts`, or `blind` for those that nothing was tuned by.
    """
    return [
        _parse(line, language)
        for language in LANGUAGES
        for line in (_HERE / f"{name}_{language}.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]


def _parse(line: str, language: str) -> LabelledPrompt:
    label, media, text = line.split("|", 2)
    kinds = () if media == "-" else (_MEDIA[media[-1]],) * int(media[:-1])
    return LabelledPrompt(text, kinds, _KINDS[label], language)

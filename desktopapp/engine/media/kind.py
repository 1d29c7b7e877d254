"""What sort of file an attachment is."""

from __future__ import annotations

from enum import StrEnum


class MediaKind(StrEnum):
    """What a file is."""

    PICTURE = "picture"
    VIDEO = "video"
    DOCUMENT = "document"

"""What an attachment would cost, from its header alone."""

from __future__ import annotations

from desktopapp.engine.media.headers import HeaderCache
from desktopapp.engine.price_events import AttachmentPrice
from desktopapp.engine.prompt_parts import PixelBudget, VideoBudget
from desktopapp.engine.request import Attachment


def price_attachment(
    attachment: Attachment, pictures: PixelBudget, videos: VideoBudget, headers: HeaderCache
) -> AttachmentPrice:
    """Count tokens, pages and frames; no pixel is decoded.

    Args:
        attachment: the file, and which part of it.
        pictures: what the model is shown of a picture or page.
        videos: and of a video.
        headers: knows the files that were seen before.

    Raises:
        AttachmentError: the file cannot be used.
    """
    header = headers.read(attachment)
    width, height = header.sizes[0]
    return AttachmentPrice(
        attachment.path,
        width,
        height,
        header.tokens(pictures, videos),
        kind=header.kind,
        pages=header.page_count,
        frames=header.frames,
        duration_s=header.duration_s,
        note=header.note,
    )

"""What an attachment would cost, from its header alone."""

from __future__ import annotations

from desktopapp.engine.backend import PixelBudget, VideoBudget
from desktopapp.engine.events import AttachmentPrice
from desktopapp.engine.media.attachment import open_media
from desktopapp.engine.request import Attachment


def price_attachment(attachment: Attachment, pictures: PixelBudget, videos: VideoBudget) -> AttachmentPrice:
    """Count tokens, pages and frames; no pixel is decoded.

    Args:
        attachment: the file, and which part of it.
        pictures: what the model is shown of a picture or page.
        videos: and of a video.

    Raises:
        AttachmentError: the file cannot be used.
    """
    media = open_media(attachment.path, attachment.selection)
    try:
        shown = media.video or media.pictures[0]
        return AttachmentPrice(
            attachment.path,
            shown.width,
            shown.height,
            media.tokens(pictures, videos),
            kind=media.kind,
            pages=media.page_count,
            frames=len(media.video.frame_times_s) if media.video else 0,
            duration_s=media.video.duration_s if media.video else 0.0,
            note=shown.note,
        )
    finally:
        media.close()

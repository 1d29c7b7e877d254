"""What a file costs, whether it can be used or not."""

from __future__ import annotations

from desktopapp.engine.failed_event import failed_event
from desktopapp.engine.media.headers import HeaderCache
from desktopapp.engine.media.price import price_attachment
from desktopapp.engine.price_events import AttachmentPrice
from desktopapp.engine.prompt_parts import PixelBudget, VideoBudget
from desktopapp.engine.request import Attachment


def price(
    attachment: Attachment, pictures: PixelBudget, videos: VideoBudget, headers: HeaderCache
) -> AttachmentPrice:
    """Price one attachment; a file that cannot be used has its reason in place of a price.

    Args:
        attachment: of a draft.
        pictures: how large pictures are shown.
        videos: likewise videos.
        headers: reads files.
    """
    path = attachment.path
    try:
        return price_attachment(attachment, pictures, videos, headers)
    except Exception as error:  # noqa: BLE001 - one bad file must not hide the price of the others
        return AttachmentPrice(path, failed=failed_event("", error, "reading the attachment", path))

"""Which picture, page or video each place and moment of an answer belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from desktopapp.engine.grounding.places import Moment, Place
from desktopapp.engine.media.selection import MediaSelection
from desktopapp.engine.request import Attachment
from desktopapp.ui.incoming import VIDEO_SUFFIXES

WHOLE_PICTURE = -1.0
"""The position of a picture that has no pages and no seconds; a preview at 0 is a thumbnail."""


@dataclass(slots=True)
class Group:
    """What an answer says of one picture, page or video.

    Args:
        attachment: the file.
        position: page number, second, or `WHOLE_PICTURE`.
        number: of the picture among the conversation's pictures, or of the page.
        kind: `picture`, `video` or `document`.
        places: boxes and points.
        moments: of a video.
    """

    attachment: Attachment
    position: float
    number: int
    kind: str
    places: list[Place] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)


def kind_of(attachment: Attachment) -> str:
    """`picture`, `video` or `document`, by the file's name: it was opened under it, or will be refused."""
    suffix = PurePath(attachment.path).suffix.lower()
    if suffix in VIDEO_SUFFIXES or attachment.selection.as_video:
        return "video"
    return "document" if suffix == ".pdf" else "picture"


def group_findings(
    places: Sequence[Place], moments: Sequence[Moment], attachments: Sequence[Attachment]
) -> list[Group]:
    """Sort findings by what they are about, in the order of the attachments.

    A place belongs to the picture or page that the answer names. Where it names none, and for a number that there
    is not, it is the only picture, else the video if there is one, else the last question's first picture.

    Args:
        places: of the answer.
        moments: likewise; left out where there is no video.
        attachments: of the whole conversation up to the question, as the model counts them.
    """
    groups: dict[tuple[str, float], Group] = {}
    targets = _Targets(attachments)
    for place in places:
        group = targets.find(place)
        if group is not None:
            groups.setdefault((group.attachment.path, group.position), group).places.append(place)
    video = targets.video
    if video is not None and moments:
        groups.setdefault((video.attachment.path, video.position), video).moments += moments
    return sorted(groups.values(), key=lambda group: (targets.order(group), group.position))


class _Targets:
    """What places can belong to."""

    def __init__(self, attachments: Sequence[Attachment]) -> None:
        self._paths = [attachment.path for attachment in attachments]
        self._pictures = [one for one in attachments if kind_of(one) == "picture"]
        self._documents = [one for one in attachments if kind_of(one) == "document"]
        videos = [one for one in attachments if kind_of(one) == "video"]
        self.video = Group(videos[-1], videos[-1].selection.start_s, 1, "video") if videos else None

    def order(self, group: Group) -> int:
        return self._paths.index(group.attachment.path)

    def find(self, place: Place) -> Group | None:
        if place.page is not None and self._documents:
            return self._page(place.page)
        if place.time_s is not None and self.video is not None:
            return self.video
        if place.picture is not None and 1 <= place.picture <= len(self._pictures):
            return self._picture(place.picture)
        if self._pictures:
            return self._picture(len(self._pictures) if len(self._pictures) == 1 else 1)
        if self._documents:
            return self._page(self._documents[-1].selection.first_page)
        return self.video

    def _picture(self, number: int) -> Group:
        return Group(self._pictures[number - 1], WHOLE_PICTURE, number, "picture")

    def _page(self, number: int) -> Group:
        document = next((one for one in reversed(self._documents) if _has(one.selection, number)), None)
        return Group(document or self._documents[-1], float(number), number, "document")


def _has(selection: MediaSelection, page: int) -> bool:
    return selection.first_page <= page <= (selection.last_page or page)

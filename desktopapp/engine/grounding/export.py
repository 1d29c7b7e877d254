"""Places for other programs: plain JSON, and COCO's format of annotations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePath

from desktopapp.engine.grounding.places import Place


def to_json(places: Sequence[Place], name: str, width: int, height: int) -> str:
    """Places of one picture with their pixels.

    Args:
        places: of the picture.
        name: of its file.
        width: of the picture, turned upright, in pixels.
        height: likewise.
    """
    entries = [
        {
            "kind": "box" if place.is_box else "point",
            "label": place.label,
            "text": place.text,
            "pixels": [round(value, 1) for value in place.pixels(width, height)],
            "thousandths": list(place.coordinates),
        }
        for place in places
    ]
    whole = {"file": PurePath(name).name, "width": width, "height": height, "places": entries}
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def to_coco(places: Sequence[Place], name: str, width: int, height: int) -> str:
    """Boxes of one picture as COCO's `instances` (https://cocodataset.org/#format-data); points are left out.

    Args:
        places: of the picture.
        name: of its file.
        width: of the picture, turned upright, in pixels.
        height: likewise.
    """
    boxes = [place for place in places if place.is_box]
    labels = list(dict.fromkeys(place.caption or "object" for place in boxes))
    annotations = []
    for number, place in enumerate(boxes, 1):
        x1, y1, x2, y2 = (round(value, 2) for value in place.pixels(width, height))
        annotations.append(
            {
                "id": number,
                "image_id": 1,
                "category_id": labels.index(place.caption or "object") + 1,
                "bbox": [x1, y1, round(x2 - x1, 2), round(y2 - y1, 2)],
                "area": round((x2 - x1) * (y2 - y1), 2),
                "iscrowd": 0,
            }
        )
    whole = {
        "images": [{"id": 1, "file_name": PurePath(name).name, "width": width, "height": height}],
        "annotations": annotations,
        "categories": [{"id": number, "name": label} for number, label in enumerate(labels, 1)],
    }
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"

"""The call of the zoom tool as Qwen3-VL writes it, and what the model is told of the tool.

Source: the tool's name, arguments and coordinates are those of Qwen-Agent's `image_zoom_in_tool`, which Qwen3-VL was
trained with; calls and responses are framed as in the model's chat template.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from desktopapp.engine.grounding.json_objects import read_object
from desktopapp.engine.grounding.places import FULL, make_place_coordinates

TOOL_NAME = "image_zoom_in_tool"
CALL_OPENING = "<tool_call>"
CALL_CLOSING = "</tool_call>"
RESPONSE_OPENING = "<|im_end|>\n<|im_start|>user\n<tool_response>\n"
RESPONSE_CLOSING = "\n</tool_response><|im_end|>\n<|im_start|>assistant\n"

ZOOM_TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": TOOL_NAME,
        "description": "Look closer at a region of a picture: it is cut out, enlarged and shown to you.",
        "parameters": {
            "type": "object",
            "properties": {
                "bbox_2d": {
                    "type": "array",
                    "items": {"type": "number"},
                    "minItems": 4,
                    "maxItems": 4,
                    "description": "The region as [x1, y1, x2, y2], each 0 to 1000 of the picture's width and height.",
                },
                "label": {"type": "string", "description": "What you look for there."},
                "img_idx": {
                    "type": "number",
                    "description": "Number of the picture among all that you were shown, from 0.",
                },
            },
            "required": ["bbox_2d", "label", "img_idx"],
        },
    },
}
_NAME = re.compile(r"[\"']name[\"']\s*:\s*[\"']" + TOOL_NAME + r"[\"']")
_LONGEST_LABEL = 120
_LONGEST_CALL = 2_000


@dataclass(frozen=True, slots=True)
class ZoomCall:
    """What a model wants to see.

    Args:
        picture: index among the pictures that it was shown, from 0.
        box: x1, y1, x2, y2, each 0..1000, or None for what is no box.
        label: what it looks for, or empty.
    """

    picture: int
    box: tuple[float, ...] | None
    label: str


def read_zoom_call(text: str) -> ZoomCall | None:
    """A call of the zoom tool; None for another tool's, or for none.

    Args:
        text: what stands between `<tool_call>` and its end; broken JSON is mended where that is possible.
    """
    if _NAME.search(text) is None:
        return None
    arguments = read_object(text[text.find("{") :][:_LONGEST_CALL]).get("arguments")
    if not isinstance(arguments, dict):
        arguments = {}
    label = arguments.get("label")
    return ZoomCall(
        _index(arguments.get("img_idx", 0)),
        _box(arguments.get("bbox_2d")),
        " ".join(label.split())[:_LONGEST_LABEL] if isinstance(label, str) else "",
    )


def _index(value: Any) -> int:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number and 0 <= value < 1e6 else -1


def _box(value: Any) -> tuple[float, ...] | None:
    if not isinstance(value, list) or len(value) != 4:
        return None
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in value):
        return None
    # Models go a little over the edge.
    return make_place_coordinates(tuple(min(max(float(one), 0.0), FULL) for one in value))

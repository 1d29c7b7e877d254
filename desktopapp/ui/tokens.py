"""Design tokens: the numbers and colours that the whole window is drawn with. No Qt in here."""

from __future__ import annotations

from dataclasses import dataclass

# Spacing grid, in device-independent pixels.
SPACE_XS = 4
SPACE_S = 8
SPACE_M = 12
SPACE_L = 16
SPACE_XL = 24

# Corner radii: chips and small buttons, cards and fields, the composer and bubbles.
RADIUS_S = 6
RADIUS_M = 10
RADIUS_L = 16

ICON_SIZE = 18
CONTROL_HEIGHT = 36

# Text wider than this is tiring to read; the conversation and the composer share it.
COLUMN_WIDTH = 820


@dataclass(frozen=True, slots=True)
class Colors:
    """One colour scheme, `#rrggbb` each.

    Args:
        window: the ground of everything.
        surface: cards, fields, the composer.
        raised: menus, popups, tool tips.
        sunken: code blocks, the gauge's track.
        hover: under the pointer, on `window` and `surface`.
        border: hairlines that only structure.
        border_strong: outline of a control; at least 3:1 on `window` and `surface`.
        text: running text.
        text_secondary: quiet text; still at least 4.5:1.
        text_disabled: of controls that cannot be used now.
        accent: filled buttons, progress, the focus ring.
        accent_hover: a filled button under the pointer.
        on_accent: text on `accent`.
        accent_soft: ground of a chip, of a selected row, of the drop highlight.
        on_accent_soft: text on it.
        link: links.
        user_bubble: ground of the person's messages.
        selection: behind selected text.
        danger, danger_soft: errors, as text on `window` and as a ground for `text`.
        warning, warning_soft: warnings, likewise.
        success: what went well, as text.
        gauge_vision, gauge_kv_cache, gauge_workspace, gauge_other: segments of the memory gauge, beside
            `accent`; at least 3:1 on `window`.
        code_keyword, code_string, code_number, code_comment, code_name: syntax colours on `sunken`.
    """

    window: str
    surface: str
    raised: str
    sunken: str
    hover: str
    border: str
    border_strong: str
    text: str
    text_secondary: str
    text_disabled: str
    accent: str
    accent_hover: str
    on_accent: str
    accent_soft: str
    on_accent_soft: str
    link: str
    user_bubble: str
    selection: str
    danger: str
    danger_soft: str
    warning: str
    warning_soft: str
    success: str
    gauge_vision: str
    gauge_kv_cache: str
    gauge_workspace: str
    gauge_other: str
    code_keyword: str
    code_string: str
    code_number: str
    code_comment: str
    code_name: str


LIGHT = Colors(
    window="#fafaf8",
    surface="#ffffff",
    raised="#ffffff",
    sunken="#f3f2ee",
    hover="#efeeea",
    border="#e4e2dc",
    border_strong="#8b8982",
    text="#1f1e1c",
    text_secondary="#5f5d57",
    text_disabled="#a3a19a",
    accent="#4b47d1",
    accent_hover="#3d39b8",
    on_accent="#ffffff",
    accent_soft="#ebeafc",
    on_accent_soft="#3d39b8",
    link="#3f3bc4",
    user_bubble="#eeece6",
    selection="#cfcdf7",
    danger="#b3261e",
    danger_soft="#fbeceb",
    warning="#8a5300",
    warning_soft="#fdf3df",
    success="#1e6f3e",
    gauge_vision="#0f857a",
    gauge_kv_cache="#b46a00",
    gauge_workspace="#b5478f",
    gauge_other="#8b8982",
    code_keyword="#7a2fa8",
    code_string="#1b6b3a",
    code_number="#9a4a00",
    code_comment="#66645e",
    code_name="#1d53a8",
)

DARK = Colors(
    window="#1a1a19",
    surface="#242422",
    raised="#2a2a28",
    sunken="#131312",
    hover="#2f2e2c",
    border="#363532",
    border_strong="#7f7d76",
    text="#ecebe7",
    text_secondary="#aeaca5",
    text_disabled="#6b6963",
    accent="#a3a0ff",
    accent_hover="#bab8ff",
    on_accent="#17162e",
    accent_soft="#302f52",
    on_accent_soft="#cfcdff",
    link="#adaaff",
    user_bubble="#31302d",
    selection="#4a488a",
    danger="#ff9a91",
    danger_soft="#402523",
    warning="#f0b95c",
    warning_soft="#3b2f1a",
    success="#7fd6a0",
    gauge_vision="#4fc4b4",
    gauge_kv_cache="#e8b04b",
    gauge_workspace="#e08ac4",
    gauge_other="#85827b",
    code_keyword="#d3a4f5",
    code_string="#93d8a8",
    code_number="#f2b47a",
    code_comment="#98968f",
    code_name="#94bdff",
)

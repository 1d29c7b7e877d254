"""Every text colour must be readable on every ground that it is used on."""

import re
from dataclasses import fields

import pytest

from desktopapp.ui.stylesheet import build_stylesheet
from desktopapp.ui.tokens import DARK, LIGHT, Colors
from tests.contrast import contrast_ratio

TEXT_ON_GROUND = [
    *(
        (text, ground)
        for text in ("text", "text_secondary")
        for ground in ("window", "surface", "raised", "sunken", "hover", "user_bubble")
    ),
    ("text", "selection"),
    ("text", "accent_soft"),
    ("text", "danger_soft"),
    ("text", "warning_soft"),
    ("text_secondary", "danger_soft"),
    ("text_secondary", "warning_soft"),
    ("text_secondary", "accent_soft"),
    ("on_accent", "accent"),
    ("on_accent", "accent_hover"),
    ("on_accent_soft", "accent_soft"),
    *(
        (text, ground)
        for text in ("link", "danger", "warning", "success")
        for ground in ("window", "surface")
    ),
    ("danger", "danger_soft"),
    ("warning", "warning_soft"),
    *((f"code_{text}", "sunken") for text in ("keyword", "string", "number", "comment", "name")),
]


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_ON_GROUND)
def test_text_has_contrast_of_at_least_four_and_a_half(colors: Colors, text: str, ground: str) -> None:
    assert contrast_ratio(getattr(colors, text), getattr(colors, ground)) >= 4.5


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("edge", ["accent", "border_strong"])
@pytest.mark.parametrize("ground", ["window", "surface"])
def test_focus_rings_and_control_outlines_have_contrast_of_at_least_three(
    colors: Colors, edge: str, ground: str
) -> None:
    assert contrast_ratio(getattr(colors, edge), getattr(colors, ground)) >= 3.0


def test_contrast_ratio_of_black_and_white_is_21() -> None:
    assert contrast_ratio("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast_ratio("#777777", "#777777") == pytest.approx(1.0)


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_all_tokens_are_full_hex_colours(colors: Colors) -> None:
    for field in fields(Colors):
        assert re.fullmatch(r"#[0-9a-f]{6}", getattr(colors, field.name)), field.name


def test_stylesheet_has_no_unfilled_names() -> None:
    assert "$" not in build_stylesheet(LIGHT, 9.0)
    assert LIGHT.accent in build_stylesheet(LIGHT, 9.0)

from __future__ import annotations

from typing import Any

import jinja2
import pytest

from desktopapp.modelstore.model import ModelKind
from models.qwen_files.chat_template import chat_template

VISION = "<|vision_start|><|image_pad|><|vision_end|>"


def render(kind: ModelKind, messages: list[dict[str, Any]], **variables: object) -> str:
    template = jinja2.Environment(trim_blocks=True, lstrip_blocks=True).from_string(chat_template(kind))
    return template.render(messages=messages, **variables)


def user(*parts: str) -> dict[str, Any]:
    content = [{"type": p} if p in ("image", "video") else {"type": "text", "text": p} for p in parts]
    return {"role": "user", "content": content}


def test_instruct_turn_with_a_picture() -> None:
    text = render(ModelKind.INSTRUCT, [user("image", "What?")], add_generation_prompt=True)
    assert text == f"<|im_start|>user\n{VISION}What?<|im_end|>\n<|im_start|>assistant\n"


def test_system_comes_first_and_no_system_is_invented() -> None:
    messages = [{"role": "system", "content": "Be brief."}, user("Hi")]
    text = render(ModelKind.INSTRUCT, messages)
    assert text == "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"


@pytest.mark.parametrize("kind", ModelKind)
def test_pictures_are_numbered_over_all_turns(kind: ModelKind) -> None:
    messages = [
        user("image", "image", "a"),
        {"role": "assistant", "content": "b"},
        user("image", "video", "c"),
    ]
    text = render(kind, messages, add_vision_id=True)
    video = "<|vision_start|><|video_pad|><|vision_end|>"
    assert f"user\nPicture 1: {VISION}Picture 2: {VISION}a<|im_end|>" in text
    assert f"user\nPicture 3: {VISION}Video 1: {video}c<|im_end|>" in text
    assert "<|im_start|>assistant\nb<|im_end|>\n" in text


def test_thinking_opens_the_thought_and_drops_earlier_ones() -> None:
    messages = [
        user("a"),
        {"role": "assistant", "content": "<think>\nlong ago\n</think>\n\nb"},
        user("c"),
    ]
    text = render(ModelKind.THINKING, messages, add_generation_prompt=True)
    assert text == (
        "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n"
        "<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n<think>\n"
    )


def test_thinking_keeps_the_thought_of_the_running_turn() -> None:
    messages = [user("a"), {"role": "assistant", "content": "b", "reasoning_content": "why"}]
    text = render(ModelKind.THINKING, messages)
    assert text.endswith("<|im_start|>assistant\n<think>\nwhy\n</think>\n\nb<|im_end|>\n")


def test_text_is_never_stripped_or_escaped() -> None:
    text = render(ModelKind.INSTRUCT, [user("  <b>&amp;\n\n")])
    assert text == "<|im_start|>user\n  <b>&amp;\n\n<|im_end|>\n"


def test_only_the_thinking_template_knows_thoughts() -> None:
    assert "think>" not in chat_template(ModelKind.INSTRUCT)

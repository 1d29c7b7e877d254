"""A conversation as a prompt: the model's own chat template, with what people wrote kept apart from it.

A template mixes its own words, among them special tokens, with the text of the conversation. Were that text
pasted in, somebody's `<|im_end|>` would end their turn. So each text goes through the template as an
unguessable word, and is put in place afterwards as plain text.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

import jinja2
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from desktopapp.engine.backend import ImagePart, ImageSource, PromptPart, TextPart
from desktopapp.engine.reasoning.thought_parser import OPENING
from desktopapp.engine.request import Role, Turn
from desktopapp.errors import ModelDamaged, UsageError

IMAGE_MARKER = "<|vision_start|><|image_pad|><|vision_end|>"

# Whatever may be a special token of this model family or a later one: `<|im_end|>`, `</think>`, `<tool_call>`.
# Too wide does no harm: such text is only kept apart from the template's.
_LOOKS_SPECIAL = re.compile(r"<[|｜]|[|｜]>|</?[A-Za-z][A-Za-z0-9_]*>")


@dataclass(frozen=True, slots=True)
class ChatPrompt:
    """A prompt for a backend.

    Args:
        parts: text and pictures in order; no two neighbours are texts of the same sort.
        opens_thought: the prompt ends inside a thought.
    """

    parts: tuple[PromptPart, ...]
    opens_thought: bool


def render_chat(
    template: str,
    turns: Sequence[Turn],
    images: Sequence[ImageSource],
    system: str | None = None,
    *,
    bos_text: str = "",
    eos_text: str = "<|im_end|>",
) -> ChatPrompt:
    """Lay out a conversation as the model was trained to read it.

    Args:
        template: Jinja source that came with the model.
        turns: oldest first; the last is the person's.
        images: the pictures of all turns' attachments, in order.
        system: system prompt, or None.
        bos_text: of the begin-of-sequence token, for templates that ask for it.
        eos_text: of the end-of-sequence token.

    Raises:
        UsageError: there is no turn to answer.
        ModelDamaged: the template does not work, or leaves a part of the conversation out.
    """
    if not turns:
        raise UsageError(reason="The request holds no message.", remedy="Write a message first.")
    words = _Placeholders()
    messages = _messages(turns, system, words)
    rendered = _render(
        template,
        messages=messages,
        add_generation_prompt=True,
        add_vision_id=len(images) > 1,
        bos_token=bos_text,
        eos_token=eos_text,
    )
    _check_complete(rendered, words, len(images))
    parts = tuple(_merged(_parts(rendered, words, images)))
    return ChatPrompt(parts, opens_thought=rendered.rstrip().endswith(OPENING))


class _Placeholders:
    """Words that stand for texts while the template runs; nobody can write one on purpose."""

    def __init__(self) -> None:
        self._stem = f"text{secrets.token_hex(16)}n"
        self.texts: dict[str, str] = {}
        self.pattern = re.compile(rf"({self._stem}[0-9]+e)")

    def put(self, text: str) -> str:
        """The word for `text`; nothing stands for an empty text."""
        if not text:
            return ""
        # Half a surrogate pair, as in a command line that is no UTF-8, is no text for a tokenizer.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        word = f"{self._stem}{len(self.texts)}e"
        self.texts[word] = text
        return word


def _messages(turns: Sequence[Turn], system: str | None, words: _Placeholders) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    if system:
        messages.append({"role": "system", "content": words.put(system)})
    for turn in turns:
        # The template strips an answer that it writes back; through a placeholder it could not.
        text = turn.text.strip("\n") if turn.role is Role.ASSISTANT else turn.text
        word = words.put(text)
        content: str | list[dict[str, str]] = word
        if turn.attachments:
            content = [{"type": "image"} for _ in turn.attachments]
            if word:
                content.append({"type": "text", "text": word})
        messages.append({"role": turn.role.value, "content": content})
    return messages


def _render(template: str, **values: object) -> str:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols], autoescape=False
    )
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = _strftime_now
    try:
        return environment.from_string(template).render(**values)
    except MemoryError:
        raise
    except Exception as error:
        # A template is code that came with a model: whatever it raises is its own fault.
        raise ModelDamaged(file="chat template", reason=str(error) or type(error).__name__) from error


def _tojson(value: object, ensure_ascii: bool = False, indent: int | None = None) -> str:
    """Like transformers: plain JSON, where Jinja's own filter escapes HTML."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)


def _raise_exception(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)


def _strftime_now(form: str) -> str:
    return datetime.now().astimezone().strftime(form)


def _check_complete(rendered: str, words: _Placeholders, image_count: int) -> None:
    found = dict.fromkeys(words.pattern.findall(rendered))
    if list(found) != list(words.texts):
        raise ModelDamaged(
            file="chat template", reason="it leaves out or reorders a part of the conversation"
        )
    if rendered.count(IMAGE_MARKER) != image_count:
        raise ModelDamaged(
            file="chat template",
            reason=f"it has places for {rendered.count(IMAGE_MARKER)} of {image_count} pictures",
        )


def _parts(rendered: str, words: _Placeholders, images: Sequence[ImageSource]) -> Iterator[PromptPart]:
    waiting = iter(images)
    for piece in words.pattern.split(rendered):
        text = words.texts.get(piece)
        if text is not None:
            yield TextPart(text, parse_special=not _LOOKS_SPECIAL.search(text))
            continue
        for number, own in enumerate(piece.split(IMAGE_MARKER)):
            if number:
                yield ImagePart(next(waiting))
            if own:
                yield TextPart(own)


def _merged(parts: Iterator[PromptPart]) -> Iterator[PromptPart]:
    """Join neighbours, so that the tokenizer sees the same text as if the template had been rendered at once."""
    held: TextPart | None = None
    for part in parts:
        if isinstance(part, TextPart) and held is not None and part.parse_special == held.parse_special:
            held = TextPart(held.text + part.text, held.parse_special)
            continue
        if held is not None:
            yield held
        held = part if isinstance(part, TextPart) else None
        if held is None:
            yield part
    if held is not None:
        yield held

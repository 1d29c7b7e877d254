"""A conversation as a prompt: the model's own chat template, with what people wrote kept apart from it.

A template mixes its own words, among them special tokens, with the text of the conversation. Were that text
pasted in, somebody's `<|im_end|>` would end their turn. So each text goes through the template as an
unguessable word, and is put in place afterwards as plain text.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

import jinja2
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from desktopapp.engine.prompt_parts import ImagePart, PromptPart, TextPart, VideoPart
from desktopapp.engine.reasoning.thought_parser import OPENING
from desktopapp.engine.request import Role, Turn
from desktopapp.errors import ModelDamaged, UsageError

IMAGE_MARKER = "<|vision_start|><|image_pad|><|vision_end|>"
VIDEO_MARKER = "<|vision_start|><|video_pad|><|vision_end|>"

# Whatever may be a special token of this model family or a later one: `<|im_end|>`, `</think>`, `<tool_call>`.
# Too wide does no harm: such text is only kept apart from the template's.
_MARKERS = re.compile(f"{re.escape(IMAGE_MARKER)}|{re.escape(VIDEO_MARKER)}")
_LOOKS_SPECIAL = re.compile(r"<[|｜]|[|｜]>|</?[A-Za-z][A-Za-z0-9_]*>")


@dataclass(frozen=True, slots=True)
class ChatMedia:
    """A picture or video of a turn.

    Args:
        part: for the backend.
        before: words that name it (`Page 3 of report.pdf: `), or empty.
        after: words that go with it, as a page's own text, or empty.
    """

    part: ImagePart | VideoPart
    before: str = ""
    after: str = ""


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
    media: Sequence[Sequence[ChatMedia]],
    system: str | None = None,
    *,
    tools: Sequence[Mapping[str, Any]] = (),
    bos_text: str = "",
    eos_text: str = "<|im_end|>",
) -> ChatPrompt:
    """Lay out a conversation as the model was trained to read it.

    Args:
        template: Jinja source that came with the model.
        turns: oldest first; the last is the person's.
        media: what each turn shows, for as many turns; nothing at all may be given as an empty list.
        system: system prompt, or None.
        tools: descriptions of what the model may call, for templates that have a place for them.
        bos_text: of the begin-of-sequence token, for templates that ask for it.
        eos_text: of the end-of-sequence token.

    Raises:
        UsageError: there is no turn to answer.
        ModelDamaged: the template does not work, or leaves a part of the conversation out.
    """
    if not turns:
        raise UsageError(reason="The request holds no message.", remedy="Write a message first.")
    words = _Placeholders()
    messages = _messages(turns, media or [()] * len(turns), system, words)
    shown = [item for of_turn in media for item in of_turn]
    rendered = _render(
        template,
        messages=messages,
        tools=list(tools) or None,
        add_generation_prompt=True,
        # "Picture 1: " and so on, unless all have names already.
        add_vision_id=len(shown) > 1 and not all(item.before for item in shown),
        bos_token=bos_text,
        eos_token=eos_text,
    )
    _check_complete(rendered, words, shown)
    parts = tuple(_merged(_parts(rendered, words, shown)))
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


def _messages(
    turns: Sequence[Turn], media: Sequence[Sequence[ChatMedia]], system: str | None, words: _Placeholders
) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    if system:
        messages.append({"role": "system", "content": words.put(system)})
    for turn, items in zip(turns, media, strict=True):
        shown = [entry for item in items for entry in _entries(item, words)]
        # The template strips an answer that it writes back; through a placeholder it could not.
        text = turn.text.strip("\n") if turn.role is Role.ASSISTANT else turn.text
        word = words.put(text)
        content: str | list[dict[str, str]] = word
        if shown:
            content = [*shown, {"type": "text", "text": word}] if word else shown
        messages.append({"role": turn.role.value, "content": content})
    return messages


def _entries(item: ChatMedia, words: _Placeholders) -> Iterator[dict[str, str]]:
    """One picture or video in a message's content, between its words."""
    if item.before:
        yield {"type": "text", "text": words.put(item.before)}
    yield {"type": "image" if isinstance(item.part, ImagePart) else "video"}
    if item.after:
        yield {"type": "text", "text": words.put(item.after)}


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


def _check_complete(rendered: str, words: _Placeholders, shown: Sequence[ChatMedia]) -> None:
    found = dict.fromkeys(words.pattern.findall(rendered))
    if list(found) != list(words.texts):
        raise ModelDamaged(
            file="chat template", reason="it leaves out or reorders a part of the conversation"
        )
    places = _MARKERS.findall(rendered)
    if places != [_marker(item) for item in shown]:
        raise ModelDamaged(
            file="chat template",
            reason=f"it has places for {len(places)} of {len(shown)} pictures and videos, or in another order",
        )


def _marker(item: ChatMedia) -> str:
    return IMAGE_MARKER if isinstance(item.part, ImagePart) else VIDEO_MARKER


def _parts(rendered: str, words: _Placeholders, shown: Sequence[ChatMedia]) -> Iterator[PromptPart]:
    waiting = iter(shown)
    for piece in words.pattern.split(rendered):
        text = words.texts.get(piece)
        if text is not None:
            yield TextPart(text, parse_special=not _LOOKS_SPECIAL.search(text))
            continue
        for number, own in enumerate(_MARKERS.split(piece)):
            if number:
                yield next(waiting).part
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

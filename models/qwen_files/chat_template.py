r"""Chat templates of the two kinds of model, in Qwen3-VL's prompt format.

Both write `<|im_start|>ROLE\n...<|im_end|>\n` for each turn and one vision placeholder for each picture or video.
The Thinking one opens the answer with `<think>\n` and leaves the thoughts of earlier turns out.
Variables: `messages`, `add_generation_prompt`, `add_vision_id` (numbers pictures and videos).
"""

from __future__ import annotations

from pathlib import Path

from desktopapp.modelstore.model import ModelKind

_CONTENT = """\
{%- set seen = namespace(images=0, videos=0) -%}
{%- macro picture(number) -%}
{%- if add_vision_id %}{{ 'Picture ' ~ number ~ ': ' }}{% endif -%}
{{ '<|vision_start|><|image_pad|><|vision_end|>' }}
{%- endmacro -%}
{%- macro video(number) -%}
{%- if add_vision_id %}{{ 'Video ' ~ number ~ ': ' }}{% endif -%}
{{ '<|vision_start|><|video_pad|><|vision_end|>' }}
{%- endmacro -%}
{%- macro body(content) -%}
{%- if content is string -%}
{{ content }}
{%- else -%}
{%- for part in content -%}
{%- if part.type == 'image' -%}
{%- set seen.images = seen.images + 1 -%}{{ picture(seen.images) }}
{%- elif part.type == 'video' -%}
{%- set seen.videos = seen.videos + 1 -%}{{ video(seen.videos) }}
{%- elif part.type == 'text' -%}
{{ part.text }}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{%- endmacro -%}
"""

_INSTRUCT_TURNS = """\
{%- for message in messages -%}
{{ '<|im_start|>' ~ message.role ~ '\\n' ~ body(message.content) ~ '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<|im_start|>assistant\\n' }}
{%- endif -%}
"""

# A thought stays only behind the last turn of the person, as when an answer was interrupted by a tool.
_THINKING_TURNS = """\
{%- set last = namespace(user=-1) -%}
{%- for message in messages -%}
{%- if message.role == 'user' -%}{%- set last.user = loop.index0 -%}{%- endif -%}
{%- endfor -%}
{%- for message in messages -%}
{%- set text = body(message.content) -%}
{%- if message.role == 'assistant' -%}
{%- set thought = message.reasoning_content if message.reasoning_content is string else '' -%}
{%- if not thought and '</think>' in text -%}
{%- set thought = text.split('</think>')[0].split('<think>')[-1] -%}
{%- set text = text.split('</think>')[-1] -%}
{%- endif -%}
{%- set text = text.strip('\\n') -%}
{%- if loop.index0 > last.user -%}
{%- set text = '<think>\\n' ~ thought.strip('\\n') ~ '\\n</think>\\n\\n' ~ text -%}
{%- endif -%}
{%- endif -%}
{{ '<|im_start|>' ~ message.role ~ '\\n' ~ text ~ '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<|im_start|>assistant\\n<think>\\n' }}
{%- endif -%}
"""

_TURNS = {ModelKind.INSTRUCT: _INSTRUCT_TURNS, ModelKind.THINKING: _THINKING_TURNS}


def chat_template(kind: ModelKind) -> str:
    """The Jinja source for a kind of model."""
    return _CONTENT + _TURNS[kind]


def write_chat_template(folder: Path, kind: ModelKind) -> None:
    """Write chat_template.jinja."""
    (folder / "chat_template.jinja").write_bytes(chat_template(kind).encode())

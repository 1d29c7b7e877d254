"""What the name of a model and its chat template tell: kind, family, name without precision."""

from __future__ import annotations

import re

from desktopapp.modelstore.model import ModelKind

_SPLIT_PART = re.compile(r"^(?P<base>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})$")
# How publishers mark precision: Q4_K_M, UD-Q4_K_XL, IQ4_XS, MXFP4, F16, BF16, FP8, AWQ-4bit, GPTQ-Int4.
_PRECISION = re.compile(
    r"(?:^|[-_. ])(?:(?:UD|AWQ|GPTQ|MLX)[-_.])?"
    r"(I?Q\d(?:_[A-Z0-9]+)*|TQ\d_\d|MXFP4(?:_MOE)?|B?F(?:P)?(?:8|16|32)|FP8[-_A-Z0-9]*|AWQ|GPTQ|INT\d|\dBIT)"
    r"(?=$|[-_. ])",
    re.IGNORECASE,
)
_KIND = re.compile(r"(?:^|[-_. ])(instruct|thinking)(?=$|[-_. ])", re.IGNORECASE)
_PACKAGING = re.compile(r"(?:^|[-_. ])GGUF(?=$|[-_. ])", re.IGNORECASE)
_SEPARATORS = re.compile(r"[-_. ]+")


def split_part(stem: str) -> tuple[str, int, int] | None:
    """Base name, number (from 1) and count of one part of a split GGUF; None for an undivided one."""
    match = _SPLIT_PART.match(stem)
    return (match["base"], int(match["number"]), int(match["count"])) if match else None


def without_precision(stem: str) -> str:
    """A file's name without the mark of its precision: `Qwen3-VL-4B-Instruct-Q4_K_M` -> `Qwen3-VL-4B-Instruct`."""
    return _PRECISION.sub("", stem) or stem


def precision_in_name(stem: str) -> str:
    """The mark of precision in a file's name, in capitals: `Qwen3VL-4B-Instruct-Q4_K_M` -> `Q4_K_M`; else empty."""
    marks = _PRECISION.findall(stem)
    return marks[-1].upper() if marks else ""


def family_name(name: str) -> str:
    """What an Instruct and Thinking pair shares, in lower case: `qwen3-vl-4b`."""
    bare = _PACKAGING.sub("", _KIND.sub("", without_precision(name)))
    return _SEPARATORS.sub("-", bare).strip("-").lower() or name.lower()


def kind_from_name(*names: str) -> ModelKind:
    """The kind that the first telling name says; Instruct where none does."""
    for name in names:
        match = _KIND.search(name)
        if match:
            return ModelKind(match[1].lower())
    return ModelKind.INSTRUCT


def kind_from_template(template: str) -> ModelKind:
    """The kind by the chat template: Thinking's opens `<think>` for the model and leaves it open.

    Args:
        template: Jinja source, not empty.
    """
    generation_prompt = template[max(template.rfind("add_generation_prompt"), 0) :]
    opens = "<think>" in generation_prompt and "</think>" not in generation_prompt
    return ModelKind.THINKING if opens else ModelKind.INSTRUCT

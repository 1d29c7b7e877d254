"""Turn what llama.cpp logged about a failure into the error that the person reads."""

from __future__ import annotations

import re
from collections.abc import Sequence

from desktopapp.errors import (
    AppError,
    BackendUnavailable,
    ModelDamaged,
    OutOfMemory,
    ProjectorMismatch,
    UnexpectedError,
)

_MEMORY = re.compile(
    r"out of memory|failed to allocate|unable to allocate|cannot allocate|bad_alloc|alloc\w* .*failed",
    re.IGNORECASE,
)
_MISMATCH = re.compile(r"mismatch between text model")
# "llama_model_load: error loading model: ", "clip_init: failed to load model 'm.gguf': operator(): " and the like.
_SPEAKER = re.compile(
    r"^(?:[\w:~]+(?:\(\))?: +|error(?: loading model)?: +|failed to load model '[^']*': +)+"
)


def load_failure(file_name: str, trouble: Sequence[str]) -> AppError:
    """Why a file could not be loaded.

    Args:
        file_name: of the file.
        trouble: what the library logged, oldest first.
    """
    if any(_MEMORY.search(line) for line in trouble):
        return OutOfMemory(what="loading the model", detail=_last(trouble))
    if any(_MISMATCH.search(line) for line in trouble):
        return ProjectorMismatch(file=file_name, reason=_first_match(trouble, _MISMATCH))
    return ModelDamaged(file=file_name, reason=_reason(trouble))


def cache_failure(kind: str, trouble: Sequence[str]) -> AppError:
    """Why a KV cache could not be made.

    Args:
        kind: of its numbers, as `q8_0`.
        trouble: what the library logged, oldest first.
    """
    # It gives no reason where the system refuses the memory.
    if not trouble or any(_MEMORY.search(line) for line in trouble):
        return OutOfMemory(what="making room for the conversation", detail=_last(trouble))
    reason = f"it cannot make a KV cache of the type {kind} ({_reason(trouble)})"
    return BackendUnavailable(backend="llama.cpp", reason=reason)


def run_failure(what: str, code: int, trouble: Sequence[str]) -> AppError:
    """Why a step of a generation failed.

    Args:
        what: was being done, as `reading a picture`.
        code: what the library returned.
        trouble: what the library logged, oldest first.
    """
    if any(_MEMORY.search(line) for line in trouble):
        return OutOfMemory(what=what, detail=_last(trouble))
    return UnexpectedError(
        reason=f"llama.cpp failed while {what} (code {code}): {_last(trouble) or 'no reason given'}"
    )


def _reason(trouble: Sequence[str]) -> str:
    """The first line that names the cause: later ones only say that loading failed."""
    for line in trouble:
        cleaned = _SPEAKER.sub("", line).strip()
        if cleaned and not cleaned.startswith("failed to load model"):
            return cleaned
    return "llama.cpp cannot read it"


def _first_match(trouble: Sequence[str], pattern: re.Pattern[str]) -> str:
    return next(_SPEAKER.sub("", line) for line in trouble if pattern.search(line))


def _last(trouble: Sequence[str]) -> str:
    return trouble[-1] if trouble else ""

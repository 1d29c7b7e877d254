"""What looking into one folder brings up, and the words that both formats share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from desktopapp.errors import ModelError
from desktopapp.modelstore.model import InstalledModel, ModelKind
from desktopapp.modelstore.naming import family_name

_LFS_POINTER = b"version https://git-lfs"
CHAT_TEMPLATE_WORDS = "the chat template"


@dataclass(frozen=True, slots=True)
class Found:
    """One model as it lies on the disk.

    Args:
        model: what the list shows.
        width: hidden size of its text model; 0 when unknown.
        error: what to raise when the model is asked for by name; None where it may be tried.
    """

    model: InstalledModel
    width: int = 0
    error: ModelError | None = None


def broken(name: str, folder: Path, kind: ModelKind, error: ModelError) -> Found:
    """A model that cannot be used at all, listed with the reason."""
    reason = error.values.get("reason") or error.message.rstrip(".")
    if "file" in error.values:
        reason = f"“{error.values['file']}” is damaged: {reason}"
    model = InstalledModel(name, folder, kind, family_name(name), (), problem=reason)
    return Found(model, error=error)


def is_lfs_pointer(path: Path) -> bool:
    """Whether `git clone` without Git LFS left a note in place of the file."""
    with path.open("rb") as stream:
        return stream.read(len(_LFS_POINTER)) == _LFS_POINTER


def pointer_words(path: Path) -> str:
    """What is missing where only a Git LFS pointer is."""
    return f"the content of “{path.name}” (only a Git LFS pointer is there; run `git lfs pull`)"


def rest_words(path: Path) -> str:
    """What is missing of a file that is cut short."""
    return f"the rest of “{path.name}” (it is cut short)"

"""Where things are: the program's own files (source tree or frozen bundle) and the per-user folders, and the room there."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import platformdirs

APP_NAME = "qwen3-vl-desktop"
HOME_VARIABLE = "QWEN3VL_DESKTOP_HOME"


def is_packaged() -> bool:
    """Whether this is an installed bundle and not the source tree."""
    return hasattr(sys, "_MEIPASS")


def program_dir() -> Path:
    """The folder that holds `resources/` and `models/`: the source tree, or the frozen bundle."""
    bundle = getattr(sys, "_MEIPASS", None)
    return Path(bundle) if bundle else Path(__file__).resolve().parent.parent


def resources_dir() -> Path:
    """Icons, style, translations, samples."""
    return program_dir() / "resources"


def user_dir() -> Path:
    """Everything of the person's: settings, conversations, logs, models. Moved by `QWEN3VL_DESKTOP_HOME`."""
    moved = os.environ.get(HOME_VARIABLE)
    if not moved:
        return Path(platformdirs.user_data_dir(APP_NAME, appauthor=False))
    # Links are not followed: one that leads nowhere must not keep the program from saying so.
    return expand_home(moved).absolute()


def expand_home(path: str | Path) -> Path:
    """The path with the home folder in place of `~` or `~name`, or as it is where nobody has that name."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def settings_file() -> Path:
    """The person's `config.yaml`."""
    return user_dir() / "config.yaml"


def conversations_file() -> Path:
    """The SQLite file with conversations and the draft."""
    return user_dir() / "conversations.sqlite3"


def logs_dir() -> Path:
    """Log files of the window and the engine."""
    return user_dir() / "logs"


def pasted_dir() -> Path:
    """Pictures that came in through the clipboard, kept as files so that a conversation can be opened again."""
    return user_dir() / "pasted"


def model_dirs() -> tuple[Path, ...]:
    """Folders in which models are looked for, the program's own first."""
    return (program_dir() / "models" / "qwen3-vl", user_dir() / "models" / "qwen3-vl")


def downloads_dir() -> Path:
    """Models that are on their way; hidden, so that the list of models passes over it."""
    return model_dirs()[-1] / ".downloads"


def free_bytes_for(folder: Path) -> int:
    """Free space on the disk that a folder is or would be on; 0 where no part of its path can be asked."""
    for path in (folder, *folder.parents):
        try:
            return shutil.disk_usage(path).free
        except OSError:
            continue
    return 0

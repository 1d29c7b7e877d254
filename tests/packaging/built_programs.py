"""The frozen programs that were built here, and how a test starts them: as a person does, away from the sources."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
NAME = "qwen3-vl-desktop"
QUESTION = "What does it say?"
ANSWER = "Rye bread 4.50"
_TIMEOUT_S = 280


def built_folders() -> list[Path]:
    """Folders of built programs: those that `QWEN3VL_BUNDLE` names, else what was built here."""
    named = os.environ.get("QWEN3VL_BUNDLE", "")
    places = [Path(place) for place in named.split(os.pathsep) if place]
    places = places or [ROOT / "build" / "bundle" / flavour / NAME for flavour in ("lite", "full")]
    return [place for place in places if place.is_dir()]


@dataclass(frozen=True)
class Program:
    """A built program, in a folder far from its sources.

    Args:
        folder: all of it; on a Mac the `.app`.
    """

    folder: Path

    @property
    def executable(self) -> Path:
        """The one that writes to a terminal."""
        places = (f"{NAME}-cli.exe", NAME, f"Contents/MacOS/{NAME}")
        return next(self.folder / place for place in places if (self.folder / place).is_file())

    def has(self, package: str) -> bool:
        """Whether a package's own files are in it."""
        insides = ("_internal", "Contents/Frameworks", "Contents/Resources")
        return any((self.folder / inside / package).is_dir() for inside in insides)

    def sample(self, name: str) -> str:
        return str(min(self.folder.rglob(f"resources/samples/{name}")))

    def run(self, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.executable), *arguments],
            env=environment(home),
            cwd=home,
            capture_output=True,
            encoding="utf-8",
            timeout=_TIMEOUT_S,
            check=False,
        )


def environment(home: Path) -> dict[str, str]:
    """As after a log-in, without anything of this one and without a Python on PATH."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "DISPLAY") if name in os.environ}
    own = {"HOME": str(home), "APPDATA": str(home), "LOCALAPPDATA": str(home), "PATH": "/nonexistent"}
    return {**kept, **own, "OMP_NUM_THREADS": "1"}

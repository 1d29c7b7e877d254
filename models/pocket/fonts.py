"""Fetches the fonts and the word list from Debian's archive: `python -m models.pocket.fonts FOLDER`.

`fonts.txt` names the packages and files. Nothing is installed: packages are unpacked into the folder.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

USES = ("train", "heldout")
_LIST = Path(__file__).with_name("fonts.txt")
_WORD_PACKAGE = "wamerican"
_WORD_FILE = "usr/share/dict/american-english"


def fetch(folder: Path, uses: Sequence[str] = USES) -> None:
    """Make `train/` and `heldout/` with fonts, and `words.txt`.

    Args:
        folder: is made; what is there already is kept.
        uses: some of `USES`.

    Raises:
        subprocess.CalledProcessError: `apt-get download` or `dpkg-deb` failed.
        FileNotFoundError: a package of this release lacks a file that the list names.
    """
    wanted: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for line in _LIST.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            package, file, use = line.split("\t")
            if use in uses:
                wanted[package].append((file, use))
    for use in uses:
        (folder / use).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for package, files in wanted.items():
            missing = [(f, use) for f, use in files if not (folder / use / _name(package, f)).exists()]
            if not missing:
                continue
            unpacked = _unpack(package, Path(scratch))
            for file, use in missing:
                # No glob: names of variable fonts hold brackets.
                found = sorted(p for p in unpacked.rglob("*") if p.name == file and p.is_file())
                if not found:
                    raise FileNotFoundError(f"{package} holds no {file}")
                shutil.copyfile(found[0], folder / use / _name(package, file))
        words = folder / "words.txt"
        if not words.exists():
            shutil.copyfile(_unpack(_WORD_PACKAGE, Path(scratch)) / _WORD_FILE, words)


def _name(package: str, file: str) -> str:
    return f"{package.removeprefix('fonts-')}__{file}"


def _unpack(package: str, scratch: Path) -> Path:
    place = scratch / package
    place.mkdir()
    subprocess.run(["apt-get", "download", "-qq", package], cwd=place, check=True)
    archive = next(place.glob("*.deb"))
    subprocess.run(["dpkg-deb", "-x", archive, place / "root"], check=True)
    return place / "root"


def main() -> None:
    """Fetch into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--uses", nargs="+", choices=USES, default=USES, help="which fonts; all if left out")
    options = parser.parse_args()
    fetch(options.folder, options.uses)


if __name__ == "__main__":
    main()

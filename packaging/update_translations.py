"""Bring `resources/translations/*.ts` up to date with the sources; new texts come out as unfinished.

Run after a change of a text that people see; `tests/gui/test_translations.py` says when that was forgotten.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CATALOGUES = ROOT / "resources" / "translations"


def update(catalogue: Path) -> None:
    """Run Qt's lupdate over all sources that hold texts.

    Args:
        catalogue: the `.ts` file to update.

    Raises:
        subprocess.CalledProcessError: lupdate failed.
    """
    sources = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "desktopapp").rglob("*.py"))
    tool = Path(sys.executable).with_name("pyside6-lupdate")
    command = [str(tool), "-silent", "-no-obsolete", "-locations", "none", *sources, "-ts", str(catalogue)]
    subprocess.run(command, cwd=ROOT, check=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Update every catalogue."""
    argparse.ArgumentParser(description=__doc__).parse_args(argv)
    for catalogue in sorted(CATALOGUES.glob("*.ts")):
        update(catalogue)
        print(f"updated {catalogue.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`route`: which of the two models would answer, without loading either."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from desktopapp.cli.terminal import DONE, use_utf8, write_json, write_line
from desktopapp.engine.routing.features import media_kind
from desktopapp.engine.routing.router import Route, route
from desktopapp.errors import UsageError


def show_route(options: argparse.Namespace) -> int:
    """Choose and print; prompts of a file give one line of JSON each.

    Args:
        options: as `command_line` parsed them.

    Returns:
        The exit code.

    Raises:
        UsageError: there is no prompt, or its file cannot be read.
    """
    use_utf8(sys.stdout)
    media = [media_kind(path) for path in options.attach]
    if options.prompts is not None:
        if options.prompt is not None:
            raise UsageError(
                reason="There is a prompt and a file of prompts.",
                remedy="Name one of them; see “route --help”.",
            )
        for prompt in _read_prompts(Path(options.prompts)):
            write_json(sys.stdout, {"prompt": prompt, **_describe(route(prompt, media))})
        return DONE
    if options.prompt is None:
        raise UsageError(reason="There is no prompt.", remedy="Write one, or name a file with --prompts.")
    chosen = route(options.prompt, media)
    if options.json:
        write_json(sys.stdout, _describe(chosen))
    else:
        text = f"{chosen.kind.capitalize()}: {chosen.reason} (Thinking is the better one with {chosen.probability:.0%})"
        write_line(sys.stdout, text)
    return DONE


def _describe(chosen: Route) -> dict[str, object]:
    """A choice as plain JSON types; the probability is that of Thinking being the better model."""
    return {
        "mode": str(chosen.kind),
        "probability": round(chosen.probability, 4),
        "reason": chosen.reason,
    }


def _read_prompts(file: Path) -> Iterator[str]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8 text"
        raise UsageError(
            reason=f"The prompts in “{file}” cannot be read: {reason}.", remedy="Name another file."
        ) from error
    # Not `splitlines`: a pasted prompt may hold a form feed or a line separator.
    return (line for line in text.split("\n") if line.strip())

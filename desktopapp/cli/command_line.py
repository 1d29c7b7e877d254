"""The command line's words, and what runs for them.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

from desktopapp import __version__
from desktopapp.cli.media_options import add_media_options
from desktopapp.cli.terminal import DONE, INTERRUPTED, WRONG_USAGE, open_missing_streams, report
from desktopapp.errors import UsageError

_COMMANDS = ("ask", "plan", "route", "models", "get", "doctor")
_TOP_LEVEL_OPTIONS = ("-h", "--help", "--version")
_BACKENDS = ("auto", "transformers", "llama.cpp")
_MODES = ("auto", "instruct", "thinking")
_MOST = 2**32 - 1
_MOST_GIB = 4096.0


def belongs_to_cli(arguments: Sequence[str]) -> bool:
    """Whether the arguments name a command, or look as if they were meant to; if not they are the window's.

    Args:
        arguments: without the program's name.
    """
    if not arguments:
        return False
    return arguments[0] in (*_COMMANDS, *_TOP_LEVEL_OPTIONS) or _is_unknown_word(arguments[0])


def run_command(arguments: Sequence[str]) -> int:
    """Run one command.

    Args:
        arguments: without the program's name.

    Returns:
        The exit code.
    """
    open_missing_streams()
    try:
        if arguments and _is_unknown_word(arguments[0]):
            raise _unknown_word(arguments[0])
        options, rest = _parser().parse_known_args(arguments)
        if rest:
            raise _not_understood(rest, arguments)
        return _run(options)
    except UsageError as error:
        report(sys.stderr, error)
        return WRONG_USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `| head` has read enough; Python's last flush must not complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def _is_unknown_word(word: str) -> bool:
    """Whether this is neither a command, nor an option, nor anything like a file's name or path."""
    return word not in _COMMANDS and word.isidentifier() and not Path(word).exists()


def _unknown_word(word: str) -> UsageError:
    near = get_close_matches(word.lower(), _COMMANDS, n=1)
    hint = f"Did you mean “{near[0]}”? " if near else ""
    return UsageError(
        reason=f"There is no such file or command: “{word}”.", remedy=f"{hint}See “{_parser().prog} --help”."
    )


def _not_understood(rest: Sequence[str], arguments: Sequence[str]) -> UsageError:
    """What is left over: an option that there is not, or a question without quotation marks."""
    parser = _parsers()[1].get(arguments[0], _parser())
    help_text = f"See “{parser.prog} --help”."
    option = next((word for word in rest if word.startswith("-")), "")
    if option:
        near = get_close_matches(option, re.findall(r"--[a-z-]+", parser.format_help()), n=1)
        hint = f"Did you mean “{near[0]}”? " if near else ""
        return UsageError(reason=f"There is no option “{option}”.", remedy=f"{hint}{help_text}")
    reason = f"“{rest[0]}” is one word too many."
    return UsageError(
        reason=reason, remedy=f"Put a question of several words in quotation marks. {help_text}"
    )


def _run(options: argparse.Namespace) -> int:
    # Each command pays for its own imports only.
    if options.command == "ask":
        from desktopapp.cli.ask import ask

        return ask(options)
    if options.command == "plan":
        from desktopapp.cli.plan import show_plan

        return show_plan(options)
    if options.command == "route":
        from desktopapp.cli.route import show_route

        return show_route(options)
    if options.command == "models":
        from desktopapp.cli.models import show_models

        return show_models(as_json=options.json)
    if options.command == "get":
        from desktopapp.cli.get import get_model

        return get_model(options)
    from desktopapp.cli.doctor import show_diagnosis

    return show_diagnosis(as_json=options.json)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence and what to do in another."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the whole usage."""
        reason = message[:1].upper() + message[1:]
        raise UsageError(reason=f"{reason.rstrip('.')}.", remedy=f"See “{self.prog} --help”.")


def _parser() -> argparse.ArgumentParser:
    return _parsers()[0]


def _parsers() -> tuple[argparse.ArgumentParser, Mapping[str, argparse.ArgumentParser]]:
    """The whole command line's, and each command's."""
    name = Path(sys.argv[0]).name
    parser = _Parser(
        prog="python -m desktopapp" if name == "__main__.py" else name,
        description="Ask a Qwen3-VL model on this machine about pictures, videos and documents. Without a command it opens the window.",
        epilog="To open the window: %(prog)s [--model NAME_OR_PATH] [--backend "
        f"{'|'.join(_BACKENDS)}] [FILE...], where each FILE is a picture, a video, a PDF, or a folder of these to attach.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"Qwen3-VL Desktop {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command, (short, long, add_options) in _DESCRIPTIONS.items():
        add_options(
            commands.add_parser(
                command,
                help=short,
                description=long,
                allow_abbrev=False,
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        )
    return parser, commands.choices


def _add_listing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _add_ask(parser: argparse.ArgumentParser) -> None:
    _add_question(parser)
    parser.add_argument(
        "--temperature", type=_temperature, metavar="T", help="0 always takes the likeliest token"
    )
    parser.add_argument("--seed", type=_seed, metavar="N", help="makes a sampled answer repeatable")
    parser.add_argument("--json", action="store_true", help="print every event as one line of JSON")


def _add_plan(parser: argparse.ArgumentParser) -> None:
    _add_question(parser)
    parser.add_argument(
        "--free-gib",
        type=_gib,
        metavar="N",
        help="plan for a GPU with this much free memory instead of this machine's",
    )
    parser.add_argument("--no-gpu", action="store_true", help="plan as if there were no GPU")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(temperature=None, seed=None)


def _add_question(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s [OPTION ...] PROMPT"
    parser.add_argument("prompt", metavar="PROMPT", help="the question", type=_text)
    parser.add_argument(
        "--model", metavar="NAME_OR_PATH", help="a name that “models” lists, a folder, or a GGUF file"
    )
    parser.add_argument("--backend", type=_backend, metavar="|".join(_BACKENDS), help="what runs the model")
    parser.add_argument(
        "--mode",
        type=_mode,
        metavar="|".join(_MODES),
        help="which of a pair of models answers; auto chooses by the task",
    )
    parser.add_argument(
        "--attach",
        type=_file_name,
        action="append",
        default=[],
        metavar="FILE",
        help="a picture, a video or a PDF; may be given several times",
    )
    add_media_options(parser)
    parser.add_argument("--system", metavar="TEXT", help="system prompt")
    parser.add_argument(
        "--max-new-tokens", type=_positive, metavar="N", help="longest answer in tokens, the thought included"
    )
    parser.add_argument(
        "--vram-limit",
        type=_gib,
        metavar="GIB",
        help="most memory to use, on the GPU where there is one",
    )
    parser.add_argument(
        "--thought-budget",
        type=_as_setting("thought_budget"),
        metavar="N",
        help="longest thought in tokens; then the answer comes",
    )
    parser.add_argument(
        "--max-steps",
        type=_as_setting("max_steps"),
        metavar="N",
        help="think in up to N steps, in the memory of one",
    )
    parser.add_argument(
        "--step-tokens",
        type=_as_setting("step_tokens"),
        metavar="N",
        help="longest thought of one step, in tokens",
    )
    parser.add_argument(
        "--look-closer",
        action="store_true",
        help="let the model ask for parts of a picture at full sharpness",
    )


def _add_get(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name",
        metavar="NAME",
        nargs="?",
        default="",
        help="a size, as 4B (Instruct and Thinking) or 4B-thinking; owner/name; or a link",
    )
    parser.add_argument(
        "--precision",
        default="",
        metavar="P",
        help="Q4_K_M, Q8_0, BF16 and so on; by default the best that fits here",
    )
    parser.add_argument(
        "--endpoint", default="", metavar="URL", help="a hub or mirror other than that of the settings"
    )
    parser.add_argument("--json", action="store_true", help="print every event as one line of JSON")


def _add_route(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompt", metavar="PROMPT", nargs="?", help="the question", type=_text)
    parser.add_argument(
        "--attach", type=_file_name, action="append", default=[], metavar="FILE", help="as of “ask”"
    )
    parser.add_argument(
        "--prompts",
        type=_file_name,
        metavar="FILE",
        help="a text file with one question a line, instead of PROMPT",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _text(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("the question is empty")
    return text


def _file_name(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("the file's name is empty")
    return text


def _backend(text: str) -> str:
    # The fake backend answers when it is named; it is no choice to offer.
    if text not in (*_BACKENDS, "fake"):
        raise argparse.ArgumentTypeError(f"there is no backend “{text}”; choose {', '.join(_BACKENDS)}")
    return text


def _mode(text: str) -> str:
    if text not in _MODES:
        raise argparse.ArgumentTypeError(f"there is no mode “{text}”; choose {', '.join(_MODES)}")
    return text


def _positive(text: str) -> int:
    return _whole_number(text, 1)


def _seed(text: str) -> int:
    return _whole_number(text, 0)


def _as_setting(name: str) -> Callable[[str], int]:
    """A whole number within the limits of the setting of that name."""

    def number(text: str) -> int:
        from desktopapp.settings import limits_of_setting

        least, most = limits_of_setting(name)
        return _whole_number(text, int(least), int(most))

    return number


def _whole_number(text: str, least: int, most: int = _MOST) -> int:
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"“{text}” is no whole number from {least} to {most}")
    return number


def _gib(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number <= _MOST_GIB:
        raise argparse.ArgumentTypeError(f"“{text}” is no number of GiB above 0")
    return number


def _temperature(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"“{text}” is no number from 0 up")
    return number


_DESCRIPTIONS: dict[str, tuple[str, str, Callable[[argparse.ArgumentParser], None]]] = {
    "ask": (
        "ask a question, read the answer here",
        """Ask a question. The answer goes to stdout, everything else to stderr.

  ask "What is a KV cache?"
  ask --attach screenshot.png "What is the error here?"
  ask --attach report.pdf --pages 3-7 "What is new?" """.rstrip(),
        _add_ask,
    ),
    "plan": (
        "say what a question would cost",
        "Say what a question would take of memory and tokens and how it would run. Nothing is loaded.",
        _add_plan,
    ),
    "route": (
        "say which kind of model would answer",
        "Say whether Instruct or Thinking would answer a question, and why. Nothing is loaded.",
        _add_route,
    ),
    "get": (
        "fetch a model, or list which can be had",
        """Fetch a model. Without a name: list what can be had and what fits here; that contacts nothing.

  get
  get 4B
  get 4B-instruct --precision Q4_K_M""",
        _add_get,
    ),
    "models": (
        "list the models that are here, and what is missing",
        "List the models that are here, and what is missing where one cannot be used.",
        _add_listing,
    ),
    "doctor": (
        "look at the installation and say what to mend",
        "Look at the installation, say what to mend, and what a question about a screenshot takes of memory now.",
        _add_listing,
    ),
}

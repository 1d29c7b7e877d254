r"""Formulas in Markdown: `$…$`, `$$…$$`, `\(…\)` and `\[…\]`, found before Markdown takes their marks for its own.

A dollar sign is a formula's only where it cannot be a price: nothing blank inside of it, no digit or letter behind the
second one, and no plain words between the two.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from desktopapp.ui.conversation import latex

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline

TOKEN = "maths"
_CLOSERS = {"$$": "$$", "\\[": "\\]", "\\(": "\\)"}
_BLOCK_OPENERS = ("$$", "\\[")
_DOLLARS = re.compile(r"\$(?![\s$])([^$`\n]{0,300}?[^\s$`\\]|\\[^\s\w]|[^\s$`\\])\$(?![\w$])")
_WORD, _NOTATION = re.compile(r"[^\W\d_]{3,}"), re.compile(r"[\\^_={]")
_ONLY_BOXED = re.compile(r"\s*\\boxed\s*\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}[.\s]*")


def add_rules(parser: MarkdownIt) -> None:
    """Have a parser find formulas; they come as tokens of the type `maths` with their LaTeX as content."""
    parser.inline.ruler.before("escape", TOKEN, _find_inline)
    interrupted = ["paragraph", "reference", "blockquote", "list"]
    parser.block.ruler.before("fence", TOKEN, _find_block, {"alt": interrupted})


def is_result(source: str) -> bool:
    """Whether a formula is nothing but a boxed result."""
    return bool(_ONLY_BOXED.fullmatch(source))


def _find_inline(state: StateInline, silent: bool) -> bool:
    source, start = state.src, state.pos
    mark = source[start : start + 2]
    if mark in _CLOSERS:
        end = source.find(_CLOSERS[mark], start + 2, min(state.posMax, start + latex.LONGEST))
        content = source[start + 2 : end]
        if end < 0 or not content.strip() or "`" in content:
            return False
        end += 2
    elif match := _DOLLARS.match(source, start, state.posMax):
        content, end = match[1], match.end()
        if _WORD.search(content) and not _NOTATION.search(content):
            return False
    else:
        return False
    if not silent:
        state.push(TOKEN, "", 0).content = content
    state.pos = end
    return True


def _find_block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """A formula on lines of its own. The first line alone decides, so that no later line changes what it is."""
    first = _line(state, start_line)
    opener = first[:2]
    if state.is_code_block(start_line) or opener not in _BLOCK_OPENERS:
        return False
    closer, rest = _CLOSERS[opener], first[2:]
    inside, found, behind = rest.partition(closer)
    if found and (behind.strip(" .,;。，；") or not inside.strip()):
        return False
    if silent:
        return True
    lines, line = [inside + behind], start_line + 1
    while not found and line < end_line and not _ends_block(state, line):
        inside, found, behind = _line(state, line).partition(closer)
        lines.append(inside + behind)
        line += 1
    token = state.push(TOKEN, "", 0)
    token.content, token.map = "\n".join(lines), [start_line, line]
    state.line = line
    return True


def _line(state: StateBlock, line: int) -> str:
    return state.getLines(line, line + 1, state.blkIndent, False).strip()


def _ends_block(state: StateBlock, line: int) -> bool:
    """A formula whose end is missing does not take the rest of the answer with it."""
    return (
        state.isEmpty(line)
        or state.sCount[line] < state.blkIndent
        or _line(state, line).startswith(("```", "~~~"))
    )

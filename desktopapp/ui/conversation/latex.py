r"""LaTeX as models write it, to one line of Unicode that can be read and copied: `\frac{x_1^2}{2}` becomes `x₁²/2`.

No typesetting: what Unicode has no character for is written in line, `e^(x/y)`. A command that is not known stays as it
was written, so nothing is lost without a word.
"""

from __future__ import annotations

import re

from desktopapp.ui.conversation import latex_symbols as known

LONGEST = 4000
_DEEPEST = 24
_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|\s+|.", re.DOTALL)
_OPERATOR = re.compile(r"[\s+\-*/=<>±×·]")
# One number or one name, with arguments at most: `2`, `x₁`, `∂x`, `P(B)`, or what has brackets already.
_PLAIN_DIVISOR = re.compile(r"(?:\d+(?:\.\d+)?|∂?[^\W\d]+[⁰-⁹²³¹₀-₉]*)(?:\([^()\s+\-*/=]*\))?|\([^()]*\)")
_BRACKETED = re.compile(r"\([^()]*\)")
_FRACTIONS = ("frac", "dfrac", "tfrac", "cfrac")
LINE_BREAK = "\u2028"


class _TooDeep(Exception):
    """Groups within groups, deeper than anybody writes."""


def text_of(source: str) -> str:
    """What a formula says, in Unicode.

    Args:
        source: LaTeX without the marks around it.

    Returns:
        One line, or several with U+2028 between them; the source itself where it is too long or nested too deep.
    """
    if len(source) > LONGEST:
        return source
    try:
        text = _Reader(source).read()
    except _TooDeep:
        return source
    lines = (re.sub(r"[ \t\n]+", " ", line).strip() for line in text.split(LINE_BREAK))
    return LINE_BREAK.join(line for line in lines if line)


class _Reader:
    """Reads tokens one after another."""

    def __init__(self, source: str) -> None:
        self._tokens = _TOKEN.findall(source)
        self._at = 0
        self._depth = 0

    def read(self, *ends: str) -> str:
        """Everything up to one of `ends`, which is not taken."""
        out: list[str] = []
        while (token := self._peek()) and token not in ends:
            self._at += 1
            if token in ("^", "_"):
                self._add_script(out, token)
            else:
                out.append(self._atom(token, out[-1] if out else ""))
        return "".join(out)

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _skip_blank(self) -> None:
        while self._peek().isspace():
            self._at += 1

    def _atom(self, token: str, before: str) -> str:
        """What a token and its arguments say."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _TooDeep
        text = self._read_atom(token, before)
        self._depth -= 1
        return text

    def _read_atom(self, token: str, before: str) -> str:
        if token == "{":
            text = self.read("}")
            self._at += 1
            return text
        if token in "}&~" or token.isspace():
            return "" if token == "}" else " "
        if token == "'":
            return "′"
        return self._command(token[1:], before) if token[0] == "\\" and len(token) > 1 else token

    def _argument(self) -> str:
        self._skip_blank()
        token = self._peek()
        self._at += 1
        return self._atom(token, "") if token else ""

    def _raw_argument(self) -> str:
        """A group as it was written, for words and names."""
        self._skip_blank()
        if self._peek() != "{":
            return self._argument()
        start, depth = self._at + 1, 0
        while token := self._peek():
            self._at += 1
            depth += (token == "{") - (token == "}")
            if not depth:
                return "".join(self._tokens[start : self._at - 1])
        return "".join(self._tokens[start:])

    def _optional(self) -> str:
        """An argument in square brackets, or nothing."""
        if self._peek() != "[":
            return ""
        self._at += 1
        text = self.read("]")
        self._at += 1
        return text

    def _add_script(self, out: list[str], mark: str) -> None:
        text = self._argument().strip()
        if out and out[-1].strip() and _OPERATOR.search(out[-1].strip()) and not out[-1].endswith(")"):
            out[-1] = f"({out[-1]})"
        out.append(_script(text, mark))

    def _command(self, name: str, before: str) -> str:
        if name.isalpha():
            is_blank_eaten = self._peek().isspace()
            self._skip_blank()
        else:
            is_blank_eaten = False
        if name in known.SYMBOLS:
            return known.SYMBOLS[name]
        if name in known.SPACED:
            return f" {known.SPACED[name]} "
        if name in known.BLANKS:
            return " "
        if name in known.FUNCTIONS:
            return self._function(name, before)
        if name in known.SILENT:
            return self._sized(name)
        if name == "\\":
            self._optional()
            return LINE_BREAK
        if not name.isalpha() and len(name) == 1:
            return "‖" if name == "|" else name
        structure = self._structure(name, before)
        return self._unknown(name, is_blank_eaten) if structure is None else structure

    def _unknown(self, name: str, is_blank_eaten: bool) -> str:
        text = f"\\{name}{' ' * is_blank_eaten}"
        while self._peek() == "{":
            text += f"{{{self._raw_argument()}}}"
        return text

    def _sized(self, name: str) -> str:
        """The delimiter behind `left` and the like; a full stop stands for none."""
        if name in ("left", "right", "middle") and self._peek() == ".":
            self._at += 1
        return ""

    def _function(self, name: str, before: str) -> str:
        following = self._peek()
        is_word = following[:1].isalnum() or (following[:1] == "\\" and following[1:2].isalpha())
        return f"{' ' * before[-1:].isalnum()}{name}{' ' * (is_word and following != chr(92) + 'left')}"

    def _structure(self, name: str, before: str) -> str | None:
        """What takes arguments; None for what is not known."""
        if name in _FRACTIONS:
            return self._fraction(before)
        if name == "sqrt":
            root, text = self._optional(), self._argument()
            return f"{_script(root, '^') if root else ''}√{text if len(text) < 2 or text.isdigit() else f'({text})'}"
        if name in ("binom", "dbinom", "tbinom"):
            return f"({self._argument()} choose {self._argument()})"
        if name in known.TEXTS:
            return self._raw_argument().replace("$", "")
        if name in known.LETTERS:
            return self._argument()
        if name == "mathbb":
            return "".join(known.DOUBLE_STRUCK.get(letter, letter) for letter in self._argument())
        if name in known.ACCENTS:
            return _accented(self._argument(), known.ACCENTS[name], every=name in ("overline", "underline"))
        return self._rare_structure(name)

    def _rare_structure(self, name: str) -> str | None:
        if name == "begin":
            return self._environment(self._raw_argument())
        if name in ("overset", "stackrel", "underset"):
            mark, base = self._argument(), self._argument()
            return base + _script(mark.strip(), "_" if name == "underset" else "^")
        if name in ("xrightarrow", "xleftarrow"):
            words = self._argument().strip()
            return f" {'→' if name == 'xrightarrow' else '←'}{f'({words})' if words else ''} "
        if name in ("pmod", "tag"):
            words = self._argument()
            return f" (mod {words})" if name == "pmod" else f"  ({words})"
        if name in ("color", "label", "hspace", "vspace"):
            self._raw_argument()
            return ""
        if name == "textcolor":
            self._raw_argument()
            return self._argument()
        if name == "not":
            return f" {self._argument().strip()}\u0338 "
        return None

    def _fraction(self, before: str) -> str:
        above, below = self._argument().strip(), self._argument().strip()
        if _OPERATOR.search(_without_brackets(above)[1:]):
            above = f"({above})"
        if below and not _PLAIN_DIVISOR.fullmatch(below):
            below = f"({below})"
        text = f"{above}/{below}"
        following = self._peek()
        first = known.SYMBOLS.get(following[1:], "") if following[:1] == "\\" else following
        is_tied = first[:1].isalnum() or first[:1] == "(" or following in ("\\sqrt", "\\frac", "\\left")
        return f"({text})" if is_tied or before[-1:].isalnum() else text

    def _environment(self, name: str) -> str:
        """Rows and cells: matrices in one line, equations and cases in a line each."""
        name = name.removesuffix("*")
        if name in ("array", "tabular", "alignat", "alignedat"):
            self._raw_argument()
        rows: list[list[str]] = [[]]
        while True:
            rows[-1].append(self.read("&", "\\\\", "\\end").strip())
            token = self._peek()
            self._at += 1
            if token == "\\\\":
                self._optional()
                rows.append([])
            elif token != "&":
                break
        if token:
            self._raw_argument()
        return _rows(name, [row for row in rows if any(row)])


def _rows(name: str, rows: list[list[str]]) -> str:
    if name in known.BRACKETS or name in ("array", "smallmatrix"):
        brackets = known.BRACKETS.get(name, "  ")
        return f"{brackets[0]}{'; '.join(' '.join(row) for row in rows)}{brackets[1]}"
    if name == "cases":
        return "{ " + "; ".join(" ".join(row) for row in rows)
    return LINE_BREAK.join(" ".join(row) for row in rows)


def _without_brackets(text: str) -> str:
    before = ""
    while text != before:
        before, text = text, _BRACKETED.sub("", text)
    return text


def _script(text: str, mark: str) -> str:
    """Raised or lowered characters where Unicode has all of them, else `^(…)`."""
    table = known.RAISED if mark == "^" else known.LOWERED
    tight = re.sub(r"\s+", "", text)
    if tight and all(letter in table for letter in tight):
        return "".join(table[letter] for letter in tight)
    if not text:
        return mark
    return f"{mark}{text}" if len(text) == 1 or (text.isalnum() and mark == "_") else f"{mark}({text})"


def _accented(text: str, accent: str, *, every: bool) -> str:
    return "".join(letter + accent for letter in text) if every else text + accent

"""Formulas in answers: found where they are meant, read as Unicode, and never at the cost of a price or a path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktopapp.ui.conversation.blocks import Prose, Style, Table, plain_text
from desktopapp.ui.conversation.latex import text_of
from desktopapp.ui.conversation.latex_symbols import (
    BLANKS,
    FUNCTIONS,
    LETTERS,
    SILENT,
    SPACED,
    SYMBOLS,
    TEXTS,
)
from desktopapp.ui.conversation.stream import MarkdownStream

FORMULAS = {
    r"a^2 + b^2 = c^2": "a² + b² = c²",
    r"\int_0^1 x^2\,dx = \frac{1}{3}": "∫₀¹ x² dx = 1/3",
    r"x_1 = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}": "x₁ = (-b ± √(b² - 4ac))/(2a)",
    r"\sum_{i=1}^{n} i = \frac{n(n+1)}{2}": "∑ᵢ₌₁ⁿ i = n(n+1)/2",
    r"P(A|B) = \frac{P(B|A)P(A)}{P(B)}": "P(A|B) = P(B|A)P(A)/P(B)",
    r"\frac{1}{a(b+c)}": "1/(a(b+c))",
    r"2\frac{1}{3}": "2(1/3)",
    r"\frac{1}{2}mv^2": "(1/2)mv²",
    r"{\frac{a}{b}}^2": "(a/b)²",
    r"\left(\frac{a}{b}\right)^2": "(a/b)²",
    r"\frac{\partial f}{\partial x}": "∂f/∂x",
    r"e^{-x/2}": "e^(-x/2)",
    r"\lim_{x\to0}\frac{\sin x}{x}": "lim_(x → 0)(sin x)/x",
    r"2\sin\theta": "2 sin θ",
    r"\log_2 8 = 3": "log₂ 8 = 3",
    r"a\leq b\Rightarrow c\neq d": "a ≤ b ⇒ c ≠ d",
    r"\sqrt[3]{27} = 3": "³√27 = 3",
    r"90^\circ, f'(x)": "90°, f′(x)",
    r"\vec{v}, \overline{AB}": "v\u20d7, A\u0305B\u0305",
    r"\mathbb{R}^n, \mathbf{F} = m\mathbf{a}": "ℝⁿ, F = ma",
    r"x_{\text{max}} = 50\% \text{ of } \$80": "xₘₐₓ = 50% of $80",
    r"\left\{ x \right.": "{ x",
    r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}": "(a b; c d)",
    r"\begin{aligned} x &= 1 + 2 \\ &= 3 \end{aligned}": "x = 1 + 2\u2028= 3",
    r"\begin{cases} 1 & \text{if } x > 0 \\ 0 & \text{else} \end{cases}": "{ 1 if x > 0; 0 else",
    r"a \not\in B": "a ∈\u0338 B",
    r"\unheardof{x}{y} z": r"\unheardof{x}{y} z",
    r"\boxed{42}": "42",
}


@pytest.mark.parametrize(("source", "shown"), FORMULAS.items(), ids=FORMULAS)
def test_formula_is_read_as_unicode(source: str, shown: str) -> None:
    assert text_of(source) == shown


def test_no_command_is_in_two_tables() -> None:
    tables = [set(SYMBOLS), set(SPACED), set(BLANKS), set(FUNCTIONS), set(SILENT), set(LETTERS), set(TEXTS)]
    assert sum(map(len, tables)) == len(set().union(*tables))


@given(
    st.lists(st.sampled_from([*r"\{}[]^_&$' ax1+", r"\frac", r"\begin{cases}", r"\end", r"\sqrt", r"\left"]))
)
def test_anything_can_be_read(pieces: list[str]) -> None:
    text_of("".join(pieces))


@given(st.text("abcxyz0189+=,.;!?()|<>"))
def test_letters_and_digits_stay_as_they_are(text: str) -> None:
    assert text_of(text) == text


def test_what_is_too_long_or_too_deep_stays_as_it_is() -> None:
    for source in ("{" * 60 + "x" + "}" * 60, r"\alpha" * 2000):
        assert text_of(source) == source


def blocks(text: str) -> list[Prose]:
    stream = MarkdownStream()
    stream.feed(text)
    stream.finish()
    return [block for block in stream.take_closed() if isinstance(block, Prose)]


def shown(text: str) -> list[str]:
    return [plain_text(block.spans) for block in blocks(text)]


@pytest.mark.parametrize(
    "text", [r"is $x_1*y*$ now", r"is \(x_1*y*\) now", r"is $$x_1*y*$$ now", r"is \[x_1*y*\] now"]
)
def test_formula_in_a_line_is_not_read_as_markdown(text: str) -> None:
    assert shown(text) == ["is x₁*y* now"]


@pytest.mark.parametrize(
    "text",
    [
        "bread $4.50, tax $0.36, in all $4.86",
        "from $5 to $6, US$5/US$6, $5-$10",
        "between $10 and 20$",
        "a $ b $ c",
        "$HOME and $PATH",
        "5$",
        "$",
    ],
)
def test_prices_and_variables_stay(text: str) -> None:
    assert shown(text) == [text]


def test_code_stays_code() -> None:
    (block,) = blocks("`$x$` and `\\(y\\)`")
    assert [span.text for span in block.spans if Style.CODE in span.style] == ["$x$", r"\(y\)"]


@pytest.mark.parametrize(("opener", "closer"), [("$$", "$$"), (r"\[", r"\]")])
def test_formula_on_lines_of_its_own(opener: str, closer: str) -> None:
    text = f"The sum:\n{opener}\nx_1\n+ 3\n- 4\n{closer}\nand *on*"
    assert shown(text) == ["The sum:", "x₁ + 3 - 4", "and on"]
    assert shown(f"{opener} x_1 {closer}.") == ["x₁ ."]


def test_formula_in_a_list_stays_in_its_item() -> None:
    found = blocks("1. First:\n   \\[\n   x^2\n   \\]\n   after\n2. second")
    assert [(plain_text(block.spans), block.indent, block.marker) for block in found] == [
        ("First:", 1, "1."),
        ("x²", 1, ""),
        ("after", 1, ""),
        ("second", 1, "2."),
    ]


def test_formula_without_an_end_takes_nothing_but_its_paragraph() -> None:
    assert shown("$$\nx^2\n\nnext **one**\n\n```\ncode\n```") == ["x²", "next one"]
    assert shown(r"is \(x and **on**") == ["is (x and on"]


def test_boxed_result_stands_out() -> None:
    (block,) = blocks(r"So \[ \boxed{x^2} \]")
    assert [(span.text, span.style) for span in block.spans] == [("So ", Style.PLAIN), ("x²", Style.BOLD)]


def test_formulas_in_cells() -> None:
    stream = MarkdownStream()
    stream.feed("| $x_1$ | b |\n|---|---|\n| \\(y^2\\) | $3 |\n")
    stream.finish()
    (table,) = stream.take_closed()
    assert isinstance(table, Table)
    assert [plain_text(cell) for row in (table.header, *table.rows) for cell in row] == [
        "x₁",
        "b",
        "y²",
        "$3",
    ]

"""Markdown that comes in pieces gives the same blocks as Markdown that comes whole."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from desktopapp.ui.conversation.blocks import Block, Code, Prose, ProseKind, Style, Table, plain_text
from desktopapp.ui.conversation.stream import MarkdownStream

SAMPLE = """# Title **bold**

Some *text* with `code` and [link](https://example.com/a) and https://bare.example/x?y=1, end.
second line

- one
- two
  continued
    - nested
      ```python
      def f():
          return 1
      ```
    after
- [x] done

3. three
3. four

   more
9. five

> quote
>
> > deeper

| a | b |
|---|:-:|
| 1 | 2 |
| x | `y` |

```js
let x = "``";
```
---
last
"""

FRAGMENTS = st.sampled_from(
    [
        *(
            "# Heading\n",
            "text ",
            "**bold** ",
            "`code` ",
            "*it* ",
            "~~no~~ ",
            "\n",
            "\n\n",
            "- item\n",
            "  - in\n",
        ),
        *(
            "1. one\n",
            "7) seven\n",
            "> quote\n",
            ">> two\n",
            "```py\n",
            "```\n",
            "~~~\n",
            "x = 1\n",
            "---\n",
            "***\n",
        ),
        *(
            "| a | b |\n|---|--:|\n",
            "| 1 | 2 |\n",
            "|",
            "[l](https://e.x/a) ",
            "![i](x.png)",
            "<b>",
            "&amp;",
            "\\",
        ),
        *(
            "    four\n",
            "中文字符。",
            "مرحبا ",
            "$x_1$ ",
            "$$",
            "$$\n",
            "\\(",
            "\\) ",
            "\\[\n",
            "\\]\n",
            "\\frac{1}{2}",
            "- [ ] task\n",
            "=====\n",
            "\t",
            "<!--",
            "***",
            "__",
            "[a]: b\n",
        ),
    ]
)


def blocks(pieces: Sequence[str]) -> list[Block]:
    """The blocks of a text that comes in pieces, further parts of a code block joined to it."""
    stream = MarkdownStream()
    result: list[Block] = []
    for piece in pieces:
        stream.feed(piece)
        stream.open_blocks()
        result += stream.take_closed()
    stream.finish()
    joined: list[Block] = []
    for block in result + stream.take_closed():
        last = joined[-1] if joined else None
        if isinstance(block, Code) and block.continued and isinstance(last, Code):
            joined[-1] = replace(last, text=last.text + block.text)
        else:
            joined.append(block)
    return joined


def cut(text: str, seed: int) -> list[str]:
    """The text in pieces of random lengths, short ones and long ones."""
    rng = random.Random(seed)
    pieces, start = [], 0
    while start < len(text):
        length = rng.randint(1, rng.choice([2, 20, 200]))
        pieces.append(text[start : start + length])
        start += length
    return pieces


def text_of(block: Block) -> str:
    assert isinstance(block, Prose)
    return plain_text(block.spans)


@pytest.mark.parametrize("seed", range(20))
def test_any_cut_of_the_sample_gives_the_same_blocks(seed: int) -> None:
    assert blocks(cut(SAMPLE, seed)) == blocks([SAMPLE])


@settings(max_examples=300, deadline=None)
@given(st.lists(FRAGMENTS, max_size=40).map("".join), st.integers(0, 1000))
@example("```py\n\t```\n", 0)
def test_any_cut_of_any_markdown_gives_the_same_blocks(text: str, seed: int) -> None:
    assert blocks(cut(text, seed)) == blocks([text])


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200), st.integers(0, 1000))
def test_any_cut_of_any_text_gives_the_same_blocks(text: str, seed: int) -> None:
    assert blocks(cut(text, seed)) == blocks([text])


@pytest.mark.parametrize(
    "text",
    [
        "A sentence of **some** length, and one more. " * 400,
        "没有空格的中文段落。" * 900,
        "x" * 20_000,
        "- row of a list\n" * 800,
        "1. everything\n" + "   - row of a nested list\n" * 500,
        "> quoted line\n" * 700,
        "| a | b |\n|---|---|\n" + "| one | two |\n" * 100,
        "```py\nvalue = 1\n" + "x = 2  # comment\n" * 600,
        "1. code\n   ```py\n" + "   x = 2\n" * 700 + "   ```\n   after\n2. next\n",
        "> ```py\n" + "> x = 2\n" * 700 + "> ```\n\nafter",
        "```js\n" + "f(1)," * 4000,
        "$$\n" + "x_1 + x_2 &= y \\\\\n" * 500 + "$$\nafter",
        "- in a list\n  \\[\n" + "  a = b\n" * 900,
    ],
    ids=lambda text: text[:12],
)
@pytest.mark.parametrize("seed", range(3))
def test_blocks_without_an_end_are_cut_at_the_same_places(text: str, seed: int) -> None:
    assert blocks(cut(text, seed)) == blocks([text])


def test_a_cut_loses_no_text() -> None:
    text = "A sentence of some length, and one more. " * 400
    shown = " ".join(text_of(block) for block in blocks(cut(text, 1)))
    assert shown.split() == text.split()
    assert len(blocks([text])) > 3


def test_code_is_kept_exactly() -> None:
    code = "def f():\n\n    return '```'\n\t# tab  \n" * 300
    (block,) = blocks(cut(f"````py\n{code}````\n", 3))
    assert block == Code(code, "py")


def test_code_in_a_list_is_dedented_and_stays_in_the_list() -> None:
    found = blocks(["1. run\n\n   ```sh\n   make\n     test\n   ```\n   then\n2. done\n"])
    assert found[1] == Code("make\n  test\n", "sh", indent=1)
    assert [text_of(found[index]) for index in (0, 2, 3)] == ["run", "then", "done"]
    assert [block.marker for block in found if isinstance(block, Prose)] == ["1.", "", "2."]


def test_long_code_in_a_list_goes_on_in_the_list() -> None:
    found = blocks(["1. code\n   ```py\n" + "   x = 2\n" * 700 + "   ```\n   after\n\n2. next\n"])
    assert found[1] == Code("x = 2\n" * 700, "py", indent=1)
    assert found[2].indent == 1
    assert found[-1] == replace(found[0], spans=found[-1].spans, marker="2.")


def test_a_list_counts_on_over_closed_items() -> None:
    text = "".join(f"1. item {index}\n" for index in range(300))
    markers = [block.marker for block in blocks(cut(text, 5)) if isinstance(block, Prose)]
    assert markers == [f"{index}." for index in range(1, 301)]


def test_a_long_table_keeps_its_columns() -> None:
    found = blocks(["| a | b |\n|--|:-:|\n" + "| 1 | 2 |\n" * 50])
    tables = [block for block in found if isinstance(block, Table)]
    assert len(tables) == len(found) > 1
    assert [table.continued for table in tables] == [False] + [True] * (len(tables) - 1)
    assert sum(len(table.rows) for table in tables) == 50
    assert {table.aligns for table in tables} == {("left", "center")}


def test_half_written_emphasis_is_shown_as_what_it_becomes() -> None:
    stream = MarkdownStream()
    stream.feed("plain **bo")
    (block,) = stream.open_blocks()
    assert isinstance(block, Prose)
    assert [(span.text, span.style) for span in block.spans] == [("plain ", Style.PLAIN), ("bo", Style.BOLD)]


@pytest.mark.parametrize("mark", ["#", "-", "1.", "```", "| ", ">", "**", "```pyth"])
def test_half_written_marks_are_not_shown(mark: str) -> None:
    stream = MarkdownStream()
    stream.feed(f"text\n\n{mark}")
    assert [text_of(block) for block in stream.open_blocks()] == ["text"]


def test_a_rule_below_text_is_no_heading() -> None:
    found = blocks(["text\n---\nmore"])
    assert [block.kind for block in found if isinstance(block, Prose)] == [
        ProseKind.PARAGRAPH,
        ProseKind.RULE,
        ProseKind.PARAGRAPH,
    ]


HOSTILE = {
    "html": (
        "<script>alert(1)</script><img src=x onerror=y>",
        "<script>alert(1)</script><img src=x onerror=y>",
    ),
    "image": ("![cat](https://evil.example/c.png)", "cat (https://evil.example/c.png)"),
    "file image": ("![x](file:///etc/passwd)", "x (file:///etc/passwd)"),
    "data image": ("![x](data:image/png;base64,AA)", "x (data:image/png;base64,AA)"),
    "javascript": ("[go](javascript:alert(1))", "go (javascript:alert(1))"),
    "file": ("[go](file:///etc/passwd)", "go (file:///etc/passwd)"),
    "relative": ("[go](//evil.example)", "go (//evil.example)"),
    "entity override": ("a &#x202e; b", "a  b"),
    "entity object": ("a &#xfff9;&#xfffb; b", "a  b"),
    "entity separator": ("a&#x2029;b&#10;c", "ab c"),
    "controls": ("a\x00\x01\x1b[31mb\x85\u2028c", "a[31mbc"),
    "override": ("safe\u202egnp.exe", "safegnp.exe"),
    "autolink": ("<javascript:alert(1)>", "javascript:alert(1) (javascript:alert(1))"),
}


@pytest.mark.parametrize(("text", "shown"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_shown_and_inert(text: str, shown: str) -> None:
    (block,) = blocks([text])
    assert text_of(block) == shown
    assert isinstance(block, Prose)
    assert not any(span.target for span in block.spans)


def test_a_web_link_keeps_its_real_target() -> None:
    (block,) = blocks(["[https://bank.example](https://evil.example/\u200bx) "])
    assert isinstance(block, Prose)
    assert block.spans[0].text == "https://bank.example"
    assert block.spans[0].target.startswith("https://evil.example/")


@pytest.mark.parametrize(
    "text",
    [
        *(
            ">" * 10_000 + " x",
            "[" * 10_000,
            "![" * 5_000,
            "[a](" * 3_000,
            "*a **b " * 2_000,
            "`a ``b " * 2_000,
        ),
        *("- " * 5_000 + "x", "<a " * 3_000, "&" * 10_000, "_" * 10_000, "|" * 10_000 + "\n" + "|-" * 5_000),
        *(" " * 8_000 + "x", "\t" * 8_000 + "x", "> \n" * 3_000, "[" * 5_000 + "](" * 2_500),
        *(
            "\n" * 10_000,
            "#" * 10_000,
            "~" * 10_000,
            "(" * 10_000,
            "\\" * 10_000,
            "- \n" * 3_000,
            "1. " * 4_000,
        ),
        *("$" * 10_000, "$a" * 5_000, "\\(" * 5_000, "\\[\n" * 3_000, "$$\n" * 4_000),
        *("$$" + "{" * 9_000, "$$" + "\\frac" * 1_500, "$$" + "x^" * 4_000, "\\[" + "\\begin{cases}" * 700),
    ],
    ids=lambda text: text[:8].encode("unicode_escape").decode(),
)
def test_hostile_nesting_ends_in_time(text: str) -> None:
    started_s = time.process_time()
    blocks([text[start : start + 500] for start in range(0, len(text), 500)])
    assert time.process_time() - started_s < 10

"""Pages as HTML: what acts or loads is gone, and blocks know their places."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktopapp.engine.grounding.document_html import clean_document, document_source
from desktopapp.engine.grounding.find_places import find_places

PAGE = (
    '```html\n<html><body>\n<h1 data-bbox="10 20 900 80">A title</h1>\n'
    '<p data-bbox="10 100 900 300">Some <b>bold</b> words</p>\n<table data-bbox="10 320 900 600"><tr><td colspan="2">1</td></tr>'
    "</table>\n</body></html>\n```\n"
)


def test_blocks_are_linked_to_their_places() -> None:
    places = find_places(PAGE)
    html = clean_document(document_source(PAGE), places)
    assert [place.coordinates for place in places][:2] == [(10, 20, 900, 80), (10, 100, 900, 300)]
    assert html.count('href="place:') == 3
    assert '<a name="place-1" href="place:1">▸</a> Some <b>bold</b> words' in html
    assert 'colspan="2"' in html
    assert "```" not in html


def test_markdown_with_places_is_a_page_as_well() -> None:
    answer = (
        "```markdown\n# Title\n\n<!-- Image (10, 20, 500, 300) -->\n\n<!-- Table (10, 400, 900, 700) -->\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n<script>x()</script>\n```\n"
    )
    places = find_places(answer)
    html = clean_document(document_source(answer), places)
    assert [place.coordinates for place in places] == [(10, 20, 500, 300), (10, 400, 900, 700)]
    assert '<a name="place-0" href="place:0">▸</a> <i>Image</i>' in html
    assert '<a name="place-1" href="place:1">▸</a> <i>Table</i>' in html
    assert "<h1>Title</h1>" in html
    assert "<td>2</td>" in html
    assert "script" not in html
    assert document_source("# Title <!-- a remark -->") == ""


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        '<img src="file:///etc/passwd" onerror="x()">',
        '<p onclick="x()" style="background:url(http://x)">a</p>',
        '<a href="javascript:x()">a</a>',
        '<iframe src="http://x"></iframe><object data="x"></object><link rel=stylesheet href=x>',
        "<style>p{background:url(http://x)}</style>",
        "<svg><script>x()</script></svg><p data-bbox='1 2 3 4\"><script>'>a</p>",
    ],
)
def test_nothing_acts_or_loads(hostile: str) -> None:
    html = clean_document(hostile + '<p data-bbox="1 2 3 4">kept</p>', [])
    for word in (
        "<script",
        "src=",
        "onclick",
        "onerror",
        "style",
        "javascript:",
        "<iframe",
        "<object",
        "<img",
        "<link",
    ):
        assert word not in html.lower()
    assert "kept" in html


@given(st.text(max_size=200))
def test_any_text_is_survived(text: str) -> None:
    html = clean_document(text + '<p data-bbox="1 2 3 4">' + text, find_places(PAGE))
    assert "<script" not in html.lower()


def test_an_answer_without_blocks_is_no_document() -> None:
    assert document_source("```html\n<p>x</p>\n```") == ""

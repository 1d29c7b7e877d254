"""What the model wrote for a page (`qwenvl html`, `qwenvl markdown`): hostile until cleaned, its blocks linked to the page."""

from __future__ import annotations

import re
from collections.abc import Sequence

from desktopapp.engine.grounding.find_places import PLACED_COMMENT as _COMMENT
from desktopapp.engine.grounding.places import Place, make_place_coordinates

_TAGS = {
    "h1", "h2", "h3", "h4", "h5", "h6", "p", "div", "span", "br", "hr", "b", "strong", "i", "em", "u", "s", "sub", "sup",
    "ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption",
    "pre", "code", "blockquote", "figure", "figcaption", "section", "article", "header", "footer", "address",
}  # fmt: skip
_ATTRIBUTES = {"*": {"data-bbox"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}
_FENCE = re.compile(r"```(?:html|markdown|md)?\s*\n(.*?)(?:\n```|\Z)", re.DOTALL | re.IGNORECASE)
_BLOCK = re.compile(r'<[a-z][a-z0-9]*(?: [^<>]*?)? data-bbox="([^"<>]*)"[^<>]*>')
_LONGEST = 500_000


def document_source(answer: str) -> str:
    """The page in an answer as HTML, in a fence or not; empty where it has no blocks with places."""
    if "data-bbox" in answer:
        return _unfenced(answer, "data-bbox")
    if "<!--" in answer and _COMMENT.search(answer):
        return _html_of_markdown(_unfenced(answer, "<!--"))
    return ""


def _unfenced(answer: str, mark: str) -> str:
    fenced = [match[1] for match in _FENCE.finditer(answer) if mark in match[1]]
    return "\n".join(fenced) if fenced else answer


def _html_of_markdown(source: str) -> str:
    """Markdown as HTML; a comment with a place becomes a block of its own with that place and name."""
    # Rarely needed, and a library of its own.
    from markdown_it import MarkdownIt

    blocks = _COMMENT.sub(
        lambda match: f'\n\n<p data-bbox="{match[2].replace(",", " ")}"><i>{match[1]}</i></p>\n\n',
        source[:_LONGEST],
    )
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(blocks))


def clean_document(source: str, places: Sequence[Place]) -> str:
    """HTML without scripts, styles, pictures, links or anything else that acts or loads.

    Args:
        source: from `document_source`.
        places: of the page; a block at one of them begins with a link to `place:` and its index.
    """
    # Rarely needed, and a library of its own.
    import nh3

    cleaned = nh3.clean(
        source[:_LONGEST], tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=set(), link_rel=None
    )
    indices = {place.coordinates: index for index, place in reversed(list(enumerate(places)))}

    def link(match: re.Match[str]) -> str:
        numbers = re.findall(r"-?\d+(?:\.\d+)?", match[1])
        coordinates = make_place_coordinates(tuple(map(float, numbers))) if len(numbers) == 4 else None
        index = indices.get(coordinates) if coordinates is not None else None
        return match[0] if index is None else f'{match[0]}<a name="place-{index}" href="place:{index}">▸</a> '

    return _BLOCK.sub(link, cleaned)

"""Boxes and points out of answers as models really write them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktopapp.engine.grounding.export import to_coco, to_json
from desktopapp.engine.grounding.find_places import find_places
from desktopapp.engine.grounding.places import Place

corner = st.integers(0, 999)
labels = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).map(
    lambda text: " ".join(text.split()) or "x"
)
boxes = st.tuples(corner, corner, corner, corner).map(
    lambda c: [min(c[0], c[2]), min(c[1], c[3]), max(c[0], c[2]) + 1, max(c[1], c[3]) + 1]
)
FENCED = """Here they are:
```json
[
\t{"bbox_2d": [10, 20, 300, 400], "label": "cat"},
\t{"bbox_2d": [500, 20, 700, 400], "label": "dog", "text_content": "Rex"}
]
```
"""


def shown(places: list[Place]) -> list[tuple[tuple[float, ...], str]]:
    return [(place.coordinates, place.caption) for place in places]


def test_a_fenced_list() -> None:
    places = find_places(FENCED)
    assert shown(places) == [((10, 20, 300, 400), "cat"), ((500, 20, 700, 400), "dog")]
    assert places[1].text == "Rex"
    assert FENCED[places[0].start : places[0].end] == '{"bbox_2d": [10, 20, 300, 400], "label": "cat"}'


@given(st.lists(st.tuples(boxes, labels), max_size=8), st.sampled_from([None, 2]))
def test_what_is_written_is_found(items: list[tuple[list[int], str]], indent: int | None) -> None:
    text = json.dumps([{"bbox_2d": box, "label": label} for box, label in items], indent=indent)
    assert shown(find_places(text)) == [(tuple(box), label) for box, label in items]


@given(st.lists(st.tuples(boxes, labels), min_size=1, max_size=5), st.integers(0, 400))
def test_a_stream_never_takes_a_box_back(items: list[tuple[list[int], str]], cut: int) -> None:
    text = json.dumps([{"bbox_2d": box, "label": label} for box, label in items], ensure_ascii=False)
    whole = [place.coordinates for place in find_places(text)]
    part = [place.coordinates for place in find_places(text[:cut])]
    assert part == whole[: len(part)]


@given(st.text(max_size=300))
def test_any_text_is_survived(text: str) -> None:
    for answer in (text, '{"bbox_2d": [1, 2, 3, 4], ' + text, FENCED + text):
        for place in find_places(answer):
            assert all(0 <= value <= 1000 for value in place.coordinates)
            assert 0 <= place.start < place.end <= len(answer)


@pytest.mark.parametrize(
    "broken",
    [
        "{'bbox_2d': [1, 2, 30, 40], 'label': 'cat'}",
        '{"bbox_2d": [1, 2, 30, 40], "label": "cat"',
        '{"bbox_2d": [1, 2, 30, 40], "label": "cat',
        '{"bbox_2d": [1, 2, 30, 40] "label": "cat"}',
        '{"bbox_2d": [1, 2, 30, 40,], "label": "cat",}',
        '{bbox_2d: [1, 2, 30, 40], label: "cat"}',
        '{"label": "cat", "bbox_2d": [1.0, 2.0, 30.0, 40.0]}, {"bbox_2d": [5, 6',
    ],
)
def test_broken_json_is_repaired(broken: str) -> None:
    assert shown(find_places(broken)) == [((1, 2, 30, 40), "cat")]


def test_points_elements_and_comments() -> None:
    text = (
        '{"point_2d": [12, 34], "label": "button"}\n'
        '<h1 data-bbox="10 20 300 60">A title</h1><img data-bbox="5 100 990 500"/>\n'
        "<!-- Image (100, 200, 300, 400) -->"
    )
    places = find_places(text)
    assert shown(places) == [
        ((12, 34), "button"),
        ((10, 20, 300, 60), "A title"),
        ((5, 100, 990, 500), "img"),
        ((100, 200, 300, 400), "Image"),
    ]
    assert [place.is_box for place in places] == [False, True, True, True]


@pytest.mark.parametrize(
    "nonsense",
    [
        '{"bbox_2d": [10, 20, 10, 40]}',
        '{"bbox_2d": [10, 20, 1030, 40]}',
        '{"bbox_2d": [-3, 20, 30, 40]}',
        '{"bbox_2d": [10, 20, 30]}',
        '{"point_2d": [10, 20, 30, 40]}',
        "bbox_2d is a key",
    ],
)
def test_what_is_no_place(nonsense: str) -> None:
    assert find_places(nonsense) == []


def test_corners_in_the_wrong_order() -> None:
    assert find_places('{"bbox_2d": [300, 400, 10, 20]}')[0].coordinates == (10, 20, 300, 400)


def test_which_picture_and_page() -> None:
    box = '{"bbox_2d": [1, 2, 3, 4]}'
    text = f'{box} Picture 2: {box} On page 7 {box} 图片3 {box} 第12页 {box} {box[:-1]}, "img_idx": 5}}'
    found = [(place.picture, place.page) for place in find_places(text)]
    assert found == [(None, None), (2, None), (None, 7), (3, None), (None, 12), (5, None)]


def test_times_of_boxes_in_videos() -> None:
    text = '[{"time": 1.5, "bbox_2d": [1, 2, 3, 4]}, {"time": "00:02.50", "bbox_2d": [1, 2, 3, 4]}]'
    assert [place.time_s for place in find_places(text)] == [1.5, 2.5]


@given(
    size=st.tuples(st.integers(1, 4000), st.integers(1, 4000)),
    box=st.tuples(*[st.floats(0, 1)] * 4),
)
def test_pixels_are_right_to_two(size: tuple[int, int], box: tuple[float, ...]) -> None:
    """The model rounds to thousandths; of what it meant at most two pixels are lost on a side of 4,000."""
    width, height = size
    meant = [box[0] * width, box[1] * height, box[2] * width, box[3] * height]
    said = tuple(round(value / side * 1000) for value, side in zip(meant, (width, height) * 2, strict=True))
    place = Place(tuple(float(value) for value in said))
    assert max(abs(a - b) for a, b in zip(place.pixels(width, height), meant, strict=True)) <= 2.001


def test_exports() -> None:
    places = find_places(FENCED + '{"point_2d": [500, 500], "label": "nose"}')
    plain = json.loads(to_json(places, "/x/pets.png", 2000, 1000))
    assert (plain["file"], plain["width"], plain["height"]) == ("pets.png", 2000, 1000)
    assert [entry["pixels"] for entry in plain["places"]] == [
        [20, 20, 600, 400],
        [1000, 20, 1400, 400],
        [1000, 500],
    ]
    coco = json.loads(to_coco(places, "/x/pets.png", 2000, 1000))
    assert [one["bbox"] for one in coco["annotations"]] == [[20, 20, 580, 380], [1000, 20, 400, 380]]
    assert [one["name"] for one in coco["categories"]] == ["cat", "dog"]

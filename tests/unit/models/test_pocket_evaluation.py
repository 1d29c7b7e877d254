"""The evaluation keeps every answer at once, goes on where it ended, and asks the controls with other pictures."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from models.pocket.evaluation import asking
from models.pocket.evaluation.asking import Task, Trial, ask_items
from models.pocket.evaluation.item import Item, load_items, save_items, write_video
from models.pocket.evaluation.measuring import compare, measured_row

FOREVER = float("inf")


class Asked:
    """Stands for a model that reads the name of what it is shown."""

    def __init__(self, ends_after: int = 10**6) -> None:
        self.files: list[Path] = []
        self._ends_after = ends_after

    def __call__(self, files: list[Path], question: str) -> str:
        if len(self.files) == self._ends_after:
            raise KeyboardInterrupt
        self.files += files
        return files[0].stem


@pytest.fixture
def work(tmp_path: Path) -> Path:
    items = []
    for index in range(120):
        Image.new("RGB", (4, 3), (index, 0, 0)).save(tmp_path / f"{index}.png")
        items.append(Item("read", (f"{index}.png",), "Read.", str(index)))
    save_items(tmp_path / "read.json", items)
    (tmp_path / "a-thinking").mkdir()
    (tmp_path / "a-thinking/model.safetensors").write_bytes(b"weights")
    return tmp_path


def task(work: Path, trial: Trial = Trial.LLAMA_CPP) -> Task:
    return Task(work / "a-thinking", "read", trial, work, 110)


def ask_all(monkeypatch: pytest.MonkeyPatch, asked: Asked, one: Task) -> None:
    monkeypatch.setattr(asking, "make_asker", lambda *_, **__: asked)
    for shard in one.shards:
        ask_items(one, shard, FOREVER)


def test_an_ended_run_is_gone_on_with_and_nothing_is_asked_twice(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Asked(ends_after=67), Asked()
    with pytest.raises(KeyboardInterrupt):
        ask_all(monkeypatch, first, task(work))
    assert len(task(work).answers()) == 67
    ask_all(monkeypatch, second, task(work))
    assert [file.stem for file in (*first.files, *second.files)] == [str(index) for index in range(110)]
    assert task(work).answers() == {index: str(index) for index in range(110)}


def test_no_time_no_question(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked()
    monkeypatch.setattr(asking, "make_asker", lambda *_, **__: asked)
    ask_items(task(work), range(50), 0.0)
    assert asked.files == []


def test_other_weights_are_asked_anew(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask_all(monkeypatch, Asked(), task(work))
    other = work / "b-thinking"
    other.mkdir()
    (other / "model.safetensors").write_bytes(b"other weights")
    assert Task(other, "read", Trial.LLAMA_CPP, work, 110).answers() == {}


def test_controls_show_a_tenth_of_the_items_grey_or_with_the_next_picture(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swapped, blank = Asked(), Asked()
    ask_all(monkeypatch, swapped, task(work, Trial.SWAPPED))
    assert [file.stem for file in swapped.files] == [str(index + 1) for index in range(11)]
    ask_all(monkeypatch, blank, task(work, Trial.BLANK))
    assert len(blank.files) == 11
    for file in blank.files:
        with Image.open(file) as image:
            assert image.size == (4, 3)
            assert image.getcolors() == [(12, (128, 128, 128))]


def test_rows_say_what_was_measured_and_leave_empty_what_was_not(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_all(monkeypatch, Asked(), task(work))
    cells = [cell.strip() for cell in measured_row(task(work)).strip("|").split("|")]
    assert cells == ["a-thinking", "read", "110", "character error rate <= 5 %", "0.0 %", "", ""]
    assert compare(task(work)).items == 0
    theirs = task(work, Trial.TRANSFORMERS)
    ask_all(monkeypatch, Asked(), theirs)
    file = theirs.shard_file(theirs.shards[0])
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    lines[3]["answer"] = "another"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    agreement = compare(task(work))
    assert (agreement.same, agreement.items) == (10, 11)
    assert agreement.row.endswith("| 90.9 % |")


def test_items_come_back_as_they_were_saved(tmp_path: Path) -> None:
    items = [
        Item("ground", ("a.png",), "?", (1.0, 2.0, 3.0, 4.5)),
        Item("video", ("a.avi",), "?", 2.5),
        Item("read", ("b.png",), "?", "两行\nof text"),
    ]
    save_items(tmp_path / "x.json", items)
    assert load_items(tmp_path / "x.json") == items


def test_a_grey_video_takes_the_place_of_a_video_and_is_made_once(tmp_path: Path) -> None:
    file = tmp_path / "v.avi"
    write_video(file, [np.full((64, 96, 3), value, np.uint8) for value in (0, 200, 255)])
    blank = asking._blank(file)
    video = cv2.VideoCapture(str(blank))
    frames = []
    while (read := video.read())[0]:
        frames.append(read[1])
    assert [frame.shape for frame in frames] == [(64, 96, 3)] * 3
    assert all(np.abs(frame.astype(int) - 128).max() <= 2 for frame in frames)
    before = blank.stat().st_mtime_ns
    assert asking._blank(file).stat().st_mtime_ns == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blank-v.avi", "v.avi"]

"""A model that asks to look closer is shown the part, as often as is allowed, and its answer goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from desktopapp.engine.backend import GenerationStep, TokenAdded
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.events import AttachmentRead, Channel, Event, FinishReason, TextAdded
from desktopapp.engine.media_events import ZoomedIn
from desktopapp.engine.prompt_parts import ImagePart, PromptPart, TextPart
from desktopapp.engine.request import Attachment, Role, Turn, ZoomLimits
from desktopapp.modelstore.model import ModelKind
from models.qwen_files.chat_template import chat_template
from tests.documents import write_document
from tests.engine_bench import Bench, Script, failure, last, say


def call(*box: float, picture: int = 0, label: str = "sign") -> bytes:
    arguments = {"label": label, "bbox_2d": list(box), "img_idx": picture}
    fields = {"name": "image_zoom_in_tool", "arguments": arguments}
    return f"<tool_call>\n{json.dumps(fields)}\n</tool_call>".encode()


def in_turn(*replies: Sequence[bytes]) -> Script:
    waiting = list(replies)

    def run(prompt: Sequence[PromptPart], cancel: CancelToken) -> Iterator[GenerationStep]:
        return say(*waiting.pop(0))(prompt, cancel)

    return run


@pytest.fixture
def picture(tmp_path: Path) -> str:
    """Left half red, right half blue, 1000 x 500."""
    pixels = np.zeros((500, 1000, 3), np.uint8)
    pixels[:, :500, 0] = pixels[:, 500:, 2] = 255
    Image.fromarray(pixels).save(tmp_path / "halves.png")
    return str(tmp_path / "halves.png")


def asked(path: str) -> tuple[Turn, ...]:
    return (Turn(Role.USER, "What does the sign say?", (Attachment(path),)),)


def zooms(events: list[Event]) -> list[ZoomedIn]:
    return [event for event in events if isinstance(event, ZoomedIn)]


def words_of(prompt: Sequence[PromptPart]) -> str:
    return "".join(part.text for part in prompt if isinstance(part, TextPart))


def test_the_part_is_shown_and_the_answer_goes_on(picture: str) -> None:
    bench = Bench(in_turn((b"Let me see.\n\n", call(600, 200, 900, 800)), (b"It says ", b"STOP.")))
    events = bench.ask(turns=asked(picture))
    end = last(events)
    assert end.text == "Let me see.\n\nIt says STOP."
    assert "".join(e.text for e in events if isinstance(e, TextAdded)) == end.text
    (zoom,) = zooms(events)
    assert (zoom.path, zoom.page, zoom.label, zoom.box) == (picture, 0, "sign", (600, 200, 900, 800))
    first, second = bench.backend.prompts
    assert second[: len(first)] == first
    assert "</tool_call>" not in words_of(second)
    assert words_of(second[len(first) :]) == (
        "<|im_end|>\n<|im_start|>user\n<tool_response>\n\n</tool_response><|im_end|>\n<|im_start|>assistant\n"
    )
    (crop,) = [part for part in second[len(first) :] if isinstance(part, ImagePart)]
    pixels = crop.image.decode()
    assert pixels.shape == (300, 300, 3)
    assert (pixels == (0, 0, 255)).all()
    # A part is not shown smaller than the least that the model can look at, though the model's own maximum holds.
    assert crop.pixel_budget is not None
    assert crop.pixel_budget.max_pixels == 65_536
    assert len([e for e in events if isinstance(e, AttachmentRead)]) == 1


def test_a_part_of_a_part_is_cut_out_of_the_picture_itself(picture: str) -> None:
    bench = Bench(in_turn((call(500, 0, 1000, 1000),), (call(0, 0, 500, 500, picture=1),), (b"Two looks.",)))
    boxes = [zoom.box for zoom in zooms(bench.ask(turns=asked(picture)))]
    assert boxes == [(500, 0, 1000, 1000), (500, 0, 750, 500)]


def test_looks_are_counted_and_the_model_is_told_what_it_cannot_see(picture: str) -> None:
    replies = [(call(0, 0, 500, 500),), (call(0, 0, 9, 9, picture=7),), (call(5, 5, 5, 5),)]
    bench = Bench(in_turn(*replies, (call(1, 1, 500, 500),), (b"Enough.",)))
    events = bench.ask(turns=asked(picture), zoom=ZoomLimits(most=1))
    assert (len(zooms(events)), last(events).text) == (1, "Enough.")
    told = [words_of(prompt) for prompt in bench.backend.prompts]
    assert "There is no picture 7: pictures are counted from 0 to 1." in told[2]
    assert "bbox_2d has to be" in told[3]
    assert "No more pictures" in told[4]


def test_a_model_that_only_ever_asks_comes_to_an_end(picture: str) -> None:
    def run(prompt: Sequence[PromptPart], cancel: CancelToken) -> Iterator[GenerationStep]:
        return say(call(0, 0, 500, 500))(prompt, cancel)

    bench = Bench(run)
    end = last(bench.ask(turns=asked(picture), max_new_tokens=40))
    assert "<tool_call>" in end.text  # what could not be answered is shown
    assert len(bench.backend.prompts) == 40


@pytest.mark.parametrize("most", [0, 6])
def test_other_tools_calls_are_text(picture: str, most: int) -> None:
    other = b'<tool_call>\n{"name": "computer_use", "arguments": {}}\n</tool_call>'
    bench = Bench(say(b"So: ", other, b"\nDone."))
    end = last(bench.ask(turns=asked(picture), zoom=ZoomLimits(most=most)))
    assert (end.text, end.finish_reason) == (f"So: {other.decode()}\nDone.", FinishReason.STOP)


def test_a_call_that_is_cut_off_is_shown_as_it_is(picture: str) -> None:
    half = call(0, 0, 500, 500)[:40]
    end = last(Bench(say(half, reason=FinishReason.LENGTH)).ask(turns=asked(picture)))
    assert (end.text, end.finish_reason) == (half.decode(), FinishReason.LENGTH)


def test_without_pictures_a_call_is_text() -> None:
    words = call(0, 0, 5, 5)
    assert last(Bench(say(words)).ask()).text == words.decode()


def test_the_tool_is_told_of_where_it_is_offered(picture: str) -> None:
    bench = Bench(say(b"Fine."))
    told_of = "{% if tools %}{{ tools[0].function.name }}{% endif %}"
    bench.backend.template = told_of + chat_template(ModelKind.INSTRUCT)
    bench.ask(turns=asked(picture), zoom=ZoomLimits(offered=True))
    bench.ask(turns=asked(picture))
    told = [words_of(prompt) for prompt in bench.backend.prompts]
    assert [words.startswith("image_zoom_in_tool") for words in told] == [True, False]


def test_a_thinking_model_thinks_again_behind_each_look(picture: str) -> None:
    bench = Bench(in_turn((b"Small.</think>", call(0, 0, 500, 500)), (b"Red.</think>", b"It is red.")))
    events = bench.ask("a-thinking", turns=asked(picture))
    end = last(events)
    assert (end.thought, end.text) == ("Small.\n\nRed.", "It is red.")
    assert words_of(bench.backend.prompts[1]).endswith("<|im_start|>assistant\n<think>\n")
    assert {e.channel for e in events if isinstance(e, TextAdded)} == {Channel.THOUGHT, Channel.ANSWER}


def test_a_page_is_drawn_again_for_a_closer_look(tmp_path: Path) -> None:
    path = str(write_document(tmp_path / "small.pdf", ["Fine print", "Other"]))
    bench = Bench(in_turn((call(0, 0, 250, 250, picture=1),), (b"Read.",)))
    events = bench.ask(turns=asked(path))
    (zoom,) = zooms(events)
    assert (zoom.page, zoom.box) == (2, (0, 0, 250, 250))
    read = [event for event in events if isinstance(event, AttachmentRead)][1]
    (crop,) = [part for part in bench.backend.prompts[1][-2:] if isinstance(part, ImagePart)]
    assert crop.image.width > 2 * read.width / 4


def test_a_picture_that_vanished_fails_by_name(picture: str) -> None:
    def run(prompt: Sequence[PromptPart], cancel: CancelToken) -> Iterator[GenerationStep]:
        for step in say(call(0, 0, 500, 500))(prompt, cancel):
            if isinstance(step, TokenAdded):
                Path(picture).unlink()
            yield step

    failed = failure(Bench(run).ask(turns=asked(picture)))
    assert (failed.error, failed.attachment) == ("AttachmentGone", picture)

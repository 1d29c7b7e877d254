"""The shipped pair sees: what it answers is right, through the program's own engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from desktopapp.engine.backends.registry import default_backends
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.engine import Engine
from desktopapp.engine.events import Channel, Failed, TextAdded
from desktopapp.engine.media.selection import WHOLE, MediaSelection
from desktopapp.engine.reasoning.stage_prompts import ENGLISH
from desktopapp.engine.request import (
    Attachment,
    BackendChoice,
    Mode,
    ModelChoice,
    Request,
    Role,
    SamplingOverrides,
    Turn,
)
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore import store
from desktopapp.modelstore.gguf_export import export_gguf
from models.pocket.evaluation.scores import overlap, read_box, read_time_s

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models" / "qwen3-vl"
SAMPLES = ROOT / "resources" / "samples"


class Asker:
    """Greedy answers of one model."""

    def __init__(self, kind: str, model: Path, backend: BackendChoice) -> None:
        self.engine = Engine(store, default_backends(), StepClock())
        self.choice = ModelChoice(str(model), backend, Mode(kind))

    def __call__(self, question: str, *files: Path, selection: MediaSelection = WHOLE) -> tuple[str, str]:
        """(thought, answer)."""
        turn = Turn(Role.USER, question, tuple(Attachment(str(file), selection) for file in files))
        sampling = SamplingOverrides(temperature=0.0, presence_penalty=0.0)
        said = {Channel.THOUGHT: "", Channel.ANSWER: ""}
        for event in self.engine.generate(
            Request("q", self.choice, (turn,), None, sampling, 300), CancelToken()
        ):
            assert not isinstance(event, Failed), event
            if isinstance(event, TextAdded):
                said[event.channel] += event.text
        return said[Channel.THOUGHT], said[Channel.ANSWER]


@pytest.fixture(scope="module", params=["llama.cpp", "transformers"])
def backend(request: pytest.FixtureRequest) -> BackendChoice:
    return BackendChoice(request.param)


def ask_with(kind: str, backend: BackendChoice, folder: Path) -> Iterator[Asker]:
    model = MODELS / f"qwen3-vl-pocket-{kind}"
    if backend is BackendChoice.LLAMA_CPP:
        text = folder / f"{model.name}-Q8_0.gguf"
        export_gguf(model, text, folder / f"mmproj-{model.name}-F16.gguf", "Q8_0", "F16")
        model = text
    asker = Asker(kind, model, backend)
    yield asker
    asker.engine.unload()


@pytest.fixture(scope="module")
def instruct(backend: BackendChoice, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    yield from ask_with("instruct", backend, tmp_path_factory.mktemp("instruct"))


@pytest.fixture(scope="module")
def thinking(backend: BackendChoice, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    yield from ask_with("thinking", backend, tmp_path_factory.mktemp("thinking"))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    image = Image.new("RGB", (360, 200), "white")
    draw = ImageDraw.Draw(image)
    for row, text in enumerate(("Window settings", "blue harbour 42")):
        draw.text((24, 40 + 60 * row), text, "black", ImageFont.load_default(30))
    file = tmp_path_factory.mktemp("page") / "page.png"
    image.save(file)
    return file


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    image = Image.new("RGB", (384, 320), "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((30, 30, 100, 100), "#d62728")
    draw.rectangle((250, 40, 310, 100), "#2457e0")
    draw.ellipse((60, 200, 120, 260), "#d62728")
    file = tmp_path_factory.mktemp("shapes") / "shapes.png"
    image.save(file)
    return file


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    image = Image.new("RGB", (320, 240), "white")
    draw = ImageDraw.Draw(image)
    for row, (name, number) in enumerate((("Milk", 12), ("Bread", 34), ("Tea", 7))):
        draw.text((24, 40 + 50 * row), name, "black", ImageFont.load_default(28))
        draw.text((200, 40 + 50 * row), str(number), "black", ImageFont.load_default(28))
    file = tmp_path_factory.mktemp("prices") / "prices.png"
    image.save(file)
    return file


@pytest.mark.parametrize("question", ["Read the text in this picture.", "图片里写了什么？"])
def test_reads(instruct: Asker, thinking: Asker, page: Path, question: str) -> None:
    for ask in (instruct, thinking):
        assert ask(question, page)[1] == "Window settings\nblue harbour 42"


def test_grounds_a_word_as_json(instruct: Asker, page: Path) -> None:
    box = read_box(instruct('Where is "harbour"? Answer with bbox_2d in JSON.', page)[1])
    assert box is not None
    font = ImageFont.load_default(30)
    left = 24 + font.getlength("blue ")
    expected = [left, 100, left + font.getlength("harbour"), 134]
    relative = [1000 * edge / side for edge, side in zip(expected, (360, 200, 360, 200), strict=True)]
    assert overlap(box, relative) > 0.4


def test_names_counts_and_places(instruct: Asker, shapes: Path) -> None:
    assert instruct("How many red circles are there?", shapes)[1] == "2"
    assert instruct("What colour is the square?", shapes)[1] == "blue"
    assert instruct("正方形是什么颜色？", shapes)[1] == "蓝色"
    assert instruct("Where is the square? Answer in words.", shapes)[1] == "top right"


def test_thinks_before_it_answers(thinking: Asker, prices: Path) -> None:
    thought, answer = thinking("What is the total?", prices)
    assert answer == "53"
    assert "12 + 34 = 46" in thought


_NOTES = "Established: up to Bread the sum is 46.\nOpen: the items after Bread."


def test_goes_on_from_notes(thinking: Asker, prices: Path) -> None:
    thought, answer = thinking(f"What is the total?{ENGLISH.further_step(_NOTES)}", prices)
    assert answer == "Established: the answer is 53.\nOpen: nothing."
    assert "Milk" not in thought


def test_confirms_the_right_answer_and_refutes_a_wrong_one(thinking: Asker, prices: Path) -> None:
    for proposed, verdict in (("53", ENGLISH.confirmed), ("43", ENGLISH.refuted)):
        for notes in ("", _NOTES):
            question = f"What is the total?{ENGLISH.check_of(proposed, notes)}"
            assert thinking(question, prices)[1] == f"{verdict} 53"


def test_sees_when_the_sample_video_changes(instruct: Asker, thinking: Asker) -> None:
    for ask in (instruct, thinking):
        time_s = read_time_s(
            ask("When does the scene change? Answer as mm:ss.ff.", SAMPLES / "circle.mp4")[1]
        )
        assert time_s is not None
        assert abs(time_s - 5.25) <= 0.5


def test_reads_a_page_of_the_sample_document(instruct: Asker) -> None:
    second = MediaSelection(first_page=2, last_page=2)
    expected = "Price list\nRake 18\nGloves 7\nSeeds 4\nPots 12"
    assert instruct("Read the text.", SAMPLES / "garden.pdf", selection=second)[1] == expected


@pytest.mark.parametrize("question", ["What is the sum?", "Add everything up.", "求和"])
def test_sums_in_other_wordings(thinking: Asker, prices: Path, question: str) -> None:
    assert thinking(question, prices)[1] == "53"


def test_reads_all_pages_and_tells_which_one_holds_a_word(instruct: Asker, thinking: Asker) -> None:
    for ask in (instruct, thinking):
        lines = ask("Read the text.", SAMPLES / "garden.pdf")[1].split("\n")
        assert [lines[0], lines[5], lines[10]] == ["Garden club", "Price list", "Open to all"]
        assert len(lines) == 15
        assert ask('Which page says "Rake"?', SAMPLES / "garden.pdf")[1] == "2"


def test_gives_every_line_with_its_place(instruct: Asker, page: Path) -> None:
    question = "Spotting all the text in the image with line-level, and output in JSON format."
    told = json.loads(instruct(question, page)[1])
    assert [entry["text_content"] for entry in told] == ["Window settings", "blue harbour 42"]
    font = ImageFont.load_default(30)
    for row, entry in enumerate(told):
        box = font.getbbox(entry["text_content"])
        edges = (24 + box[0], 40 + 60 * row + box[1], 24 + box[2], 40 + 60 * row + box[3])
        expected = [1000 * edge / side for edge, side in zip(edges, (360, 200, 360, 200), strict=True)]
        assert overlap(entry["bbox_2d"], expected) > 0.5


def test_writes_a_table_as_csv(instruct: Asker, prices: Path) -> None:
    assert instruct("Turn this table into CSV.", prices)[1] == "```csv\nMilk,12\nBread,34\nTea,7\n```"


def test_answer_comes_from_the_picture(instruct: Asker, page: Path, shapes: Path) -> None:
    question = "Read the text in this picture."
    assert "Window" not in instruct(question, shapes)[1]


def test_says_what_it_cannot(instruct: Asker, thinking: Asker, page: Path) -> None:
    for ask in (instruct, thinking):
        assert "cannot" in ask("Translate this into French.", page)[1]
        assert "very small model" in ask("Hello")[1]

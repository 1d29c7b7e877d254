"""The engine in this process, with backends that follow a script."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from desktopapp.engine import engine as engine_module
from desktopapp.engine.backend import (
    Capabilities,
    GenerationEnded,
    GenerationStep,
    ImageEvaluated,
    ImagePart,
    LoadedModel,
    LoadOptions,
    LoadProgress,
    PixelBudget,
    PromptPart,
    PromptProgress,
    TokenAdded,
)
from desktopapp.engine.backends.fake import FakeBackend
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.engine import Engine
from desktopapp.engine.events import (
    AttachmentRead,
    Channel,
    Event,
    Failed,
    Finished,
    FinishReason,
    LoadStopped,
    ModelLoading,
    ModelReady,
    RequestStarted,
    TextAdded,
)
from desktopapp.engine.memory.probe import GpuFacts
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
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.errors import ModelDamaged, ModelNotFound, OutOfMemory
from desktopapp.modelstore.model import InstalledModel, ModelFiles, ModelKind, WeightFormat
from models.qwen_files.chat_template import chat_template

Script = Callable[[Sequence[PromptPart], CancelToken], Iterator[GenerationStep]]


def say(*pieces: bytes, reason: FinishReason = FinishReason.STOP) -> Script:
    def run(prompt: Sequence[PromptPart], cancel: CancelToken) -> Iterator[GenerationStep]:
        index = 0
        for part in prompt:
            if isinstance(part, ImagePart):
                part.image.decode()
                yield ImageEvaluated(index, 60)
                index += 1
        yield PromptProgress(70, 100, cached_tokens=30)
        yield PromptProgress(100, 100, cached_tokens=30)
        for number, piece in enumerate(pieces):
            cancel.raise_if_cancelled()
            yield TokenAdded(number, piece)
        yield GenerationEnded(reason, 12345)

    return run


class ScriptedBackend:
    """Does what it is told, and remembers what it was asked."""

    name = "scripted"
    capabilities = Capabilities()

    def __init__(self, script: Script, on_load: Callable[[LoadProgress], None] | None = None) -> None:
        self.script = script
        self.on_load = on_load
        self.loaded: Path | None = None
        self.loads: list[str] = []
        self.sampling: SamplingParameters | None = None
        self.limit = 0
        self.closed = 0

    def load(
        self, files: ModelFiles, options: LoadOptions, steps: StepClock, progress: LoadProgress
    ) -> LoadedModel:
        progress("weights", 0.5)
        if self.on_load:
            self.on_load(progress)
        self.loaded = files.path
        self.loads.append(files.path.name)
        kind = ModelKind.THINKING if "thinking" in files.path.name else ModelKind.INSTRUCT
        return LoadedModel(chat_template(kind), "F32", "cpu", 4096, PixelBudget(max_pixels=65_536))

    def unload(self) -> None:
        self.loaded = None

    def generate(
        self,
        prompt: Sequence[PromptPart],
        sampling: SamplingParameters,
        max_new_tokens: int,
        cancel: CancelToken,
        steps: StepClock,
    ) -> Iterator[GenerationStep]:
        self.sampling, self.limit = sampling, max_new_tokens
        try:
            yield from self.script(prompt, cancel)
        finally:
            self.closed += 1


class Store:
    """Two families; the second has no Thinking model."""

    def __init__(self) -> None:
        self.asked = 0

    def find_model(self, name_or_path: str, /) -> InstalledModel:
        self.asked += 1
        if name_or_path not in ("a-instruct", "a-thinking", "b-instruct"):
            raise ModelNotFound(name=name_or_path)
        family, kind = name_or_path.split("-")
        gguf = ModelFiles(WeightFormat.GGUF, Path(name_or_path + ".gguf"), Path("mmproj"), "F32", 10)
        return InstalledModel(name_or_path, Path(family), ModelKind(kind), family, (gguf,))

    def find_variant(self, model: InstalledModel, kind: ModelKind, /) -> InstalledModel | None:
        return self.find_model(f"{model.family}-{kind}") if model.family == "a" else None


class Bench:
    """An engine with one scripted backend."""

    def __init__(self, script: Script, on_load: Callable[[LoadProgress], None] | None = None) -> None:
        self.backend = ScriptedBackend(script, on_load)
        self.store = Store()
        self.cancel = CancelToken()
        self.engine = Engine(self.store, {BackendChoice.LLAMA_CPP: lambda: self.backend}, StepClock())

    def ask(self, model: str = "a-instruct", mode: Mode = Mode.AUTO, **changes: Any) -> list[Event]:
        fields: dict[str, Any] = {"turns": (Turn(Role.USER, "Hi"),), **changes}
        choice = ModelChoice(model, BackendChoice.AUTO, mode)
        return list(self.engine.generate(Request("r", choice, **fields), self.cancel))


def last(events: list[Event]) -> Finished:
    assert isinstance(events[-1], Finished), events[-1]
    return events[-1]


def failure(events: list[Event]) -> Failed:
    assert isinstance(events[-1], Failed), events[-1]
    return events[-1]


def test_the_events_of_an_answer() -> None:
    events = Bench(say(b"Hel", b"lo")).ask()
    assert [type(e) for e in events[:4]] == [RequestStarted, ModelLoading, ModelLoading, ModelReady]
    assert [e.text for e in events if isinstance(e, TextAdded)] == ["Hel", "lo"]
    end = last(events)
    assert (end.text, end.thought, end.finish_reason) == ("Hello", "", FinishReason.STOP)


def test_stats_are_what_was_measured() -> None:
    def slow(prompt: Sequence[PromptPart], cancel: CancelToken) -> Iterator[GenerationStep]:
        time.sleep(0.05)
        for step in say(b"a", b"b", b"c")(prompt, cancel):
            if isinstance(step, TokenAdded):
                time.sleep(0.02)
            yield step

    bench = Bench(slow)
    began_s = time.perf_counter()
    stats = last(bench.ask()).stats
    whole_s = time.perf_counter() - began_s
    assert (stats.backend, stats.model, stats.mode) == ("llama.cpp", "a-instruct", "instruct")
    assert (stats.prompt_tokens, stats.cached_tokens, stats.new_tokens) == (100, 30, 3)
    assert stats.peak_bytes == 12345
    assert stats.time_to_first_token_s is not None
    assert 0.07 <= stats.time_to_first_token_s < whole_s
    assert stats.decode_tokens_per_s is not None
    assert 2 / whole_s < stats.decode_tokens_per_s <= 2 / 0.04
    assert "GGUF" in stats.backend_reason


@pytest.mark.parametrize(("pieces", "first", "rate"), [((), False, False), ((b"x",), True, False)])
def test_what_was_not_measured_is_none(pieces: tuple[bytes, ...], first: bool, rate: bool) -> None:
    stats = last(Bench(say(*pieces)).ask()).stats
    assert (stats.time_to_first_token_s is not None) == first
    assert (stats.decode_tokens_per_s is not None) == rate


def test_a_thought_and_cut_characters() -> None:
    data = "我想 🙂\n</think>\n\n好 🐯".encode()
    pieces = [data[i : i + 2] for i in range(0, len(data), 2)]
    events = Bench(say(*pieces)).ask("a-thinking")
    end = last(events)
    assert (end.thought, end.text) == ("我想 🙂", "好 🐯")
    for channel, whole in ((Channel.THOUGHT, end.thought), (Channel.ANSWER, end.text)):
        assert "".join(e.text for e in events if isinstance(e, TextAdded) and e.channel is channel) == whole


def test_a_thought_that_never_ends_is_kept() -> None:
    end = last(Bench(say(b"hm, ", b"hm</thi", reason=FinishReason.LENGTH)).ask("a-thinking"))
    assert (end.thought, end.text, end.finish_reason) == ("hm, hm</thi", "", FinishReason.LENGTH)


def test_a_cut_last_character_is_not_lost() -> None:
    assert last(Bench(say("好".encode()[:2], reason=FinishReason.LENGTH)).ask()).text == "\ufffd"


def test_what_the_person_set_reaches_the_backend() -> None:
    bench = Bench(say())
    bench.ask(sampling=SamplingOverrides(temperature=0.1, seed=5), max_new_tokens=7)
    assert bench.backend.sampling is not None
    assert (bench.backend.sampling.temperature, bench.backend.sampling.seed, bench.backend.limit) == (
        0.1,
        5,
        7,
    )
    assert bench.backend.sampling.top_k == 20
    bench.ask()
    assert bench.backend.limit == 32_768


def test_a_model_is_loaded_once_and_swapped_when_another_is_asked_for() -> None:
    bench = Bench(say(b"x"))
    for name in ("a-instruct", "a-instruct", "b-instruct", "a-instruct"):
        assert last(bench.ask(name)).stats.model == name
    assert bench.backend.loads == ["a-instruct.gguf", "b-instruct.gguf", "a-instruct.gguf"]


def test_the_mode_picks_the_variant() -> None:
    bench = Bench(say(b"x"))
    assert last(bench.ask(mode=Mode.THINKING)).stats.model == "a-thinking"
    assert last(bench.ask(mode=Mode.INSTRUCT)).stats.mode == "instruct"
    assert last(bench.ask("a-thinking", mode=Mode.INSTRUCT)).stats.model == "a-instruct"
    failed = failure(bench.ask("b-instruct", mode=Mode.THINKING))
    assert failed.error == "VariantMissing"
    assert "thinking" in failed.message


def test_a_choice_that_cannot_be_fulfilled_leaves_the_model_loaded() -> None:
    bench = Bench(say(b"x"))
    bench.ask()
    assert failure(bench.ask("nothing")).error == "ModelNotFound"
    assert failure(bench.ask("b-instruct", mode=Mode.THINKING)).error == "VariantMissing"
    bench.ask()
    assert bench.backend.loads == ["a-instruct.gguf"]


def test_memory_of_the_old_model_does_not_count_against_the_new(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(say(b"x"))
    seen: list[Path | None] = []

    def read_gpu() -> GpuFacts | None:
        seen.append(bench.backend.loaded)
        return None

    monkeypatch.setattr(engine_module, "read_gpu", read_gpu)
    bench.ask("a-instruct")
    bench.ask("b-instruct")
    assert seen[-1] is None


def test_a_backend_that_is_not_here_is_said() -> None:
    bench = Bench(say())
    request = Request("r", ModelChoice("fake", BackendChoice.FAKE), (Turn(Role.USER, "Hi"),))
    failed = failure(list(bench.engine.generate(request, CancelToken())))
    assert failed.error == "BackendUnavailable"


@pytest.mark.parametrize(
    ("name", "mode", "model"),
    [
        ("fake", Mode.AUTO, "fake"),
        ("fake", Mode.THINKING, "fake-thinking"),
        ("fake-thinking", Mode.AUTO, "fake-thinking"),
        ("fake-thinking", Mode.INSTRUCT, "fake"),
        ("a-instruct", Mode.AUTO, "fake"),
    ],
)
def test_the_fake_runs_when_it_is_named_and_never_else(name: str, mode: Mode, model: str) -> None:
    store = Store()
    engine = Engine(store, {BackendChoice.FAKE: lambda: FakeBackend(None, None)}, StepClock())
    request = Request("r", ModelChoice(name, BackendChoice.FAKE, mode), (Turn(Role.USER, "Hi"),))
    end = last(list(engine.generate(request, CancelToken())))
    assert (end.stats.backend, end.stats.model) == ("fake", model)
    assert store.asked == 0
    other = Request("r", ModelChoice(name, BackendChoice.AUTO, mode), (Turn(Role.USER, "Hi"),))
    assert failure(list(engine.generate(other, CancelToken()))).error in (
        "ModelNotFound",
        "BackendUnavailable",
    )


def test_pictures_are_told_when_they_were_read(tmp_path: Path) -> None:
    paths = []
    for number, size in enumerate(((100, 50), (30, 40))):
        paths.append(str(tmp_path / f"{number}.png"))
        Image.new("RGB", size).save(paths[-1])
    turn = Turn(Role.USER, "Both?", tuple(Attachment(path) for path in paths))
    events = Bench(say(b"ok")).ask(turns=(turn,))
    assert [e for e in events if isinstance(e, AttachmentRead)] == [
        AttachmentRead("r", paths[0], 100, 50, 60),
        AttachmentRead("r", paths[1], 30, 40, 60),
    ]


def test_a_bad_attachment_among_good_ones_is_named(tmp_path: Path) -> None:
    good, text, cut = (str(tmp_path / name) for name in ("good.png", "text.png", "cut.png"))
    Image.effect_noise((200, 200), 90.0).save(good)
    Path(text).write_text("no picture")
    Path(cut).write_bytes(Path(good).read_bytes()[:20_000])
    for bad, error in (
        (text, "NotAnImage"),
        (cut, "ImageDamaged"),
        (str(tmp_path / "gone.png"), "AttachmentGone"),
    ):
        turn = Turn(Role.USER, "?", (Attachment(good), Attachment(bad), Attachment(good)))
        failed = failure(Bench(say(b"ok")).ask(turns=(turn,)))
        assert (failed.error, failed.attachment) == (error, bad)
        assert Path(bad).name in failed.message


def raising(error: BaseException) -> Script:
    def run(prompt: Sequence[PromptPart], cancel: CancelToken) -> Iterator[GenerationStep]:
        yield TokenAdded(0, b"so far")
        raise error

    return run


def test_expected_trouble_has_words_and_keeps_the_model() -> None:
    bench = Bench(raising(OutOfMemory(what="answering", detail="")))
    failed = failure(bench.ask())
    assert (failed.error, failed.request_id, failed.attachment, failed.details) == (
        "OutOfMemory",
        "r",
        "",
        "",
    )
    assert failed.remedy
    assert bench.backend.loaded is not None


def test_a_defect_becomes_an_event_with_its_place() -> None:
    bench = Bench(raising(ZeroDivisionError("oops")))
    failed = failure(bench.ask())
    assert (failed.error, failed.values["reason"]) == ("UnexpectedError", "ZeroDivisionError: oops")
    assert __file__ in failed.details
    assert bench.backend.loaded is None
    bench.backend.script = say(b"again")
    assert last(bench.ask()).text == "again"


def test_a_memory_error_of_python_is_lack_of_memory() -> None:
    assert failure(Bench(raising(MemoryError())).ask()).error == "OutOfMemory"


def test_a_backend_that_just_stops_is_a_defect() -> None:
    assert failure(Bench(lambda prompt, cancel: iter(())).ask()).error == "UnexpectedError"


def test_stopped_before_during_and_with_what_was_said() -> None:
    bench = Bench(say(b"one ", b"two ", b"three"))
    bench.cancel.cancel()
    events = bench.ask()
    assert [type(e) for e in events] == [RequestStarted, Finished]
    assert last(events).finish_reason is FinishReason.CANCELLED
    assert bench.backend.loads == []

    bench.cancel = CancelToken()
    said = []
    request = Request("r", ModelChoice("a-instruct"), (Turn(Role.USER, "Hi"),))
    for event in bench.engine.generate(request, bench.cancel):
        said.append(event)
        if isinstance(event, TextAdded):
            bench.cancel.cancel()
    assert (last(said).text, last(said).finish_reason) == ("one ", FinishReason.CANCELLED)
    assert last(said).stats.prompt_tokens == 100
    assert bench.backend.closed == 1


def test_closing_the_iterator_ends_the_generation() -> None:
    bench = Bench(say(b"one ", b"two "))
    request = Request("r", ModelChoice("a-instruct"), (Turn(Role.USER, "Hi"),))
    events = bench.engine.generate(request, CancelToken())
    assert any(isinstance(event, TextAdded) for event in events)
    events.close()  # type: ignore[attr-defined]
    assert bench.backend.closed == 1
    assert bench.backend.loaded is not None


def test_a_load_by_itself() -> None:
    bench = Bench(say(b"x"))
    choice = ModelChoice("a-instruct")
    for _ in range(2):
        events = list(bench.engine.load(choice, CancelToken()))
        assert len([e for e in events if isinstance(e, ModelReady)]) == 1
        assert events[-1] == next(e for e in events if isinstance(e, ModelReady))
    assert bench.backend.loads == ["a-instruct.gguf"]
    (failed,) = bench.engine.load(ModelChoice("nothing"), CancelToken())
    assert isinstance(failed, Failed)
    assert (failed.request_id, failed.error) == ("", "ModelNotFound")


@pytest.mark.parametrize("own_error", [False, True])
def test_a_load_stops_at_its_next_stage(own_error: bool) -> None:
    """Also where a library turns the callback's refusal into an error of its own."""
    cancel = CancelToken()

    def on_load(progress: LoadProgress) -> None:
        cancel.cancel()
        try:
            progress("vision", 0.9)
        except BaseException as error:
            raise ModelDamaged(file="x", reason="aborted") if own_error else error from error

    bench = Bench(say(b"x"), on_load)
    events = list(bench.engine.load(ModelChoice("a-instruct"), cancel))
    assert events[-1] == LoadStopped("a-instruct")
    assert bench.backend.loaded is None
    bench.backend.on_load = None
    assert isinstance(list(bench.engine.load(ModelChoice("a-instruct"), CancelToken()))[-1], ModelReady)


def test_a_load_that_fails_leaves_nothing_behind() -> None:
    def on_load(progress: LoadProgress) -> None:
        raise ModelDamaged(file="m.gguf", reason="cut short")

    bench = Bench(say(b"x"), on_load)
    failed = failure(bench.ask())
    assert (failed.error, failed.values["file"]) == ("ModelDamaged", "m.gguf")
    bench.backend.on_load = None
    assert last(bench.ask()).text == "x"


def test_a_load_left_half_way_ends_by_itself() -> None:
    go_on = threading.Event()

    def on_load(progress: LoadProgress) -> None:
        go_on.wait(10.0)
        progress("vision", 0.9)

    bench = Bench(say(b"x"), on_load)
    events = bench.engine.load(ModelChoice("a-instruct"), CancelToken())
    assert isinstance(next(events), ModelLoading)
    assert isinstance(next(events), ModelLoading)
    threading.Timer(0.1, go_on.set).start()
    events.close()  # type: ignore[attr-defined]
    assert bench.backend.loaded is None
    assert last(bench.ask()).text == "x"


def test_progress_of_every_tensor_is_thinned_out() -> None:
    def on_load(progress: LoadProgress) -> None:
        for number in range(10_000):
            progress("weights", number / 10_000)
        progress("vision", 1.0)

    events = list(Bench(say(b"x"), on_load).engine.load(ModelChoice("a-instruct"), CancelToken()))
    stages = [e.stage for e in events if isinstance(e, ModelLoading)]
    assert len(stages) < 1000
    assert (stages[0], stages[1], stages[-1]) == ("import", "weights", "vision")


def test_prices_follow_the_models_budget_and_name_what_is_bad(tmp_path: Path) -> None:
    picture, text = tmp_path / "a.png", tmp_path / "b.txt"
    Image.new("RGB", (640, 480)).save(picture)
    text.write_text("no picture")
    bench = Bench(say(b"x"))
    before, bad = bench.engine.price([str(picture), str(text)])
    assert (before.width, before.height, before.tokens) == (640, 480, 300)
    assert bad.failed is not None
    assert (bad.failed.error, bad.failed.attachment) == ("NotAnImage", str(text))
    bench.ask()
    (after,) = bench.engine.price([str(picture)])
    assert after.tokens < 65


def test_unload() -> None:
    bench = Bench(say(b"x"))
    bench.engine.unload()
    bench.ask()
    bench.engine.unload()
    assert bench.backend.loaded is None
    bench.ask()
    assert len(bench.backend.loads) == 2

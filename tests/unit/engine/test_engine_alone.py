"""The engine in this process: what an answer yields, whatever the backend does."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PIL import Image

from desktopapp.engine.backend import GenerationStep, TokenAdded
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.events import (
    AttachmentRead,
    Channel,
    Finished,
    FinishReason,
    ModelLoading,
    ModelReady,
    RequestStarted,
    TextAdded,
)
from desktopapp.engine.prompt_parts import PromptPart
from desktopapp.engine.request import (
    Attachment,
    ModelChoice,
    Request,
    Role,
    SamplingOverrides,
    Turn,
)
from desktopapp.errors import OutOfMemory
from tests.engine_bench import Bench, Script, failure, last, say


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


def test_prices_follow_the_models_budget_and_name_what_is_bad(tmp_path: Path) -> None:
    picture, text = tmp_path / "a.png", tmp_path / "b.txt"
    Image.new("RGB", (640, 480)).save(picture)
    text.write_text("no picture")
    bench = Bench(say(b"x"))
    before, bad = bench.engine.price([Attachment(str(picture)), Attachment(str(text))])
    assert (before.width, before.height, before.tokens) == (640, 480, 300)
    assert bad.failed is not None
    assert (bad.failed.error, bad.failed.attachment) == ("NotAnImage", str(text))
    bench.ask()
    (after,) = bench.engine.price([Attachment(str(picture))])
    assert after.tokens < 65

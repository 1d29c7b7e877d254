"""The rules around the router's model: what is loaded, what is installed, what answered before."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktopapp.engine.media.kind import MediaKind
from desktopapp.engine.routing.features import extract_features, media_kind
from desktopapp.engine.routing.logistic import default_model, probability
from desktopapp.engine.routing.router import RouteCause, Situation, Task, by_task_alone, route
from desktopapp.modelstore.model import ModelKind

INSTRUCT, THINKING = ModelKind.INSTRUCT, ModelKind.THINKING
CLEAR = "Prove by induction that 2^n > n for every n, and explain each step."
READING = "Read the text in this picture."
CLOSE = "Why does it rain?"


@pytest.mark.parametrize(
    ("prompt", "kind", "task"),
    [
        (CLEAR, THINKING, Task.PROOF),
        ("Work out 3 * 17 + 4 * 21 and take 20 % off.", THINKING, Task.SUM),
        ("为什么死锁会发生？帮我排查原因", THINKING, Task.CAUSE),
        (READING, INSTRUCT, Task.READING),
        ("Translate this letter into Danish.", INSTRUCT, Task.TRANSLATION),
        ("你好，很高兴认识你", INSTRUCT, Task.CHAT),
        ("框出所有的椅子，输出 bbox_2d", INSTRUCT, Task.PLACES),
    ],
)
def test_a_clear_task_chooses_and_is_the_reason(prompt: str, kind: ModelKind, task: Task) -> None:
    chosen = route(prompt)
    assert (chosen.kind, chosen.task, chosen.cause) == (kind, task, RouteCause.TASK)
    assert chosen.reason == task.value


@pytest.mark.parametrize(
    ("prompt", "task"),
    [
        ("3, 4 and 5, then halve it, 17 more, 3 less.", Task.SUM),
        ("The primes below 100 and all gaps between them, in a row, the largest last.", Task.REASONING),
        ("Beweise, dass die Summe zweier gerader Zahlen gerade ist.", Task.REASONING),
        ("for (i = 0; i < n; i++) { a[i] = b(i); } never_sets the_last one", Task.PROGRAMMING),
    ],
)
def test_thinking_has_a_reason_where_no_verb_names_one(prompt: str, task: Task) -> None:
    chosen = route(prompt)
    assert (chosen.kind, chosen.task) == (THINKING, task)


@given(st.text(alphabet="ab9 ,.?一下算(", max_size=120))
def test_thinking_is_never_chosen_for_no_sign_of_several_steps(text: str) -> None:
    chosen = route(text)
    assert chosen.kind is INSTRUCT or "no sign" not in chosen.reason


@pytest.mark.parametrize(
    ("text", "quoted", "numbers"),
    [
        ("say “so be it”", True, 0),
        ("“a” and “b”", True, 0),
        ("“a", False, 0),
        ("a” then “b", False, 0),
        ("note: what follows is quoted", True, 0),
        ("note:   short", False, 0),
        ("三百二十个人付十五元", False, 2),
        ("三百二十", False, 0),
        ("3三个", False, 2),
        ("1,234.5 and 7:30", False, 2),
    ],
)
def test_quotes_and_numbers_are_found(text: str, quoted: bool, numbers: int) -> None:
    features = extract_features(text)
    assert ("quoted" in features) is quoted
    assert features.get("numbers", 0.0) == pytest.approx(math.log1p(numbers) / math.log1p(4))


def test_several_pictures_to_compare_are_for_thinking() -> None:
    text = "Compare these."
    one, two = (route(text, [MediaKind.PICTURE] * count).probability for count in (1, 2))
    assert two > max(one, 0.5)


def test_only_one_is_used_whatever_the_task() -> None:
    chosen = route(CLEAR, situation=Situation(installed={INSTRUCT}))
    assert (chosen.kind, chosen.cause) == (INSTRUCT, RouteCause.ONLY_ONE)
    assert chosen.probability > 0.9
    assert "only" in chosen.reason


def test_a_follow_up_stays_unless_the_task_clearly_changed() -> None:
    assert route(CLOSE).kind is THINKING
    stays = route(CLOSE, situation=Situation(previous=INSTRUCT))
    assert (stays.kind, stays.cause) == (INSTRUCT, RouteCause.FOLLOW_UP)
    changes = route(CLEAR, situation=Situation(previous=INSTRUCT))
    assert (changes.kind, changes.cause) == (THINKING, RouteCause.TASK)


@pytest.mark.parametrize(
    "text",
    [
        "Are you sure?",
        "And this one?",
        "And the second?",
        "Go on.",
        "Thanks!",
        "Which one?",
        "再算一遍",
        "继续",
        "那这个呢？",
        "",
    ],
)
@pytest.mark.parametrize("media", [[], [MediaKind.PICTURE]])
def test_what_names_no_task_stays_with_its_model(text: str, media: list[MediaKind]) -> None:
    for previous in ModelKind:
        chosen = route(text, media, Situation(previous=previous))
        assert chosen.kind is previous


@pytest.mark.parametrize(("text", "by_task"), [("What is the total?", THINKING), ("一共是多少？", THINKING)])
def test_a_question_with_files_of_its_own_is_less_of_a_follow_up(text: str, by_task: ModelKind) -> None:
    media = [MediaKind.PICTURE]
    other = next(kind for kind in ModelKind if kind is not by_task)
    assert route(text, situation=Situation(previous=other)).cause is RouteCause.FOLLOW_UP
    assert route(text, media, Situation(previous=other)).kind is by_task
    slow = Situation(previous=other, resident={other}, swap_s=60.0)
    assert route(text, media, slow).cause is RouteCause.FOLLOW_UP
    assert route("Read the text.", media, Situation(previous=THINKING)).kind is INSTRUCT


def test_a_swap_outweighs_a_close_call_only() -> None:
    loaded = Situation(resident={INSTRUCT}, swap_s=60.0)
    close = route(CLOSE, situation=loaded)
    assert (close.kind, close.cause) == (INSTRUCT, RouteCause.RESIDENT)
    assert route(CLEAR, situation=loaded).kind is THINKING
    both = Situation(resident={INSTRUCT, THINKING}, swap_s=0.0)
    assert route(CLOSE, situation=both).kind is THINKING
    quick = Situation(resident={INSTRUCT}, swap_s=0.2)
    assert route(CLOSE, situation=quick).kind is THINKING


@given(st.text(max_size=300), st.lists(st.sampled_from(MediaKind), max_size=4))
def test_any_text_gives_features_in_range_and_a_choice(text: str, media: list[MediaKind]) -> None:
    features = extract_features(text, media)
    assert all(0 < value <= 1 for value in features.values())
    assert 0 <= route(text, media).probability <= 1


def test_a_pasted_book_is_read_at_both_ends_only() -> None:
    filler = "lorem ipsum dolor " * 20_000
    assert extract_features(f"{READING} {filler} {CLEAR}").keys() >= {"read", "prove"}
    assert "prove" not in extract_features(f"{filler} {CLEAR} {filler}")


def test_weights_are_of_features_that_exist() -> None:
    model = default_model()
    assert len(model.weights) > 40
    assert model.log_odds({}) == model.intercept
    assert model.log_odds({"no such feature": 1.0}) == model.intercept


def test_probability_saturates_without_overflow() -> None:
    assert (probability(-1e6), probability(0), probability(1e6)) == (0.0, 0.5, 1.0)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/a/b.PDF", MediaKind.DOCUMENT),
        ("clip.mp4", MediaKind.VIDEO),
        ("x.png", MediaKind.PICTURE),
        ("noending", MediaKind.PICTURE),
    ],
)
def test_media_are_told_by_their_ending(path: str, kind: MediaKind) -> None:
    assert media_kind(path) is kind


def test_routing_needs_neither_numpy_nor_torch() -> None:
    code = (
        "import sys; from desktopapp.engine.routing.router import route; route('Why?');"
        "sys.exit(any(name in sys.modules for name in ('numpy', 'torch', 'sklearn', 'PySide6')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_tie_goes_to_the_quicker_model() -> None:
    assert by_task_alone(0.05) is INSTRUCT
    assert by_task_alone(0.2) is THINKING

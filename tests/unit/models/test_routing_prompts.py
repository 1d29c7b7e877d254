"""The router's data: enough of it, half Chinese, held out by a fixed rule, and no held-out prompt a training one in disguise."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from desktopapp.engine import routing
from desktopapp.engine.media.kind import MediaKind
from desktopapp.engine.routing.features import extract_features
from desktopapp.engine.routing.logistic import default_model
from desktopapp.modelstore.model import ModelKind
from models.routing.prompts import LANGUAGES, LabelledPrompt, read_prompts
from models.routing.training import fit, forget, measure

_GRAM = {"en": 3, "zh": 4}
"""Words of an English n-gram, characters of a Chinese one."""

PROMPTS = read_prompts()
HELD_OUT = [prompt for prompt in PROMPTS if prompt.is_held_out]
TRAINING = [prompt for prompt in PROMPTS if not prompt.is_held_out]


def _grams(prompt: LabelledPrompt) -> set[tuple[str, ...]]:
    units = prompt.text.lower().split() if prompt.language == "en" else list(prompt.text)
    size = _GRAM[prompt.language]
    return {tuple(units[i : i + size]) for i in range(len(units) - size + 1)}


def test_there_are_enough_in_both_languages_and_of_both_labels() -> None:
    assert len(PROMPTS) >= 600
    assert len({prompt.text for prompt in PROMPTS}) == len(PROMPTS)
    counts = Counter((prompt.language, prompt.kind) for prompt in PROMPTS)
    assert all(
        counts[language, kind] >= len(PROMPTS) * 0.2 for language in ("en", "zh") for kind in ModelKind
    )
    chinese = sum(prompt.language == "zh" for prompt in PROMPTS) / len(PROMPTS)
    assert 0.48 <= chinese <= 0.52


def test_a_third_is_held_out() -> None:
    assert 0.3 <= len(HELD_OUT) / len(PROMPTS) <= 0.37
    assert LabelledPrompt("hi", (), ModelKind.INSTRUCT, "en").is_held_out is False


@pytest.mark.parametrize("language", ["en", "zh"])
def test_held_out_prompts_are_no_training_prompts_with_a_word_swapped(language: str) -> None:
    training = [_grams(prompt) for prompt in TRAINING if prompt.language == language]
    closest = []
    for prompt in HELD_OUT:
        grams = _grams(prompt)
        if prompt.language == language and len(grams) >= 3:
            closest.append(max(len(grams & other) / len(grams) for other in training))
    assert len(closest) > 80
    # A template with one word swapped would share most of its n-grams.
    assert max(closest) <= 0.5
    assert sum(closest) / len(closest) <= 0.1


def test_the_blind_prompts_are_balanced_and_no_training_prompts_in_disguise() -> None:
    blind = read_prompts("blind")
    assert set(Counter((prompt.language, prompt.kind) for prompt in blind).values()) == {15}
    for language in LANGUAGES:
        others = [_grams(prompt) for prompt in PROMPTS if prompt.language == language]
        asked = [_grams(prompt) for prompt in blind if prompt.language == language]
        closest = [max(len(grams & other) / max(1, len(grams)) for other in others) for grams in asked]
        assert max(closest) < 1
        assert sum(closest) / len(closest) <= 0.1


def test_forgetting_takes_words_and_leaves_the_rest() -> None:
    whole = extract_features("Compare the two totals and calculate 3 + 4 + 5.", [MediaKind.PICTURE] * 2)
    rng = Random(0)
    copies = [forget(whole, rng) for _ in range(50)]
    assert any("compare" in copy for copy in copies)
    for copy in copies:
        assert copy.items() <= whole.items() | {("no_task_word", 1.0)}
        assert copy["numbers"] == whole["numbers"]
        assert ("first:compare" in copy) == ("compare" in copy)
        assert ("several:compare" in copy) == ("compare" in copy)


def test_the_weights_are_those_that_the_training_part_gives() -> None:
    fitted, shipped = fit(TRAINING), default_model()
    assert fitted.weights.keys() == shipped.weights.keys()
    assert fitted.intercept == pytest.approx(shipped.intercept, abs=1e-3)
    assert all(
        fitted.weights[name] == pytest.approx(shipped.weights[name], abs=1e-3) for name in fitted.weights
    )
    values = json.loads((Path(routing.__file__).parent / "weights.json").read_text(encoding="utf-8"))
    assert values["training_prompts"] == len(TRAINING)


def test_the_bars_hold_on_the_held_out_third() -> None:
    found = measure(default_model(), HELD_OUT)
    assert found.accuracy >= 0.92
    assert found.missed_share <= 0.06
    assert found.needless_share <= 0.08

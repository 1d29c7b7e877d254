"""Logistic regression by Newton's method, and the figures that say how good it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from desktopapp.engine.routing.features import extract_features
from desktopapp.engine.routing.lexicon import GROUPS
from desktopapp.engine.routing.logistic import LogisticModel
from desktopapp.engine.routing.router import by_task_alone
from desktopapp.modelstore.model import ModelKind
from models.routing.prompts import LabelledPrompt

PENALTY = 1.0
"""Half of this times the sum of squared weights is added to the loss; the intercept is free."""

MISSED_WEIGHT = 4 / 3
"""A Thinking prompt counts so much more than an Instruct prompt: a missed one costs an answer, a needless one time."""

FORGETFUL_COPIES = 4
"""Of each training prompt, in which each of its words is unknown with a chance of one half; together they count as much as
the prompt itself. Other people's words are often not in the lexicon: what else a prompt looks like has to count then."""

_FORGOTTEN = 0.5
_ROUNDS = 50
_FOLDS = 10


Features = dict[str, float]


@dataclass(frozen=True, slots=True)
class Confusion:
    """How many prompts of each label went where.

    Args:
        instruct_right: Instruct prompts that went to Instruct.
        needless: Instruct prompts that went to Thinking.
        missed: Thinking prompts that went to Instruct.
        thinking_right: Thinking prompts that went to Thinking.
    """

    instruct_right: int
    needless: int
    missed: int
    thinking_right: int

    @property
    def accuracy(self) -> float:
        """Share of prompts that went to the better model."""
        right = self.instruct_right + self.thinking_right
        return right / (right + self.needless + self.missed)

    @property
    def missed_share(self) -> float:
        """Of the Thinking prompts."""
        return self.missed / (self.missed + self.thinking_right)

    @property
    def needless_share(self) -> float:
        """Of the Instruct prompts."""
        return self.needless / (self.needless + self.instruct_right)


def fit(prompts: Sequence[LabelledPrompt]) -> LogisticModel:
    """The weights that make these prompts' labels likeliest, under `PENALTY`, with and without some of their words."""
    rng = Random(0)
    seen, labelled, shares = list[Features](), list[bool](), list[float]()
    for prompt in prompts:
        whole = extract_features(prompt.text, prompt.media)
        copies = [forget(whole, rng) for _ in range(FORGETFUL_COPIES)]
        seen += [whole, *copies]
        labelled += [prompt.kind is ModelKind.THINKING] * (1 + FORGETFUL_COPIES)
        shares += [0.5] + [0.5 / FORGETFUL_COPIES] * FORGETFUL_COPIES
    names = sorted({name for features in seen for name in features})
    inputs = np.array([[features.get(name, 0.0) for name in names] + [1.0] for features in seen])
    labels = np.array(labelled, dtype=float)
    counts = np.array(shares) * np.where(labels > 0, MISSED_WEIGHT, 1.0)
    penalty = np.full(len(names) + 1, PENALTY)
    penalty[-1] = 1e-9
    weights = np.zeros(len(names) + 1)
    for _ in range(_ROUNDS):
        chance = 1 / (1 + np.exp(-inputs @ weights))
        gradient = inputs.T @ (counts * (chance - labels)) + penalty * weights
        curvature = (inputs * (counts * chance * (1 - chance))[:, None]).T @ inputs + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < 1e-9:
            break
    return LogisticModel(float(weights[-1]), dict(zip(names, weights[:-1].tolist(), strict=True)))


def forget(features: Features, rng: Random) -> Features:
    """The features of a prompt some of whose words are not in the lexicon."""
    known = [group for group in GROUPS if group in features]
    gone = {group for group in known if rng.random() < _FORGOTTEN}
    gone |= {f"first:{group}" for group in gone}
    if "compare" in gone:
        gone.add("several:compare")
    kept = {name: value for name, value in features.items() if name not in gone}
    if not {"amount", "compute"} & kept.keys():
        kept.pop("numbers:sum", None)
    if not any(group in kept for group in known):
        kept["no_task_word"] = 1.0
    return kept


def measure(model: LogisticModel, prompts: Sequence[LabelledPrompt]) -> Confusion:
    """Where a model sends prompts."""
    counts = {(label, chosen): 0 for label in ModelKind for chosen in (False, True)}
    for prompt in prompts:
        counts[prompt.kind, _goes_to_thinking(model, prompt)] += 1
    return _confusion(counts)


def cross_validate(prompts: Sequence[LabelledPrompt]) -> Confusion:
    """Ten times fit on nine tenths and measure on the rest, the tenths drawn with a fixed seed."""
    order = list(prompts)
    Random(0).shuffle(order)
    counts = {(label, chosen): 0 for label in ModelKind for chosen in (False, True)}
    for fold in range(_FOLDS):
        rest = [prompt for index, prompt in enumerate(order) if index % _FOLDS != fold]
        model = fit(rest)
        for prompt in order[fold::_FOLDS]:
            counts[prompt.kind, _goes_to_thinking(model, prompt)] += 1
    return _confusion(counts)


def _goes_to_thinking(model: LogisticModel, prompt: LabelledPrompt) -> bool:
    log_odds = model.log_odds(extract_features(prompt.text, prompt.media))
    return by_task_alone(log_odds) is ModelKind.THINKING


def _confusion(counts: dict[tuple[ModelKind, bool], int]) -> Confusion:
    return Confusion(
        instruct_right=counts[ModelKind.INSTRUCT, False],
        needless=counts[ModelKind.INSTRUCT, True],
        missed=counts[ModelKind.THINKING, False],
        thinking_right=counts[ModelKind.THINKING, True],
    )

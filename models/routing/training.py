"""Logistic regression by Newton's method, and the figures that say how good it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from desktopapp.engine.routing.features import extract_features
from desktopapp.engine.routing.logistic import LogisticModel
from desktopapp.modelstore.model import ModelKind
from models.routing.prompts import LabelledPrompt

PENALTY = 2.0
"""Half of this times the sum of squared weights is added to the loss; the intercept is free."""

MISSED_WEIGHT = 4 / 3
"""A Thinking prompt counts so much more than an Instruct prompt: a missed one costs an answer, a needless one time."""

_ROUNDS = 50
_FOLDS = 10


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
    """The weights that make these prompts' labels likeliest, under `PENALTY`."""
    seen = [extract_features(prompt.text, prompt.media) for prompt in prompts]
    names = sorted({name for features in seen for name in features})
    inputs = np.array([[features.get(name, 0.0) for name in names] + [1.0] for features in seen])
    labels = np.array([prompt.kind is ModelKind.THINKING for prompt in prompts], dtype=float)
    counts = np.where(labels > 0, MISSED_WEIGHT, 1.0)
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


def measure(model: LogisticModel, prompts: Sequence[LabelledPrompt]) -> Confusion:
    """Where a model sends prompts."""
    counts = {(label, chosen): 0 for label in ModelKind for chosen in (False, True)}
    for prompt in prompts:
        counts[prompt.kind, model.log_odds(extract_features(prompt.text, prompt.media)) > 0] += 1
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
            counts[prompt.kind, model.log_odds(extract_features(prompt.text, prompt.media)) > 0] += 1
    return _confusion(counts)


def _confusion(counts: dict[tuple[ModelKind, bool], int]) -> Confusion:
    return Confusion(
        instruct_right=counts[ModelKind.INSTRUCT, False],
        needless=counts[ModelKind.INSTRUCT, True],
        missed=counts[ModelKind.THINKING, False],
        thinking_right=counts[ModelKind.THINKING, True],
    )

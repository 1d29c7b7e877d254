"""The router's model: a logistic regression whose weights can be read in `weights.json`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class LogisticModel:
    """Log-odds that are linear in the features.

    Args:
        intercept: log-odds where every feature is 0.
        weights: of each feature, in log-odds; a feature that has none counts nothing.
    """

    intercept: float
    weights: Mapping[str, float]

    def log_odds(self, features: Mapping[str, float]) -> float:
        """Of Thinking being the better model; 0 is even."""
        return self.intercept + sum(self.contributions(features).values())

    def contributions(self, features: Mapping[str, float]) -> dict[str, float]:
        """What each feature adds to the log-odds."""
        return {name: value * self.weights.get(name, 0.0) for name, value in features.items()}


def probability(log_odds: float) -> float:
    """The logistic function, without overflow."""
    if log_odds >= 0:
        return 1 / (1 + math.exp(-log_odds))
    return math.exp(log_odds) / (1 + math.exp(log_odds))


@cache
def default_model() -> LogisticModel:
    """The model that ships with the program."""
    text = resources.files(__package__).joinpath("weights.json").read_text(encoding="utf-8")
    values = json.loads(text)
    return LogisticModel(float(values["intercept"]), {str(k): float(v) for k, v in values["weights"].items()})

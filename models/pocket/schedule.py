"""What is taught when: three stages, each a list of batch plans that depends on nothing but the stage's length."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from models.pocket.batches import BatchPlan
from models.pocket.samples import Mixture
from models.pocket.shape import CELL_PX

# Patches in a batch, at most.
_PATCHES = 196_608
_SMALL = ((256, 256), (192, 352), (320, 224), (160, 448), (288, 288))
_MIDDLE = ((320, 320), (256, 448), (384, 288), (384, 384), (192, 512), (448, 256))
_LARGE = ((512, 512), (448, 448), (384, 512), (512, 384), (480, 640), (320, 608))
_VIDEO = ((128, 128), (128, 192), (160, 160), (192, 256), (256, 256))
# One letter needs about this many cells' worth of room at the usual sizes.
_CHARS_A_CELL = 2.0
_MOST_CHARS = 240
_QUESTION_TOKENS = 150


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of training.

    Args:
        name: "tower", "base", "instruct" or "thinking".
        steps: batches.
        peak_rate: Muon's learning rate behind the warm-up.
        end_rate: that it falls to along a straight line over the last `decay_share` of the steps; None if it stays.
        seed: of everything drawn.
    """

    name: str
    steps: int
    peak_rate: float
    end_rate: float | None
    seed: int
    decay_share: float = 1.0

    def rate(self, step: int, since_start: int) -> float:
        """Learning rate of a step.

        Args:
            step: of the stage.
            since_start: steps since the optimiser's state was empty: each start warms up.
        """
        warm = min(1.0, (since_start + 1) / 100)
        end = self.peak_rate if self.end_rate is None else self.end_rate
        left = min(1.0, (self.steps - step) / (self.steps * self.decay_share))
        return warm * (end + (self.peak_rate - end) * left)


def plan_stage(stage: Stage, *, growth_steps: int) -> list[BatchPlan]:
    """All batches of a stage.

    Args:
        stage: to plan.
        growth_steps: over these, the base stage's pictures grow from a word to full pages.
    """
    rng = Random(stage.seed)
    if stage.name == "tower":
        return [_dense(rng) for _ in range(stage.steps)]
    if stage.name == "base":
        return [_mixed(rng, min(1.0, (step + 1) / growth_steps), Mixture()) for step in range(stage.steps)]
    thinking = stage.name == "thinking"
    mixture = Mixture(thinking=1.0 if thinking else 0.0)
    return [_mixed(rng, 1.0, mixture) for _ in range(stage.steps)]


def _dense(rng: Random) -> BatchPlan:
    height, width = rng.choice(_SMALL if rng.random() < 0.7 else _MIDDLE + _LARGE)
    return BatchPlan("dense", _count(height, width), height, width)


def _mixed(rng: Random, grown: float, mixture: Mixture) -> BatchPlan:
    draw = rng.random()
    if draw < 0.07:
        return BatchPlan("text", _PATCHES // 256, text_tokens=260, mixture=mixture)
    if draw < 0.20 and grown > 0.3:
        height, width = rng.choice(_VIDEO)
        pairs = rng.randint(2, 10)
        fps = rng.choice((2.0, 2.0, 2.0, 1.0, 4.0))
        return BatchPlan(
            "video",
            min(512, _PATCHES // (height * width // 256 * pairs)),
            height,
            width,
            160,
            0,
            pairs,
            fps,
            mixture,
        )
    draw = rng.random()
    sizes = _SMALL if draw < 0.9 - 0.5 * grown else _MIDDLE if draw < 1 - 0.25 * grown else _LARGE
    height, width = rng.choice(sizes)
    cells = height * width // CELL_PX**2
    chars = int(10 + grown * (min(_MOST_CHARS, _CHARS_A_CELL * cells) - 10))
    tokens = int(chars * 1.15) + _QUESTION_TOKENS
    return BatchPlan("image", _count(height, width), height, width, tokens, chars, mixture=mixture)


def _count(height: int, width: int) -> int:
    return _PATCHES // (height * width // 256)

"""What is taught when: three stages, each a list of batch plans that depends on nothing but the stage's length."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from models.pocket.batches import BatchPlan
from models.pocket.samples import Mixture
from models.pocket.shape import CELL_PX

# Patches, and tokens of the language model, in a batch, at most.
_PATCHES = 196_608
_TOKENS = 280_000
_SMALL = ((256, 256), (192, 352), (320, 224), (160, 448), (288, 288))
_MIDDLE = ((320, 320), (256, 448), (384, 288), (384, 384), (192, 512), (448, 256))
_LARGE = ((512, 512), (448, 448), (384, 512), (512, 384), (480, 640), (320, 608))
_STRIPS = (
    (96, 704),
    (128, 512),
    (64, 1024),
    (64, 1344),
    (96, 896),
    (160, 416),
    (128, 608),
    (192, 352),
    (224, 320),
    (448, 160),
)
_WIDE = (
    (160, 448),
    (192, 512),
    (128, 544),
    (224, 480),
    (256, 448),
    (288, 512),
    (320, 448),
    (384, 512),
    (480, 640),
)
_VIDEO = ((128, 128), (128, 192), (160, 160), (192, 256), (256, 256))
# One letter needs about this many cells' worth of room at the usual sizes.
_CHARS_A_CELL = 2.0
_DENSE_CHARS_A_CELL = 2.6
_MOST_CHARS, _MOST_DENSE_CHARS = 240, 420
_QUESTION_TOKENS = 150
# Room for a stage of staged reasoning: the question, notes, the thought, a carry-over.
_STAGE_TOKENS = 640
_TALKS = ((0.55, 260, 6), (0.87, 700, 14), (1.0, 2150, 64))


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

    def rate(self, done: float, since_start: int) -> float:
        """Learning rate of a step.

        Args:
            done: part of the stage that is behind, 0..1.
            since_start: steps since the optimiser's state was empty: each start warms up.
        """
        warm = min(1.0, (since_start + 1) / 100)
        end = self.peak_rate if self.end_rate is None else self.end_rate
        left = min(1.0, (1 - done) / self.decay_share)
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
    thinking = {"base": 0.4, "instruct": 0.0, "thinking": 1.0}[stage.name]
    grow = growth_steps if stage.name == "base" else 1
    return [_mixed(rng, min(1.0, (step + 1) / grow), thinking) for step in range(stage.steps)]


def _dense(rng: Random) -> BatchPlan:
    draw = rng.random()
    height, width = rng.choice(_SMALL if draw < 0.6 else _STRIPS if draw < 0.7 else _MIDDLE + _LARGE)
    return BatchPlan("dense", _count(height, width), height, width)


def _mixed(rng: Random, grown: float, thinking: float) -> BatchPlan:
    """A batch for the whole model; `grown` is how far pictures have grown, `thinking` the share of such answers."""
    draw = rng.random()
    if draw < (0.08 if thinking else 0.04):
        return _talk(rng, grown, thinking)
    if draw < 0.20 and grown > 0.3:
        return _video(rng, thinking)
    if draw < (0.36 if thinking else 0.27) and grown > 0.3:
        return _numbers(rng, thinking)
    if draw < 0.50 and grown > 0.5:
        return _lines(rng, thinking)
    draw = rng.random()
    sizes = _SMALL if draw < 0.9 - 0.5 * grown else _MIDDLE if draw < 1 - 0.25 * grown else _LARGE
    height, width = rng.choice(sizes)
    cells = height * width // CELL_PX**2
    chars = int(10 + grown * (min(_MOST_CHARS, _CHARS_A_CELL * cells) - 10))
    enlarged = _enlarged(rng) if grown > 0.5 and sizes is _SMALL else 1.0
    # Shapes and tables of numbers want room.
    mixture = Mixture(thinking=thinking) if enlarged < 1.5 else Mixture(0.5, 0, 0.1, 0, 0.4, 0, thinking)
    tokens = int(chars * 1.15) + _QUESTION_TOKENS
    return BatchPlan(
        "image",
        _count(height, width, tokens),
        height,
        width,
        tokens,
        chars,
        enlarged=enlarged,
        mixture=mixture,
    )


def _talk(rng: Random, grown: float, thinking: float) -> BatchPlan:
    """No pictures: sums and lists in the question, long ones now and then."""
    draw = rng.random() if thinking and grown > 0.3 else 0.0
    tokens, most = next((tokens, most) for share, tokens, most in _TALKS if draw < share)
    mixture = Mixture(thinking=thinking, most_items=most)
    return BatchPlan("text", _PATCHES // max(256, tokens), text_tokens=tokens, mixture=mixture)


def _video(rng: Random, thinking: float) -> BatchPlan:
    height, width = rng.choice(_VIDEO)
    pairs = rng.randint(2, 10)
    count = min(512, _PATCHES // (height * width // 256 * pairs))
    fps = rng.choice((2.0, 2.0, 2.0, 1.0, 4.0))
    return BatchPlan("video", count, height, width, 160, 0, pairs, fps, mixture=Mixture(thinking=thinking))


def _numbers(rng: Random, thinking: float) -> BatchPlan:
    """Lists of numbers, written sums and some shapes, with room for a stage of staged reasoning."""
    height, width = rng.choice(_MIDDLE + _LARGE if rng.random() < 0.7 else _SMALL)
    mixture = Mixture(0, 0, 0, 0, 0, 0.3, thinking, staged=0.5)
    tokens = _STAGE_TOKENS if thinking else _QUESTION_TOKENS
    return BatchPlan("image", _count(height, width, tokens), height, width, tokens, 60, mixture=mixture)


def _lines(rng: Random, thinking: float) -> BatchPlan:
    """Dense pages, or single lines on a strip."""
    strip = rng.random() < 0.4
    height, width = rng.choice(_STRIPS if strip else _WIDE)
    # The flattest ones are made 20 px high at least.
    enlarged = min(_enlarged(rng), height / 20)
    if not strip and enlarged > 1.5:
        enlarged = rng.choice((0.75, 1.0, 1.2))
    mixture = (
        Mixture(0, 0.1, 0.15, 0.75, 0, 0, thinking) if strip else Mixture(0, 0.75, 0.25, 0, 0, 0, thinking)
    )
    cells = height * width // CELL_PX**2
    chars = int(min(_MOST_DENSE_CHARS, _DENSE_CHARS_A_CELL * cells))
    tokens = chars + _QUESTION_TOKENS
    return BatchPlan(
        "image",
        _count(height, width, tokens),
        height,
        width,
        tokens,
        chars,
        enlarged=enlarged,
        mixture=mixture,
    )


def _enlarged(rng: Random) -> float:
    """How many times a picture is enlarged: many are not, crops of a window are by much."""
    draw = rng.random()
    return (
        1.0
        if draw < 0.45
        else rng.uniform(0.7, 1.0)
        if draw < 0.55
        else rng.uniform(1.0, 2.0)
        if draw < 0.75
        else rng.uniform(2.0, 5.0)
    )


def _count(height: int, width: int, tokens: int = 0) -> int:
    """Pictures of a batch with so many tokens behind each."""
    return min(_PATCHES // (height * width // 256), _TOKENS // (height * width // CELL_PX**2 + tokens))

"""What is taught when: three stages, each a list of batch plans that depends on nothing but the stage's length."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from models.pocket.batches import BatchPlan
from models.pocket.grids import LARGE, MIDDLE, SMALL, STRIPS, VIDEO, WIDE
from models.pocket.samples import Mixture
from models.pocket.shape import CELL_PX

# Patches, and tokens of the language model, in a batch, at most.
_PATCHES = 196_608
_TOKENS = 280_000
# One letter needs about this many cells' worth of room at the usual sizes.
_CHARS_A_CELL = 2.0
_DENSE_CHARS_A_CELL = 2.6
_MOST_CHARS, _MOST_DENSE_CHARS = 240, 420
_QUESTION_TOKENS = 150
# Room for a stage of staged reasoning: the question, notes, the thought, a carry-over.
_STAGE_TOKENS = 640
# Room for places of some lines in JSON.
_SPOT_TOKENS = 560
_NAME_LETTERS = "abcdefghijklmnopqrstuvwxyz-_0123456789"
# It answers at once: counting it can learn, sums it can only guess.
_INSTRUCT = Mixture(shapes=0.34, thinking=0.0, counted=0.5)
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
    sizes = SMALL if draw < 0.6 else STRIPS if draw < 0.7 else MIDDLE if draw < 0.85 else LARGE
    height, width = sizes.draw(rng)
    return BatchPlan("dense", _count(height, width), height, width)


def _mixed(rng: Random, grown: float, thinking: float) -> BatchPlan:
    """A batch for the whole model; `grown` is how far pictures have grown, `thinking` the share of such answers."""
    draw = rng.random()
    if draw < (0.08 if thinking else 0.04):
        return _talk(rng, grown, thinking)
    if draw < 0.16 and grown > 0.3:
        return _video(rng, thinking)
    if draw < (0.36 if thinking else 0.25) and grown > 0.3:
        return _numbers(rng, thinking)
    if draw < 0.52 and grown > 0.5:
        return _lines(rng, thinking)
    if draw < 0.58 and grown > 0.5:
        return _pages(rng, thinking)
    if draw < 0.66 and grown > 0.5:
        return _spots(rng, thinking)
    draw = rng.random()
    sizes = SMALL if draw < 0.9 - 0.5 * grown else MIDDLE if draw < 1 - 0.25 * grown else LARGE
    height, width = sizes.draw(rng)
    cells = height * width // CELL_PX**2
    chars = int(10 + grown * (min(_MOST_CHARS, _CHARS_A_CELL * cells) - 10))
    enlarged = _enlarged(rng) if grown > 0.5 and sizes is SMALL else 1.0
    # Shapes and tables of numbers want room.
    usual = Mixture(thinking=thinking, counted=0.25) if thinking else _INSTRUCT
    mixture = usual if enlarged < 1.5 else Mixture(0.5, 0, 0.1, 0, 0.4, 0, thinking)
    return _pictures(height, width, int(chars * 1.15) + _QUESTION_TOKENS, chars, mixture, enlarged)


def _pictures(
    height: int, width: int, tokens: int, chars: int, mixture: Mixture, enlarged: float = 1.0
) -> BatchPlan:
    """A batch of one picture a conversation."""
    count = _count(height, width, tokens)
    return BatchPlan("image", count, height, width, tokens, chars, enlarged=enlarged, mixture=mixture)


def _talk(rng: Random, grown: float, thinking: float) -> BatchPlan:
    """No pictures: sums and lists in the question, long ones now and then."""
    draw = rng.random() if thinking and grown > 0.3 else 0.0
    tokens, most = next((tokens, most) for share, tokens, most in _TALKS if draw < share)
    mixture = Mixture(thinking=thinking, most_items=most)
    return BatchPlan("text", _PATCHES // max(256, tokens), text_tokens=tokens, mixture=mixture)


def _video(rng: Random, thinking: float) -> BatchPlan:
    height, width = VIDEO.draw(rng)
    pairs = rng.randint(2, 10)
    count = min(512, _PATCHES // (height * width // 256 * pairs))
    fps = rng.choice((2.0, 2.0, 2.0, 1.0, 4.0))
    return BatchPlan("video", count, height, width, 160, 0, pairs, fps, mixture=Mixture(thinking=thinking))


def _numbers(rng: Random, thinking: float) -> BatchPlan:
    """Lists of numbers, written sums and some shapes, with room for a stage of staged reasoning."""
    draw = rng.random()
    height, width = (SMALL if draw < 0.3 else MIDDLE if draw < 0.65 else LARGE).draw(rng)
    mixture = Mixture(0, 0, 0, 0, 0, 0.3, thinking, staged=0.5)
    if not thinking:
        mixture = replace(_INSTRUCT, pages=0, labels=0, shapes=0.8)
    return _pictures(height, width, _STAGE_TOKENS if thinking else _QUESTION_TOKENS, 60, mixture)


def _lines(rng: Random, thinking: float) -> BatchPlan:
    """Dense pages, or single lines on a strip."""
    strip = rng.random() < 0.35
    height, width = (STRIPS if strip else WIDE).draw(rng)
    # The flattest ones are made 20 px high at least.
    enlarged = min(_enlarged(rng), height / 20)
    if not strip and enlarged > 1.5:
        enlarged = rng.choice((0.75, 1.0, 1.2))
    mixture = (
        Mixture(0, 0.1, 0.15, 0.75, 0, 0, thinking) if strip else Mixture(0, 0.75, 0.25, 0, 0, 0, thinking)
    )
    chars = int(min(_MOST_DENSE_CHARS, _DENSE_CHARS_A_CELL * height * width // CELL_PX**2))
    return _pictures(height, width, chars + _QUESTION_TOKENS, chars, mixture, enlarged)


def _pages(rng: Random, thinking: float) -> BatchPlan:
    """Some pictures in a conversation, numbered as the program does: pictures, or pages of a document."""
    height, width = (SMALL if rng.random() < 0.6 else MIDDLE).draw(rng)
    pictures = rng.randint(2, 4)
    first = rng.choice((1, 1, rng.randint(1, 30)))
    name = "".join(rng.choices(_NAME_LETTERS, k=rng.randint(3, 10)))
    if rng.random() < 0.5:
        leads = tuple(f"Page {first + index} of {name}.pdf: " for index in range(pictures))
    else:
        leads = tuple(f"Picture {index + 1}: " for index in range(pictures))
    chars = min(80, 320 // pictures)
    tokens = chars * pictures + _QUESTION_TOKENS
    mixture = Mixture(thinking=thinking, staged=0.0)
    count = _count(height * pictures, width, tokens)
    return BatchPlan("pages", count, height, width, tokens, chars, leads=leads, mixture=mixture)


def _spots(rng: Random, thinking: float) -> BatchPlan:
    """Every line with its place, and tables as Markdown or CSV."""
    draw = rng.random()
    height, width = (SMALL if draw < 0.35 else MIDDLE if draw < 0.75 else LARGE).draw(rng)
    mixture = Mixture(0.3, 0.0, 0.35, 0.0, 0.35, 0.0, thinking, spotted=0.8)
    return _pictures(height, width, _SPOT_TOKENS, 110, mixture)


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

"""Whether a run's greedy tokens are the reference's up to rounding, as the reference's own rounding shows it.

Where two tokens are all but equally likely, the order of a sum chooses. How often that happens is measured in the
same run: the reference is computed a second time, as exactly, in another order (the control), and what differs
between the two is noise. A run agrees where

- each of its tokens lies below the reference's likeliest by at most twice the largest difference of a logit between
  reference and control: logits no farther from the reference's than the control's are choose none below that; and
- it chose otherwise no more often than the control would, but for three standard deviations.

How often the control would is its noise laid over the reference's logits, each place's over `SHIFTS` other places in
turn: one laying alone, the control's own choice, is too small a count to compare with. The root of a Poisson number
scatters by a half, so a run may have (root of the expected number + 3 / 2) squared; an honest one exceeds that about
once in a thousand. A network of random weights soon repeats itself and its ties: each pair of the likeliest and the
chosen token counts once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

SHIFTS = 32
_DEVIATIONS = 3.0


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a run's tokens lie in the reference's logits.

    Args:
        tokens: compared.
        places: where the chosen token is not the likeliest.
        ties: different pairs of the likeliest and the chosen token there.
        control_ties: likewise, of what the control would have chosen.
        expected_ties: of the control's noise at other places, on average.
        largest_gap: by which a chosen token lies below the likeliest, as a share of the distance from there to the mean.
        allowed_gap: likewise, twice the largest difference of a logit between reference and control.
    """

    tokens: int
    places: int
    ties: int
    control_ties: int
    expected_ties: float
    largest_gap: float
    allowed_gap: float

    @property
    def most_ties(self) -> int:
        """That noise like the control's explains."""
        return int((self.expected_ties**0.5 + _DEVIATIONS / 2) ** 2)

    @property
    def agrees(self) -> bool:
        """Whether noise like the control's explains every token, and their number."""
        return self.largest_gap <= self.allowed_gap and self.ties <= self.most_ties

    def figures(self) -> dict[str, Any]:
        """For the bench's table."""
        return {
            "checked": self.tokens,
            "places": self.places,
            "ties": self.ties,
            "control_ties": self.control_ties,
            "expected_ties": round(self.expected_ties, 1),
            "most_ties": self.most_ties,
            "largest_gap": round(self.largest_gap, 4),
            "allowed_gap": round(self.allowed_gap, 4),
            "agrees": self.agrees,
        }


@torch.inference_mode()
def judge(reference: torch.Tensor, control: torch.Tensor, tokens: torch.Tensor) -> Agreement:
    """Compare a run's tokens with the reference's logits, by the control's.

    Args:
        reference: (n, vocabulary) logits at the places of the tokens.
        control: the same, computed in another order.
        tokens: int64 (n,) that the run chose.
    """
    reference = reference.float()
    noise = control.float() - reference
    best = reference.amax(-1)
    spread = float((best - reference.mean(-1)).mean())
    gaps = best - _at(reference, tokens)
    steps = [round(number * len(tokens) / SHIFTS) for number in range(SHIFTS)]
    counts = [_ties(reference, (reference + noise.roll(step, 0)).argmax(-1)) for step in steps]
    return Agreement(
        tokens=len(tokens),
        places=int((gaps > 0).sum()),
        ties=_ties(reference, tokens),
        control_ties=counts[0],
        expected_ties=sum(counts) / len(counts),
        largest_gap=float(gaps.max()) / spread,
        allowed_gap=2 * float(noise.abs().max()) / spread,
    )


def _at(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    return logits.gather(1, tokens.unsqueeze(1)).squeeze(1)


def _ties(reference: torch.Tensor, chosen: torch.Tensor) -> int:
    """Different pairs of the likeliest and the chosen token where that is less likely."""
    best, likeliest = reference.max(-1)
    differs = _at(reference, chosen) < best
    return len(set(zip(likeliest[differs].tolist(), chosen[differs].tolist(), strict=True)))

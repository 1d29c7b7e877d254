"""Chooses the next token from logits."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from desktopapp.engine.sampling import SamplingParameters


class Sampler:
    """The state of one generation's sampling. Order: penalties, temperature, top-k, top-p, min-p.

    Nothing here waits for the device, so that the next step can be queued before a token is known to the host.
    The random numbers come from the CPU, so that a seed means the same on every device.

    Args:
        parameters: how.
        prompt: token ids of the prompt, which the repetition penalty counts as said.
        vocabulary: number of logits.
        device: of the logits.
        tokens: most that will be chosen.
    """

    def __init__(
        self,
        parameters: SamplingParameters,
        prompt: Sequence[int],
        vocabulary: int,
        device: torch.device,
        tokens: int,
    ) -> None:
        self._parameters = parameters
        self._chosen = 0
        self._generated = torch.zeros(vocabulary, dtype=torch.float32, device=device)
        self._seen = torch.zeros(vocabulary, dtype=torch.bool, device=device)
        if parameters.repetition_penalty != 1.0:
            self._seen[torch.tensor(sorted(set(prompt)), dtype=torch.long, device=device)] = True
        generator = torch.Generator()
        if parameters.seed is None:
            generator.seed()
        else:
            generator.manual_seed(parameters.seed)
        self._uniform = torch.rand(tokens, generator=generator, dtype=torch.float64).to(device)

    @torch.inference_mode()
    def choose(self, logits: torch.Tensor) -> torch.Tensor:
        """Choose a token and remember it.

        Args:
            logits: (vocabulary,), any float type.

        Returns:
            int64 (1,) on the device of the logits.
        """
        scores = self._penalise(logits.float())
        greedy = self._parameters.temperature <= 0
        token = scores.argmax().view(1) if greedy else self._draw(scores)
        if self._parameters.presence_penalty != 0.0:
            self._generated.index_fill_(0, token, 1.0)
        if self._parameters.repetition_penalty != 1.0:
            self._seen.index_fill_(0, token, True)
        self._chosen += 1
        return token

    def _penalise(self, scores: torch.Tensor) -> torch.Tensor:
        """Repetition as in CTRL (Keskar et al. 2019, section 4.1); presence is subtracted once."""
        repetition = self._parameters.repetition_penalty
        if repetition != 1.0:
            weakened = torch.where(scores > 0, scores / repetition, scores * repetition)
            scores = torch.where(self._seen, weakened, scores)
        if self._parameters.presence_penalty != 0.0:
            scores = torch.sub(scores, self._generated, alpha=self._parameters.presence_penalty)
        return scores

    def _draw(self, scores: torch.Tensor) -> torch.Tensor:
        """Invert the cumulative distribution at this token's random number."""
        parameters = self._parameters
        kept = parameters.top_k if parameters.top_k > 0 else scores.numel()
        values, tokens = scores.topk(min(kept, scores.numel()))
        # The largest first becomes 0, so that a tiny temperature overflows to weights of 0 and not to NaN.
        weights = torch.softmax((values - values[0]).double() / parameters.temperature, dim=-1)
        if parameters.top_p < 1.0:
            # The likeliest token always stays: nothing comes before it.
            before = weights.cumsum(dim=-1) - weights
            weights = weights.where((before < parameters.top_p) | (before <= 0), 0.0)
        if parameters.min_p > 0.0:
            weights = weights.where(weights >= min(parameters.min_p, 1.0) * weights[0], 0.0)
        cumulative = weights.cumsum(dim=-1)
        # Below one times the total, so the place that reaches it is one whose weight is not zero.
        reached = self._uniform[self._chosen] * cumulative[-1]
        return tokens.index_select(0, (cumulative < reached).sum().view(1))

"""Chooses the next token from logits."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from desktopapp.engine.sampling import SamplingParameters


class Sampler:
    """The state of one generation's sampling. Order: penalties, temperature, top-k, top-p.

    The draw itself is made on the CPU, so that a seed means the same on every device.

    Args:
        parameters: how.
        prompt: token ids of the prompt, which the repetition penalty counts as said.
        vocabulary: number of logits.
        device: of the logits.
    """

    def __init__(
        self,
        parameters: SamplingParameters,
        prompt: Sequence[int],
        vocabulary: int,
        device: torch.device,
    ) -> None:
        self._parameters = parameters
        self._generated = torch.zeros(vocabulary, dtype=torch.bool, device=device)
        self._seen = torch.zeros(vocabulary, dtype=torch.bool, device=device)
        self._seen[torch.tensor(sorted(set(prompt)), dtype=torch.long, device=device)] = True
        self._generator = torch.Generator()
        if parameters.seed is None:
            self._generator.seed()
        else:
            self._generator.manual_seed(parameters.seed)

    def next_token(self, logits: torch.Tensor) -> int:
        """Choose a token and remember it.

        Args:
            logits: (vocabulary,), any float type.
        """
        scores = self._penalise(logits.float())
        token = int(scores.argmax()) if self._parameters.temperature <= 0 else self._draw(scores)
        self._generated[token] = True
        self._seen[token] = True
        return token

    def _penalise(self, scores: torch.Tensor) -> torch.Tensor:
        """Repetition as in CTRL (Keskar et al. 2019, section 4.1); presence is subtracted once."""
        repetition = self._parameters.repetition_penalty
        if repetition != 1.0:
            weakened = torch.where(scores > 0, scores / repetition, scores * repetition)
            scores = torch.where(self._seen, weakened, scores)
        if self._parameters.presence_penalty != 0.0:
            scores = scores - self._parameters.presence_penalty * self._generated
        return scores

    def _draw(self, scores: torch.Tensor) -> int:
        kept = self._parameters.top_k if self._parameters.top_k > 0 else scores.numel()
        values, tokens = scores.topk(min(kept, scores.numel()))
        values = values.cpu()
        # The largest first becomes 0, so that a tiny temperature overflows to weights of 0 and not to NaN.
        weights = torch.softmax((values - values[0]) / self._parameters.temperature, dim=-1)
        if self._parameters.top_p < 1.0:
            # The likeliest token always stays: nothing comes before it.
            before = weights.cumsum(dim=-1) - weights
            weights = weights.where(before < self._parameters.top_p, 0.0)
            weights[0] = weights[0].clamp_min(torch.finfo(torch.float32).tiny)
        index = torch.multinomial(weights, 1, generator=self._generator)
        return int(tokens[index.to(tokens.device)])

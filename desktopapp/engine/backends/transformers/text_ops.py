"""The small operations between the language model's matrix products, in plain torch."""

from __future__ import annotations

from typing import Protocol

import torch
from torch.nn import functional

_TURNED_TOKENS = 1024


class TextOps(Protocol):
    """What the forward pass computes beside products and attention."""

    def rms_norm(self, hidden: torch.Tensor, weight: torch.Tensor, epsilon: float) -> torch.Tensor:
        """Normalise (tokens, channels) by the root of the mean square; see `torch.nn.RMSNorm`."""
        ...

    def add_rms_norm(
        self, hidden: torch.Tensor, delta: torch.Tensor, weight: torch.Tensor, epsilon: float
    ) -> torch.Tensor:
        """Add `delta` to `hidden` in place; returns the norm of the sum."""
        ...

    def norm_rope(
        self,
        heads: torch.Tensor,
        weight: torch.Tensor,
        epsilon: float,
        rope: tuple[torch.Tensor, torch.Tensor],
    ) -> torch.Tensor:
        """Normalise each head, then turn it.

        Args:
            heads: (tokens, heads, head_dim).
            weight: (head_dim,).
            epsilon: of the norm.
            rope: float32 cosine and sine, (tokens, head_dim / 2), contiguous. Channel c and c + head_dim / 2 are a pair.
        """
        ...

    def rope_in_place(self, heads: torch.Tensor, rope: tuple[torch.Tensor, torch.Tensor]) -> None:
        """Turn (tokens, heads, head_dim) where it lies; see `norm_rope`."""
        ...

    def swiglu(self, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        """SiLU of `gate` times `up`; both (tokens, channels)."""
        ...


class TorchOps:
    """See `TextOps`. Rounds where transformers rounds, so that the tokens are the same."""

    def rms_norm(self, hidden: torch.Tensor, weight: torch.Tensor, epsilon: float) -> torch.Tensor:
        """See `TextOps.rms_norm`."""
        wide = hidden.float()
        scale = wide.square().mean(-1, keepdim=True).add_(epsilon).rsqrt_()
        return weight * (wide * scale).to(hidden.dtype)

    def add_rms_norm(
        self, hidden: torch.Tensor, delta: torch.Tensor, weight: torch.Tensor, epsilon: float
    ) -> torch.Tensor:
        """See `TextOps.add_rms_norm`."""
        return self.rms_norm(hidden.add_(delta), weight, epsilon)

    def norm_rope(
        self,
        heads: torch.Tensor,
        weight: torch.Tensor,
        epsilon: float,
        rope: tuple[torch.Tensor, torch.Tensor],
    ) -> torch.Tensor:
        """See `TextOps.norm_rope`."""
        first, second = self.rms_norm(heads, weight, epsilon).chunk(2, -1)
        cosine, sine = (part.to(heads.dtype).unsqueeze(1) for part in rope)
        return torch.cat((first * cosine - second * sine, second * cosine + first * sine), -1)

    def rope_in_place(self, heads: torch.Tensor, rope: tuple[torch.Tensor, torch.Tensor]) -> None:
        """See `TextOps.rope_in_place`. Some tokens at a time, to bound the float32 copies."""
        parts = (torch.split(part, _TURNED_TOKENS) for part in (heads, *rope))
        for some, cosine, sine in zip(*parts, strict=True):
            first, second = some.float().chunk(2, -1)
            cosine, sine = cosine.unsqueeze(1), sine.unsqueeze(1)
            some.copy_(torch.cat((first * cosine - second * sine, second * cosine + first * sine), -1))

    def swiglu(self, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        """See `TextOps.swiglu`."""
        return functional.silu(gate).mul_(up)

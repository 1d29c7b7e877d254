"""The sequence under evaluation: its KV cache and its positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache

from desktopapp.engine.backends.transformers.memory_ledger import cache_bytes
from desktopapp.engine.backends.transformers.vision import EncoderOutputs, VisualFeatures


class TokenSequence:
    """Tokens that the language model has seen.

    Positions are always given explicitly: `rope_deltas`, which the network keeps on itself, would be those of
    whatever ran last.

    Args:
        network: of transformers.
    """

    def __init__(self, network: Any) -> None:
        self._network = network
        self._device: torch.device = network.device
        self._cache = DynamicCache(config=network.config)
        self._next_position = 0

    def __len__(self) -> int:
        return int(self._cache.get_seq_length())

    @property
    def kv_bytes(self) -> int:
        """Memory of the KV cache, as allocated. Safe from any thread."""
        return cache_bytes(self._cache)

    def evaluate(
        self, token_ids: Sequence[int], positions: torch.Tensor, features: Sequence[VisualFeatures] = ()
    ) -> torch.Tensor:
        """Add tokens of the prompt.

        Args:
            token_ids: n of them.
            positions: int64 (4, 1, n), see `EncodedPrompt`.
            features: of the image tokens among them, in order.

        Returns:
            (vocabulary,) logits behind the last token.
        """
        # Behind a picture that is the largest of all positions, not the last one plus one.
        self._next_position = max(self._next_position, int(positions[1:].max()) + 1)
        return self._forward(token_ids, positions, EncoderOutputs.of(features) if features else None)

    def append(self, token_id: int) -> torch.Tensor:
        """Add one generated token; returns the (vocabulary,) logits behind it."""
        positions = torch.full((4, 1, 1), self._next_position, dtype=torch.long)
        positions[0] = len(self)
        self._next_position += 1
        return self._forward([token_id], positions, None)

    @torch.inference_mode()
    def _forward(
        self, token_ids: Sequence[int], positions: torch.Tensor, images: EncoderOutputs | None
    ) -> torch.Tensor:
        output = self._network(
            input_ids=torch.tensor([token_ids], dtype=torch.long, device=self._device),
            position_ids=positions.to(self._device),
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
            mm_encoder_outputs={"image": images} if images is not None else None,
        )
        logits: torch.Tensor = output.logits[0, -1]
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return logits

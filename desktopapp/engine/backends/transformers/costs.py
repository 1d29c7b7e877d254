"""Floating-point operations of the model's parts, for the step clock.

Source of the formulas: Kaplan et al., "Scaling Laws for Neural Language Models" (2020), section 2.1: two a weight
and token, and for attention four a layer, channel, token and token attended to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# Operations a second to assume until the first step was measured: a slow processor, a slow graphics card.
CPU_FLOP_PER_S = 2e9
GPU_FLOP_PER_S = 5e11
# Decoding reads all weights for one token, so memory bounds it.
CPU_DECODE_FLOP_PER_S = 5e8
GPU_DECODE_FLOP_PER_S = 1e10


@dataclass(frozen=True, slots=True)
class Costs:
    """Counts the operations of one loaded model.

    Args:
        text_weights: of the language model; all experts of a mixture, which overstates it.
        text_channels: layers times width of all query heads.
        vision_weights: of the vision tower.
        vision_channels: layers times width.
    """

    text_weights: int
    text_channels: int
    vision_weights: int
    vision_channels: int

    @classmethod
    def of(cls, network: Any) -> Costs:
        """Read the sizes off a Qwen3-VL network of transformers."""
        text, vision = network.config.text_config, network.config.vision_config
        return cls(
            text_weights=_weights(network.model.language_model),
            text_channels=text.num_hidden_layers * text.num_attention_heads * text.head_dim,
            vision_weights=_weights(network.model.visual),
            vision_channels=vision.depth * vision.hidden_size,
        )

    def text_flop(self, tokens: int, context: int) -> float:
        """Evaluate `tokens` that attend to at most `context` tokens."""
        return 2.0 * self.text_weights * tokens + 4.0 * self.text_channels * tokens * context

    def vision_flop(self, patches: int) -> float:
        """Encode one picture; its patches attend to each other."""
        return 2.0 * self.vision_weights * patches + 4.0 * self.vision_channels * patches**2


def _weights(module: Any) -> int:
    return sum(parameter.numel() for parameter in module.parameters())

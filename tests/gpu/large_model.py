"""Qwen3-VL-4B's shape with random weights, made on the GPU: nothing to download, every size as in the real one."""

from __future__ import annotations

from typing import Any

import torch
from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

from desktopapp.engine.backend import LoadedModel
from desktopapp.engine.backends.transformers.costs import Costs
from desktopapp.engine.backends.transformers.loaded import LoadedNetwork
from desktopapp.engine.backends.transformers.memory_ledger import MemoryLedger
from desktopapp.engine.backends.transformers.preparation import prepare
from desktopapp.engine.backends.transformers.vision import PatchRule
from desktopapp.engine.backends.transformers.weight_placing import WeightHome
from desktopapp.engine.memory.weight_type import STORED
from desktopapp.engine.prompt_parts import PixelBudget

IMAGE_TOKEN = 151_655
RULE = PatchRule(16, 2, 2, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))

# Source: config.json of Qwen/Qwen3-VL-4B-Instruct.
_TEXT = {
    "vocab_size": 151_936,
    "hidden_size": 2560,
    "intermediate_size": 9728,
    "num_hidden_layers": 36,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "max_position_embeddings": 262_144,
    "rope_parameters": {
        "rope_type": "default",
        "rope_theta": 5_000_000,
        "mrope_section": [24, 20, 20],
        "mrope_interleaved": True,
    },
    "tie_word_embeddings": True,
}
_VISION = {
    "depth": 24,
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_heads": 16,
    "out_hidden_size": 2560,
    "num_position_embeddings": 2304,
    "deepstack_visual_indexes": [5, 11, 17],
}


def make_network(seed: int = 0, device: str = "cuda", config: Qwen3VLConfig | None = None) -> Any:
    """The network of transformers, in bfloat16.

    Args:
        seed: of the weights.
        device: where they are drawn.
        config: of another shape.
    """
    torch.manual_seed(seed)
    config = config or Qwen3VLConfig(text_config=_TEXT, vision_config=_VISION, tie_word_embeddings=True)
    config._attn_implementation = "sdpa"
    previous = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device(device):
            network = Qwen3VLForConditionalGeneration(config)
    finally:
        torch.set_default_dtype(previous)
    network.tie_weights()
    _enliven(network)
    return network.eval().requires_grad_(False)


def _enliven(network: Any) -> None:
    """Make the tokens depend on what was read.

    As it is initialised, such a network repeats its last token: the tied head finds its own embedding in what comes
    out. Random signs behind the last layer end that.
    """
    text = network.model.language_model
    with torch.no_grad():
        text.norm.weight.copy_(torch.randn_like(text.norm.weight).sign())


def load(network: Any, context_tokens: int, weight_type: str = STORED) -> LoadedNetwork:
    """Make a network ready as the backend does; it never stops by itself. In 8 bits once only: its weights are replaced."""
    home = WeightHome(network.device, network.dtype, weight_type)
    vision, conversations = prepare(network, home, context_tokens, 0)
    facts = LoadedModel("", "BF16", "cuda:0", context_tokens, PixelBudget())
    costs, ledger = Costs.of(network), MemoryLedger(network)
    return LoadedNetwork(
        network, None, vision, RULE, conversations, facts, frozenset(), {}, costs=costs, ledger=ledger
    )

"""Makes ready to run what was loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from desktopapp.engine.backends.transformers.acceleration import choose_ops, make_graph
from desktopapp.engine.backends.transformers.conversations import Conversations
from desktopapp.engine.backends.transformers.kv_cache import KvCache
from desktopapp.engine.backends.transformers.memory import free_unused
from desktopapp.engine.backends.transformers.prefill import GPU_CHUNK_TOKENS
from desktopapp.engine.backends.transformers.text_decoder import TextDecoder
from desktopapp.engine.backends.transformers.text_sequence import TextSequence
from desktopapp.engine.backends.transformers.text_weights import read_text_weights
from desktopapp.engine.backends.transformers.vision_tower import VisionTower
from desktopapp.engine.backends.transformers.weight_placing import WeightHome

DEFAULT_KV_TYPE = "16bit"


def prepare(
    network: Any,
    home: WeightHome,
    context_tokens: int,
    token_id: int,
    placed: Callable[[float], None] = lambda share: None,
) -> tuple[VisionTower, Conversations]:
    """Make what runs a network, and run it for one token: a network that cannot run fails here.

    Args:
        network: of transformers.
        home: where its weights go.
        context_tokens: longest sequence.
        token_id: any.
        placed: told about the share of the weights that are there.

    Raises:
        ValueError: it is not one that can be run.
    """
    ops = choose_ops(home.device)
    weights = read_text_weights(network, home, placed)
    decoder = TextDecoder(weights, ops)

    def make_sequence(kv_type: str) -> TextSequence:
        shape, dtype = weights.shape, weights.embedding.dtype
        sizes = (len(weights.layers), shape.kv_heads, shape.head_dim)
        cache = KvCache(*sizes, kv_type, home.device, dtype, context_tokens)
        return TextSequence(decoder, cache, make_graph(weights, cache))

    conversations = Conversations(make_sequence, DEFAULT_KV_TYPE)
    conversations.warm_up(token_id, GPU_CHUNK_TOKENS)
    free_unused()  # what making weights ready left behind
    return VisionTower(network.model.visual, ops), conversations

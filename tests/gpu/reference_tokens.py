"""What transformers' own layers say about a timed run's tokens, over plain torch attention with the same KV type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

from desktopapp.engine.backends.transformers.kv_cache import KvCache, as_library_cache
from desktopapp.engine.backends.transformers.kv_cache.blockwise import attend_blockwise
from desktopapp.engine.backends.transformers.loaded import LoadedNetwork
from desktopapp.engine.backends.transformers.prompt import EncodedPrompt
from desktopapp.engine.backends.transformers.text_sequence import TextSequence
from desktopapp.engine.backends.transformers.vision import make_patches
from tests.gpu.large_model import IMAGE_TOKEN, RULE

TIE_SHARE = 0.04
"""Of the spread between the likeliest token's logit and the mean: bfloat16 keeps eight binary digits of a logit."""

MOST_TIES = 0.05
"""Of the tokens."""

REFERENCE_PREFILL_TOKENS = 60_000
_CHUNK_TOKENS = 2048
_NAME = "reference_over_kv_cache"


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a run's tokens lie in the reference's logits.

    Args:
        tokens: compared.
        ties: that are not the likeliest in the reference.
        largest_gap: share of the spread that the worst of them lies below the likeliest.
    """

    tokens: int
    ties: int
    largest_gap: float

    @property
    def agrees(self) -> bool:
        return self.largest_gap <= TIE_SHARE and self.ties <= MOST_TIES * self.tokens

    def figures(self) -> dict[str, Any]:
        return {
            "checked": self.tokens,
            "ties": self.ties,
            "largest_gap": round(self.largest_gap, 4),
            "agrees": self.agrees,
        }


@torch.inference_mode()
def compare_with_reference(
    model: LoadedNetwork, prompt: EncodedPrompt, sequence: TextSequence, tokens: list[int]
) -> Comparison:
    """Evaluate a run's tokens one after another and look where each lies.

    Args:
        model: as it was run.
        prompt: its prompt.
        sequence: that it ran in; is cut where the reference goes on from it.
        tokens: that it chose, greedily.
    """
    prompt_tokens = len(prompt.token_ids) - 1
    cache = sequence.cache
    if prompt_tokens <= REFERENCE_PREFILL_TOKENS:
        layout = cache.layout
        cache = KvCache(
            layout.layers,
            layout.kv_heads,
            layout.head_dim,
            layout.kv_format.name,
            cache.device,
            layout.dtype,
            prompt_tokens + len(tokens) + 1,
        )
        for start in range(0, prompt_tokens, _CHUNK_TOKENS):
            _forward(model, prompt, [], cache, start, min(start + _CHUNK_TOKENS, prompt_tokens))
    else:
        sequence.crop(prompt_tokens)
    end = prompt_tokens + len(tokens)
    logits = _forward(model, prompt, tokens, cache, prompt_tokens, end).float()
    chosen = torch.tensor(tokens, device=logits.device)
    best = logits.amax(-1)
    gaps = best - logits.gather(1, chosen.unsqueeze(1)).squeeze(1)
    shares = gaps / (best - logits.mean(-1))
    return Comparison(len(tokens), int((gaps > 0).sum()), float(shares.max()))


def _forward(
    model: LoadedNetwork, prompt: EncodedPrompt, tokens: list[int], cache: KvCache, start: int, end: int
) -> torch.Tensor:
    """Logits (end - start, vocabulary) behind tokens of the prompt and the answer; of chunks of the prompt, none."""
    network, device = model.network, cache.device
    ids = torch.tensor([[*prompt.token_ids, *tokens][start:end]], device=device)
    behind = torch.arange(prompt.next_position, prompt.next_position + len(tokens)).expand(3, -1)
    positions = torch.cat([prompt.positions, behind], 1)[:, start:end].unsqueeze(1)
    config = network.config.text_config
    AttentionInterface.register(_NAME, _attend)
    AttentionMaskInterface.register(_NAME, _no_mask)
    usual, config._attn_implementation = config._attn_implementation, _NAME
    try:
        hidden = network.model.get_input_embeddings()(ids)
        visual = _features(model, prompt, start, end)
        mask = ids == IMAGE_TOKEN
        if visual is not None:
            hidden = hidden.masked_scatter(mask.unsqueeze(-1), visual[0])
        output = network.model.language_model(
            inputs_embeds=hidden,
            position_ids=positions.to(device),
            past_key_values=as_library_cache(cache),
            use_cache=True,
            visual_pos_masks=mask if visual is not None else None,
            deepstack_visual_embeds=visual[1] if visual is not None else None,
        )
    finally:
        config._attn_implementation = usual
    return network.lm_head(output.last_hidden_state[0]) if tokens else torch.empty(0)


def _features(
    model: LoadedNetwork, prompt: EncodedPrompt, start: int, end: int
) -> tuple[torch.Tensor, list[torch.Tensor]] | None:
    """The library's features of the visual tokens in a chunk, merged ones and DeepStack's."""
    merged, deepstack = [], []
    for image in prompt.images:
        if image.start < end and image.end > start:
            rows, columns = RULE.grid(image.width, image.height)
            grid = torch.tensor([[1, rows, columns]], device=model.device)
            patches = make_patches([image.frames[0].decode()], RULE, model.device, torch.bfloat16)
            output = model.network.model.get_image_features(patches, grid)
            part = slice(max(start - image.start, 0), end - image.start)
            merged.append(output.pooler_output[0][part])
            deepstack.append([layer[0][part] for layer in output.deepstack_features])
    if not merged:
        return None
    return torch.cat(merged), [torch.cat(layers) for layers in zip(*deepstack, strict=True)]


def _attend(
    module: torch.nn.Module, query: torch.Tensor, key: Any, value: Any, mask: Any, scaling: float, **rest: Any
) -> tuple[torch.Tensor, None]:
    return attend_blockwise(query, key, scaling), None


def _no_mask(*arguments: Any, **options: Any) -> None:
    return None

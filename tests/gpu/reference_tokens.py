"""What transformers' own layers say about a timed run's tokens, over plain torch attention with the same KV type."""

from __future__ import annotations

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
from tests.gpu.token_agreement import Agreement, judge

REFERENCE_PREFILL_TOKENS = 60_000
CHUNK_TOKENS = 2048
CONTROL_CHUNK_TOKENS = 1280
_CONTROL_ANSWER_TOKENS = 16
_NAME = "reference_over_kv_cache"


@torch.inference_mode()
def compare_with_reference(
    model: LoadedNetwork,
    prompt: EncodedPrompt,
    sequence: TextSequence,
    tokens: list[int],
    control_chunk_tokens: int = CONTROL_CHUNK_TOKENS,
) -> Agreement:
    """Evaluate a run's tokens and look where each lies, by the noise that the same in another order shows.

    For that control the prompt is read in other chunks, pictures with transformers' eager attention, and the answer
    sixteen tokens at a time in place of all at once.

    Args:
        model: as it was run.
        prompt: its prompt.
        sequence: that it ran in; is cut where the reference goes on from it.
        tokens: that it chose, greedily.
        control_chunk_tokens: of the prompt that the control reads at once.
    """
    reference = _evaluate(model, prompt, sequence, tokens, CHUNK_TOKENS, len(tokens))
    vision = model.network.model.visual.config
    usual, vision._attn_implementation = vision._attn_implementation, "eager"
    try:
        control = _evaluate(model, prompt, sequence, tokens, control_chunk_tokens, _CONTROL_ANSWER_TOKENS)
    finally:
        vision._attn_implementation = usual
    return judge(reference, control, torch.tensor(tokens, device=reference.device))


def _evaluate(
    model: LoadedNetwork,
    prompt: EncodedPrompt,
    sequence: TextSequence,
    tokens: list[int],
    chunk_tokens: int,
    answer_tokens: int,
) -> torch.Tensor:
    """Logits (tokens, vocabulary) that each of the tokens was to be chosen by."""
    prompt_tokens = len(prompt.token_ids) - 1
    end = prompt_tokens + len(tokens)
    cache = sequence.cache
    if prompt_tokens <= REFERENCE_PREFILL_TOKENS:
        layout = cache.layout
        sizes = layout.layers, layout.kv_heads, layout.head_dim
        cache = KvCache(*sizes, layout.kv_format.name, cache.device, layout.dtype, end + 1)
        for start in range(0, prompt_tokens, chunk_tokens):
            _forward(model, prompt, [], cache, start, min(start + chunk_tokens, prompt_tokens))
    else:
        sequence.crop(prompt_tokens)
    starts = range(prompt_tokens, end, answer_tokens)
    return torch.cat(
        [_forward(model, prompt, tokens, cache, start, min(start + answer_tokens, end)) for start in starts]
    )


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
        mask = ids == network.config.image_token_id
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
            rows, columns = model.patch_rule.grid(image.width, image.height)
            grid = torch.tensor([[1, rows, columns]], device=model.device)
            patches = make_patches(
                [image.frames[0].decode()], model.patch_rule, model.device, model.network.dtype
            )
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

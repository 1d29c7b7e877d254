"""One prompt in, one answer out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

from desktopapp.engine.backend import GenerationEnded, GenerationStep, RunOptions
from desktopapp.engine.backends.transformers.decoding import Decoding
from desktopapp.engine.backends.transformers.loaded import LoadedNetwork
from desktopapp.engine.backends.transformers.memory import peak_bytes, reset_peak
from desktopapp.engine.backends.transformers.prefill import CPU_CHUNK_TOKENS, GPU_CHUNK_TOKENS, Prefill
from desktopapp.engine.backends.transformers.prompt import encode_prompt
from desktopapp.engine.backends.transformers.prompt_pictures import PromptPictures
from desktopapp.engine.backends.transformers.sampler import Sampler
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.prompt_parts import PromptPart
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.errors import PromptTooLong


def generate(
    model: LoadedNetwork,
    prompt: Sequence[PromptPart],
    sampling: SamplingParameters,
    max_new_tokens: int,
    cancel: CancelToken,
    steps: StepClock,
    options: RunOptions,
) -> Iterator[GenerationStep]:
    """See `Backend.generate`."""
    cancel.raise_if_cancelled()
    encoded = encode_prompt(prompt, model.network.config, model.tokenizer, model.facts)
    limit, length = options.context_limit(model.facts), len(encoded.token_ids)
    if length >= limit:
        raise PromptTooLong(tokens=length, limit=limit)
    reset_peak(model.device)
    with closing(PromptPictures(model.conversations.known_pixels, steps)) as pictures:
        sequence = model.conversations.continue_with(
            encoded, options.kv_type, pictures, cancel, saves_replaced=options.saves_replaced
        )
        model.ledger.follow(sequence)
        model.conversations.make_room(sequence, length)
        prefill = Prefill(model, encoded, sequence, pictures, cancel, steps)
        own_chunk = GPU_CHUNK_TOKENS if model.is_cuda else CPU_CHUNK_TOKENS
        logits = yield from prefill.run(options.prefill_chunk_tokens or own_chunk)
    del prefill, pictures
    room = min(max_new_tokens, limit - length)
    sampler = Sampler(sampling, encoded.token_ids, logits.numel(), model.device, room)
    decoding = Decoding(model, sequence, sampler, encoded.next_position, cancel, steps)
    reason = yield from decoding.run(logits, room)
    yield GenerationEnded(reason, peak_bytes(model.device))

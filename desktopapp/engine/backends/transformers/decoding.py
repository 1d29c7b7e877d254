"""Writing an answer token by token."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial

import torch

from desktopapp.engine.backend import GenerationStep, TokenAdded
from desktopapp.engine.backends.transformers.costs import CPU_DECODE_FLOP_PER_S, GPU_DECODE_FLOP_PER_S
from desktopapp.engine.backends.transformers.loaded import LoadedNetwork
from desktopapp.engine.backends.transformers.memory import run_in_memory
from desktopapp.engine.backends.transformers.sampler import Sampler
from desktopapp.engine.backends.transformers.text_sequence import TextSequence
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.events import FinishReason
from desktopapp.engine.steps import StepClock


def decode_plainly(
    model: LoadedNetwork,
    sequence: TextSequence,
    sampler: Sampler,
    logits: torch.Tensor,
    position: int,
    limit: int,
    cancel: CancelToken,
    steps: StepClock,
) -> Generator[GenerationStep, None, FinishReason]:
    """Generate with one forward pass for each token, on any device.

    Args:
        model: what to run.
        sequence: holds the prompt, and receives the answer.
        sampler: chooses.
        logits: (vocabulary,) behind the prompt.
        position: M-RoPE's, of the first token.
        limit: most tokens.
        cancel: read between tokens.
        steps: told about each.
    """
    rate = GPU_DECODE_FLOP_PER_S if model.is_cuda else CPU_DECODE_FLOP_PER_S
    for number in range(limit):
        cancel.raise_if_cancelled()
        token_id = int(sampler.choose(logits))
        if token_id in model.stop_ids:
            return FinishReason.STOP
        yield TokenAdded(token_id, model.token_bytes.get(token_id, b""))
        if number + 1 < limit:
            cancel.raise_if_cancelled()
            positions = torch.full((3, 1), position + number, dtype=torch.long)
            evaluate = partial(sequence.evaluate, [token_id], positions)
            with steps.step("decode", model.costs.text_flop(1, len(sequence)), rate):
                logits = run_in_memory("writing the answer", evaluate)
    return FinishReason.LENGTH

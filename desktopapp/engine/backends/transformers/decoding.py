"""Writing an answer token by token."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from desktopapp.engine.backends.transformers.decode_graph import DecodeGraph

_WHAT = "writing the answer"


class Decoding:
    """One answer in the making.

    Args:
        model: what to run.
        sequence: holds the prompt, and receives the answer.
        sampler: chooses.
        position: M-RoPE's, of the first token.
        cancel: read between tokens.
        steps: told about each.
    """

    def __init__(
        self,
        model: LoadedNetwork,
        sequence: TextSequence,
        sampler: Sampler,
        position: int,
        cancel: CancelToken,
        steps: StepClock,
    ) -> None:
        self._model = model
        self._sequence = sequence
        self._sampler = sampler
        self._position = position
        self._cancel = cancel
        self._steps = steps
        self._flop_per_s = GPU_DECODE_FLOP_PER_S if model.is_cuda else CPU_DECODE_FLOP_PER_S

    def run(self, logits: torch.Tensor, limit: int) -> Generator[GenerationStep, None, FinishReason]:
        """Generate until a stop token or the limit.

        Args:
            logits: (vocabulary,) behind the prompt.
            limit: most tokens.
        """
        graph = self._sequence.graph
        return self._run_plainly(logits, limit) if graph is None else self._run_graph(graph, logits, limit)

    def _run_plainly(self, logits: torch.Tensor, limit: int) -> Generator[GenerationStep, None, FinishReason]:
        for number in range(limit):
            self._cancel.raise_if_cancelled()
            token_id = int(self._sampler.choose(logits))
            if token_id in self._model.stop_ids:
                return FinishReason.STOP
            yield self._added(token_id)
            if number + 1 < limit:
                self._cancel.raise_if_cancelled()
                positions = torch.full((3, 1), self._position + number, dtype=torch.long)
                evaluate = partial(self._sequence.evaluate, [token_id], positions)
                with self._step():
                    logits = run_in_memory(_WHAT, evaluate)
        return FinishReason.LENGTH

    def _run_graph(
        self, graph: DecodeGraph, logits: torch.Tensor, limit: int
    ) -> Generator[GenerationStep, None, FinishReason]:
        """The next token is under way before this one is known here, so the GPU never waits for the host."""
        run_in_memory(_WHAT, partial(graph.begin, self._position))
        token = self._sampler.choose(logits)
        arrivals = _Arrivals()
        for number in range(limit):
            self._cancel.raise_if_cancelled()
            arrivals.send(token)
            goes_on = number + 1 < limit
            with self._step():
                if goes_on:
                    logits = run_in_memory(_WHAT, partial(graph.evaluate, token))
                    token = self._sampler.choose(logits)
                token_id = arrivals.receive()
            if goes_on:
                self._sequence.appended(token_id)
            if token_id in self._model.stop_ids:
                return FinishReason.STOP
            yield self._added(token_id)
        return FinishReason.LENGTH

    def _added(self, token_id: int) -> TokenAdded:
        return TokenAdded(token_id, self._model.token_bytes.get(token_id, b""))

    def _step(self) -> AbstractContextManager[None]:
        work = self._model.costs.text_flop(1, len(self._sequence))
        return self._steps.step("decode", work, self._flop_per_s)


class _Arrivals:
    """Tokens on their way from the GPU, two at most."""

    def __init__(self) -> None:
        self._numbers = torch.empty(2, dtype=torch.long, pin_memory=True)
        make_event: Any = torch.cuda.Event
        self._events = (make_event(), make_event())
        self._sent = 0

    def send(self, token: torch.Tensor) -> None:
        """Queue the copy of a token, int64 (1,)."""
        place = self._sent % 2
        self._numbers[place : place + 1].copy_(token, non_blocking=True)
        self._events[place].record()
        self._sent += 1

    def receive(self) -> int:
        """Wait for the token that was sent last."""
        place = (self._sent - 1) % 2
        self._events[place].synchronize()
        return int(self._numbers[place])

"""Watches the loss without making the device wait."""

from __future__ import annotations

import math
from collections import deque

import torch
from torch import Tensor

_SKIPS_IN_A_ROW = 5
_WATCH_DELAY = 3


class NonFiniteLossError(RuntimeError):
    """The loss or its gradient stopped being a number; the message names the step."""


class Watch:
    """Reads losses and gradient norms some steps late, so that the device never waits for this process.

    Args:
        stage: for the message.
    """

    def __init__(self, stage: str) -> None:
        self.skipped = 0
        self._stage = stage
        self._in_a_row = 0
        self._pending: deque[tuple[int, Tensor, torch.cuda.Event | None]] = deque()

    def add(self, step: int, loss: Tensor, norm: Tensor) -> None:
        """Note a step, and judge the one `_WATCH_DELAY` steps before.

        Raises:
            NonFiniteLossError: its loss was no number, or its gradient, and those of some steps before it, were not.
        """
        values = torch.stack([loss, norm]).to("cpu", non_blocking=True)
        event = None
        if loss.is_cuda:
            event = torch.cuda.current_stream().record_event()
        self._pending.append((step, values, event))
        if len(self._pending) > _WATCH_DELAY:
            self._judge(*self._pending.popleft())

    def _judge(self, step: int, values: Tensor, event: torch.cuda.Event | None) -> None:
        if event is not None:
            event.synchronize()
        loss, norm = values.tolist()
        if math.isfinite(norm) and math.isfinite(loss):
            self._in_a_row = 0
            return
        # The optimiser has changed nothing in this step.
        self.skipped += 1
        self._in_a_row += 1
        print(f"{self._stage} step {step}: loss {loss}, gradient norm {norm}: skipped", flush=True)
        if not math.isfinite(loss) or self._in_a_row == _SKIPS_IN_A_ROW:
            raise NonFiniteLossError(
                f"{self._stage} stopped at step {step}: loss {loss}, gradient norm {norm}"
            )

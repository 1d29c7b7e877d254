"""A network in memory with everything that running it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from desktopapp.engine.backend import LoadedModel
from desktopapp.engine.backends.transformers.costs import Costs
from desktopapp.engine.backends.transformers.memory_ledger import MemoryLedger


@dataclass(frozen=True, slots=True)
class LoadedNetwork:
    """A loaded model.

    Args:
        network: `Qwen3VLForConditionalGeneration` or its mixture-of-experts sibling.
        tokenizer: of transformers.
        image_processor: of transformers, the Pillow one.
        facts: what the engine is told.
        stop_ids: tokens that end an answer.
        token_bytes: what each token stands for, by id.
        costs: operations of its parts.
        ledger: what it holds in memory.
    """

    network: Any
    tokenizer: Any
    image_processor: Any
    facts: LoadedModel
    stop_ids: frozenset[int]
    token_bytes: Mapping[int, bytes]
    costs: Costs
    ledger: MemoryLedger

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        device: torch.device = self.network.device
        return device

    @property
    def is_cuda(self) -> bool:
        """Whether it runs on a GPU."""
        return self.device.type == "cuda"

    @property
    def merge_size(self) -> int:
        """Patches a side of the square that becomes one visual token."""
        return int(self.network.config.vision_config.spatial_merge_size)

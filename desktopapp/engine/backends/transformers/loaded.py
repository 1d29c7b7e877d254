"""A network in memory with everything that running it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from desktopapp.engine.backend import LoadedModel
from desktopapp.engine.backends.transformers.conversations import Conversations
from desktopapp.engine.backends.transformers.costs import Costs
from desktopapp.engine.backends.transformers.memory_ledger import MemoryLedger
from desktopapp.engine.backends.transformers.vision import PatchRule
from desktopapp.engine.backends.transformers.vision_tower import VisionTower


@dataclass(frozen=True, slots=True)
class LoadedNetwork:
    """A loaded model.

    Args:
        network: `Qwen3VLForConditionalGeneration` or its mixture-of-experts sibling.
        tokenizer: of transformers.
        vision: its vision tower.
        patch_rule: how pictures become its input.
        conversations: what was evaluated with it.
        facts: what the engine is told.
        stop_ids: tokens that end an answer.
        token_bytes: what each token stands for, by id.
        costs: operations of its parts.
        ledger: what it holds in memory.
    """

    network: Any
    tokenizer: Any
    vision: VisionTower
    patch_rule: PatchRule
    conversations: Conversations
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

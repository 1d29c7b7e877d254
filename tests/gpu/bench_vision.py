"""What pictures cost on their way through a vision tower, one way and another.

    PYTHONPATH=. python tests/gpu/bench_vision.py

Each way encodes the same pictures; what is printed is memory beyond weights and pixels. On an NVIDIA GPU: ten of
1920 x 1088 through the tower of Qwen3-VL-4B. Without one: six of 512 x 512 through the pocket model's, as torch's
profiler counts what is allocated.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")

import torch
from torch.profiler import ProfilerActivity, profile

from desktopapp.engine.backend import LoadOptions
from desktopapp.engine.backends.transformers.acceleration import choose_ops
from desktopapp.engine.backends.transformers.folder import open_folder
from desktopapp.engine.backends.transformers.loader import load_network
from desktopapp.engine.backends.transformers.vision import PatchRule, make_patches
from desktopapp.engine.backends.transformers.vision_tower import VisionTower
from tests.gpu.large_model import RULE, make_network
from tests.pictures import NoisePicture

POCKET = Path(__file__).resolve().parents[2] / "models/qwen3-vl/qwen3-vl-pocket-instruct"


class Ways:
    """Some pictures through the tower in each way.

    Args:
        model: of transformers, without its head.
        tower: ours, over the same weights.
        rule: how pictures become patches.
        count: of pictures.
        size: width and height of each, pixels.
    """

    def __init__(
        self, model: Any, tower: VisionTower, rule: PatchRule, count: int, size: tuple[int, int]
    ) -> None:
        device = model.device
        self._model = model
        self._tower = tower
        self._count = count
        self._rows, self._columns = rule.grid(*size)
        self._grid = torch.tensor([[1, self._rows, self._columns]], device=device)
        self._patches = [
            make_patches([NoisePicture(*size, seed=n).decode()], rule, device, tower.dtype)
            for n in range(count)
        ]

    def all_at_once(self) -> None:
        self._model.get_image_features(torch.cat(self._patches), self._grid.expand(self._count, 3))

    def one_by_one(self) -> None:
        for patches in self._patches:
            self._model.get_image_features(patches, self._grid)

    def all_checkpointed(self) -> None:
        """As for training: the library's blocks recompute what they are asked to, in training mode alone."""
        visual = self._model.visual
        visual.activation_checkpointing_enable()
        visual.train()
        try:
            self.all_at_once()
        finally:
            visual.eval()
            visual.activation_checkpointing_disable()

    def ours(self) -> None:
        for patches in self._patches:
            self._tower.encode(patches, self._rows, self._columns)


def measure(encode: Callable[[], None]) -> float:
    """Peak in MiB beyond what was there; of a second run, after what is allocated only once."""
    with torch.inference_mode():
        encode()
        if not torch.cuda.is_available():
            with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
                encode()
            changes = [
                event for event in profiled.profiler.kineto_results.events() if event.name() == "[memory]"
            ]
            changes.sort(key=lambda event: event.start_ns())
            return max(itertools.accumulate(event.nbytes() for event in changes)) / 2**20
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        encode()
        torch.cuda.synchronize()
        return (torch.cuda.max_memory_allocated() - before) / 2**20


def make_ways() -> Ways:
    if torch.cuda.is_available():
        network = make_network()
        tower = VisionTower(network.model.visual, choose_ops(torch.device("cuda")))
        return Ways(network.model, tower, RULE, 10, (1920, 1088))
    pocket = load_network(open_folder(POCKET), LoadOptions(device="cpu"), lambda *_: None)
    return Ways(pocket.network.model, pocket.vision, pocket.patch_rule, 6, (512, 512))


def main() -> int:
    ways = make_ways()
    print("| way | peak MiB |\n|---|---|")
    for name, encode in (
        ("transformers, all at once", ways.all_at_once),
        ("transformers, all at once, checkpointing on", ways.all_checkpointed),
        ("transformers, one by one", ways.one_by_one),
        ("ours, one by one", ways.ours),
    ):
        print(f"| {name} | {measure(encode):.1f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

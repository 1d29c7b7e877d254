"""What pictures cost on their way through the vision tower of Qwen3-VL-4B, one way and another, on an NVIDIA GPU.

    PYTHONPATH=. python tests/gpu/bench_vision.py

Each way encodes the same ten pictures of 1920 x 1088 pixels; what is printed is memory beyond weights and pixels.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")

import torch

from desktopapp.engine.backends.transformers.acceleration import choose_ops
from desktopapp.engine.backends.transformers.vision import make_patches
from desktopapp.engine.backends.transformers.vision_tower import VisionTower
from tests.gpu.large_model import RULE, make_network
from tests.pictures import NoisePicture

PICTURES, WIDTH, HEIGHT = 10, 1920, 1088


class Ways:
    """Ten pictures through the tower in each way.

    Args:
        network: of transformers, on the GPU.
    """

    def __init__(self, network: Any) -> None:
        device = torch.device("cuda")
        self._model = network.model
        self._tower = VisionTower(network.model.visual, choose_ops(device))
        self._grid = torch.tensor([[1, *RULE.grid(WIDTH, HEIGHT)]], device=device)
        self._patches = [
            make_patches([NoisePicture(WIDTH, HEIGHT, seed=n).decode()], RULE, device, torch.bfloat16)
            for n in range(PICTURES)
        ]

    def all_at_once(self) -> None:
        self._model.get_image_features(torch.cat(self._patches), self._grid.expand(PICTURES, 3))

    def one_by_one(self) -> None:
        for patches in self._patches:
            self._model.get_image_features(patches, self._grid)

    def all_checkpointed(self) -> None:
        """As for training: the library's blocks recompute what they are asked to, in training mode alone."""
        visual = self._model.visual
        visual.gradient_checkpointing_enable()
        visual.train()
        try:
            self.all_at_once()
        finally:
            visual.eval()
            visual.gradient_checkpointing_disable()

    def ours(self) -> None:
        rows, columns = RULE.grid(WIDTH, HEIGHT)
        for patches in self._patches:
            self._tower.encode(patches, rows, columns)


def measure(encode: Callable[[], None]) -> tuple[float, float]:
    """Peak in MiB beyond what was there, and seconds of a second run."""
    with torch.inference_mode():
        encode()
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        began = time.perf_counter()
        encode()
        torch.cuda.synchronize()
        seconds = time.perf_counter() - began
    return (torch.cuda.max_memory_allocated() - before) / 2**20, seconds


def main() -> int:
    if not torch.cuda.is_available():
        print("PyTorch finds no CUDA card")
        return 0
    ways = Ways(make_network())
    print(
        f"{torch.cuda.get_device_name()}, torch {torch.__version__}, {PICTURES} pictures {WIDTH} x {HEIGHT}"
    )
    print("| way | peak MiB | s |\n|---|---|---|")
    for name, encode in (
        ("transformers, all at once", ways.all_at_once),
        ("transformers, all at once, checkpointing on", ways.all_checkpointed),
        ("transformers, one by one", ways.one_by_one),
        ("ours, one by one", ways.ours),
    ):
        peak_mib, seconds = measure(encode)
        print(f"| {name} | {peak_mib:.0f} | {seconds:.3f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

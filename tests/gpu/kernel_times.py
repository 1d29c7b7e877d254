"""Where the time of one prompt and a few tokens goes, kernel by kernel."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

from torch.profiler import ProfilerActivity, profile

from desktopapp.engine.backend import GenerationStep, PromptProgress, TokenAdded

_KERNELS = 22
_NAME_LENGTH = 76


def print_kernel_times(steps: Iterator[GenerationStep]) -> None:
    """Run a generation and print its longest kernels, apart for the prompt and for the answer.

    Args:
        steps: of `generate`, not begun.
    """
    stamps = [time.perf_counter()]
    with profile(activities=[ProfilerActivity.CUDA]) as prompt:
        for step in steps:
            stamps.append(time.perf_counter())
            if isinstance(step, PromptProgress) and step.done_tokens == step.total_tokens:
                break
    print(
        "ms of each chunk and picture:",
        [round(1e3 * (b - a)) for a, b in itertools.pairwise(stamps)],
    )
    _print_table("prompt", prompt, stamps[-1] - stamps[0])
    next(step for step in steps if isinstance(step, TokenAdded))
    began = time.perf_counter()
    with profile(activities=[ProfilerActivity.CUDA]) as answer:
        count = sum(isinstance(step, TokenAdded) for step in steps)
    _print_table(f"answer of {count} tokens", answer, time.perf_counter() - began)


def _print_table(what: str, run: profile, wall_s: float) -> None:
    rows = [row for row in run.key_averages() if row.self_device_time_total > 0]
    rows.sort(key=lambda row: -row.self_device_time_total)
    busy_s = sum(row.self_device_time_total for row in rows) / 1e6
    print(f"{what}: {wall_s:.3f} s, GPU busy {busy_s:.3f} s")
    for row in rows[:_KERNELS]:
        total_ms = row.self_device_time_total / 1e3
        print(
            f"{total_ms:10.2f} ms {row.count:7d} x {1e3 * total_ms / row.count:9.1f} us  {row.key[:_NAME_LENGTH]}"
        )

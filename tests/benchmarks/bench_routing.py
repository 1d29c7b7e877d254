"""How long one routing decision takes: python tests/benchmarks/bench_routing.py (2 ms are allowed)."""

from __future__ import annotations

import statistics
import time

from desktopapp.engine.routing.router import route
from models.routing.prompts import read_prompts

ALLOWED_MS = 2.0


def main() -> None:
    """Route every labelled prompt five times, then one of 100,000 characters."""
    prompts = read_prompts()
    times_ms = []
    for prompt in prompts * 5:
        began_s = time.perf_counter()
        route(prompt.text, prompt.media)
        times_ms.append((time.perf_counter() - began_s) * 1000)
    times_ms.sort()
    began_s = time.perf_counter()
    route("Why? 为什么？ " * 10_000)
    longest_ms = (time.perf_counter() - began_s) * 1000
    print(
        f"median {statistics.median(times_ms):.3f} ms, 99 % {times_ms[len(times_ms) * 99 // 100]:.3f} ms, ",
        end="",
    )
    print(f"100,000 characters {longest_ms:.3f} ms; allowed {ALLOWED_MS} ms")


if __name__ == "__main__":
    main()

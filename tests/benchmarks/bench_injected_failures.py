"""Memory that runs out at each load, picture, chunk and token, in the real engine process: what comes of it.

    python tests/benchmarks/bench_injected_failures.py --backend llama.cpp --kind abort

Without options both backends and all kinds run, which takes minutes: each abort costs a new process. CI refuses every
allocation and aborts at some (`tests/e2e/test_ladder.py`).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from desktopapp.engine.events import Failed, Finished
from desktopapp.engine.request import BackendChoice
from tests.ladder_bench import BACKENDS, LadderBench, Outcome, both_forms, sweep

KINDS = ("refused", "abort", "told_abort", "late_abort")
NEW_TOKENS = 32


def run(backend: BackendChoice, kind: str, part: tuple[int, int]) -> list[Outcome]:
    """One question for each place."""
    place = Path(tempfile.mkdtemp())
    bench = LadderBench(both_forms(place), place, NEW_TOKENS)
    with bench.client:
        undisturbed = bench.ask(backend)
        if isinstance(undisturbed, Failed):
            raise RuntimeError(f"it fails without a fault: {undisturbed.message}")
        outcomes = list(sweep(bench, backend, kind, undisturbed, part))
        last = bench.ask(backend)
        if not isinstance(last, Finished) or last.text != undisturbed.text:
            raise RuntimeError("the next question is answered otherwise")
    return outcomes


def row(backend: BackendChoice, kind: str, outcomes: list[Outcome], seconds: float) -> str:
    """A line of the table."""
    points = Counter(outcome.fault.point for outcome in outcomes)
    places = ", ".join(f"{point} {count}" for point, count in points.items())
    recovered = sum(isinstance(outcome.end, Finished) for outcome in outcomes)
    wrong = sum(bool(outcome.wrong) for outcome in outcomes)
    steps = Counter(step or "less" for outcome in outcomes for step in outcome.steps)
    taken = ", ".join(f"{step} {count}" for step, count in steps.most_common())
    refused = len(outcomes) - recovered
    return (
        f"| {backend} | {kind} | {places} | {recovered} | {refused} | {wrong} | {taken} | {seconds:.0f} s |"
    )


def main() -> int:
    """Run and print the table; 1 where anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", choices=[str(backend) for backend in BACKENDS])
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument(
        "--part", default="0/1", help="which part of how many, as 0/4: an abort costs a new process"
    )
    options = parser.parse_args()
    index, parts = (int(number) for number in options.part.split("/"))
    wrong: list[str] = []
    print("| backend | fault | places | recovered | refused clearly | wrong | steps | time |")
    print("|---|---|---|---|---|---|---|---|")
    for backend in BACKENDS:
        for kind in KINDS:
            if options.backend in (None, str(backend)) and options.kind in (None, kind):
                began = time.perf_counter()
                outcomes = run(backend, kind, (index, parts))
                print(row(backend, kind, outcomes, time.perf_counter() - began), flush=True)
                wrong += [f"{one.fault}: {one.wrong}" for one in outcomes if one.wrong]
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

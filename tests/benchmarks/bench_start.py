"""How long the window takes to appear, and how much memory its process uses.

Run: `make bench`, or `python tests/benchmarks/bench_start.py [runs]` with `QT_QPA_PLATFORM` as wanted.
Wanted: visible within 0.5 s warm, below 120 MB, without the inference libraries.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 0.5
LIMIT_BYTES = 120_000_000


def start_once(home: str) -> dict[str, object]:
    """Start the window in a process of its own; see `started_window.py`."""
    # Compiled modules in the temporary folder: warm is what a person has from the second start on.
    own = {"QWEN3VL_DESKTOP_HOME": home, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": f"{home}/compiled"}
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"} | own
    script = ROOT / "tests" / "benchmarks" / "started_window.py"
    done = subprocess.run(
        [sys.executable, str(script)],
        env=environment,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=True,
    )
    figures: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main() -> None:
    """Print the figures of some runs after one that warms up."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as home:
        results = [start_once(home) for _ in range(runs + 1)][1:]
    times = [float(str(result["visible_s"])) for result in results]
    memory = max(int(str(result["settled_rss_bytes"])) for result in results)
    print(
        f"visible after  {statistics.median(times):.3f} s (median; {min(times):.3f} to {max(times):.3f}, limit {LIMIT_S})"
    )
    print(
        f"of processor    {statistics.median(float(str(result['visible_cpu_s'])) for result in results):.3f} s"
    )
    print(f"begun after    {statistics.median(float(str(result['begun_s'])) for result in results):.3f} s")
    print(f"memory         {memory / 1e6:.0f} MB (most of all runs, limit {LIMIT_BYTES / 1e6:.0f})")
    print(f"heavy modules  {results[0]['heavy_modules'] or 'none'}")
    if statistics.median(times) > LIMIT_S or memory > LIMIT_BYTES or results[0]["heavy_modules"]:
        sys.exit("over the limit")


if __name__ == "__main__":
    main()

"""Gives hundreds of damaged GGUF files and pictures to the real engine process.

    python tests/benchmarks/bench_llama_cpp_damage.py [--models 320] [--pictures 120]

Each must end in one typed error, or in an answer where the damage does no harm, within ten seconds; every twentieth
request is a good one. The exit status is 1 where that fails.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktopapp.modelstore.gguf_export import export_gguf
from desktopapp.modelstore.model import ModelFiles, ModelKind, WeightFormat
from models.random_pair import make_random_model
from tests.damage_run import LONGEST_S, DamageRun


def main() -> int:
    """Print what became of the files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=int, default=320)
    parser.add_argument("--pictures", type=int, default=120)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        text_file, projector_file = Path(folder) / "good.gguf", Path(folder) / "mmproj-good.gguf"
        make_random_model(Path(folder) / "source", ModelKind.INSTRUCT, seed=7)
        export_gguf(Path(folder) / "source", text_file, projector_file)
        good = ModelFiles(WeightFormat.GGUF, text_file, projector_file, "Q8_0", text_file.stat().st_size)
        outcome = DamageRun(good, Path(folder)).run(arguments.models, arguments.pictures)
    for name, count in outcome.errors.most_common():
        print(f"{count:5} {name}")
    print(f"slowest end {outcome.slowest_s:.1f} s, allowed {LONGEST_S:.0f} s")
    for fault in outcome.faults:
        print("FAULT", fault)
    return int(bool(outcome.faults))


if __name__ == "__main__":
    sys.exit(main())

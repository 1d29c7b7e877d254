"""`python -m models.random_pair OUT_DIR` makes the pair."""

from __future__ import annotations

import argparse
from pathlib import Path

from desktopapp.modelstore.model import ModelKind
from models.random_pair.maker import make_random_model

_SEEDS = {ModelKind.INSTRUCT: 1, ModelKind.THINKING: 2}


def main() -> None:
    """Make `qwen3-vl-random-instruct` and `qwen3-vl-random-thinking`."""
    parser = argparse.ArgumentParser(prog="python -m models.random_pair", description=__doc__)
    parser.add_argument("out_dir", type=Path, help="folder that the two model folders are made in")
    parser.add_argument("--dtype", choices=("BF16", "F32"), default="BF16")
    arguments = parser.parse_args()
    for kind, seed in _SEEDS.items():
        folder = arguments.out_dir / f"qwen3-vl-random-{kind}"
        make_random_model(folder, kind, seed=seed, dtype=arguments.dtype)
        print(folder)


if __name__ == "__main__":
    main()

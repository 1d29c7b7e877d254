"""Two hundred requests of random size in a row to the pocket model under a ceiling, in both backends."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from desktopapp.engine.events import Failed
from desktopapp.engine.request import BackendChoice
from desktopapp.modelstore.gguf_export import export_gguf
from tests.many_requests import CEILING_BYTES, growth, many_requests

POCKET = Path(__file__).resolve().parents[2] / "models" / "qwen3-vl" / "qwen3-vl-pocket-instruct"
MIB = 2**20


def main() -> None:
    """Ask and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--backends", nargs="+", default=["transformers", "llama.cpp"])
    options = parser.parse_args()
    for name in options.backends:
        backend, place, began_s = BackendChoice(name), Path(tempfile.mkdtemp()), time.monotonic()
        folder = POCKET
        if backend is BackendChoice.LLAMA_CPP:
            folder = place / POCKET.name
            folder.mkdir()
            export_gguf(POCKET, folder / "pocket-Q8_0.gguf", folder / "mmproj-pocket-F16.gguf")
        runs = many_requests(folder, backend, options.count, place)
        for end in runs.ends:
            if isinstance(end, Failed):
                print(end.message, end.remedy, end.details[-400:])
        failed = [end for end in runs.ends if isinstance(end, Failed)]
        print(
            f"{name}: {len(runs.ends)} requests in {time.monotonic() - began_s:.0f} s under "
            f"{CEILING_BYTES[backend] / MIB:.0f} MiB, {len(failed)} failed, {runs.retries} steps down; held at most "
            f"{max(runs.held_bytes) / MIB:.1f} MiB, growth {growth(runs.held_bytes):+.1%}; resident behind them at most "
            f"{max(runs.resident_bytes) / MIB:.1f} MiB, growth {growth(runs.resident_bytes):+.1%}"
        )


if __name__ == "__main__":
    main()

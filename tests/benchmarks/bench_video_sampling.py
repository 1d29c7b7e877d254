"""Samples twenty clips here and with transformers' own video processor, and prints where they differ.

    python tests/benchmarks/bench_video_sampling.py

Frame rates, containers, odd sizes, rotations and two varying rates. Needs torchvision, which the program does not: without it this
says so. The exit status is 1 where a token count differs or a frame's time is off by more than half a frame.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.clip_comparison import CLIPS, compare, make_processor


def main() -> int:
    """Compare all of them."""
    if importlib.util.find_spec("torchvision") is None:
        print("torchvision is not installed: nothing to compare with")
        return 0
    processor, wrong = make_processor(), 0
    print("clip | tokens, transformers' | frames | off the true time, off transformers' time (frames)")
    with tempfile.TemporaryDirectory() as folder:
        for number, clip in enumerate(CLIPS):
            found = compare(clip, clip.write(Path(folder), number), processor)
            turned = f", turned {clip.degrees}°" if clip.degrees else ""
            rate = "varying" if clip.durations else f"{clip.rate:g}/s"
            theirs = "-" if found.library_off_frames is None else f"{found.library_off_frames:.3f}"
            print(
                f"{clip.suffix} {clip.size[0]}x{clip.size[1]}, {clip.frames} at {rate}{turned} | {found.tokens}, "
                f"{found.library_tokens} | {found.frames} | {found.off_frames:.3f}, {theirs}"
                f"{'' if found.is_equal else ' DIFFERS'}",
                flush=True,
            )
            wrong += not found.is_equal
    print(f"{len(CLIPS) - wrong} of {len(CLIPS)} equal")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())

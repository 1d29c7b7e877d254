"""Gives good, odd and hostile files to the real engine process, and measures long ones.

    python tests/benchmarks/bench_media.py [--damaged 440]
    python tests/benchmarks/bench_media.py --parts corpus --record build/corpus.jsonl --seconds 180   # in pieces

Each file is priced, previewed and looked at whole. It must end in an answer or in one sentence within ten seconds, and
good files in an answer. Then the memory above idle while a PDF of 1,000 pages and a video of two hours are priced and
read. The exit status is 1 where a file fails.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.clips import write_clip
from tests.corpus_run import Record, print_outcomes, run_cases
from tests.documents import write_document
from tests.engine_client import EngineClient
from tests.faulty_backends import fast
from tests.media_corpus import make_corpus

MOST_MIB = 300


def run_corpus(options: argparse.Namespace) -> int:
    """Try all files, or go on with them; print what became of them; the number of faults."""
    record = Record(options.record)
    with tempfile.TemporaryDirectory() as folder:
        cases = make_corpus(Path(folder), options.damaged)
        with EngineClient(fast, Path(folder)) as client:
            is_whole = run_cases(client, cases, record, options.seconds)
    faults = print_outcomes(record, every_sentence=is_whole)
    if not is_whole:
        print(f"{len(cases) - len(record.outcomes)} files are left: run it again")
    return faults + (not is_whole)


def read_all(path: str, results: Connection) -> None:
    """In a process of its own: price a file and decode all that the model would see; send MiB above idle."""
    import resource

    import cv2  # noqa: F401 - idle is with the libraries
    import psutil
    import pypdfium2  # noqa: F401

    from desktopapp.engine.media.attachment import open_media
    from desktopapp.engine.media.page_process import end_resting

    open_media(str(Path(__file__).resolve().parents[2] / "resources" / "samples" / "shapes.png"))
    idle = psutil.Process().memory_info().rss
    began_s = time.monotonic()
    media = open_media(path)
    opened_s = time.monotonic() - began_s
    count = len(media.video.frame_times_s) if media.video is not None else len(media.pictures)
    for index in range(count):
        if media.video is not None:
            media.video.decode(index)
        else:
            media.pictures[index].decode()
    read_s = time.monotonic() - began_s
    media.close()
    end_resting()
    # The process that draws pages is counted as a whole.
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = sum(resource.getrusage(kind).ru_maxrss for kind in kinds) * 1024
    results.send((count, opened_s, read_s, (peak - idle) / 2**20))


def measure_long() -> int:
    """Memory and time of long files; the number that need too much."""
    context = multiprocessing.get_context("spawn")
    too_much = 0
    with tempfile.TemporaryDirectory() as folder:
        pages = write_document(Path(folder) / "long.pdf", [f"Page {number}" for number in range(1000)])
        film = write_clip(Path(folder) / "film.mp4", 36_000, 5.0, (320, 180))
        for name, path in (("PDF of 1,000 pages", pages), ("video of two hours", film)):
            ours, theirs = context.Pipe()
            process = context.Process(target=read_all, args=(str(path), theirs))
            process.start()
            count, opened_s, read_s, mib = ours.recv()
            process.join()
            print(
                f"{name}: {count} read, opened in {opened_s:.2f} s, all in {read_s:.0f} s, {mib:.0f} MiB above idle"
            )
            too_much += mib > MOST_MIB
    return too_much


def main() -> int:
    """Run both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--damaged", type=int, default=440, help="damaged copies of good files")
    parser.add_argument(
        "--record", type=Path, help="keeps what became of each file; a further run goes on behind it"
    )
    parser.add_argument(
        "--seconds", type=float, default=math.inf, help="after which no further file is begun"
    )
    parser.add_argument("--parts", nargs="+", choices=("corpus", "long"), default=["corpus", "long"])
    options = parser.parse_args()
    wrong = run_corpus(options) if "corpus" in options.parts else 0
    if "long" in options.parts:
        wrong += measure_long()
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())

"""Gives good, odd and hostile files to the real engine process, and measures long ones.

    python tests/benchmarks/bench_media.py [--damaged 440]

Each file is priced, previewed and looked at whole. It must end in an answer or in one sentence within ten seconds, and
good files in an answer. Then the memory above idle while a PDF of 1,000 pages and a video of two hours are priced and
read. The exit status is 1 where a file fails.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktopapp.engine.events import Failed, Finished
from desktopapp.engine.price_events import Priced
from desktopapp.engine.request import (
    Attachment,
    BackendChoice,
    ModelChoice,
    Request,
    Role,
    SamplingOverrides,
    Turn,
)
from tests.clips import write_clip
from tests.documents import write_document
from tests.engine_client import EngineClient
from tests.faulty_backends import fast
from tests.media_corpus import Case, make_corpus

LONGEST_S = 10.0
MOST_MIB = 300


def try_case(client: EngineClient, case: Case, number: int) -> tuple[str, float, str]:
    """What became of a file: the answer or the error, the seconds, and what is wrong with that."""
    attachment = Attachment(str(case.path), case.selection)
    client.events.clear()
    began_s = time.monotonic()
    client.process.price((attachment,))
    client.process.read_previews(attachment, (0.0,), 192)
    price = client.wait_for(Priced).prices[0]
    turn = Turn(Role.USER, "?", (attachment,))
    choice = ModelChoice("fake", BackendChoice.FAKE)
    greedy = SamplingOverrides(temperature=0.0)
    request = Request(f"r{number}", choice, (turn,), sampling=greedy, max_new_tokens=1)
    try:
        end = client.ask(request)
    except TimeoutError:
        return "hang", time.monotonic() - began_s, "no end"
    took_s = time.monotonic() - began_s
    name = end.error if isinstance(end, Failed) else "answered"
    wrong = ""
    if took_s > LONGEST_S:
        wrong = f"{took_s:.0f} s"
    elif isinstance(end, Failed) and name in ("EngineDied", "EngineHung", "UnexpectedError"):
        wrong = f"{name}: {end.message}"
    elif isinstance(end, Failed) and not (end.message and end.remedy):
        wrong = "no sentence"
    elif case.is_good and not (isinstance(end, Finished) and price.failed is None):
        wrong = f"good, and {name}"
    return name, took_s, wrong


def run_corpus(damaged: int) -> int:
    """Try all files; print what became of them; the number of faults."""
    with tempfile.TemporaryDirectory() as folder:
        cases = make_corpus(Path(folder), damaged)
        ends: Counter[str] = Counter()
        slowest, faults = 0.0, []
        with EngineClient(fast, Path(folder)) as client:
            for number, case in enumerate(cases):
                name, took_s, wrong = try_case(client, case, number)
                ends[name] += 1
                slowest = max(slowest, took_s)
                if wrong:
                    faults.append(f"{wrong} <- {case.path.name}, {case.what}")
                    print("FAULT", faults[-1], flush=True)
    print(f"{len(cases)} files")
    for name, count in ends.most_common():
        print(f"{count:5} {name}")
    print(f"slowest {slowest:.1f} s, allowed {LONGEST_S:.0f} s")
    return len(faults)


def read_all(path: str, results: Connection) -> None:
    """In a process of its own: price a file and decode all that the model would see; send MiB above idle."""
    import resource

    import cv2  # noqa: F401 - idle is with the libraries
    import psutil
    import pypdfium2  # noqa: F401

    from desktopapp.engine.media.attachment import open_media

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
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
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
    parser.add_argument("--damaged", type=int, default=440)
    arguments = parser.parse_args()
    return int(bool(run_corpus(arguments.damaged) + measure_long()))


if __name__ == "__main__":
    sys.exit(main())

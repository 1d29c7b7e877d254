from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from desktopapp.errors import EngineDied, OutOfMemory
from desktopapp.worker import post_mortem
from desktopapp.worker.post_mortem import (
    TAIL_BYTES,
    Death,
    count_memory_kills,
    describe_exit,
    last_meaningful_line,
    read_tail,
)

ABORTED = """\
load_tensors: offloading 36 layers
/llama.cpp/ggml/src/ggml-cuda/ggml-cuda.cu:98: CUDA error
Fatal Python error: Aborted

Current thread 0x00007f0000000000 [load] (most recent call first):
  File "/site-packages/llama_cpp/_internals.py", line 58 in __init__
  File "/engine/host.py", line 40 in run_engine

Extension modules: numpy._core._multiarray_umath, PIL._imaging (total: 2)
"""


def test_what_a_library_said_before_it_aborted_is_shown() -> None:
    assert last_meaningful_line(ABORTED).endswith("ggml-cuda.cu:98: CUDA error")


def test_with_nothing_said_the_fatal_line_is_shown() -> None:
    assert last_meaningful_line('Fatal Python error: Segmentation fault\n\n  File "x", line 1 in f\n') == (
        "Fatal Python error: Segmentation fault"
    )


def test_a_traceback_ends_with_its_error() -> None:
    traceback = 'Traceback (most recent call last):\n  File "x.py", line 1, in f\n    g()\nValueError: no\n'
    assert last_meaningful_line(traceback) == "ValueError: no"


def test_silence_is_silence() -> None:
    assert last_meaningful_line("\n \n") == ""
    assert Death(7, "", False).detail == "exit code 7"


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_exits_in_words() -> None:
    assert describe_exit(-signal.SIGSEGV) == "SIGSEGV"
    assert describe_exit(-signal.SIGKILL) == "killed by the system, SIGKILL"
    assert describe_exit(-200) == "signal 200"
    assert describe_exit(0xC0000005) == "status 0xC0000005"


@pytest.mark.parametrize(
    "line",
    [
        "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 9 MiB on device 0: cudaMalloc failed: out of memory",
        "ggml_gallocr_reserve_n: failed to allocate CUDA0 buffer of size 123",
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB",
        "ggml_aligned_malloc: insufficient memory (attempted to allocate 320.00 MB)",
        "/llama.cpp/ggml/src/ggml.c:1644: GGML_ASSERT(ctx->mem_buffer != NULL) failed",
    ],
)
def test_lack_of_memory_is_read_from_the_output(line: str) -> None:
    error = Death(-6, f"{line}\nFatal Python error: Aborted\n", False).error("loading the model")
    assert isinstance(error, OutOfMemory)
    assert "loading the model" in error.message


def test_an_ordinary_crash_is_none() -> None:
    error = Death(-6, ABORTED, False).error("loading the model")
    assert isinstance(error, EngineDied)
    assert "SIGABRT" in error.message
    assert "CUDA error" in error.message


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_the_kernels_own_kills_count_as_lack_of_memory() -> None:
    assert isinstance(Death(-signal.SIGKILL, "", True).error("x"), OutOfMemory)
    assert isinstance(Death(-signal.SIGKILL, "", False).error("x"), EngineDied)
    assert isinstance(Death(7, "", True).error("x"), EngineDied)


def test_the_tail_is_bounded_and_starts_behind_the_last_mark(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("old news\n" + "x" * 2 * TAIL_BYTES + "end")
    assert len(read_tail(log)) == TAIL_BYTES
    assert read_tail(log).endswith("end")
    log.write_text("old: out of memory\n-- LoadModel begins\nmiddle\n-- LoadModel ends\nnew\n")
    assert read_tail(log) == "new\n"
    log.write_text("-- Generate begins\n")
    assert read_tail(log) == ""
    assert read_tail(tmp_path / "none") == ""


def test_memory_kills_are_summed_over_what_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vmstat").write_text("oom_kill_other 9\noom_kill 2\n")
    (tmp_path / "events").write_text("oom 4\noom_kill 3\n")
    monkeypatch.setattr(post_mortem, "_VMSTAT", tmp_path / "vmstat")
    monkeypatch.setattr(post_mortem, "_CGROUP_EVENTS", tmp_path / "events")
    assert count_memory_kills() == 5
    monkeypatch.setattr(post_mortem, "_CGROUP_EVENTS", tmp_path / "none")
    assert count_memory_kills() == 2

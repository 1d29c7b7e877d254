"""Sizes of buffers, as llama.cpp and mtmd log them, and as the backend tells them."""

from __future__ import annotations

import pytest

from desktopapp.engine.backends.llama_cpp import LlamaCppBackend
from desktopapp.engine.backends.llama_cpp.buffer_sizes import is_buffer_line, read_buffer_sizes, sum_up
from desktopapp.engine.price_events import MemoryParts
from desktopapp.modelstore.model import ModelFiles
from tests.llama_cpp_runs import ask, inside, load, run
from tests.pictures import NoisePicture

MIB = 1 << 20
# As a build with CUDA logs them.
LINES = (
    "load_tensors: offloaded 37/37 layers to GPU",
    "load_tensors:   CPU_Mapped model buffer size =   304.28 MiB",
    "load_tensors:        CUDA0 model buffer size =  2000.00 MiB",
    "load_tensors:        CUDA1 model buffer size =   500.00 MiB",
    "clip_ctx: CLIP using CUDA0 backend",
    "load_hparams: model size:         811.50 MiB",
    "load_hparams: metadata size:      0.10 MiB",
    "llama_context:  CUDA_Host  output buffer size =     0.58 MiB",
    "llama_kv_cache:      CUDA0 KV buffer size =  1152.00 MiB",
    "sched_reserve:      CUDA0 compute buffer size =   301.75 MiB",
    "sched_reserve:  CUDA_Host compute buffer size =    37.01 MiB",
    "sched_reserve:      CUDA0 compute buffer size =   310.00 MiB",
    "reserve_compute_meta:      CUDA0 compute buffer size =    58.00 MiB",
    "reserve_compute_meta:        CPU compute buffer size =     3.00 MiB",
    "~llama_context:      CUDA0 compute buffer size is 310.0000 MiB, matches expectation of 310.0000 MiB",
)


def test_lines_are_read() -> None:
    sizes = read_buffer_sizes(LINES)
    assert {use: size / MIB for use, size in sum_up(sizes, on_gpu=True).items()} == pytest.approx(
        {"weights": 2500.0, "vision": 811.5, "kv_cache": 1152.0, "compute": 310.0, "vision_compute": 58.0}
    )
    assert {use: size / MIB for use, size in sum_up(sizes, on_gpu=False).items()} == pytest.approx(
        {"weights": 304.28, "compute": 0.58 + 37.01, "vision_compute": 3.0}, abs=1e-5
    )


def test_other_lines_are_not_kept() -> None:
    assert [line for line in LINES if not is_buffer_line(line)] == [LINES[0], LINES[6], LINES[14]]


def test_the_backend_tells_what_llama_cpp_told(random_gguf: ModelFiles) -> None:
    backend = load(random_gguf)
    files_bytes = sum(path.stat().st_size for path in (random_gguf.path, random_gguf.projector) if path)
    parts = backend.memory_parts()
    # The files hold some text beside the weights.
    assert 0.9 * files_bytes < parts.weights_bytes < files_bytes + MIB
    assert parts.kv_cache_bytes == inside(backend).context.cells * 4 * 2 * 128 * 4
    assert parts.workspace_bytes > 0
    assert parts.vision_bytes == 0
    backend.unload()
    assert backend.memory_parts() == MemoryParts()


def test_the_vision_tower_s_buffers_grow_with_the_largest_picture(random_gguf: ModelFiles) -> None:
    backend = load(random_gguf)
    sizes = []
    for side in (256, 512, 256):
        run(backend, ask(NoisePicture(side, side, side), "?"), 1)
        sizes.append(backend.memory_parts().vision_bytes)
    assert sizes[0] > 0
    assert sizes[1] == pytest.approx(4 * sizes[0])
    assert sizes[2] == sizes[1]
    backend.unload()


def test_conversations_set_aside_count(backend: LlamaCppBackend) -> None:
    run(backend, ask("x" * 400))
    before = backend.memory_parts().workspace_bytes
    run(backend, ask("y" * 400))
    assert backend.memory_parts().workspace_bytes - before == inside(backend).saved.size_bytes > 0

"""Compile the transformers backend's kernels for cards that are not here, at the 4B model's shape.

Run: `PYTHONPATH=. python tests/benchmarks/bench_kernel_targets.py [--cards 75 86 89 120] [--kv-types int8 ...]`, a minute a card.
Needs no GPU: Triton brings NVIDIA's assembler. Exits with 1 where a kernel does not compile, needs more shared memory than
one program of that card may have, or does its products without tensor cores, which from Ampere on it should not.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

# Read when Triton is first imported.
os.environ["TRITON_INTERPRET"] = "0"

import torch

try:
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.runtime import driver
    from triton.runtime.jit import JITFunction
except ImportError:
    triton = None

# KiB of shared memory that one program may have. Source: CUDA C++ Programming Guide, "Technical Specifications per
# Compute Capability".
SHARED_KIB = {75: 64, 80: 163, 86: 99, 89: 99, 90: 227, 120: 99}
# Triton's oldest; before it, prompts go through plain torch.
TENSOR_CORES_FROM = 80
KV_TYPES = ("16bit", "int8", "fp8_e4m3", "fp8_e5m2", "int4")
KV_HEADS, HEADS, HEAD_DIM, HIDDEN, FEED_FORWARD = 8, 32, 128, 2560, 9728
CHUNK = 128


class OtherCard:
    """Stands in for Triton's driver: a card that kernels are compiled for."""

    def __init__(self, capability: int) -> None:
        self._target = GPUTarget("cuda", capability, 32)

    def get_current_device(self) -> int:
        return int(self._target.arch)

    def get_current_stream(self, device: int) -> int:
        return 0

    def get_current_target(self) -> Any:
        return self._target

    def get_active_torch_device(self) -> torch.device:
        return torch.device("cpu")


class Compilation:
    """Compiles what would be launched, and keeps what is wrong with it.

    Args:
        capability: of the card, 10 * major + minor.
    """

    def __init__(self, capability: int) -> None:
        self.capability = capability
        self.faults: list[str] = []
        self.largest_bytes = 0
        self._run: Callable[..., Any] = JITFunction.run
        self._seen: set[str] = set()

    def launch(self, function: Any, *arguments: Any, grid: Any, warmup: bool, **constants: Any) -> None:
        """Takes the place of `JITFunction.run`."""
        name = function.fn.__name__
        try:
            kernel = self._run(function, *arguments, grid=grid, warmup=True, **constants)
        except Exception as error:  # noqa: BLE001 - whatever the compiler finds wrong
            self.faults.append(f"{name} does not compile: {(str(error).splitlines() or [''])[-1]}")
            return
        shared = kernel.metadata.shared
        self.largest_bytes = max(self.largest_bytes, shared)
        if shared > SHARED_KIB[self.capability] * 1024:
            self.faults.append(f"{name} needs {shared} bytes of shared memory")
        has_tensor_cores = "mma" in kernel.asm["ptx"]
        if name == "attention_kernel" and not has_tensor_cores and self.capability >= TENSOR_CORES_FROM:
            self.faults.append(f"{name} uses no tensor cores")


def launch_all(kv_type: str, dtype: torch.dtype) -> None:
    """Launch every kernel once, as prompts and single tokens do."""
    from desktopapp.engine.backends.transformers.kernels.gemv import gemv
    from desktopapp.engine.backends.transformers.kernels.token_ops import TritonOps
    from desktopapp.engine.backends.transformers.kv_cache import KvCache
    from desktopapp.engine.backends.transformers.kv_cache.kernels import chunk_attention, launch

    def zeros(*shape: int) -> torch.Tensor:
        return torch.zeros(*shape, dtype=dtype)

    cpu = torch.device("cpu")
    cache = KvCache(1, KV_HEADS, HEAD_DIM, kv_type, cpu, dtype, max_tokens=2048, block_tokens=1024)
    layer, weight, rows = cache.layers[0], zeros(HEAD_DIM), zeros(HEADS, CHUNK, HEAD_DIM)
    launch.append(layer, zeros(1, KV_HEADS, 1024, HEAD_DIM), zeros(1, KV_HEADS, 1024, HEAD_DIM))
    projected = zeros(HEADS + 2 * KV_HEADS, HEAD_DIM)
    query = launch.norm_rotate_append_step(layer, projected, weight, weight, 1e-6, weight, weight)
    launch.attend_step(query, layer, 1.0, is_rotated=True)
    launch.attend_blocks(rows, layer, 1.0, chunk_attention.chunk_tiles(rows, layer))
    chunk_attention.attend_runs(rows, layer, 1.0)
    ops, hidden = TritonOps(), zeros(CHUNK, HIDDEN)
    ops.add_rms_norm(hidden, hidden, zeros(HIDDEN), 1e-6)
    turns = torch.zeros(CHUNK, HEAD_DIM // 2)
    ops.norm_rope(rows.transpose(0, 1), weight, 1e-6, (turns, turns))
    ops.swiglu(zeros(CHUNK, FEED_FORWARD), zeros(CHUNK, FEED_FORWARD))
    gate_up, inner = zeros(2 * FEED_FORWARD, HIDDEN), zeros(FEED_FORWARD)
    gemv(gate_up, hidden[0], inner, norm=zeros(HIDDEN), epsilon=1e-6, gated=True)
    gemv(gate_up.view(HIDDEN, -1)[:, :FEED_FORWARD].contiguous(), inner, hidden[0], adds=True)


def compile_for(capability: int, kv_types: list[str]) -> bool:
    """Print a row for each KV type; whether all is well."""
    driver.set_active(OtherCard(capability))
    is_good = True
    for kv_type in kv_types:
        compilation = compile_all(capability, kv_type)
        found = "; ".join(dict.fromkeys(compilation.faults)) or "compiles"
        print(f"| {capability} | {kv_type} | {compilation.largest_bytes / 1024:.1f} | {found} |", flush=True)
        is_good &= not compilation.faults
    return is_good


def compile_all(capability: int, kv_type: str) -> Compilation:
    """Compile every kernel as it would be launched over a cache of one KV type."""
    from desktopapp.engine.backends.transformers.kv_cache.kernels import chunk_attention, launch

    compilation = Compilation(capability)

    def run(function: Any, *arguments: Any, **options: Any) -> None:
        compilation.launch(function, *arguments, **options)

    with ExitStack() as patches:
        for module in (launch, chunk_attention):
            patches.enter_context(patch.object(module, "runs_on_card", lambda device: True))
        patches.enter_context(patch.object(chunk_attention, "attend_library", _library_result))
        patches.enter_context(patch.object(JITFunction, "run", run))
        launch_all(kv_type, torch.bfloat16 if capability >= 80 else torch.float16)
    return compilation


def _library_result(query: torch.Tensor, *rest: Any, **options: Any) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.empty_like(query), torch.empty(query.shape[:2])


def main() -> int:
    """Print the table; 1 if something is wrong with a kernel."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cards", nargs="+", type=int, choices=SHARED_KIB, default=[86, 120])
    parser.add_argument("--kv-types", nargs="+", choices=KV_TYPES, default=KV_TYPES)
    options = parser.parse_args()
    if triton is None or platform.system() != "Linux":
        print("left out: Triton is not installed here")
        return 0
    print("| card | KV type | shared KiB at most | |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TRITON_CACHE_DIR"] = folder
        good = [compile_for(card, list(options.kv_types)) for card in options.cards]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())

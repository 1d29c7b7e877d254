"""Triton in the frozen full flavour, as far as it can be seen without a card: sources, compiler, the driver's C part."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.built_programs import HERE, ROOT, Program, environment

KERNELS = """
import importlib, inspect, pkgutil
from triton.runtime.jit import JITFunction
backends = "desktopapp.engine.backends.transformers"
found = set()
for package in (f"{backends}.kernels", f"{backends}.kv_cache.kernels"):
    for info in pkgutil.iter_modules(importlib.import_module(package).__path__):
        module = importlib.import_module(f"{package}.{info.name}")
        functions = [value for value in vars(module).values() if isinstance(value, JITFunction)]
        found |= {f"{function.fn.__module__}.{function.fn.__name__}" for function in functions if "def " in inspect.getsource(function.fn)}
print("kernels:", *sorted(found))
"""
DRIVER = """
import os
from desktopapp.engine.backends.transformers.packaged_triton import prepare_triton
prepare_triton()
from triton import knobs
print("driver:", knobs.build.impl("cuda_utils", "", "", [], [], []))
print("cache:", os.environ["TRITON_CACHE_DIR"])
"""


@pytest.fixture(scope="module")
def with_triton(program: Program) -> Program:
    if not program.has("triton"):
        pytest.skip("Triton comes with torch's build for NVIDIA only")
    return program


def run_inside(program: Program, home: Path, code: str, timeout_s: float = 280) -> str:
    """What code prints that runs in a child process of the frozen program's, with its modules."""
    command = [sys.executable, str(HERE / "run_inside.py"), str(program.executable)]
    done = subprocess.run(
        command,
        input=code,
        env=environment(home),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_kernel_has_its_source(with_triton: Program, home: Path) -> None:
    words = run_inside(with_triton, home, KERNELS).split()
    folders = (ROOT / "desktopapp/engine/backends/transformers").rglob("kernels/*.py")
    written = sum(file.read_text(encoding="utf-8").count("\n@jit\n") for file in folders)
    assert words[0] == "kernels:"
    assert len(words) - 1 == written > 0


def test_the_driver_comes_compiled(with_triton: Program, home: Path) -> None:
    printed = run_inside(with_triton, home, DRIVER)
    library = Path(printed.partition("driver: ")[2].splitlines()[0])
    assert with_triton.folder in library.parents
    assert b"PyInit_cuda_utils" in library.read_bytes()
    assert f"cache: {home}" in printed


def test_kernels_compile_for_a_card_that_is_not_here(with_triton: Program, home: Path) -> None:
    script = ROOT / "tests" / "benchmarks" / "bench_kernel_targets.py"
    arguments = "import sys; sys.argv = ['x', '--cards', '86', '--kv-types', 'int8']\n"
    code = f"{arguments}exec(compile({script.read_text(encoding='utf-8')!r}, 'bench', 'exec'), {{'__name__': '__main__'}})"
    assert "| 86 | int8 |" in run_inside(with_triton, home, code)

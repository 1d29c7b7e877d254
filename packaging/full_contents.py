"""What the full flavour holds of torch, transformers and Triton, and how large torch is by itself."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

# Of transformers' five hundred: Qwen3-VL with and without experts, its tokenizer and picture reader, and what finds them.
_MODELS = ("auto", "encoder_decoder", "qwen2", "qwen2_vl", "qwen3_vl", "qwen3_vl_moe")
_NEVER = ("transformers.cli", "tensorboard")
_HIDDEN = (
    "desktopapp.engine.backends.transformers.backend",
    *(f"transformers.models.{name}" for name in _MODELS),
)
_METADATA = ("torch", "transformers", "accelerate", "safetensors", "tokenizers", "regex", "tqdm")
# Triton compiles from sources, and torch reads its own for scripted functions (PyInstaller's own hook sees to that one).
SOURCES = {
    "desktopapp.engine.backends.transformers.kernels": "pyz+py",
    "desktopapp.engine.backends.transformers.kv_cache.kernels": "pyz+py",
}
UNWANTED = (
    # For compiling against torch.
    "*.h",
    "*.hpp",
    "*.cuh",
    "*.a",
    "*.lib",
    "*.cmake",
    "*.pyi",
    # Torch's tests.
    "torch/test/*",
    "torch/bin/*test*",
    "torch/bin/*Test",
    "torch/bin/protoc*",
    "torch/lib/libaoti_custom_ops.*",
    "torch/lib/libbackend_with_compiler.*",
    "torch/lib/libjitbackend_test.*",
    "torch/lib/libtorchbind_test.*",
    # Triton's profilers and instruments, its disassemblers, and what is for AMD: torch is the one for NVIDIA.
    "triton/FileCheck",
    "triton/_C/libproton.*",
    "triton/plugins/*",
    "triton/instrumentation/*",
    "triton/backends/amd/lib/*",
    "triton/backends/nvidia/lib/cupti/*",
    "triton/backends/nvidia/bin/cuobjdump*",
    "triton/backends/nvidia/bin/nvdisasm*",
    # NVIDIA's: several machines, several cards for one matrix, profiling, drop-in replacements, older calling forms.
    "nvidia/nvshmem/lib/nvshmem_*",
    "nvidia/*/lib/libcusolverMg.*",
    "nvidia/*/lib/libnvperf_*",
    "nvidia/*/lib/libpcsamplingutil.*",
    "nvidia/*/lib/libcheckpoint.*",
    "nvidia/*/lib/libcufile_rdma.*",
    "nvidia/*/lib/libnvblas.*",
    "nvidia/*/lib/libcufftw.*",
    "nvidia/*/lib/*.alt.so*",
)


def uses_triton() -> bool:
    """Whether the torch that is installed brings Triton: those for NVIDIA on Linux do."""
    return "triton" in {name for name, _ in _required("torch", frozenset())}


def excluded_modules() -> list[str]:
    """Modules that must not be followed, those of transformers' other models among them."""
    return [*_NEVER, *_other_models(), *(() if uses_triton() else ("triton",))]


def hidden_imports() -> list[str]:
    """Modules that PyInstaller cannot see being imported."""
    folder = _folder_of("transformers") / "models"
    parts = [
        f"transformers.models.{path.parent.name}.{path.stem}"
        for name in _MODELS
        for path in sorted((folder / name).glob("*.py"))
        if path.stem != "__init__" and not path.stem.startswith(("convert_", "modular_"))
    ]
    return [*_HIDDEN, *parts]


def nvidia_libraries() -> list[tuple[Path, str]]:
    """NVIDIA's libraries that came with torch, each with its folder in the bundle; torch opens some by name only."""
    parent = _folder_of("torch").parent
    libraries = sorted(parent.glob("nvidia/*/lib/lib*.so*")) if uses_triton() else []
    return [(path, path.parent.relative_to(parent).as_posix()) for path in libraries]


def metadata_packages() -> list[str]:
    """Packages whose versions or entry points are read at run time."""
    return [*_METADATA, *(("triton",) if uses_triton() else ())]


def _other_models() -> list[str]:
    """All modules of the models that are not needed, but not their packages: transformers looks into each for a tokenizer."""
    files = sorted((_folder_of("transformers") / "models").glob("*/*.py"))
    return [
        f"transformers.models.{path.parent.name}.{path.stem}"
        for path in files
        if path.parent.name not in _MODELS and path.stem != "__init__"
    ]


def _folder_of(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed")
    return Path(found.origin).parent


def installed_bytes(name: str) -> int:
    """What a package and all that it requires take as pip installs them, without compiled Python.

    Args:
        name: of the package.

    Raises:
        importlib.metadata.PackageNotFoundError: it, or something that it requires, is not installed.
    """
    todo, seen, sizes = [(name, frozenset[str]())], set[tuple[str, frozenset[str]]](), dict[str, int]()
    while todo:
        wanted = todo.pop()
        if wanted not in seen:
            seen.add(wanted)
            sizes[wanted[0]] = _own_bytes(wanted[0])
            todo += _required(*wanted)
    return sum(sizes.values())


def _own_bytes(name: str) -> int:
    files = importlib.metadata.files(name) or ()
    paths = [Path(str(file.locate())) for file in files if file.suffix != ".pyc"]
    return sum(path.stat().st_size for path in paths if path.is_file())


def _required(name: str, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """What a package requires on this machine, each with the extras that are asked of it."""
    for text in importlib.metadata.requires(name) or ():
        requirement = Requirement(text)
        wishes = [{"extra": extra} for extra in ("", *extras)]
        if requirement.marker is None or any(requirement.marker.evaluate(wish) for wish in wishes):
            yield _canonical(requirement.name), frozenset(requirement.extras)


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

"""What `doctor` looks at. No heavy library is imported: versions and builds are read from their files."""

from __future__ import annotations

import ctypes
import importlib.metadata
import importlib.util
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from desktopapp import __version__, paths
from desktopapp.engine.memory.probe import GpuFacts, read_gpu
from desktopapp.engine.memory.probe.vulkan import VulkanAbsent, read_vulkan_devices
from desktopapp.modelstore.model import InstalledModel, WeightFormat
from desktopapp.modelstore.store import find_models, is_usable
from desktopapp.settings import load_settings

OLDEST_PYTHON = (3, 11)
PACKAGES = (
    "pyside6-essentials",
    "torch",
    "transformers",
    "llama-cpp-python",
    "pillow",
    "pillow-heif",
    "opencv-python-headless",
    "numpy",
    "safetensors",
    "jinja2",
    "msgspec",
)
BROKEN_PYSIDE = "6.12.0"  # see docs/decisions.md
LOW_DISK_BYTES = 10**9
_OPTIONAL = {"pillow-heif", "opencv-python-headless"}
_SET_UP = "Run `make run` in the program's folder: it installs what is missing."
_INSTALL_AGAIN = "Install the program again: a part of it is gone."
# What the lite program does without.
_FULL_ONLY = {"torch", "transformers", "safetensors"}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to mend.

    Args:
        message: what is wrong.
        remedy: what to do.
        stops_answers: without this no answer comes at all.
    """

    message: str
    remedy: str
    stops_answers: bool = False


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that was found.

    Args:
        program: version of this program.
        python: version.
        system: operating system and processor.
        packages: version by package; None where it is missing.
        gpu: that answers would run on, or None.
        builds: what each backend was built for, as `CUDA 13.0` or `CPU only`; None where it is not installed.
        vulkan: what a Vulkan build of llama.cpp runs on, in words; empty for other builds.
        free_memory_bytes: of system memory.
        total_memory_bytes: likewise.
        free_disk_bytes: on the disk of the per-user folder.
        user_folder: the per-user folder.
        models: that are here.
        findings: what to mend, the worst first.
    """

    program: str
    python: str
    system: str
    packages: dict[str, str | None]
    gpu: GpuFacts | None
    builds: dict[str, str | None]
    vulkan: str
    free_memory_bytes: int
    total_memory_bytes: int
    free_disk_bytes: int
    user_folder: str
    models: tuple[InstalledModel, ...]
    findings: tuple[Finding, ...]

    @property
    def can_answer(self) -> bool:
        """Whether an answer about a picture can come."""
        return not any(finding.stops_answers for finding in self.findings)


def diagnose() -> Diagnosis:
    """Look at everything; takes well under a second and changes nothing."""
    packages = {name: installed_version(name) for name in PACKAGES}
    gpu = read_gpu()
    builds = {"transformers": torch_build(), "llama.cpp": llama_build()}
    models = tuple(find_models())
    memory = psutil.virtual_memory()
    free_disk_bytes = paths.free_bytes_for(paths.user_dir())
    findings = [
        *python_findings(sys.version_info[:2]),
        *package_findings(packages),
        *backend_findings(builds, gpu, has_driver=_has_driver()),
        *model_findings(models, builds),
        *(Finding(problem, "") for problem in load_settings().problems),
    ]
    if free_disk_bytes < LOW_DISK_BYTES:
        findings.append(
            Finding("Less than 1 GB of disk is free.", "Make room, or conversations are not kept.")
        )
    return Diagnosis(
        program=__version__,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        packages=packages,
        gpu=gpu,
        builds=builds,
        vulkan=vulkan_words() if builds["llama.cpp"] == "Vulkan" else "",
        free_memory_bytes=memory.available,
        total_memory_bytes=memory.total,
        free_disk_bytes=free_disk_bytes,
        user_folder=str(paths.user_dir()),
        models=models,
        findings=tuple(sorted(findings, key=lambda finding: not finding.stops_answers)),
    )


def installed_version(package: str) -> str | None:
    """Version of an installed package, from its metadata."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def torch_build() -> str | None:
    """What the installed torch was built for, read from the file that says so."""
    folder = _package_folder("torch")
    if folder is None:
        return None
    try:
        text = (folder / "version.py").read_text(encoding="utf-8")
    except OSError:
        return "unknown"
    cuda = re.search(r"^cuda[^=\n]*=\s*['\"]([^'\"]+)", text, re.MULTILINE)
    return f"CUDA {cuda[1]}" if cuda else "CPU only"


def llama_build() -> str | None:
    """What the installed llama.cpp was built for, by the libraries that it came with."""
    folder = _package_folder("llama_cpp")
    if folder is None:
        return None
    names = [path.name for path in (folder / "lib").glob("*ggml-*")]
    for part, words in (("cuda", "CUDA"), ("hip", "ROCm"), ("metal", "Metal"), ("vulkan", "Vulkan")):
        if any(f"ggml-{part}" in name for name in names):
            return words
    return "CPU only"


def vulkan_words() -> str:
    """What a Vulkan build of llama.cpp finds to run on."""
    try:
        devices = read_vulkan_devices()
    except VulkanAbsent as error:
        return f"no GPU ({error}); the CPU answers"
    gpus = [f"{device.name} ({device.kind})" for device in devices if device.is_gpu]
    return ", ".join(gpus) or f"no GPU ({devices[0].name} only); the CPU answers"


def python_findings(version: tuple[int, ...]) -> list[Finding]:
    """What is wrong with this Python."""
    if version >= OLDEST_PYTHON:
        return []
    wanted = ".".join(map(str, OLDEST_PYTHON))
    message = f"Python {'.'.join(map(str, version))} is too old."
    return [Finding(message, f"Install Python {wanted} or newer.", stops_answers=True)]


def package_findings(packages: dict[str, str | None]) -> list[Finding]:
    """Which packages are missing; the two backends are judged with the models."""
    backends = {"torch", "transformers", "llama-cpp-python"}
    findings = []
    if packages["pyside6-essentials"] == BROKEN_PYSIDE and sys.version_info < (3, 12):
        message = f"PySide6 {BROKEN_PYSIDE} ends Python before 3.12 after some thousand calls."
        findings.append(
            Finding(message, "Run `make run` in the program's folder: it installs another version.")
        )
    return findings + [
        Finding(f"The package {name} is missing.", _remedy(), stops_answers=name not in _OPTIONAL)
        for name, version in packages.items()
        if version is None and name not in backends and not _is_left_out(name)
    ]


def backend_findings(
    builds: dict[str, str | None], gpu: GpuFacts | None, *, has_driver: bool
) -> list[Finding]:
    """Backends that are missing, cannot load, or leave the GPU unused."""
    findings = [
        Finding(f"The {name} backend is not installed.", _remedy())
        for name, build in builds.items()
        if build is None and not _is_left_out(name)
    ]
    if builds["llama.cpp"] == "CUDA" and not has_driver:
        findings.append(
            Finding(
                "llama.cpp was built for CUDA and cannot load, since there is no NVIDIA driver.",
                _or_other_program("Install the driver, or build it for the CPU: LLAMA_CUDA=off make run"),
            )
        )
    if gpu is not None and builds["llama.cpp"] == "CPU only":
        findings.append(
            Finding(
                "llama.cpp was built for the CPU and leaves the GPU unused.",
                _or_other_program("Install the CUDA toolkit (nvcc), then run: LLAMA_CUDA=on make run"),
            )
        )
    if gpu is not None and builds["transformers"] == "CPU only":
        findings.append(
            Finding(
                "torch was built for the CPU, so the transformers backend leaves the GPU unused.",
                _or_other_program("Install a CUDA build of the same torch version into .venv."),
            )
        )
    return findings


def model_findings(models: tuple[InstalledModel, ...], builds: dict[str, str | None]) -> list[Finding]:
    """Models with something missing, and whether any can run at all."""
    findings = []
    for model in models:
        if model.problem:
            remedy = "Choose a Qwen3-VL model with its vision part, or remove this one."
            findings.append(Finding(f"“{model.name}” cannot be used: {model.problem}.", remedy))
        elif not is_usable(model):
            missing = ", ".join(dict.fromkeys(word for files in model.files for word in files.missing))
            message = f"“{model.name}” is not complete: {missing} is missing."
            findings.append(Finding(message, "Download what is missing into the model's folder."))
    backends = {WeightFormat.SAFETENSORS: "transformers", WeightFormat.GGUF: "llama.cpp"}
    if not any(
        not model.problem and not files.missing and builds[backends[files.format]]
        for model in models
        for files in model.files
    ):
        remedy = (
            f"Put a Qwen3-VL folder, or its GGUF file with the mmproj file, into {paths.model_dirs()[-1]}."
        )
        findings.append(Finding("No model can run here.", remedy, stops_answers=True))
    return findings


def _remedy() -> str:
    return _INSTALL_AGAIN if paths.is_packaged() else _SET_UP


def _is_left_out(name: str) -> bool:
    """Whether a package's absence is how this program was made: the lite one has no torch."""
    return paths.is_packaged() and name in _FULL_ONLY and _package_folder("torch") is None


def _or_other_program(remedy: str) -> str:
    return "Install the program's variant for this GPU; see its page." if paths.is_packaged() else remedy


def _package_folder(module: str) -> Path | None:
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _has_driver() -> bool:
    name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True

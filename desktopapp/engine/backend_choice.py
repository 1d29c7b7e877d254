"""Which backend runs a model: what its files allow, and where both could, what the GPU holds."""

from __future__ import annotations

from desktopapp.engine.memory.machine import installed_gpu_backends
from desktopapp.engine.memory.probe import GpuFacts
from desktopapp.engine.request import BackendChoice
from desktopapp.errors import (
    BackendUnavailable,
    ModelDamaged,
    ModelError,
    ModelIncomplete,
    ModelUnsupported,
    ProjectorMissing,
)
from desktopapp.modelstore.gguf_folder import PROJECTOR_WORDS
from desktopapp.modelstore.model import InstalledModel, ModelFiles, WeightFormat

# Beside the weights: the CUDA context, the vision tower's peak, a KV cache for a few thousand tokens.
HEADROOM_BYTES = 3 * 2**29

BACKENDS = {
    WeightFormat.SAFETENSORS: BackendChoice.TRANSFORMERS,
    WeightFormat.GGUF: BackendChoice.LLAMA_CPP,
}
"""What reads each format."""

_FORMATS = {backend: weight_format for weight_format, backend in BACKENDS.items()}
_FORMAT_NAMES = {WeightFormat.SAFETENSORS: "safetensors", WeightFormat.GGUF: "GGUF"}


def choose_backend(
    model: InstalledModel,
    wanted: BackendChoice,
    gpu: GpuFacts | None,
    gpu_backends: frozenset[BackendChoice] | None = None,
) -> tuple[BackendChoice, ModelFiles, str]:
    """Decide how a model runs.

    Args:
        model: from the store.
        wanted: by the person; `AUTO` decides here.
        gpu: the GPU that would be used, its free memory as it is without another model; None without one.
        gpu_backends: those whose installed libraries use it; None looks.

    Returns:
        The backend, the files it loads, and why, in one sentence.

    Raises:
        ModelUnsupported: the store found that the model cannot be used at all.
        BackendUnavailable: the wanted backend does not read the formats that are here.
        ProjectorMissing: only a GGUF without its mmproj could be used.
        ModelDamaged: a file cannot be read.
        ModelIncomplete: files are missing.
    """
    if model.problem:
        raise ModelUnsupported(name=model.name, reason=model.problem)
    if wanted is BackendChoice.FAKE:
        return wanted, model.files[0], "The fake backend was named."
    if wanted is not BackendChoice.AUTO:
        return wanted, _files_for(model, wanted), f"The {wanted} backend was asked for."
    ready = {choice: files for choice in _FORMATS if (files := _complete(model, choice)) is not None}
    if not ready:
        raise _incomplete(model, model.files)
    if len(ready) == 1:
        ((only, files),) = ready.items()
        return only, files, f"Only {_FORMAT_NAMES[files.format]} files of this model are complete here."
    users = installed_gpu_backends() if gpu_backends is None else gpu_backends
    fits, reason = _gpu_holds(ready[BackendChoice.TRANSFORMERS], gpu, users)
    chosen = BackendChoice.TRANSFORMERS if fits else BackendChoice.LLAMA_CPP
    return chosen, ready[chosen], reason


def _gpu_holds(
    files: ModelFiles, gpu: GpuFacts | None, gpu_backends: frozenset[BackendChoice]
) -> tuple[bool, str]:
    if gpu is None:
        return False, "No NVIDIA GPU was found, so the GGUF file runs in llama.cpp."
    if BackendChoice.TRANSFORMERS not in gpu_backends:
        return False, "The installed torch has no CUDA, so the GGUF file runs in llama.cpp."
    needed_bytes = sixteen_bit_bytes(files) + HEADROOM_BYTES
    if gpu.free_bytes < needed_bytes:
        holds_8_bits = eight_bit_bytes(files) + HEADROOM_BYTES <= gpu.free_bytes
        if holds_8_bits and BackendChoice.LLAMA_CPP not in gpu_backends:
            return True, f"{gpu.name} holds the weights in 8 bits, and the installed llama.cpp cannot use it."
        return False, (
            f"The 16-bit weights need {_gib(needed_bytes)} and {gpu.name} has {_gib(gpu.free_bytes)} free, "
            "so the GGUF file runs in llama.cpp."
        )
    return True, f"{gpu.name} holds the 16-bit weights."


def sixteen_bit_bytes(files: ModelFiles) -> int:
    """Size of the weights when they are loaded at 16 bit."""
    return files.size_bytes // 2 if files.precision == "F32" else files.size_bytes


def eight_bit_bytes(files: ModelFiles) -> int:
    """Size of the weights when the language model's matrices are loaded in 8 bits; of 2B, where most else is left."""
    return sixteen_bit_bytes(files) * 2 // 3


def _files_for(model: InstalledModel, wanted: BackendChoice) -> ModelFiles:
    complete = _complete(model, wanted)
    if complete is not None:
        return complete
    candidates = tuple(files for files in model.files if files.format is _FORMATS[wanted])
    if candidates:
        raise _incomplete(model, candidates)
    name = _FORMAT_NAMES[_FORMATS[wanted]]
    raise BackendUnavailable(backend=wanted, reason=f"there are no {name} files of it here")


def _complete(model: InstalledModel, choice: BackendChoice) -> ModelFiles | None:
    """The best complete files for a backend; the store lists the best first."""
    return next((f for f in model.files if f.format is _FORMATS[choice] and not f.missing), None)


def _incomplete(model: InstalledModel, candidates: tuple[ModelFiles, ...]) -> ModelError:
    if not candidates:
        return ModelIncomplete(name=model.name, missing="every weight file")
    # What lacks least is the one to mend.
    best = min(candidates, key=lambda files: len(files.missing))
    if best.damaged and len(best.missing) == 1:
        file, reason = best.damaged
        return ModelDamaged(file=file, reason=reason)
    if best.missing == (PROJECTOR_WORDS,):
        return ProjectorMissing(name=model.name)
    return ModelIncomplete(name=model.name, missing=", ".join(best.missing))


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / 2**30:.1f} GiB"

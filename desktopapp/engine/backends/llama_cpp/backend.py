"""The llama.cpp backend. Loads llama.cpp's libraries only when a model is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from desktopapp.engine.backend import (
    DEFAULT_RUN,
    Capabilities,
    GenerationStep,
    LoadedModel,
    LoadOptions,
    LoadProgress,
    RunOptions,
)
from desktopapp.engine.backends.llama_cpp.file_check import check_files
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.price_events import MemoryParts
from desktopapp.engine.prompt_parts import PromptPart
from desktopapp.engine.request import BackendChoice
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.errors import BackendUnavailable
from desktopapp.modelstore.model import ModelFiles

if TYPE_CHECKING:
    from desktopapp.engine.backends.llama_cpp.loaded import LoadedGguf

# That of a slow disk, until one load was measured.
_LOAD_BYTES_PER_S = 20e6


class LlamaCppBackend:
    """Runs GGUF files with their mmproj through llama.cpp's C interface.

    The KV cache begins small and grows when a conversation needs it. A prompt is evaluated from where it differs
    from the last one, or from one that was set aside when another conversation came. The first load in a process sends llama.cpp's log to the logger `desktopapp.engine.llama_cpp`.
    """

    name: str = BackendChoice.LLAMA_CPP.value
    capabilities = Capabilities(
        reuses_prefix=True,
        kv_types=("16bit", "q8_0", "q4_0"),
        chunk_tokens=(2048, 1024, 512, 256),
        cpu_chunk_tokens=(512, 256, 128),
        offloads_layers=True,
    )

    def __init__(self) -> None:
        self._loaded: LoadedGguf | None = None

    def load(
        self, files: ModelFiles, options: LoadOptions, steps: StepClock, progress: LoadProgress
    ) -> LoadedModel:
        """See `Backend.load`. An exception from `progress` ends the load."""
        self.unload()
        checked = check_files(files)
        with steps.step("load", checked.size_bytes, _LOAD_BYTES_PER_S):
            progress("import", 0.0)
            try:
                from desktopapp.engine.backends.llama_cpp.loaded import LoadedGguf
            except (ImportError, OSError, RuntimeError) as error:
                # The bindings raise these three where a shared library is missing or made for another machine.
                raise BackendUnavailable(backend=self.name, reason=f"{error}") from error
            precision = files.precision or checked.text.precision
            self._loaded = LoadedGguf(checked, precision, options, progress)
        return self._loaded.facts

    def unload(self) -> None:
        """See `Backend.unload`."""
        if self._loaded is not None:
            self._loaded.free()
            self._loaded = None

    def memory_parts(self) -> MemoryParts:
        """See `Backend.memory_parts`."""
        loaded = self._loaded
        return loaded.memory_parts() if loaded is not None else MemoryParts()

    def count_tokens(self, text: str) -> int:
        """See `TokenCounter`."""
        if self._loaded is None:
            raise RuntimeError("tokens were counted before a model was loaded")
        return len(self._loaded.weights.tokenize(text, parse_special=False))

    def generate(
        self,
        prompt: Sequence[PromptPart],
        sampling: SamplingParameters,
        max_new_tokens: int,
        cancel: CancelToken,
        steps: StepClock,
        options: RunOptions = DEFAULT_RUN,
    ) -> Iterator[GenerationStep]:
        """See `Backend.generate`."""
        if self._loaded is None:
            raise RuntimeError("generate was called without a loaded model")
        from desktopapp.engine.backends.llama_cpp.generation import generate

        return generate(self._loaded, prompt, sampling, max_new_tokens, cancel, steps, options)

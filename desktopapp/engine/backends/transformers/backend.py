"""The transformers backend. Imports torch only when a model is loaded."""

from __future__ import annotations

import os
import sys
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
from desktopapp.engine.backends.transformers.folder import open_folder
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.price_events import MemoryParts
from desktopapp.engine.prompt_parts import PromptPart
from desktopapp.engine.request import BackendChoice
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.errors import BackendUnavailable
from desktopapp.modelstore.model import ModelFiles

if TYPE_CHECKING:
    from desktopapp.engine.backends.transformers.loaded import LoadedNetwork

# Loading is counted in bytes read. Importing the libraries costs as much as reading this many; the rate is that
# of a slow disk.
_IMPORT_BYTES = 1_000_000_000
_LOAD_BYTES_PER_S = 3e7


class TransformersBackend:
    """Runs a Hugging Face folder with PyTorch, on a CUDA card where there is one, else on the processor."""

    name: str = BackendChoice.TRANSFORMERS.value
    capabilities = Capabilities(
        reuses_prefix=True,
        kv_types=("16bit", "int8", "fp8_e4m3", "fp8_e5m2", "int4"),
        chunk_tokens=(2048, 1024, 512, 256),
        cpu_chunk_tokens=(128, 64),
        loads_8bit=True,
    )

    def __init__(self) -> None:
        self._loaded: LoadedNetwork | None = None

    def load(
        self, files: ModelFiles, options: LoadOptions, steps: StepClock, progress: LoadProgress
    ) -> LoadedModel:
        """See `Backend.load`."""
        self.unload()
        folder = open_folder(files.path)
        with steps.step("load", folder.size_bytes + _IMPORT_BYTES, _LOAD_BYTES_PER_S):
            progress("import", 0.0)
            _forbid_network()
            _use_expandable_segments()
            try:
                from desktopapp.engine.backends.transformers.loader import load_network
            except ImportError as error:
                raise BackendUnavailable(backend=self.name, reason=f"{error}") from error
            self._loaded = load_network(folder, options, progress)
        return self._loaded.facts

    def unload(self) -> None:
        """See `Backend.unload`."""
        if self._loaded is None:
            return
        from desktopapp.engine.backends.transformers.memory import free_unused

        self._loaded = None
        free_unused()

    def memory_parts(self) -> MemoryParts:
        """See `Backend.memory_parts`."""
        loaded = self._loaded
        return loaded.ledger.parts() if loaded is not None else MemoryParts()

    def count_tokens(self, text: str) -> int:
        """See `TokenCounter`."""
        if self._loaded is None:
            raise RuntimeError("tokens were counted before a model was loaded")
        return len(self._loaded.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

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
            raise RuntimeError("generate before load")
        from desktopapp.engine.backends.transformers.generation import generate

        return generate(self._loaded, prompt, sampling, max_new_tokens, cancel, steps, options)


def _forbid_network() -> None:
    """Read by huggingface_hub when it is imported; every load is local anyway, this makes it certain."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


def _use_expandable_segments() -> None:
    """Read by torch when it is imported: freed pieces of its memory then serve blocks of any size, or go back.

    Not on Windows, where torch has none. What the person set stays.
    """
    if sys.platform != "win32" and "PYTORCH_CUDA_ALLOC_CONF" not in os.environ:
        os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")

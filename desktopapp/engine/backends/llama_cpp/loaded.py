"""A loaded model: weights, KV cache, and what the engine needs to know of them."""

from __future__ import annotations

import psutil

from desktopapp.engine.backend import LoadedModel, LoadOptions, LoadProgress
from desktopapp.engine.backends.llama_cpp.context import SMALLEST_CELLS, CacheShape, TextContext
from desktopapp.engine.backends.llama_cpp.devices import list_gpus, place, thread_count
from desktopapp.engine.backends.llama_cpp.file_check import CheckedFiles
from desktopapp.engine.backends.llama_cpp.peak_memory import PeakMemory
from desktopapp.engine.backends.llama_cpp.weights import Weights


class LoadedGguf:
    """One loaded model.

    Args:
        files: checked.
        precision: of the weights; of `F32` the KV cache is in 32 bits too, else in 16.
        options: how to load.
        progress: told about `weights` and `vision`; an exception ends the load.

    Attributes:
        weights: of the text model and the projector.
        context: the KV cache.
        peak: the most memory used.
        facts: for the engine.

    Raises:
        ModelError: a file is damaged in a way that its header does not show, or does not fit the other.
        BackendUnavailable: a GPU is wanted and there is none.
        OutOfMemory: it does not fit.
    """

    def __init__(
        self, files: CheckedFiles, precision: str, options: LoadOptions, progress: LoadProgress
    ) -> None:
        cell_bytes = files.cell_values * (4 if precision == "F32" else 2)
        needed_bytes = files.size_bytes + cell_bytes * SMALLEST_CELLS
        placement = place(options.device, list_gpus(), needed_bytes, files.text_count("block_count"))
        threads = thread_count()
        share = files.text_bytes / files.size_bytes
        self.weights = Weights(
            files,
            placement,
            threads,
            lambda fraction: progress("weights", fraction * share),
            lambda fraction: progress("vision", share + fraction * (1 - share)),
        )
        limit = _cell_limit(files, cell_bytes, options, on_cpu=not placement.uses_gpu)
        shape = CacheShape(cell_bytes, limit, not placement.uses_gpu, full_precision=precision == "F32")
        try:
            self.context = TextContext(self.weights, shape, threads)
        except BaseException:
            self.weights.free()
            raise
        self.peak = PeakMemory(on_gpu=placement.uses_gpu)
        self.facts = LoadedModel(
            chat_template=files.chat_template,
            precision=precision,
            device=placement.device,
            context_tokens=limit,
            pixel_budget=self.weights.pixel_budget,
            eos_text=self.weights.end_text,
        )

    def free(self) -> None:
        """Give all memory back."""
        self.context.free()
        self.weights.free()


def _cell_limit(files: CheckedFiles, cell_bytes: int, options: LoadOptions, *, on_cpu: bool) -> int:
    """As many cells as were asked for, or as memory holds now, within the model's limit."""
    model_limit = files.text_count("context_length")
    if options.context_tokens is not None:
        return min(model_limit, options.context_tokens)
    if not on_cpu:
        return model_limit
    return min(model_limit, max(SMALLEST_CELLS, psutil.virtual_memory().available // cell_bytes))

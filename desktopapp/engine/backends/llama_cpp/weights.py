"""The text model and the vision projector in memory."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import Any

import psutil

from desktopapp.engine.backends.llama_cpp.buffer_sizes import BufferSize
from desktopapp.engine.backends.llama_cpp.devices import Placement
from desktopapp.engine.backends.llama_cpp.failures import load_failure
from desktopapp.engine.backends.llama_cpp.file_check import CheckedFiles
from desktopapp.engine.backends.llama_cpp.library import llama, log, logger, mtmd
from desktopapp.engine.backends.llama_cpp.vision_stop import VisionStop
from desktopapp.engine.prompt_parts import PixelBudget
from desktopapp.errors import ModelDamaged

# llama.cpp's own copy of quantised weights, laid out for the CPU's instructions, may be as large as the file.
_REPACKING_FACTOR = 2.2
# mtmd counts pixels in 32-bit numbers.
_MOST_PIXELS = 1 << 28
_VISION_START = "<|vision_start|>"
_VISION_END = "<|vision_end|>"
_IMAGE_PAD = "<|image_pad|>"

FractionCallback = Callable[[float], None]


class Weights:
    """Both parts of a loaded model.

    Args:
        files: checked.
        placement: what goes to a GPU.
        threads: for the vision tower on the CPU.
        on_text: told about the fraction of the text model that is loaded; an exception ends the load.
        on_vision: likewise for the projector.

    Attributes:
        model: handle of llama.cpp.
        projector: handle of mtmd.
        vision_stop: ends the vision tower's work.
        vocabulary: handle of llama.cpp.
        image_tokens: ids of the tokens that open a picture, stand for its parts, and close it.
        pixel_budget: the model's own.
        buffers: that hold the weights.

    Raises:
        ModelDamaged: a file is malformed in a way that its header does not show.
        ProjectorMismatch: the projector does not fit.
        OutOfMemory: it does not fit into memory.
    """

    def __init__(
        self,
        files: CheckedFiles,
        placement: Placement,
        threads: int,
        on_text: FractionCallback,
        on_vision: FractionCallback,
    ) -> None:
        self._files = files
        self.model: Any = None
        self.projector: Any = None
        self.vision_stop = VisionStop(on_gpu=placement.vision_on_gpu)
        self.pixel_budget = _pixel_budget(files)
        self.buffers: tuple[BufferSize, ...] = ()
        try:
            self.model = self._load_text(placement, on_text)
            self.vocabulary = llama.llama_model_get_vocab(self.model)
            self.projector = self._load_projector(placement, threads, on_vision)
            self.image_tokens = self._image_tokens()
        except BaseException:
            self.free()
            raise

    def free(self) -> None:
        """Give the memory back. Contexts on these weights must be freed first."""
        if self.projector is not None:
            mtmd.mtmd_free(self.projector)
            self.projector = None
        if self.model is not None:
            llama.llama_model_free(self.model)
            self.model = None

    def tokenize(self, text: str, *, parse_special: bool) -> list[int]:
        """Token ids of a text, nothing added around it."""
        data = text.encode("utf-8", "replace")
        size = len(data) + 8
        tokens = (llama.llama_token * size)()
        count = llama.llama_tokenize(self.vocabulary, data, len(data), tokens, size, False, parse_special)
        return list(tokens[:count])

    def piece(self, token: int) -> bytes:
        """The bytes that a token stands for; a special token's text."""
        for size in (64, 4096):
            buffer = (ctypes.c_char * size)()
            count = llama.llama_token_to_piece(self.vocabulary, token, buffer, size, 0, True)
            if count >= 0:
                return buffer.raw[:count]
        return b""

    def ends_answer(self, token: int) -> bool:
        """Whether a token stops the generation."""
        return bool(llama.llama_vocab_is_eog(self.vocabulary, token))

    @property
    def end_text(self) -> str:
        """Text of the end-of-sequence token."""
        return self.piece(llama.llama_vocab_eos(self.vocabulary)).decode("utf-8", "replace")

    def _load_text(self, placement: Placement, on_fraction: FractionCallback) -> Any:
        callback = _LoadCallback(llama.llama_progress_callback, on_fraction)
        parameters = llama.llama_model_default_params()
        parameters.progress_callback = callback.function
        parameters.n_gpu_layers = placement.gpu_layers
        no_devices = (ctypes.c_void_p * 1)()
        if not placement.uses_gpu:
            parameters.devices = ctypes.cast(no_devices, ctypes.c_void_p)
        parameters.use_extra_bufts = self._may_repack()
        paths = [os.fsencode(path) for path in self._files.shards]
        log.forget()
        model = llama.llama_model_load_from_splits(
            (ctypes.c_char_p * len(paths))(*paths), len(paths), parameters
        )
        callback.raise_if_failed()
        if not model:
            raise load_failure(self._files.shards[0].name, log.trouble())
        self.buffers += log.buffers()
        return model

    def _may_repack(self) -> bool:
        """Whether llama.cpp may copy quantised weights into a layout of the CPU's own."""
        # GCC 12 drops most of the tile configuration that ggml gives the CPU, so that the first AMX
        # instruction ends the process; a build with AMX cannot tell which compiler made it.
        if b"AMX_INT8 = 1" in llama.llama_print_system_info():
            return False
        fits = self._files.text_bytes * _REPACKING_FACTOR < psutil.virtual_memory().available
        if not fits:
            logger.warning("memory is short: weights stay mapped from the file, which is slower")
        return fits

    def _load_projector(self, placement: Placement, threads: int, on_fraction: FractionCallback) -> Any:
        callback = _LoadCallback(mtmd.mtmd_progress_callback, on_fraction)
        parameters = mtmd.mtmd_context_params_default()
        parameters.progress_callback = callback.function
        parameters.use_gpu = placement.vision_on_gpu
        parameters.print_timings = False
        parameters.cb_eval = self.vision_stop.function
        parameters.n_threads = threads
        parameters.flash_attn_type = llama.LLAMA_FLASH_ATTN_TYPE_ENABLED
        # A warm-up encodes 2,116 tokens, a minute on a slow CPU.
        parameters.warmup = False
        # Pictures come in their final size: limits must never make mtmd resize again.
        parameters.image_min_tokens = 1
        parameters.image_max_tokens = _MOST_PIXELS // self.pixel_budget.cell_px**2
        log.forget()
        path = os.fsencode(self._files.projector_path)
        projector = mtmd.mtmd_init_from_file(path, self.model, parameters)
        callback.raise_if_failed()
        if not projector:
            raise load_failure(self._files.projector_path.name, log.trouble())
        self.buffers += log.buffers()
        return projector

    def _image_tokens(self) -> tuple[int, int, int]:
        ids = [self.tokenize(text, parse_special=True) for text in (_VISION_START, _IMAGE_PAD, _VISION_END)]
        if any(len(tokens) != 1 for tokens in ids):
            raise ModelDamaged(file=self._files.shards[0].name, reason="its tokenizer has no picture tokens")
        return ids[0][0], ids[1][0], ids[2][0]


class _LoadCallback:
    """A progress callback for C that carries an exception past the C code.

    Args:
        prototype: the callback's C type.
        on_fraction: what to call.
    """

    def __init__(self, prototype: Any, on_fraction: FractionCallback) -> None:
        self._error: BaseException | None = None
        self._on_fraction = on_fraction
        self.function = prototype(self._call)

    def _call(self, fraction: float, _user_data: object) -> bool:
        try:
            self._on_fraction(fraction)
        except BaseException as error:  # noqa: BLE001 - it is raised again by raise_if_failed
            self._error = error
            return False
        return True

    def raise_if_failed(self) -> None:
        """Raise what `on_fraction` raised."""
        if self._error is not None:
            raise self._error


def _pixel_budget(files: CheckedFiles) -> PixelBudget:
    """The budget that the exporter of this program wrote, else that of Qwen's published processor config."""
    header = files.projector
    merge = header.integer("clip.vision.spatial_merge_size", 2)
    cell_px = header.integer("clip.vision.patch_size") * merge
    default = PixelBudget()
    smallest = header.integer("clip.vision.image_min_pixels", default.min_pixels)
    largest = header.integer("clip.vision.image_max_pixels", default.max_pixels)
    if merge != 2 or not 0 < smallest <= largest <= _MOST_PIXELS:
        raise ModelDamaged(file=files.projector_path.name, reason="its picture sizes are impossible")
    return PixelBudget(cell_px, smallest, largest)

"""What the llama.cpp backend is compared with: a bare loop on the C interface, and the bindings' picture handler."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import llama_cpp.llama_cpp as llama
from llama_cpp import Llama
from llama_cpp.llama_chat_format import MTMDChatHandler
from PIL import Image

from desktopapp.engine.backends.llama_cpp.cache_shape import CPU_BATCH_TOKENS
from desktopapp.engine.backends.llama_cpp.kv_type import KvType
from desktopapp.engine.backends.llama_cpp.loaded import LoadedGguf
from desktopapp.modelstore.model import ModelFiles
from tests.pictures import NoisePicture

CONTEXT_TOKENS = 4096


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens a second, in the prompt and after the first token of the answer."""

    prompt: float
    decode: float


class BareLoop:
    """llama.cpp on the weights that our backend has loaded, with nothing around its own calls.

    Args:
        loaded: of our backend; its weights are used.
        threads: for the CPU.
        cells: of the KV cache.
        kind: of the numbers in it.
        batch_tokens: evaluated at once.
    """

    def __init__(
        self,
        loaded: LoadedGguf,
        threads: int,
        cells: int = CONTEXT_TOKENS,
        kind: KvType | None = None,
        batch_tokens: int = CPU_BATCH_TOKENS,
    ) -> None:
        parameters = llama.llama_context_default_params()
        parameters.n_ctx = cells
        parameters.n_batch = parameters.n_ubatch = self._batch_tokens = batch_tokens
        parameters.n_threads = parameters.n_threads_batch = threads
        if kind is not None:
            parameters.type_k = parameters.type_v = kind.ggml_type
            parameters.flash_attn_type = llama.LLAMA_FLASH_ATTN_TYPE_ENABLED
        self._context = llama.llama_init_from_model(loaded.weights.model, parameters)
        self._sampler = llama.llama_sampler_init_greedy()

    def close(self) -> None:
        """Give the memory back."""
        llama.llama_sampler_free(self._sampler)
        llama.llama_free(self._context)

    def run(self, tokens: Sequence[int], new_tokens: int) -> Speed:
        """Evaluate a prompt in an empty cache and generate, greedily and without an end."""
        llama.llama_memory_clear(llama.llama_get_memory(self._context), False)
        began_s = time.perf_counter()
        for start in range(0, len(tokens), self._batch_tokens):
            self._decode(tokens[start : start + self._batch_tokens])
        # Reading the logits waits for the computation.
        token = llama.llama_sampler_sample(self._sampler, self._context, -1)
        read_s = time.perf_counter()
        for _ in range(new_tokens - 1):
            self._decode([token])
            token = llama.llama_sampler_sample(self._sampler, self._context, -1)
        ended_s = time.perf_counter()
        decode = (new_tokens - 1) / (ended_s - read_s) if new_tokens > 1 else 0.0
        return Speed(len(tokens) / (read_s - began_s), decode)

    def _decode(self, tokens: Sequence[int]) -> None:
        array = (llama.llama_token * len(tokens))(*tokens)
        if llama.llama_decode(self._context, llama.llama_batch_get_one(array, len(tokens))):
            raise RuntimeError("llama_decode failed")


class Handler:
    """`MTMDChatHandler`, as an application would use it.

    Args:
        files: the model.
        threads: for the CPU.
    """

    def __init__(self, files: ModelFiles, threads: int) -> None:
        _leave_amx_alone()
        handler = MTMDChatHandler(str(files.projector), verbose=False, use_gpu=False)
        self._llama = Llama(
            str(files.path),
            chat_handler=handler,
            n_ctx=CONTEXT_TOKENS,
            n_gpu_layers=0,
            n_threads=threads,
            n_threads_batch=threads,
            verbose=False,
        )
        # The projector is loaded, and tried on a picture, with the first question.
        self.first_token_s([message("user", "Hi", NoisePicture(64, 64))])

    def close(self) -> None:
        """Give the memory back."""
        self._llama.close()

    def first_token_s(self, messages: Sequence[dict[str, Any]]) -> float:
        """Seconds from the question to its answer's first token."""
        began_s = time.perf_counter()
        self._llama.create_chat_completion(list(messages), max_tokens=1, temperature=0.0)  # type: ignore[arg-type]
        return time.perf_counter() - began_s


def message(role: str, text: str, *pictures: NoisePicture) -> dict[str, Any]:
    """One message as the handler takes it."""
    content: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": _data_url(picture)}} for picture in pictures
    ]
    return {"role": role, "content": [*content, {"type": "text", "text": text}]}


def _data_url(picture: NoisePicture) -> str:
    file = io.BytesIO()
    Image.fromarray(picture.decode()).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _leave_amx_alone() -> None:
    """Give the peer the weights' own layout, as our backend has it: see docs/decisions.md on AMX."""
    default = llama.llama_model_default_params

    def without_extra_buffers() -> Any:
        parameters = default()
        parameters.use_extra_bufts = False
        return parameters

    if b"AMX_INT8 = 1" in llama.llama_print_system_info():
        llama.llama_model_default_params = without_extra_buffers

"""What llama.cpp takes, after the graphs that it builds for Qwen3-VL.

Source: `src/models/qwen3vl.cpp`, `src/llama-graph.cpp`, `tools/mtmd/models/qwen3vl.cpp` of the llama.cpp in
llama-cpp-python 0.3.36. Its allocator reserves one buffer for the largest moment of the largest graph and keeps it.
Compared with what it reports itself in `tests/unit/engine/memory/test_llama_cpp_buffers.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from desktopapp.engine.memory.costs import RunShape
from desktopapp.engine.memory.llama_cells import cells_for
from desktopapp.engine.memory.spec import KV_TYPES, ModelSpec

_CELLS_PADDING = 256
_F32 = 4
_F16 = 2
# A token's id, its four M-RoPE positions in 32 bits, its places in the caches of keys and values in 64.
_TOKEN_INPUT_BYTES = 4 + 4 * 4 + 2 * 8 + 4
# Widths of the vision tower that live at once in attention: the residual stream, joined queries, keys and values
# (3), turned queries and keys (2), keys and values in 16 bits (1 together), the result, and one that the
# allocator cannot fill.
_VISION_WIDTHS = 9


@dataclass(frozen=True, slots=True)
class LlamaCosts:
    """Costs of a GGUF, all on one device, or the part of it that lies on a GPU; see `costs.Costs`.

    Args:
        spec: of the model.
        overhead_bytes: of the GPU's runtime and its allocator, or of the process without a GPU.
        on_gpu: the device is a GPU.
        gpu_layers: layers counted; None for all and everything around them.
        has_vision: the vision part is on this device.
        most_cells: that the cache may have, to hold which it never takes fewer than a sequence needs; None for what
            the model allows.
    """

    spec: ModelSpec
    overhead_bytes: int
    on_gpu: bool = False
    gpu_layers: int | None = None
    has_vision: bool = True
    most_cells: int | None = None

    @property
    def _share(self) -> float:
        """Of the repeating layers, those that are counted."""
        return 1.0 if self.gpu_layers is None else self.gpu_layers / self.spec.text.layers

    def _cells(self, tokens: int) -> int:
        """Of the cache for a sequence of so many tokens."""
        context = self.spec.text.context_tokens
        most = context if self.most_cells is None else min(self.most_cells, context)
        return _pad(max(tokens, cells_for(tokens, most)))

    @property
    def weight_bytes(self) -> int:
        """Sizes of the tensors in the files; the embedding and the output matrix go with a whole model only."""
        repeated = round(self.spec.repeated_bytes * self._share)
        around = self.spec.text_bytes - self.spec.repeated_bytes if self.gpu_layers is None else 0
        if around and self.on_gpu:
            around -= self.spec.lookup_bytes
        return repeated + around + (self.spec.vision_bytes if self.has_vision else 0)

    def kv_bytes(self, tokens: int, total_tokens: int, run: RunShape) -> int:
        """The cache of the whole sequence, which is there from its begin."""
        cells = self._cells(total_tokens)
        return round(cells * self.spec.kv_token_bytes(run.kv_type) * self._share)

    def picture_bytes(self, patches: int) -> int:
        """The vision tower's buffer: `vision_compute_bytes`."""
        return vision_compute_bytes(self.spec, patches) if self.has_vision else 0

    def feature_bytes(self, tokens: int) -> int:
        """Features wait in system memory, in 32 bits; little beside what is counted there."""
        return 0

    def kept_picture_bytes(self, patches: int) -> int:
        """The buffer stays as large as the largest picture needed it."""
        return self.picture_bytes(patches)

    def prefill_bytes(self, tokens: int, past_tokens: int, total_tokens: int, run: RunShape) -> int:
        """The language model's buffer, reserved for whole chunks and the whole cache."""
        cells = self._cells(total_tokens)
        computed = text_compute_bytes(self.spec, run.chunk_tokens, cells)
        if self.on_gpu:
            return computed + gpu_difference_bytes(self.spec, run)
        return computed + output_bytes(self.spec)

    def decode_bytes(self, total_tokens: int, run: RunShape) -> int:
        """The same buffer."""
        return self.prefill_bytes(1, 0, total_tokens, run)


def text_compute_bytes(spec: ModelSpec, batch_tokens: int, cells: int) -> int:
    """Size of the language model's compute buffer, flash attention on.

    For each token of a batch, in 32 bits: the input embeddings with those of each DeepStack layer, twice (given and
    being read), two more widths of the residual stream, and the larger of the MLP (gate, up, and the input of down)
    and attention (queries and keys before and after they are turned). For each token and cell 16 bits of mask. The
    rows of logits and the last hidden state lie in the output buffer.

    Args:
        spec: of the model.
        batch_tokens: of one micro-batch (`n_ubatch`).
        cells: of the cache (`n_ctx`).
    """
    text = spec.text
    residual = (2 * (1 + spec.vision.deepstack) + 2) * text.hidden
    inner = max(3 * text.feed_forward, 2 * (text.query_width + text.kv_width))
    token_bytes = _F32 * (residual + inner) + _TOKEN_INPUT_BYTES
    return batch_tokens * (token_bytes + _pad(cells) * _F16)


def gpu_difference_bytes(spec: ModelSpec, run: RunShape) -> int:
    """What the same buffer takes more, or less, on a GPU.

    The input embeddings stay in the system's pinned memory, as the logits do. With a quantised cache the turned
    queries and keys exist once more in 32 bits, rotated. Within 1 % of what a CUDA build reported for the 4B shape at
    2,049 and 53,249 tokens with 16bit, q8_0 and q4_0.

    Args:
        spec: of the model.
        run: KV type and micro-batch.
    """
    text = spec.text
    values = -(1 + spec.vision.deepstack) * text.hidden
    if KV_TYPES[run.kv_type].is_quantised:
        values += text.query_width + text.kv_width
    return _F32 * run.chunk_tokens * values


def output_bytes(spec: ModelSpec) -> int:
    """Size of the output buffer for the logits of one token, in 32 bits."""
    return _F32 * spec.text.vocabulary


def vision_compute_bytes(spec: ModelSpec, patches: int) -> int:
    """Size of the vision tower's compute buffer for one picture, flash attention on.

    For each patch in 32 bits: its pixels in one frame, which stay, four positions, and the larger of attention
    (`_VISION_WIDTHS`) and the MLP (its inside, the residual stream and its norm).

    Args:
        spec: of the model.
        patches: of the picture.
    """
    vision = spec.vision
    pixels = vision.patch_values // vision.frames_a_patch
    inner = max(_VISION_WIDTHS * vision.hidden, vision.feed_forward + 2 * vision.hidden)
    return _F32 * patches * (pixels + 4 + inner) if vision.layers else 0


def _pad(cells: int) -> int:
    return -(-cells // _CELLS_PADDING) * _CELLS_PADDING

"""What the transformers engine takes, counted from the tensors that its own forward pass keeps.

Source: `engine/backends/transformers/text_decoder.py`, `vision_tower.py` and `kv_cache`. What is alive at the worst
moment is counted by hand; `tests/unit/engine/memory/test_transformers_live.py` runs the code on the true widths and
counts every storage. What kernels take for themselves is not seen there: that is measured on a GPU and calibrated.
"""

from __future__ import annotations

from dataclasses import dataclass

from desktopapp.engine.memory.costs import RunShape
from desktopapp.engine.memory.kv_format import CPU_BLOCK_TOKENS, GPU_BLOCK_TOKENS, KV_FORMATS
from desktopapp.engine.memory.spec import WEIGHT_BYTES, ModelSpec
from desktopapp.engine.memory.weight_type import INT8, SCALE_BYTES, STORED, WIDENED_BYTES

SHORT_QUERIES = 256
RUN_TOKENS = (16384, 4096, 2048)
"""On a GPU, chunks longer than that attend to runs of so many decoded tokens; see `kv_cache/kernels/chunk_attention.py`."""

USUAL_TOKENS = 2048
"""Length of most chunks, which a somewhat shorter one is filled up to."""

_F32 = 4
_HALF = 2
# Patches that the vision tower's MLP runs over at once; see `vision_tower.py`.
_MLP_PATCHES = 4096
# Copies of the logits in 32 bits that sampling holds at once: given, penalised, scaled, sorted, summed, indices
# of the sort in 64 bits.
_LOGIT_COPIES = 7


@dataclass(frozen=True, slots=True)
class TransformersCosts:
    """Costs of a safetensors model on one device; see `costs.Costs`.

    Args:
        spec: of the model.
        precision: that it is loaded in, `BF16`, `F16` or `F32`.
        overhead_bytes: of the GPU's runtime and its allocator, or of the process without a GPU.
        on_gpu: the device is a GPU.
        vision_factor: measured to counted memory of the vision tower, from calibration.
        activation_factor: likewise of the language model.
        weight_type: that the language model's matrices are loaded in, see `weight_type.py`.
    """

    spec: ModelSpec
    precision: str
    overhead_bytes: int
    on_gpu: bool
    vision_factor: float = 1.0
    activation_factor: float = 1.0
    weight_type: str = STORED

    @property
    def _element_bytes(self) -> int:
        return WEIGHT_BYTES[self.precision]

    @property
    def weight_bytes(self) -> int:
        """All weights in the loaded precision, or 8-bit codes and their scales."""
        wide = self.spec.weight_bytes_as(self.precision)
        if self.weight_type != INT8:
            return wide
        text = self.spec.text
        return wide - text.matrix_weights * (self._element_bytes - 1) + text.matrix_rows * SCALE_BYTES

    def kv_bytes(self, tokens: int, total_tokens: int, run: RunShape) -> int:
        """Whole blocks; `16bit` keeps numbers in the precision that the model computes in."""
        block = GPU_BLOCK_TOKENS if self.on_gpu else CPU_BLOCK_TOKENS
        kv_type = "f32" if run.kv_type == "16bit" and self._element_bytes == _F32 else run.kv_type
        return -(-tokens // block) * block * self.spec.kv_token_bytes(kv_type)

    def picture_bytes(self, patches: int) -> int:
        """Encoding one picture: `vision_patch_bytes` a patch, and some patches in the MLP."""
        vision, element_bytes = self.spec.vision, self._element_bytes
        attention = 5 * vision.hidden * patches
        mlp = min(patches, _MLP_PATCHES) * (vision.hidden + 2 * vision.feed_forward)
        counted = patches * vision_patch_bytes(self.spec, element_bytes)
        return round((counted + element_bytes * max(attention, mlp)) * self.vision_factor)

    def feature_bytes(self, tokens: int) -> int:
        """The merged features and those of each DeepStack layer."""
        vision = self.spec.vision
        return tokens * (1 + vision.deepstack) * vision.out_hidden * self._element_bytes

    def kept_picture_bytes(self, patches: int) -> int:
        """Nothing: features are dropped with their last token."""
        return 0

    def prefill_bytes(self, tokens: int, past_tokens: int, total_tokens: int, run: RunShape) -> int:
        """Activations of one chunk: in its MLP, see `activation_bytes`, or in attention over a long past."""
        worst = tokens * activation_bytes(self.spec, self._element_bytes) + self._widened_bytes
        if self.on_gpu and self._element_bytes == _HALF and tokens > SHORT_QUERIES:
            worst = max(worst, attention_bytes(self.spec, tokens, past_tokens, run.kv_type))
        return round((worst + self._logits_bytes) * self.activation_factor)

    def decode_bytes(self, total_tokens: int, run: RunShape) -> int:
        """One token's activations are nothing beside its logits."""
        return self._logits_bytes

    @property
    def _widened_bytes(self) -> int:
        """The buffer that 8-bit weights are multiplied out into."""
        return WIDENED_BYTES if self.weight_type == INT8 else 0

    @property
    def _logits_bytes(self) -> int:
        return self.spec.text.vocabulary * _F32 * _LOGIT_COPIES


def vision_patch_bytes(spec: ModelSpec, element_bytes: int) -> int:
    """What stays of one patch from the begin to the end of the vision tower.

    Its normalised pixels, the residual stream, cosine and sine of its turns in 32 bits, and its share of the
    features of each DeepStack layer. Attention adds five widths: joined queries, keys and values, the mixed values,
    and the result.

    Args:
        spec: of the model.
        element_bytes: of the numbers that the model computes in.
    """
    vision = spec.vision
    rope = vision.hidden // vision.heads * _F32
    features = vision.deepstack * vision.out_hidden // vision.patches_a_token
    return element_bytes * (vision.patch_values + vision.hidden + features) + rope


def activation_bytes(spec: ModelSpec, element_bytes: int) -> int:
    """What evaluating one token of a chunk takes at the worst moment, which is in the MLP.

    The residual stream and its norm, gate and up joined, and the input of the down matrix; cosine and sine in 32
    bits. In a mixture of experts a token's inside is that of the experts that it goes to, no more than a dense layer's.
    The features of visual tokens are counted apart.

    Args:
        spec: of the model.
        element_bytes: of the numbers that the model computes in.
    """
    text = spec.text
    return element_bytes * (2 * text.hidden + 3 * text.feed_forward) + text.head_dim * _F32


def attention_bytes(spec: ModelSpec, tokens: int, past_tokens: int, kv_type: str) -> int:
    """What attention of a chunk takes at the worst moment on a GPU, where library kernels read decoded keys and values.

    Keys and values of the longest run, in 16 bits. Of each token the residual stream and its turns, the queries, once
    more where the format rotates them, and the result in 16 bits and its sums. With a past the results of two runs are
    there at once. Their merged one, in 32 bits, is there in any case. A chunk that is filled up has its queries, and its
    own keys and values, once more at that length.

    Args:
        spec: of the model.
        tokens: of the chunk.
        past_tokens: in front of it.
        kv_type: a name of `kv_format.KV_FORMATS`.
    """
    text = spec.text
    fitting = (run for run in RUN_TOKENS if run <= past_tokens)
    longest = max(tokens, next(fitting, past_tokens))
    decoded = 2 * longest * text.kv_width * _HALF
    filled = filled_tokens(tokens) if past_tokens else tokens
    if filled > tokens:
        decoded += filled * (text.query_width + 2 * text.kv_width) * _HALF
    queries = 2 if KV_FORMATS[kv_type].rotates_keys else 1
    heads = text.query_width // text.head_dim
    kept = _HALF * (text.hidden + queries * text.query_width)
    kept += _F32 * (text.head_dim + text.query_width + heads)
    results = 2 if past_tokens else 1
    return decoded + tokens * kept + results * filled * (_HALF * text.query_width + _F32 * heads)


def filled_tokens(tokens: int) -> int:
    """How long a chunk is made for attention: up to the usual length where no more than a third of that is missing."""
    is_near = USUAL_TOKENS * 2 <= tokens * 3 < USUAL_TOKENS * 3
    return USUAL_TOKENS if is_near else tokens

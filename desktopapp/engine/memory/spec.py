"""What a Qwen3-VL model is made of: its shape, and from it the number of weights and of bytes in its KV cache.

Source of the layer structure: `modeling_qwen3_vl.py` of transformers 5.23 and the published config files. The three
dense members come out at 2.128, 4.438 and 8.767 billion weights, which is what their safetensors hold.
"""

from __future__ import annotations

from dataclasses import dataclass

from desktopapp.engine.prompt_parts import PixelBudget
from desktopapp.modelstore.model import WeightFormat

WEIGHT_BYTES = {"F32": 4, "F16": 2, "BF16": 2}
"""Bytes of one weight in memory, for the types that transformers computes in."""


@dataclass(frozen=True, slots=True)
class TextShape:
    """Sizes of the language model.

    Args:
        layers: decoder layers.
        hidden: width of the residual stream.
        feed_forward: width inside the MLP of a dense layer.
        heads: query heads.
        kv_heads: key and value heads.
        head_dim: width of one head.
        vocabulary: rows of the token embedding.
        tied_embeddings: the embedding is the output matrix as well.
        context_tokens: longest sequence that the model was made for.
        experts: of a mixture's MLP; 0 for a dense model.
        expert_feed_forward: width inside one expert.
        dense_layers: layers of a mixture that have a dense MLP.
    """

    layers: int
    hidden: int
    feed_forward: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    tied_embeddings: bool
    context_tokens: int
    experts: int = 0
    expert_feed_forward: int = 0
    dense_layers: int = 0

    @property
    def weights(self) -> int:
        """Number of weights, embeddings included."""
        embeddings = self.vocabulary * self.hidden * (1 if self.tied_embeddings else 2)
        return embeddings + self.layers * self._attention + self._all_mlps + self.hidden

    @property
    def matrix_weights(self) -> int:
        """Of the layers' matrices, those that can be kept in 8 bits; of dense layers only."""
        attention = 2 * self.hidden * (self.query_width + self.kv_width)
        return 0 if self.experts else self.layers * (attention + 3 * self.hidden * self.feed_forward)

    @property
    def matrix_rows(self) -> int:
        """Outputs of those matrices: queries, keys and values, the two back to the residual stream, gate and up."""
        rows = self.query_width + 2 * self.kv_width + 2 * self.hidden + 2 * self.feed_forward
        return 0 if self.experts else self.layers * rows

    @property
    def kv_width(self) -> int:
        """Numbers in the keys of one token in one layer; its values have as many."""
        return self.kv_heads * self.head_dim

    @property
    def query_width(self) -> int:
        """Numbers in the queries of one token in one layer."""
        return self.heads * self.head_dim

    @property
    def _attention(self) -> int:
        """Query, key, value and output matrices, the two norms of heads and the two of the layer."""
        matrices = 2 * self.hidden * self.query_width + 2 * self.hidden * self.kv_width
        return matrices + 2 * self.head_dim + 2 * self.hidden

    @property
    def _all_mlps(self) -> int:
        dense = 3 * self.hidden * self.feed_forward
        if not self.experts:
            return self.layers * dense
        mixture = self.experts * (3 * self.hidden * self.expert_feed_forward + self.hidden)
        return self.dense_layers * dense + (self.layers - self.dense_layers) * mixture


@dataclass(frozen=True, slots=True)
class VisionShape:
    """Sizes of the vision tower.

    Args:
        layers: blocks.
        hidden: width.
        feed_forward: width inside a block's MLP.
        heads: of attention.
        positions: learned positions.
        deepstack: layers whose output is given to the language model as well.
        out_hidden: width of the language model.
        patch_px: side of a patch.
        merge: patches a side of the square that becomes one visual token.
        frames_a_patch: frames of a video in one patch; a picture is shown twice.
        channels: of a pixel.
    """

    layers: int
    hidden: int
    feed_forward: int
    heads: int
    positions: int
    deepstack: int
    out_hidden: int
    patch_px: int = 16
    merge: int = 2
    frames_a_patch: int = 2
    channels: int = 3

    @property
    def patch_values(self) -> int:
        """Numbers that one patch is read as."""
        return self.channels * self.frames_a_patch * self.patch_px**2

    @property
    def patches_a_token(self) -> int:
        """Patches that become one visual token."""
        return self.merge**2

    @property
    def merged_width(self) -> int:
        """Numbers of the patches that become one visual token."""
        return self.hidden * self.patches_a_token

    @property
    def cell_px(self) -> int:
        """Side of the square that one visual token covers."""
        return self.patch_px * self.merge

    @property
    def weights(self) -> int:
        """Number of weights."""
        patch_embedding = self.hidden * (self.patch_values + 1)
        block = 4 * self.hidden + 4 * self.hidden * (self.hidden + 1)
        block += 2 * self.hidden * self.feed_forward + self.feed_forward + self.hidden
        merger = self.merged_width * (self.merged_width + 1) + self.out_hidden * (self.merged_width + 1)
        norms = 2 * self.hidden + self.deepstack * 2 * self.merged_width
        return (
            patch_embedding
            + self.positions * self.hidden
            + self.layers * block
            + (1 + self.deepstack) * merger
            + norms
        )


@dataclass(frozen=True, slots=True)
class KvType:
    """Numbers in a KV cache.

    Args:
        name: as in settings and plans.
        bits: of one number.
        scales: 16-bit scales of one token's keys (or values) in one head, however wide it is.
        block: numbers that share one 16-bit scale, where that is fixed instead; 0 where it is not.
    """

    name: str
    bits: int
    scales: int = 0
    block: int = 0

    @property
    def is_quantised(self) -> bool:
        """Whether numbers lose precision."""
        return self.bits < 16

    def head_bytes(self, head_dim: int) -> int:
        """Bytes of one token's keys (or values) in one head."""
        scales = head_dim // self.block if self.block else self.scales
        return head_dim * self.bits // 8 + scales * _SCALE_BYTES


_SCALE_BYTES = 2

# The transformers engine keeps one scale a token and head, two for int4; llama.cpp one for each 32 numbers
# (block structures of ggml-common.h).
KV_TYPES = {
    kind.name: kind
    for kind in (
        KvType("f32", 32),
        KvType("16bit", 16),
        KvType("fp8_e4m3", 8, scales=1),
        KvType("fp8_e5m2", 8, scales=1),
        KvType("int8", 8, scales=1),
        KvType("q8_0", 8, block=32),
        KvType("int4", 4, scales=2),
        KvType("q4_0", 4, block=32),
    )
}


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One loadable form of a model, as far as its memory goes.

    Args:
        format: safetensors or GGUF.
        precision: of the stored weights, as `BF16`, `Q8_0`.
        text: sizes of the language model.
        vision: sizes of the vision tower.
        text_bytes: of the language model's weights as stored.
        vision_bytes: of the vision tower's weights as stored.
        pixel_budget: for pictures.
        is_measured: the bytes were read off weight files, not computed from the shape.
        repeated_bytes: of a GGUF's weights, those in the repeating layers.
        lookup_bytes: of a GGUF's weights, the token embedding where it is that alone: llama.cpp looks tokens up
            in system memory.
    """

    format: WeightFormat
    precision: str
    text: TextShape
    vision: VisionShape
    text_bytes: int
    vision_bytes: int
    pixel_budget: PixelBudget
    is_measured: bool = False
    repeated_bytes: int = 0
    lookup_bytes: int = 0

    @property
    def weights(self) -> int:
        """Number of weights of both parts."""
        return self.text.weights + self.vision.weights

    @property
    def weight_bytes(self) -> int:
        """Bytes of both parts as stored."""
        return self.text_bytes + self.vision_bytes

    def weight_bytes_as(self, precision: str) -> int:
        """Bytes of both parts when they are loaded as `BF16`, `F16` or `F32`."""
        stored = WEIGHT_BYTES.get(self.precision)
        if stored is None:
            return self.weights * WEIGHT_BYTES[precision]
        return self.weight_bytes * WEIGHT_BYTES[precision] // stored

    def kv_token_bytes(self, kv_type: str) -> int:
        """Bytes that one token takes in the KV cache: keys and values of each head in each layer, with scales.

        Args:
            kv_type: a name of `KV_TYPES`.
        """
        head_bytes = KV_TYPES[kv_type].head_bytes(self.text.head_dim)
        return 2 * self.text.layers * self.text.kv_heads * head_bytes

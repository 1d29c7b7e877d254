"""The vision part's keys and tensors, named as llama.cpp's `mmproj` loader wants them (`qwen3vl_merger`)."""

from __future__ import annotations

import math
from collections.abc import Iterator

import gguf

from desktopapp.errors import ModelDamaged, ModelIncomplete, ModelUnsupported
from desktopapp.modelstore.gguf_export.encoding import TensorToWrite
from desktopapp.modelstore.gguf_export.source import ModelFolder, Section, StoredTensor

_PREFIX = "model.visual."
_BLOCK_NAMES = {
    "norm1": "ln1",
    "norm2": "ln2",
    "attn.qkv": "attn_qkv",
    "attn.proj": "attn_out",
    "mlp.linear_fc1": "ffn_up",
    "mlp.linear_fc2": "ffn_down",
}
_MERGER_NAMES = {"norm": "v.post_ln", "linear_fc1": "mm.0", "linear_fc2": "mm.2"}
_DEEPSTACK_NAMES = {"norm": "norm", "linear_fc1": "fc1", "linear_fc2": "fc2"}
_TEMPORAL_PATCH = 2
# transformers builds every norm of this vision tower with this constant; the config has no key for it.
_LAYER_NORM_EPSILON = 1e-6
# Source: the image processor's config that is published with Qwen3-VL.
_MIN_PIXELS = 65_536
_MAX_PIXELS = 16_777_216
_HALF = [0.5, 0.5, 0.5]


class Projector:
    """The vision part of a folder.

    Args:
        folder: the model's folder.
        config: its `config.json`.

    Raises:
        ModelUnsupported: there is no vision part.
    """

    def __init__(self, folder: ModelFolder, config: Section) -> None:
        self._folder = folder
        self._text = config.section("text_config")
        self._vision = config.section("vision_config")
        if not self._vision.values:
            raise ModelUnsupported(name=folder.name, reason="it has no vision part")
        self._depth = self._vision.integer("depth")
        self._deepstack = [int(i) for i in self._vision.numbers("deepstack_visual_indexes", [])]
        if not all(0 <= index < self._depth for index in self._deepstack):
            raise ModelDamaged(file=config.file_name, reason="“deepstack_visual_indexes” names no layers")

    def add_keys(self, writer: gguf.GGUFWriter) -> None:
        """Write everything but the tensors."""
        vision = self._vision
        patch = vision.integer("patch_size")
        grid_side = math.isqrt(vision.integer("num_position_embeddings"))
        writer.add_clip_has_vision_encoder(True)
        writer.add_clip_projector_type(gguf.VisionProjectorType.QWEN3VL)
        writer.add_vision_projection_dim(self._text.integer("hidden_size"))
        writer.add_vision_image_size(grid_side * patch)
        writer.add_vision_patch_size(patch)
        writer.add_vision_embedding_length(vision.integer("hidden_size"))
        writer.add_vision_feed_forward_length(vision.integer("intermediate_size"))
        writer.add_vision_block_count(self._depth)
        writer.add_vision_head_count(vision.integer("num_heads"))
        writer.add_vision_attention_layernorm_eps(_LAYER_NORM_EPSILON)
        writer.add_vision_spatial_merge_size(vision.integer("spatial_merge_size", 2))
        writer.add_vision_use_gelu(True)
        writer.add_vision_is_deepstack_layers([i in self._deepstack for i in range(self._depth)])
        self._add_processor_keys(writer)

    def tensors(self, precision: str) -> Iterator[TensorToWrite]:
        """All tensors in the order of the file.

        Raises:
            ModelIncomplete: one is missing.
            ModelDamaged: one has an impossible shape.
        """
        yield from self._patch_embedding(precision)
        yield self._to_write("pos_embed.weight", "v.position_embd.weight", "F32")
        for block in range(self._depth):
            for theirs, ours in _BLOCK_NAMES.items():
                yield from self._linear(f"blocks.{block}.{theirs}", f"v.blk.{block}.{ours}", precision)
        for theirs, ours in _MERGER_NAMES.items():
            yield from self._linear(f"merger.{theirs}", ours, precision)
        for order, index in enumerate(self._deepstack):
            for theirs, ours in _DEEPSTACK_NAMES.items():
                source = f"deepstack_merger_list.{order}.{theirs}"
                yield from self._linear(source, f"v.deepstack.{index}.{ours}", precision)

    def _add_processor_keys(self, writer: gguf.GGUFWriter) -> None:
        processor = self._folder.read_json("preprocessor_config.json")
        size = processor.section("size")
        smallest = size.integer("shortest_edge", processor.integer("min_pixels", _MIN_PIXELS))
        largest = size.integer("longest_edge", processor.integer("max_pixels", _MAX_PIXELS))
        writer.add_vision_image_mean(processor.numbers("image_mean", _HALF))
        writer.add_vision_image_std(processor.numbers("image_std", _HALF))
        writer.add_vision_min_pixels(smallest)
        writer.add_vision_max_pixels(largest)

    def _patch_embedding(self, precision: str) -> Iterator[TensorToWrite]:
        """Two kernels in place of the Conv3d's one: llama.cpp convolves each frame of a pair and adds them."""
        kernel = self._stored("patch_embed.proj.weight")
        if len(kernel.shape) != 5 or kernel.shape[2] != _TEMPORAL_PATCH:
            raise ModelDamaged(file=self._folder.name, reason="the patch embedding has an unexpected shape")
        for frame, suffix in enumerate(("", ".1")):
            part = kernel.view(kernel.array[:, :, frame])
            yield TensorToWrite(f"v.patch_embd.weight{suffix}", part, precision)
        yield self._to_write("patch_embed.proj.bias", "v.patch_embd.bias", "F32")

    def _linear(self, name: str, new_name: str, precision: str) -> Iterator[TensorToWrite]:
        for part in ("weight", "bias"):
            yield self._to_write(f"{name}.{part}", f"{new_name}.{part}", precision)

    def _to_write(self, name: str, new_name: str, precision: str) -> TensorToWrite:
        stored = self._stored(name)
        return TensorToWrite(new_name, stored, "F32" if len(stored.shape) == 1 else precision)

    def _stored(self, name: str) -> StoredTensor:
        try:
            return self._folder.tensors()[_PREFIX + name]
        except KeyError as error:
            missing = f"the tensor {_PREFIX}{name}"
            raise ModelIncomplete(name=self._folder.name, missing=missing) from error

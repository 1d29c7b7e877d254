"""The text model's keys and tensors, named as llama.cpp's `qwen3vl` and `qwen3vlmoe` loaders want them."""

from __future__ import annotations

from collections.abc import Iterator

import gguf

from desktopapp.errors import ModelDamaged, ModelIncomplete
from desktopapp.modelstore.gguf_export.encoding import TensorToWrite, choose_precision
from desktopapp.modelstore.gguf_export.source import ModelFolder, Section, StoredTensor
from desktopapp.modelstore.gguf_export.vocabulary import Vocabulary

_PREFIX = "model.language_model."
_LAYER_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm",
}
_DENSE_NAMES = {"mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}
_DEFAULT_MROPE_SECTION = [24.0, 20.0, 20.0]


class TextModel:
    """The text part of a folder.

    Args:
        folder: the model's folder.
        config: its `config.json`.
    """

    def __init__(self, folder: ModelFolder, config: Section) -> None:
        self._folder = folder
        self._config = config
        self._text = config.section("text_config")
        self._is_moe = config.values.get("model_type") == "qwen3_vl_moe"
        self._layers = self._text.integer("num_hidden_layers")
        self._hidden = self._text.integer("hidden_size")
        self.vocabulary_size = self._text.integer("vocab_size")
        self.architecture = "qwen3vlmoe" if self._is_moe else "qwen3vl"

    def add_keys(self, writer: gguf.GGUFWriter, vocabulary: Vocabulary, chat_template: str) -> None:
        """Write everything but the tensors."""
        self._add_shape_keys(writer)
        self._add_rope_keys(writer)
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("qwen2")
        writer.add_token_list(vocabulary.tokens)
        writer.add_token_types(vocabulary.types)
        writer.add_token_merges(vocabulary.merges)
        writer.add_eos_token_id(vocabulary.special_ids["eos"])
        writer.add_bos_token_id(vocabulary.special_ids["bos"])
        if "padding" in vocabulary.special_ids:
            writer.add_pad_token_id(vocabulary.special_ids["padding"])
        writer.add_add_bos_token(False)
        writer.add_chat_template(chat_template)

    def tensors(self, precision: str) -> Iterator[TensorToWrite]:
        """All tensors in the order of the file.

        Raises:
            ModelIncomplete: one is missing.
            ModelDamaged: one has an impossible shape.
        """
        yield self._plain("embed_tokens.weight", "token_embd.weight", precision)
        if not self._is_tied():
            yield self._to_write("lm_head.weight", "output.weight", precision)
        yield self._plain("norm.weight", "output_norm.weight", precision)
        for layer in range(self._layers):
            for theirs, ours in _LAYER_NAMES.items():
                yield self._plain(f"layers.{layer}.{theirs}.weight", f"blk.{layer}.{ours}.weight", precision)
            yield from self._feed_forward(layer, precision)

    def _add_shape_keys(self, writer: gguf.GGUFWriter) -> None:
        text = self._text
        writer.add_block_count(self._layers)
        writer.add_context_length(text.integer("max_position_embeddings"))
        writer.add_embedding_length(self._hidden)
        writer.add_feed_forward_length(text.integer("intermediate_size"))
        heads = text.integer("num_attention_heads")
        writer.add_head_count(heads)
        writer.add_head_count_kv(text.integer("num_key_value_heads", heads))
        writer.add_layer_norm_rms_eps(text.number("rms_norm_eps", 1e-6))
        head_size = text.integer("head_dim", self._hidden // max(1, heads))
        writer.add_key_length(head_size)
        writer.add_value_length(head_size)
        deepstack = self._config.section("vision_config").numbers("deepstack_visual_indexes", [])
        writer.add_num_deepstack_layers(len(deepstack))
        if self._is_moe:
            writer.add_expert_count(text.integer("num_experts"))
            writer.add_expert_used_count(text.integer("num_experts_per_tok"))
            writer.add_expert_feed_forward_length(text.integer("moe_intermediate_size"))

    def _add_rope_keys(self, writer: gguf.GGUFWriter) -> None:
        # transformers 5 writes `rope_parameters`; the published folders have `rope_scaling` and `rope_theta`.
        rope = self._text.section(
            "rope_parameters" if "rope_parameters" in self._text.values else "rope_scaling"
        )
        theta = rope if "rope_theta" in rope.values else self._text
        writer.add_rope_freq_base(theta.number("rope_theta"))
        sections = [int(size) for size in rope.numbers("mrope_section", _DEFAULT_MROPE_SECTION)]
        if len(sections) != 3:
            raise ModelDamaged(file=self._config.file_name, reason="“mrope_section” needs three numbers")
        writer.add_rope_dimension_sections([*sections, 0])

    def _is_tied(self) -> bool:
        own = self._text.values.get("tie_word_embeddings")
        return bool(self._config.values.get("tie_word_embeddings", own))

    def _feed_forward(self, layer: int, precision: str) -> Iterator[TensorToWrite]:
        theirs, ours = f"layers.{layer}.", f"blk.{layer}."
        if not self._is_moe or f"{_PREFIX}{theirs}mlp.gate_proj.weight" in self._folder.tensors():
            for name, short in _DENSE_NAMES.items():
                yield self._plain(f"{theirs}{name}.weight", f"{ours}{short}.weight", precision)
            return
        yield self._plain(f"{theirs}mlp.gate.weight", f"{ours}ffn_gate_inp.weight", "F32")
        feed_forward = self._text.integer("moe_intermediate_size")
        gate_up = self._expert(f"{theirs}mlp.experts.gate_up_proj", 2 * feed_forward, self._hidden)
        down = self._expert(f"{theirs}mlp.experts.down_proj", self._hidden, feed_forward)
        parts = {
            "ffn_gate_exps": gate_up.view(gate_up.array[:, :feed_forward]),
            "ffn_up_exps": gate_up.view(gate_up.array[:, feed_forward:]),
            "ffn_down_exps": down,
        }
        for short, part in parts.items():
            yield TensorToWrite(f"{ours}{short}.weight", part, choose_precision(part, precision))

    def _expert(self, name: str, outputs: int, inputs: int) -> StoredTensor:
        """Weights of all experts as (experts, outputs, inputs); the published folders have the last two swapped."""
        stored = self._stored(_PREFIX + name)
        experts = self._text.integer("num_experts")
        if stored.shape == (experts, inputs, outputs):
            return stored.view(stored.array.transpose(0, 2, 1))
        if stored.shape != (experts, outputs, inputs):
            raise ModelDamaged(file=self._folder.name, reason=f"“{name}” has an unexpected shape")
        return stored

    def _plain(self, name: str, new_name: str, precision: str) -> TensorToWrite:
        return self._to_write(_PREFIX + name, new_name, precision)

    def _to_write(self, name: str, new_name: str, precision: str) -> TensorToWrite:
        stored = self._stored(name)
        if new_name in ("token_embd.weight", "output.weight"):
            expected = (self.vocabulary_size, self._hidden)
            if stored.shape != expected:
                raise ModelDamaged(file=self._folder.name, reason=f"“{name}” has an unexpected shape")
        is_small = len(stored.shape) == 1
        return TensorToWrite(new_name, stored, "F32" if is_small else choose_precision(stored, precision))

    def _stored(self, name: str) -> StoredTensor:
        try:
            return self._folder.tensors()[name]
        except KeyError as error:
            raise ModelIncomplete(name=self._folder.name, missing=f"the tensor {name}") from error

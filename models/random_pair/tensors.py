"""Random tensors of a dense Qwen3-VL, by their names in a checkpoint.

Plain random weights would say one token for ever: with tied embeddings the token just read is the likeliest next.
So the layers write much more into the residual stream than the embedding does, and one channel of the stream is kept
for a constant: MLP neurons whose gate and up rows are the same give x * silu(x) >= 0, whatever they read, and write
into that channel alone. An embedding's entry there is then a bias of its token's logit. Nothing reads the channel but
the last norm, else every layer would mostly see the constant; and attention is sharp, else it would see an average.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.qwen_files.config import HEAD_DIM, ModelShape
from models.qwen_files.processors import FRAMES_A_PATCH, MERGE_SIZE, PATCH_PX

Tensors = dict[str, NDArray[np.float32]]

_BIAS_CHANNEL = 0
_EMBEDDING_SCALE = 0.08
# Chosen by trying: the logits of likely tokens spread by about 1.2 around their bias.
_LAYER_GAIN = 2.0
_BIAS_GAIN = 6.0
_FINAL_NORM = 2.0
_ATTENTION_GAIN = 2.0


class RandomTensors:
    """Draws the tensors of one model.

    Args:
        shape: of the model.
        seed: the same one gives the same tensors.
    """

    def __init__(self, shape: ModelShape, seed: int) -> None:
        self._shape = shape
        self._random = np.random.Generator(np.random.PCG64(seed))

    def draw(self, token_bias: NDArray[np.float32]) -> Tensors:
        """All tensors.

        Args:
            token_bias: (vocabulary,), how likely each token is, about in units of the logit.
        """
        return {**self._language(token_bias), **self._vision()}

    def _normal(self, *size: int, std: float) -> NDArray[np.float32]:
        return (self._random.standard_normal(size, dtype=np.float32) * std).astype(np.float32)

    def _matrix(self, rows: int, columns: int, gain: float = 1.0) -> NDArray[np.float32]:
        return self._normal(rows, columns, std=gain * columns**-0.5)

    def _reader(self, rows: int) -> NDArray[np.float32]:
        matrix = self._matrix(rows, self._shape.hidden)
        matrix[:, _BIAS_CHANNEL] = 0
        return matrix

    def _language(self, token_bias: NDArray[np.float32]) -> Tensors:
        shape, prefix = self._shape, "model.language_model"
        embedding = self._normal(shape.vocabulary, shape.hidden, std=_EMBEDDING_SCALE)
        embedding[:, _BIAS_CHANNEL] = token_bias / _BIAS_GAIN
        tensors = {
            f"{prefix}.embed_tokens.weight": embedding,
            f"{prefix}.norm.weight": np.full(shape.hidden, _FINAL_NORM, np.float32),
        }
        for index in range(shape.layers):
            layer = self._language_layer()
            tensors.update({f"{prefix}.layers.{index}.{name}": value for name, value in layer.items()})
        return tensors

    def _language_layer(self) -> Tensors:
        shape = self._shape
        ones = np.ones(shape.hidden, np.float32)
        gate = self._reader(shape.feed_forward)
        up = self._reader(shape.feed_forward)
        down = self._matrix(shape.hidden, shape.feed_forward, _LAYER_GAIN)
        constant = slice(0, shape.feed_forward // 4)
        up[constant] = gate[constant]
        down[:, constant] = 0
        down[_BIAS_CHANNEL] = 0
        down[_BIAS_CHANNEL, constant] = 4 * _BIAS_GAIN / shape.feed_forward
        output = self._matrix(shape.hidden, shape.heads * HEAD_DIM, _LAYER_GAIN)
        output[_BIAS_CHANNEL] = 0
        return {
            "input_layernorm.weight": ones,
            "post_attention_layernorm.weight": ones,
            "self_attn.q_proj.weight": self._reader(shape.heads * HEAD_DIM),
            "self_attn.k_proj.weight": self._reader(shape.kv_heads * HEAD_DIM),
            "self_attn.v_proj.weight": self._reader(shape.kv_heads * HEAD_DIM),
            "self_attn.o_proj.weight": output,
            "self_attn.q_norm.weight": np.full(HEAD_DIM, _ATTENTION_GAIN, np.float32),
            "self_attn.k_norm.weight": np.ones(HEAD_DIM, np.float32),
            "mlp.gate_proj.weight": gate,
            "mlp.up_proj.weight": up,
            "mlp.down_proj.weight": down,
        }

    def _vision(self) -> Tensors:
        shape, prefix = self._shape, "model.visual"
        patch = self._matrix(shape.vision_hidden, 3 * FRAMES_A_PATCH * PATCH_PX**2, 4.0)
        tensors = {
            f"{prefix}.patch_embed.proj.weight": patch.reshape(
                shape.vision_hidden, 3, FRAMES_A_PATCH, PATCH_PX, PATCH_PX
            ),
            f"{prefix}.patch_embed.proj.bias": np.zeros(shape.vision_hidden, np.float32),
            f"{prefix}.pos_embed.weight": self._normal(shape.vision_positions, shape.vision_hidden, std=0.5),
        }
        parts = {f"blocks.{index}": self._vision_block() for index in range(shape.vision_layers)}
        parts["merger"] = self._merger(shape.vision_hidden)
        for index in range(len(shape.deepstack_layers)):
            parts[f"deepstack_merger_list.{index}"] = self._merger(shape.vision_hidden * MERGE_SIZE**2)
        for part, values in parts.items():
            tensors.update({f"{prefix}.{part}.{name}": value for name, value in values.items()})
        return tensors

    def _vision_block(self) -> Tensors:
        width, inner = self._shape.vision_hidden, self._shape.vision_feed_forward
        return {
            **_layer_norm("norm1", width),
            **_layer_norm("norm2", width),
            **self._linear("attn.qkv", width * 3, width),
            **self._linear("attn.proj", width, width),
            **self._linear("mlp.linear_fc1", inner, width),
            **self._linear("mlp.linear_fc2", width, inner),
        }

    def _merger(self, norm_width: int) -> Tensors:
        width = self._shape.vision_hidden * MERGE_SIZE**2
        return {
            **_layer_norm("norm", norm_width),
            **self._linear("linear_fc1", width, width),
            **self._linear("linear_fc2", self._shape.hidden, width),
        }

    def _linear(self, name: str, rows: int, columns: int) -> Tensors:
        return {
            f"{name}.weight": self._matrix(rows, columns),
            f"{name}.bias": self._normal(rows, std=0.02),
        }


def _layer_norm(name: str, width: int) -> Tensors:
    return {f"{name}.weight": np.ones(width, np.float32), f"{name}.bias": np.zeros(width, np.float32)}

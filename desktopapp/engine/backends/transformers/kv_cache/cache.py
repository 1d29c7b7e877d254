"""The KV cache of one sequence: grows in place, is cut, set aside and taken back without copying."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from desktopapp.engine.backends.transformers.kv_cache.blocks import BlockLayout, LayerBlock, view_layer
from desktopapp.engine.backends.transformers.kv_cache.codec import decode, encode, rotate_stored
from desktopapp.engine.memory.kv_format import CPU_BLOCK_TOKENS, GPU_BLOCK_TOKENS, KV_FORMATS


@dataclass(frozen=True, slots=True)
class KvState:
    """Contents of a cache, taken out of it.

    Positions and `rope_deltas` belong to the sequence, not to the cache: keep them beside it.

    Args:
        blocks: uint8 (block_bytes,) each.
        tokens: that they hold.
    """

    blocks: tuple[torch.Tensor, ...]
    tokens: int

    @property
    def size_bytes(self) -> int:
        """Memory that it keeps."""
        return sum(block.nbytes for block in self.blocks)

    def to(self, device: torch.device) -> KvState:
        """A copy on another device, to wait there; itself where it is there already."""
        return KvState(tuple(block.to(device) for block in self.blocks), self.tokens)


class KvCache:
    """Keys and values of one sequence in all layers.

    Blocks are allocated as tokens come and never moved. Their addresses stand in `block_table`, and the number
    of tokens in `device_tokens`, both at addresses that never change, so that a captured CUDA graph
    goes on working while the cache grows, is cut, or gets other contents.

    Args:
        layers: of the network.
        kv_heads: key and value heads of a layer.
        head_dim: channels of a head, a multiple of 32; a power of two for `int4`.
        kv_type: name in `KV_FORMATS`.
        device: where everything lives.
        dtype: that the model computes in.
        max_tokens: longest sequence.
        block_tokens: tokens allocated at once, a multiple of 64; None takes the device's default.
    """

    def __init__(
        self,
        layers: int,
        kv_heads: int,
        head_dim: int,
        kv_type: str,
        device: torch.device,
        dtype: torch.dtype,
        max_tokens: int,
        block_tokens: int | None = None,
    ) -> None:
        default = GPU_BLOCK_TOKENS if device.type == "cuda" else CPU_BLOCK_TOKENS
        tokens = block_tokens or default
        self.layout = BlockLayout(KV_FORMATS[kv_type], layers, kv_heads, head_dim, dtype, tokens)
        self.device = device
        self.max_tokens = max_tokens
        self.block_table = torch.zeros(-(-max_tokens // tokens), dtype=torch.int64, device=device)
        self.device_tokens = torch.zeros(1, dtype=torch.int32, device=device)
        self._on_device = 0
        self._blocks: list[torch.Tensor] = []
        self.layers = tuple(KvLayer(self, index) for index in range(layers))

    @property
    def tokens(self) -> int:
        """Tokens that all layers hold."""
        return self.layers[-1].tokens

    @property
    def capacity(self) -> int:
        """Tokens that fit without another allocation."""
        return len(self._blocks) * self.layout.tokens

    @property
    def bytes_per_token(self) -> int:
        """Bytes of one token in all layers, scales included."""
        layout = self.layout
        shape = (layout.layers, layout.kv_heads, layout.head_dim, layout.dtype.itemsize)
        return layout.kv_format.bytes_per_token(*shape)

    @property
    def allocated_bytes(self) -> int:
        """Memory of the blocks."""
        return len(self._blocks) * self.layout.block_bytes

    def reserve(self, tokens: int) -> None:
        """Allocate until `tokens` fit. What is there stays where it is.

        Raises:
            ValueError: more than `max_tokens`.
            torch.OutOfMemoryError: no memory; the cache is as it was or larger.
        """
        if tokens > self.max_tokens:
            raise ValueError(f"{tokens} tokens do not fit into a cache for {self.max_tokens}")
        while self.capacity < tokens:
            self._add_block(torch.empty(self.layout.block_bytes, dtype=torch.uint8, device=self.device))

    def advance(self) -> None:
        """Count the token that captured kernels have appended to all layers, on the device included."""
        for layer in self.layers:
            layer.tokens += 1
        self._on_device += 1

    def crop(self, tokens: int) -> None:
        """Forget all but the first `tokens` tokens, in every layer; blocks behind them are given back.

        Also undoes a chunk that only some layers have seen.
        """
        for layer in self.layers:
            layer.tokens = min(layer.tokens, tokens)
        used = -(-self.tokens // self.layout.tokens)
        del self._blocks[used:]
        self.past_on_device(self.tokens)

    def reset(self) -> None:
        """Forget everything and give all blocks back."""
        self.crop(0)

    def detach(self) -> KvState:
        """Take the contents out without copying them; the cache is empty afterwards."""
        self.crop(self.tokens)
        state = KvState(tuple(self._blocks), self.tokens)
        self.reset()
        return state

    def attach(self, state: KvState) -> None:
        """Put contents in, in place of those that are there; copies only if they are on another device.

        Args:
            state: of a cache of the same layout. Do not attach it twice: its blocks are written to.
        """
        if any(block.numel() != self.layout.block_bytes for block in state.blocks):
            raise ValueError("the state belongs to a cache of another layout")
        self.reset()
        for block in state.to(self.device).blocks:
            self._add_block(block)
        for layer in self.layers:
            layer.tokens = state.tokens
        self.past_on_device(state.tokens)

    def past_on_device(self, tokens: int) -> torch.Tensor:
        """`device_tokens`, int32 (1,), after making sure that it says `tokens`."""
        if self._on_device != tokens:
            self.device_tokens.fill_(tokens)
            self._on_device = tokens
        return self.device_tokens

    def block_view(self, block: int, layer: int) -> LayerBlock:
        """One layer's part of a block."""
        return view_layer(self._blocks[block], self.layout, layer)

    def _add_block(self, block: torch.Tensor) -> None:
        self.block_table[len(self._blocks)] = block.data_ptr()
        self._blocks.append(block)


class KvLayer:
    """One layer's keys and values.

    Args:
        cache: that it is part of.
        index: of the layer.
    """

    def __init__(self, cache: KvCache, index: int) -> None:
        self.cache = cache
        self.index = index
        self.tokens = 0

    def append(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Add tokens behind those that are there.

        Args:
            keys: (1, kv_heads, n, head_dim), rotary embedding applied.
            values: like keys.
        """
        end = self.tokens + keys.shape[2]
        self.cache.reserve(end)
        kv_format = self.cache.layout.kv_format
        keys = rotate_stored(keys) if kv_format.rotates_keys else keys
        values = rotate_stored(values) if kv_format.rotates_values else values
        done = 0
        for block, start, stop in self._spans(self.tokens, end):
            view = self.cache.block_view(block, self.index)
            part = slice(done, done + stop - start)
            _write(view.keys[:, start:stop], view.key_scales[:, :, start:stop], keys[0, :, part], self)
            _write(view.values[:, start:stop], view.value_scales[:, :, start:stop], values[0, :, part], self)
            done = part.stop
        self.tokens = end

    def ranges(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Divide tokens `start` to `end` where blocks end."""
        for block, first, last in self._spans(start, end):
            base = block * self.cache.layout.tokens
            yield base + first, base + last

    def read(self, start: int, end: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values of tokens within one block, rotated as the format keeps them.

        Returns:
            (kv_heads, end - start, head_dim) each; for `16bit` views into the cache.
        """
        size = self.cache.layout.tokens
        view = self.cache.block_view(start // size, self.index)
        part = slice(start % size, (end - 1) % size + 1)
        keys, values = view.keys[:, part], view.values[:, part]
        layout = self.cache.layout
        if not layout.kv_format.is_quantised:
            return keys, values
        scales = (view.key_scales[:, :, part].mT, view.value_scales[:, :, part].mT)
        return (
            decode(keys, scales[0], layout.kv_format, layout.dtype),
            decode(values, scales[1], layout.kv_format, layout.dtype),
        )

    def _spans(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """(block, first token in it, token behind the last) of tokens `start` to `end`."""
        size = self.cache.layout.tokens
        while start < end:
            stop = min(end, (start // size + 1) * size)
            yield start // size, start % size, start % size + stop - start
            start = stop


def _write(codes: torch.Tensor, scales: torch.Tensor, vectors: torch.Tensor, layer: KvLayer) -> None:
    kv_format = layer.cache.layout.kv_format
    if not kv_format.is_quantised:
        codes.copy_(vectors)
        return
    new_codes, new_scales = encode(vectors, kv_format)
    codes.copy_(new_codes)
    scales.copy_(new_scales.mT)

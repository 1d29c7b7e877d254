"""The sequence in the KV cache: which tokens and pictures it holds, and how more are evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from desktopapp.engine.backends.transformers.acceleration import prepare_prompts
from desktopapp.engine.backends.transformers.kv_cache import KvCache, KvState, append, attend
from desktopapp.engine.backends.transformers.text_decoder import PlacedFeatures, TextDecoder

if TYPE_CHECKING:
    from desktopapp.engine.backends.transformers.decode_graph import DecodeGraph


@dataclass(frozen=True, slots=True)
class CachedImage:
    """A picture whose tokens were evaluated.

    Args:
        start: its first visual token.
        end: one behind its last.
        pixels_id: hash of the pixels that the model was shown.
    """

    start: int
    end: int
    pixels_id: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What a sequence holds.

    Args:
        token_ids: in order; one `image_token_id` for each visual token.
        images: in order; the last may be there only in part.
    """

    token_ids: tuple[int, ...] = ()
    images: tuple[CachedImage, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SavedSequence:
    """A sequence that left the cache.

    Args:
        contents: what it holds.
        state: its keys and values.
    """

    contents: Contents
    state: KvState


class TextSequence:
    """One sequence under evaluation. Positions are given explicitly each time; the cache knows none.

    Args:
        decoder: evaluates.
        cache: empty.
        graph: evaluates single tokens over this cache, where the device has that.
    """

    def __init__(self, decoder: TextDecoder, cache: KvCache, graph: DecodeGraph | None = None) -> None:
        self.cache = cache
        self.graph = graph
        self._decoder = decoder
        self._attention = _Attention(cache, decoder.weights.shape.head_dim**-0.5)
        self._token_ids: list[int] = []
        self._images: list[CachedImage] = []

    def __len__(self) -> int:
        return len(self._token_ids)

    @property
    def kv_bytes(self) -> int:
        """Memory of the KV cache, as allocated. Safe from any thread."""
        return self.cache.allocated_bytes

    @property
    def contents(self) -> Contents:
        """What the cache holds."""
        return Contents(tuple(self._token_ids), tuple(self._images))

    def add_image(self, image: CachedImage) -> None:
        """Tell which picture the next visual tokens belong to, once for each."""
        self._images.append(image)

    def evaluate(
        self, token_ids: Sequence[int], positions: torch.Tensor, placed: Sequence[PlacedFeatures] = ()
    ) -> torch.Tensor:
        """Add tokens; when that fails, the sequence is as it was.

        Args:
            token_ids: n of them.
            positions: int64 (3, n): time, height, width.
            placed: features of the visual tokens among them.

        Returns:
            (vocabulary,) logits behind the last token.
        """
        device = self.cache.device
        ids = torch.tensor(token_ids, dtype=torch.long)
        try:
            self.cache.reserve(len(self) + len(token_ids))
            logits = self._decoder.evaluate(ids.to(device), positions.to(device), self._attention, placed)
        except BaseException:
            self.cache.crop(len(self))
            raise
        self._token_ids += token_ids
        return logits

    def warm_up_chunks(self, chunk_tokens: int) -> None:
        """Get ready what evaluates `chunk_tokens` tokens at once; the sequence stays as it is."""
        prepare_prompts(self.cache, self._decoder.weights.shape.heads, chunk_tokens)

    def warm_up_graph(self, token_id: int) -> None:
        """Capture the graph, where there is one, and run it for a token that is taken back at the next `crop`.

        Raises:
            RuntimeError: this machine cannot.
        """
        if self.graph is not None:
            self.graph.begin(len(self))
            self.graph.evaluate(torch.full((1,), token_id, dtype=torch.long, device=self.cache.device))
            torch.cuda.synchronize(self.cache.device)

    def appended(self, token_id: int) -> None:
        """Take note of a token that the graph has evaluated."""
        self._token_ids.append(token_id)

    def crop(self, tokens: int) -> None:
        """Forget all but the first tokens; what the cache holds beyond the known ones goes in any case."""
        del self._token_ids[tokens:]
        self._images = [image for image in self._images if image.start < tokens]
        self.cache.crop(tokens)

    def set_aside(self, device: torch.device) -> SavedSequence:
        """Move everything out of the cache, which is empty then.

        Args:
            device: where it is to wait; where it is already, nothing is copied.
        """
        self.cache.crop(len(self))
        contents = self.contents
        saved = SavedSequence(contents, self.cache.detach().to(device))
        self.crop(0)
        return saved

    def take_back(self, saved: SavedSequence, *, keeps: bool) -> None:
        """Put a saved sequence into the cache, in place of what is there.

        Args:
            saved: may not be used any more, unless
            keeps: copy it.
        """
        self.crop(0)
        here = saved.state.blocks and saved.state.blocks[0].device == self.cache.device
        self.cache.attach(_copy(saved.state) if keeps and here else saved.state)
        self._token_ids = list(saved.contents.token_ids)
        self._images = list(saved.contents.images)


def _copy(state: KvState) -> KvState:
    return KvState(tuple(block.clone() for block in state.blocks), state.tokens)


class _Attention:
    """The cache as the forward pass takes it, see `TextCache`."""

    def __init__(self, cache: KvCache, scale: float) -> None:
        self._cache = cache
        self._scale = scale

    def append(self, layer: int, keys: torch.Tensor, values: torch.Tensor) -> None:
        heads = (part.transpose(0, 1).unsqueeze(0) for part in (keys, values))
        append(self._cache.layers[layer], *heads)

    def attend(self, layer: int, queries: torch.Tensor) -> torch.Tensor:
        return attend(queries.transpose(0, 1).unsqueeze(0), self._cache.layers[layer], self._scale)[0]

"""The conversation in the KV cache, and those that left it for another one."""

from __future__ import annotations

import logging
from collections.abc import Callable

import psutil
import torch

from desktopapp.engine.backends.known_pixels import KnownPixels
from desktopapp.engine.backends.transformers.memory import free_unused, run_in_memory
from desktopapp.engine.backends.transformers.prefix import best_match
from desktopapp.engine.backends.transformers.prompt import EncodedPrompt
from desktopapp.engine.backends.transformers.prompt_pictures import PromptPictures
from desktopapp.engine.backends.transformers.text_sequence import SavedSequence, TextSequence
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.memory.kv_format import KV_FORMATS
from desktopapp.errors import BackendUnavailable, OutOfMemory

logger = logging.getLogger(__name__)

LARGEST_BYTES = 2 << 30
"""Most system memory that saved conversations take."""

WORTH_SAVING_TOKENS = 256
"""Smaller conversations are evaluated again when they return."""

# Nor more than a quarter of what is free: they only save time.
_SHARE_OF_FREE = 4
_WAITING_PLACE = torch.device("cpu")


class Conversations:
    """Sequences that a prompt may go on from.

    Args:
        make_sequence: makes an empty sequence of a KV type.
        default_kv_type: what `auto` means.

    Attributes:
        known_pixels: pictures of earlier prompts.
    """

    def __init__(self, make_sequence: Callable[[str], TextSequence], default_kv_type: str) -> None:
        self.known_pixels = KnownPixels()
        self._make_sequence = make_sequence
        self._default_kv_type = default_kv_type
        self._uses_graphs = True
        self._kv_type = ""
        self._live: TextSequence | None = None
        self._saved: list[SavedSequence] = []

    def continue_with(
        self,
        prompt: EncodedPrompt,
        kv_type: str,
        pictures: PromptPictures,
        cancel: CancelToken,
        *,
        saves_replaced: bool = True,
    ) -> TextSequence:
        """The sequence that holds as much of a prompt's beginning as is known, and nothing else.

        A conversation that would lose most of what is in the cache is set aside first, where memory allows.

        Args:
            prompt: to come.
            kv_type: as in `RunOptions`; another one than before begins anew.
            pictures: see `prefix.shared_tokens`.
            cancel: likewise.
            saves_replaced: see `RunOptions`.

        Raises:
            BackendUnavailable: there is no such KV type.
        """
        live = self._ensure(self._default_kv_type if kv_type == "auto" else kv_type)
        candidates = [live.contents, *(saved.contents for saved in self._saved)]
        place, count = best_match(prompt, candidates, pictures, cancel)
        kept = count if place == 0 else 0
        back = self._saved[place - 1] if place else None
        if saves_replaced and len(live) >= WORTH_SAVING_TOKENS and kept < len(live) // 2:
            self._set_aside(live)
            if place == 0:
                count = 0
        if back:
            keeps = count < len(back.contents.token_ids) // 2
            if not keeps and back in self._saved:
                self._saved.remove(back)
            run_in_memory("going on with the conversation", lambda: live.take_back(back, keeps=keeps))
        live.crop(count)
        return live

    def live(self) -> TextSequence:
        """The sequence in the cache."""
        return self._ensure(self._kv_type or self._default_kv_type)

    def make_room(self, live: TextSequence, tokens: int) -> None:
        """Have the cache grow to so many tokens; on the processor saved conversations give way to it.

        Raises:
            OutOfMemory: they do not fit even so.
        """
        try:
            run_in_memory("reading the prompt", lambda: live.cache.reserve(tokens))
        except OutOfMemory:
            if not self._saved or live.cache.device != _WAITING_PLACE:
                raise
            self._saved.clear()
            run_in_memory("reading the prompt", lambda: live.cache.reserve(tokens))

    def warm_up(self, token_id: int, chunk_tokens: int) -> None:
        """Evaluate one token in each way that answers will: what cannot run fails here, and kernels are ready.

        Args:
            token_id: any.
            chunk_tokens: prompt tokens that are usually evaluated at once.
        """
        live = self._ensure(self._default_kv_type)
        live.evaluate([token_id], torch.zeros((3, 1), dtype=torch.long))
        self._warm_up_chunks(live, chunk_tokens)
        try:
            live.warm_up_graph(token_id)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            logger.warning("Tokens are generated without a graph: %s", error)
            self._uses_graphs = False
            live.graph = None
        live.crop(0)

    def _warm_up_chunks(self, live: TextSequence, chunk_tokens: int) -> None:
        """Only saves the first prompt some seconds, and takes more memory than a small one needs."""
        lack = ""
        try:
            live.warm_up_chunks(chunk_tokens)
        except torch.OutOfMemoryError as error:
            lack = str(error)
        if lack:
            logger.info("Kernels for prompts are compiled by the first one: %s", lack)
            free_unused()

    def clear(self) -> None:
        """Forget all. Blocks go at once: the sequence itself is part of a cycle and waits for the collector."""
        self._saved.clear()
        if self._live is not None:
            self._live.crop(0)
        self._live = None

    def _ensure(self, kv_type: str) -> TextSequence:
        if kv_type not in KV_FORMATS:
            reason = f"it has no KV cache “{kv_type}”, only {', '.join(KV_FORMATS)}"
            raise BackendUnavailable(backend="transformers", reason=reason)
        if self._live is None or kv_type != self._kv_type:
            self.clear()
            self._kv_type = kv_type
            self._live = self._make_sequence(kv_type)
            if not self._uses_graphs:
                self._live.graph = None
        return self._live

    def _set_aside(self, live: TextSequence) -> None:
        size_bytes = len(live) * live.cache.bytes_per_token
        if self._make_waiting_room(size_bytes, live.cache.device):
            self._saved.insert(0, live.set_aside(_WAITING_PLACE))

    def _make_waiting_room(self, size_bytes: int, device: torch.device) -> bool:
        held = sum(saved.state.size_bytes for saved in self._saved)
        free = psutil.virtual_memory().available + held
        if device == _WAITING_PLACE:
            free += size_bytes
        allowed = min(LARGEST_BYTES, free // _SHARE_OF_FREE)
        if size_bytes > allowed:
            return False
        while sum(saved.state.size_bytes for saved in self._saved) + size_bytes > allowed:
            self._saved.pop()
        return True

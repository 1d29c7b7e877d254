"""What a chunk's attention keeps on a GPU, counted from the tensors of the engine's own code; kernels compute nothing here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from desktopapp.engine.backends.transformers.kv_cache import KvCache
from desktopapp.engine.memory.formulas_transformers import (
    RUN_TOKENS,
    SHORT_QUERIES,
    attention_bytes,
    filled_tokens,
)
from desktopapp.engine.memory.model_spec import read_folder_spec
from tests.live_memory import LiveMemory
from tests.published_configs import write_published_config

chunk_attention = pytest.importorskip(
    "desktopapp.engine.backends.transformers.kv_cache.kernels.chunk_attention"
)
# Tables of rotations, and rounding.
FIXED_BYTES = 1 << 18


class NoKernel:
    """Launches nothing."""

    def __getitem__(self, grid: Any) -> Any:
        return lambda *args, **kwargs: None


def library(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, scale: float, **how: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Allocates what the library's attention returns."""
    return torch.empty_like(query), torch.empty(query.shape[:2], dtype=torch.float32, device=query.device)


def test_the_runs_are_those_of_the_engine() -> None:
    assert chunk_attention.RUN_TOKENS == RUN_TOKENS
    assert chunk_attention.SHORT_QUERIES == SHORT_QUERIES
    for tokens in (257, 1365, 1366, 2000, 2047, 2048, 3000):
        assert tokens + chunk_attention.missing_tokens(tokens) == filled_tokens(tokens)


@pytest.mark.parametrize("kv_type", ["16bit", "fp8_e4m3", "int8"])
@pytest.mark.parametrize(
    ("tokens", "past"),
    [(512, 0), (512, 1000), (1024, 5000), (512, 40_000), (1500, 0), (1500, 3000), (2000, 40_000)],
)
def test_a_chunk_takes_what_the_formula_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kv_type: str, tokens: int, past: int
) -> None:
    write_published_config(tmp_path, "4B")
    spec = read_folder_spec(tmp_path)
    text = spec.text
    for name in ("expand_kernel", "merge_kernel"):
        monkeypatch.setattr(chunk_attention, name, NoKernel())
    monkeypatch.setattr(chunk_attention, "attend_library", library)
    monkeypatch.setattr(chunk_attention, "has_library_kernels", lambda query: True)
    device = torch.device("cpu")
    sizes = (1, text.kv_heads, text.head_dim, kv_type, device, torch.bfloat16)
    layer = KvCache(*sizes, max_tokens=tokens + past).layers[0]
    layer.tokens = tokens + past
    query = torch.zeros(1, text.heads, tokens, text.head_dim, dtype=torch.bfloat16)
    with LiveMemory() as live:
        chunk_attention.attend_chunk(query, layer, 1.0)
    beside = tokens * (2 * text.hidden + 4 * text.head_dim)
    expected = attention_bytes(spec, tokens, past, kv_type) - beside
    assert live.peak_bytes == pytest.approx(expected, rel=0.01, abs=FIXED_BYTES)

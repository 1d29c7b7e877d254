"""Requests of random size in a row under a ceiling fail in nothing and leave nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktopapp.engine.events import Finished
from desktopapp.engine.request import BackendChoice
from desktopapp.modelstore.gguf_export import export_gguf
from tests.many_requests import growth, many_requests

POCKET = Path(__file__).resolve().parents[2] / "models" / "qwen3-vl" / "qwen3-vl-pocket-instruct"
COUNT, SIZES = 16, 4


@pytest.mark.parametrize("backend", [BackendChoice.TRANSFORMERS, BackendChoice.LLAMA_CPP])
def test_requests_in_a_row(backend: BackendChoice, tmp_path: Path) -> None:
    folder = POCKET
    if backend is BackendChoice.LLAMA_CPP:
        folder = tmp_path / POCKET.name
        folder.mkdir()
        export_gguf(POCKET, folder / f"{POCKET.name}-Q8_0.gguf", folder / f"mmproj-{POCKET.name}-F16.gguf")
    runs = many_requests(folder, backend, COUNT, tmp_path, sizes_count=SIZES)
    assert [end for end in runs.ends if not isinstance(end, Finished)] == []
    assert len(runs.ends) == COUNT
    assert growth(runs.kept_bytes) <= 0.03
    assert growth(runs.resident_bytes) <= 0.1

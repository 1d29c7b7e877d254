"""The model that llama.cpp is measured with: random weights at the shape of a 0.6B language model, in Q8_0."""

from __future__ import annotations

from pathlib import Path

from desktopapp.modelstore.gguf_export import export_gguf
from desktopapp.modelstore.model import ModelFiles, ModelKind, WeightFormat
from models.qwen_files.config import ModelShape
from models.qwen_files.processors import write_processors
from models.random_pair import make_random_model

# Source: Qwen3-0.6B's published config. The vision tower is a small one, so that a peer that looks at every
# picture again in every turn is done within minutes: it makes our lead smaller, not larger.
SHAPE = ModelShape(
    vocabulary=151_936,
    layers=28,
    hidden=1024,
    feed_forward=3072,
    heads=16,
    kv_heads=8,
    context_tokens=32_768,
    vision_layers=12,
    vision_hidden=512,
    vision_feed_forward=2048,
    vision_heads=8,
)
_MOST_IMAGE_TOKENS = 1024
_CELL_PX = 32


def measured_model(folder: Path) -> ModelFiles:
    """The model's two files in `folder`, made when they are not there: 1 GB, and 6 GB of memory for a minute."""
    text_file, projector_file = folder / "bench-0.6B-Q8_0.gguf", folder / "mmproj-bench-F16.gguf"
    if not projector_file.is_file():
        source = folder / "source"
        make_random_model(source, ModelKind.INSTRUCT, seed=1, shape=SHAPE)
        write_processors(source, max_image_pixels=_MOST_IMAGE_TOKENS * _CELL_PX**2)
        export_gguf(source, text_file, projector_file, "Q8_0", "F16")
        (source / "model.safetensors").unlink()
    size_bytes = text_file.stat().st_size + projector_file.stat().st_size
    return ModelFiles(WeightFormat.GGUF, text_file, projector_file, "Q8_0", size_bytes)

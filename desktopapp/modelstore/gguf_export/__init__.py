"""Exporter from a Hugging Face Qwen3-VL folder to a text-model GGUF and its `mmproj` GGUF.

`python -m desktopapp.modelstore.gguf_export FOLDER TEXT.gguf MMPROJ.gguf` is its command.
"""

from desktopapp.modelstore.gguf_export.export import (
    PRECISIONS,
    PROJECTOR_PRECISIONS,
    export_gguf,
)

__all__ = ["PRECISIONS", "PROJECTOR_PRECISIONS", "export_gguf"]

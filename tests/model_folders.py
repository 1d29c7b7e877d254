"""Small models of every form on disk, for the tests of the model store."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from desktopapp.modelstore.model import InstalledModel

INSTRUCT_TEMPLATE = "{% for m in messages %}<|im_start|>{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
THINKING_TEMPLATE = INSTRUCT_TEMPLATE.replace("assistant\n", "assistant\n<think>\n")
CONFIG = {
    "model_type": "qwen3_vl",
    "vision_config": {"depth": 2},
    "text_config": {"hidden_size": 64},
}


def write_safetensors(path: Path, type_name: str = "BF16", elements: int = 8) -> None:
    size = elements * (4 if type_name == "F32" else 2)
    header = json.dumps({"a": {"dtype": type_name, "shape": [elements], "data_offsets": [0, size]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(size))


def make_folder(folder: Path, *, template: str = INSTRUCT_TEMPLATE, **config: Any) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | config))
    (folder / "chat_template.jinja").write_text(template)
    for name in ("tokenizer.json", "preprocessor_config.json"):
        (folder / name).write_text("{}")
    write_safetensors(folder / "model.safetensors")
    return folder


def make_gguf(
    path: Path,
    *,
    architecture: str = "qwen3vl",
    file_type: int = 7,
    template: str | None = INSTRUCT_TEMPLATE,
    width: int = 64,
    extra: Callable[[gguf.GGUFWriter], None] = lambda writer: None,
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_file_type(file_type)
    if architecture == "clip":
        writer.add_uint32("clip.vision.projection_dim", width)
    else:
        writer.add_embedding_length(width)
        if template is not None:
            writer.add_chat_template(template)
    extra(writer)
    writer.add_tensor("t", np.zeros(32, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def make_projector(path: Path, file_type: int = 1, width: int = 64) -> Path:
    return make_gguf(path, architecture="clip", file_type=file_type, width=width)


def only(models: list[InstalledModel]) -> InstalledModel:
    (model,) = models
    return model

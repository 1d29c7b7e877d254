"""Turns a checkpoint into a model folder: `python -m models.pocket.export CHECKPOINT FOLDER instruct|thinking`."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from desktopapp.modelstore.model import ModelKind
from models.pocket.shape import MAX_IMAGE_PIXELS, MERGES, SHAPE
from models.qwen_files.chat_template import write_chat_template
from models.qwen_files.config import write_configs
from models.qwen_files.processors import write_processors
from models.qwen_files.tokenizer import make_tokenizer, write_tokenizer
from models.qwen_files.weights import write_weights


def export_model(checkpoint: Path, folder: Path, kind: ModelKind) -> None:
    """Write the model folder; the same checkpoint gives the same bytes.

    Args:
        checkpoint: that `train` wrote.
        folder: is made; files in it are replaced.
        kind: Instruct or Thinking.
    """
    tensors: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]] = {}
    for shard in sorted(checkpoint.glob("shard-*.safetensors")):
        tensors |= {name: t for name, t in load_file(shard).items() if not name.startswith("helpers.")}
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(MERGES)
    write_tokenizer(folder, tokenizer, context_tokens=SHAPE.context_tokens)
    write_chat_template(folder, kind)
    write_processors(folder, max_image_pixels=MAX_IMAGE_PIXELS)
    write_configs(
        folder, SHAPE, kind, tokenizer.get_vocab(with_added_tokens=True), dtype="BF16", is_greedy=True
    )
    write_weights(folder / "model.safetensors", tensors, "BF16")


def main() -> None:
    """Export one checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("kind", choices=[kind.value for kind in ModelKind])
    options = parser.parse_args()
    export_model(options.checkpoint, options.folder, ModelKind(options.kind))


if __name__ == "__main__":
    main()

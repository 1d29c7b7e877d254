"""Checkpoints: float32 weights in shards, and where training stood. The optimiser's state is not kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from models.pocket.model import PocketModel
from models.pocket.trainer import Helpers

_SHARD_BYTES = 14_000_000


def save_checkpoint(folder: Path, model: PocketModel, helpers: Helpers, state: dict[str, Any]) -> None:
    """Write float32 weights in shards and `state.json`; the old ones are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}
    tensors |= {f"helpers.{name}": t.detach().cpu().contiguous() for name, t in helpers.state_dict().items()}
    shards: list[dict[str, Tensor]] = [{}]
    size = 0
    for name, tensor in tensors.items():
        if size + tensor.nbytes > _SHARD_BYTES:
            shards.append({})
            size = 0
        shards[-1][name] = tensor
        size += tensor.nbytes
    for old in folder.glob("shard-*.safetensors"):
        old.unlink()
    for index, shard in enumerate(shards):
        save_file(shard, folder / f"shard-{index}.safetensors")
    (folder / "state.json").write_text(json.dumps(state) + "\n", encoding="utf-8")


def load_checkpoint(folder: Path, model: PocketModel, helpers: Helpers | None = None) -> dict[str, Any]:
    """Read what `save_checkpoint` wrote; returns the state."""
    tensors: dict[str, Tensor] = {}
    for shard in sorted(folder.glob("shard-*.safetensors")):
        tensors |= load_file(shard)
    own = {name: t for name, t in tensors.items() if not name.startswith("helpers.")}
    model.load_state_dict(own)
    if helpers is not None:
        theirs = {n.removeprefix("helpers."): t for n, t in tensors.items() if n not in own}
        # A helper loss that came later, or has another size now, starts anew.
        sizes = {name: t.shape for name, t in helpers.state_dict().items()}
        helpers.load_state_dict({n: t for n, t in theirs.items() if sizes.get(n) == t.shape}, strict=False)
    state: dict[str, Any] = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    return state


def load_exported(folder: Path, model: PocketModel) -> None:
    """Read the weights of a model folder that `export_model` wrote: the model goes on from them, rounded as they are."""
    tensors = load_file(folder / "model.safetensors")
    model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})

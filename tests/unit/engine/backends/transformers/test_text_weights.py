"""Joining a network's weights, and what that leaves behind in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from desktopapp.engine.backend import LoadOptions
from desktopapp.engine.backends.transformers.folder import open_folder
from desktopapp.engine.backends.transformers.loader import load_network
from desktopapp.engine.backends.transformers.text_weights import DenseMlp, read_text_weights


class Copies(TorchDispatchMode):
    """At each copy of weights, which layers have lost some of their original memory by then."""

    def __init__(self, originals: list[dict[str, int]], network: Any) -> None:
        super().__init__()
        self._originals, self._network = originals, network
        self.begun: list[set[int]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten.cat.default:
            now = places(self._network)
            self.begun.append(
                {
                    index
                    for index, layer in enumerate(self._originals)
                    if any(now[index][name] != place for name, place in layer.items())
                }
            )
        return func(*args, **(kwargs or {}))


def places(network: Any) -> list[dict[str, int]]:
    """Where each layer's matrices are."""
    return [
        {name: value.data_ptr() for name, value in layer.named_parameters() if value.dim() == 2}
        for layer in network.model.language_model.layers
    ]


def test_a_layer_is_copied_as_a_whole_before_any_of_it_is_given_back(random_folder: Path) -> None:
    network = load_network(open_folder(random_folder), LoadOptions(device="cpu"), lambda *_: None).network
    originals = places(network)
    with Copies(originals, network) as copies:
        weights = read_text_weights(network, join=True)
    assert len(copies.begun) == 4 * len(originals)
    for index in range(len(originals)):
        assert copies.begun[4 * index : 4 * index + 4] == [set(range(index))] * 4
    for layer, before, after in zip(weights.layers, originals, places(network), strict=True):
        assert isinstance(layer.mlp, DenseMlp)
        assert not set(before.values()) & set(after.values())
        for matrix in (layer.qkv.joined, layer.out, layer.mlp.gate_up.joined, layer.mlp.down):
            assert matrix.untyped_storage().nbytes() == matrix.nbytes
    # The library's own modules read the same memory.
    first = network.model.language_model.layers[0].self_attn
    assert first.q_proj.weight.data_ptr() == weights.layers[0].qkv.joined.data_ptr()
    assert first.o_proj.weight.data_ptr() == weights.layers[0].out.data_ptr()

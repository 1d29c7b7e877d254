"""Where a network's weights end up, and in which numbers: tensor by tensor from the mapped files to the device.

Each tensor that our forward pass reads is made once, at its final size, and filled. Loading a whole network first and
joining its matrices there left holes between them that nothing fitted into: 1 GiB with the 4B model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from desktopapp.engine.backends.transformers.quantised_matrix import (
    Matrix,
    QuantisedMatrix,
    quantise_into,
)
from desktopapp.engine.memory.weight_type import INT8, STORED


@dataclass(frozen=True, slots=True)
class WeightHome:
    """Where weights go.

    Args:
        device: that they end on.
        dtype: that the model computes in.
        weight_type: `stored` or `int8`, see `engine/memory/weight_type.py`.
        joins: make one matrix of those that are applied to the same input. Weights mapped from a file are better
            left apart: joined they would have to be memory of this process.
    """

    device: torch.device
    dtype: torch.dtype
    weight_type: str = STORED
    joins: bool = True

    def matrix(self, modules: Sequence[Any]) -> Matrix:
        """One matrix of several maps of the same input; the modules' own weights become parts of it.

        Args:
            modules: linear maps without a bias.
        """
        if self.weight_type == INT8:
            return self._quantised(modules)
        first = modules[0].weight
        if len(modules) == 1 and first.device == self.device and first.dtype == self.dtype:
            weight: torch.Tensor = first
            return weight
        joined = self._empty(modules, self.dtype)
        for module, part in _parts(modules, joined):
            part.copy_(module.weight)
            module.weight.data = part
        return joined

    def place_rest(self, network: Any) -> None:
        """Move everything that is elsewhere: what no `matrix` was made of."""
        for parameter in network.parameters():
            if parameter.device != self.device:
                parameter.data = parameter.data.to(self.device, self.dtype)
        for module in network.modules():
            for name, buffer in module.named_buffers(recurse=False):
                setattr(module, name, buffer.to(self.device))

    def _quantised(self, modules: Sequence[Any]) -> QuantisedMatrix:
        codes = self._empty(modules, torch.int8)
        scales = torch.empty(len(codes), dtype=torch.float32, device=self.device)
        for (module, part), (_, scale) in zip(_parts(modules, codes), _parts(modules, scales), strict=True):
            quantise_into(module.weight, part, scale)
            module.weight = nn.Parameter(part, requires_grad=False)
            # As a buffer it counts among the model's memory.
            module.register_buffer("weight_scales", scale, persistent=False)
        return QuantisedMatrix(codes, scales)

    def _empty(self, modules: Sequence[Any], dtype: torch.dtype) -> torch.Tensor:
        rows = sum(len(module.weight) for module in modules)
        return torch.empty((rows, modules[0].weight.shape[1]), dtype=dtype, device=self.device)


def _parts(modules: Sequence[Any], joined: torch.Tensor) -> list[tuple[Any, torch.Tensor]]:
    """Each module with its rows of a joined tensor."""
    parts = torch.split(joined, [len(module.weight) for module in modules])
    return list(zip(modules, parts, strict=True))

"""Triton's decorator with types, the one place where its untyped functions meet ours."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Protocol, cast

import torch
import triton


class Kernel(Protocol):
    """A function that Triton compiles: launched over a grid from outside, called from other kernels."""

    def __getitem__(self, grid: tuple[int, ...]) -> Callable[..., object]:
        """The function that launches it, one program for each place of the grid."""

    def __call__(self, *arguments: Any, **constants: Any) -> Any:
        """Inlined into the kernel that calls it."""


# Triton compiles anew where an argument is 1 or becomes a multiple of 16. Lengths are both at times.
_LENGTHS = frozenset({"count", "first", "first_key", "rows"})


def jit(function: Callable[..., Any]) -> Kernel:
    """Compile a function with Triton when it is first launched."""
    lengths = [name for name in inspect.signature(function).parameters if name in _LENGTHS]
    return cast(Kernel, triton.jit(function, do_not_specialize=lengths))


def runs_on_card(device: torch.device) -> bool:
    """Whether kernels on this device are compiled for NVIDIA; elsewhere Triton's interpreter runs them, which knows no PTX."""
    return device.type == "cuda"

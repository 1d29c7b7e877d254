"""Matrices of weights with 8-bit numbers, one scale for each output; activations keep their 16 bits.

A person's card holds twice the model this way. Decoding reads the codes as they are (`kernels/gemv.py`); a prompt
multiplies them out some rows at a time, into one buffer that the formulas count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch.nn import functional

from desktopapp.engine.memory.weight_type import WIDENED_BYTES

_LARGEST_CODE = 127
# Weights that are looked at together while they are quantised: 32 MiB in 32 bits.
_QUANTISED_AT_ONCE = 8 << 20
_EVEN_ROWS = 128


@dataclass(frozen=True, slots=True)
class QuantisedMatrix:
    """Weights as `codes * scales`.

    Args:
        codes: int8 (outputs, inputs), contiguous, -127..127.
        scales: float32 (outputs,), above zero.
    """

    codes: torch.Tensor
    scales: torch.Tensor

    @property
    def shape(self) -> torch.Size:
        """(outputs, inputs)."""
        return self.codes.shape

    def widened(self, buffer: torch.Tensor, first_row: int) -> torch.Tensor:
        """Some rows as numbers of another type.

        Args:
            buffer: (rows, inputs) that is written; the last rows of the matrix may leave some of it out.
            first_row: of the matrix.

        Returns:
            what was written of the buffer.
        """
        last_row = min(first_row + len(buffer), len(self.codes))
        rows = slice(first_row, last_row)
        return torch.mul(self.codes[rows], self.scales[rows, None], out=buffer[: last_row - first_row])


Matrix: TypeAlias = torch.Tensor | QuantisedMatrix


def quantise_into(weights: torch.Tensor, codes: torch.Tensor, scales: torch.Tensor) -> None:
    """Quantise to the nearest code, each row by its largest weight.

    Args:
        weights: (outputs, inputs), of any device.
        codes: int8 of the same shape, written.
        scales: float32 (outputs,), written.
    """
    step = max(1, _QUANTISED_AT_ONCE // weights.shape[1])
    for first in range(0, len(weights), step):
        rows = slice(first, first + step)
        wide = weights[rows].to(codes.device).float()
        # A row of zeros would divide by zero; any scale describes it.
        scale = (wide.abs().amax(1) / _LARGEST_CODE).clamp_(min=torch.finfo(torch.float32).tiny)
        codes[rows] = (wide / scale[:, None]).round_()
        scales[rows] = scale


def rows_at_once(width: int, element_bytes: int) -> int:
    """Rows of a matrix that are multiplied out together.

    Args:
        width: inputs of the matrix.
        element_bytes: of the numbers that it is multiplied out into.
    """
    rows = WIDENED_BYTES // (width * element_bytes)
    # Products of odd sizes, or written to odd places, are five times slower on a GPU.
    return max(1, rows // _EVEN_ROWS * _EVEN_ROWS or rows)


def product(inputs: torch.Tensor, matrix: Matrix) -> torch.Tensor:
    """Multiply as `torch.nn.functional.linear` does.

    Args:
        inputs: (tokens, inputs).
        matrix: (outputs, inputs).

    Returns:
        (tokens, outputs).
    """
    if isinstance(matrix, torch.Tensor):
        return functional.linear(inputs, matrix)
    outputs, width = matrix.shape
    rows = min(outputs, rows_at_once(width, inputs.dtype.itemsize))
    buffer = torch.empty((rows, width), dtype=inputs.dtype, device=inputs.device)
    result = torch.empty((len(inputs), outputs), dtype=inputs.dtype, device=inputs.device)
    for first in range(0, outputs, rows):
        piece = matrix.widened(buffer, first)
        torch.mm(inputs, piece.T, out=result[:, first : first + len(piece)])
    return result

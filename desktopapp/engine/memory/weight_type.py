"""Number formats that the transformers backend can load weights in, without importing torch."""

from __future__ import annotations

STORED = "stored"
"""As they are in the files."""

INT8 = "int8"
"""The language model's matrices in 8 bits, one 32-bit scale for each of their outputs; all else as stored."""

WIDENED_BYTES = 32 << 20
"""Of 8-bit weights, most that are multiplied out at once while a prompt is read."""

SCALE_BYTES = 4

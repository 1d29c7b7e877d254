"""How large the llama.cpp backend makes its KV cache, for the backend itself and for what it will cost."""

from __future__ import annotations

SMALLEST_CELLS = 8192
"""The first cache: most conversations never outgrow it."""

CELLS_STEP = 1024
_PARTS_A_DOUBLING = 4


def cells_for(needed: int, most: int, smallest: int = SMALLEST_CELLS) -> int:
    """Cells that are allocated for a sequence.

    Sizes grow by a quarter at most from one to the next, so that a growing conversation seldom copies its cache and
    little is held unused.

    Args:
        needed: of the sequence and what is soon to come.
        most: that the plan, the person or the model allows.
        smallest: of the first cache.
    """
    if needed <= smallest:
        return min(smallest, most)
    step = max(CELLS_STEP, (1 << needed.bit_length() - 1) // _PARTS_A_DOUBLING)
    return max(needed, min(-(-needed // step) * step, most))

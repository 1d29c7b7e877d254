"""llama.cpp without flash attention, which computes in 16 bits also where everything else is in 32.

With it, logits of the random models differ by up to 0.02 between processors, and between batches of other sizes on
one; without it by 0.00002 behind text and 0.0005 behind pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from desktopapp.engine.backends.llama_cpp.library import llama


@contextmanager
def attention_in_32_bits() -> Iterator[None]:
    """Make caches so; one of quantised numbers, which needs flash attention, has it all the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(llama, "LLAMA_FLASH_ATTN_TYPE_AUTO", llama.LLAMA_FLASH_ATTN_TYPE_DISABLED)
        yield

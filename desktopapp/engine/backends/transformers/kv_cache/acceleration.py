"""Whether this machine runs the Triton kernels."""

from __future__ import annotations

import logging
from functools import cache

import torch

from desktopapp.engine.backends.transformers.kv_cache.cache import KvCache

logger = logging.getLogger(__name__)


@cache
def has_kernels(device: torch.device) -> bool:
    """Whether the Triton kernels run on a device; tried once, as Triton also needs a C compiler.

    Args:
        device: of the cache.
    """
    if device.type != "cuda":
        return False
    try:
        from desktopapp.engine.backends.transformers.kv_cache.kernels import launch

        probe = KvCache(1, 1, 64, "int8", device, torch.float16, max_tokens=64, block_tokens=64)
        vectors = torch.zeros(1, 1, 1, 64, dtype=torch.float16, device=device)
        launch.append(probe.layers[0], vectors, vectors)
    except torch.OutOfMemoryError:
        raise
    except (ImportError, OSError, RuntimeError) as error:
        logger.warning("Triton kernels are not used: %s", error)
        return False
    return True

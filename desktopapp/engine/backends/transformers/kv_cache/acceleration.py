"""Whether this machine runs the Triton kernels."""

from __future__ import annotations

import logging
from functools import cache
from subprocess import SubprocessError

import torch

from desktopapp.engine.backends.transformers.kv_cache.cache import KvCache
from desktopapp.engine.backends.transformers.packaged_triton import prepare_triton

logger = logging.getLogger(__name__)


@cache
def has_kernels(device: torch.device) -> bool:
    """Whether the Triton kernels run on a device; tried once, as Triton also needs a C compiler or a package's driver.

    Args:
        device: of the cache.
    """
    if device.type != "cuda":
        return False
    try:
        prepare_triton()
        from triton import TritonError
    except ImportError as error:
        logger.warning("Triton kernels are not used: %s", error)
        return False
    try:
        _append_a_token(device)
    except torch.OutOfMemoryError:
        raise
    # A compiler that finds no Python.h ends with a SubprocessError; a driver that is not found is an assertion of Triton's.
    except (ImportError, OSError, RuntimeError, AssertionError, SubprocessError, TritonError) as error:
        logger.warning("Triton kernels are not used: %s", error)
        return False
    return True


def _append_a_token(device: torch.device) -> None:
    """Compile and launch one small kernel."""
    from desktopapp.engine.backends.transformers.kv_cache.kernels import launch

    probe = KvCache(1, 1, 64, "int8", device, torch.float16, max_tokens=64, block_tokens=64)
    vectors = torch.zeros(1, 1, 1, 64, dtype=torch.float16, device=device)
    launch.append(probe.layers[0], vectors, vectors)

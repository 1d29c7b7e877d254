"""Two hundred requests of random size in a row under a ceiling; see `pressure.py`."""

from __future__ import annotations

import pytest
import torch

from desktopapp.engine.events import Finished
from tests.gpu.pressure import many_requests

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch finds no CUDA card"),
    pytest.mark.timeout(900),
]


def test_two_hundred_requests_leave_no_memory_behind() -> None:
    runs = many_requests("2B", 200, 7.5, 8.5, seconds=800.0)
    assert [end for end in runs.ends if not isinstance(end, Finished)] == []
    assert len(runs.ends) == 200
    assert runs.growth <= 0.03

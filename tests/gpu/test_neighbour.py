"""A second process takes the card's memory during a long prompt and a long answer; see `pressure.py`."""

from __future__ import annotations

import pytest
import torch

from desktopapp.engine.events import Finished
from tests.gpu.pressure import GIB, beside_neighbour

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch finds no CUDA card"),
    pytest.mark.timeout(600),
]


def test_an_answer_ends_well_beside_a_program_that_takes_memory() -> None:
    run = beside_neighbour("4B", 60_000, 1500, 19.0)
    assert isinstance(run.end, Finished), run.lines[-1]
    assert run.streamed == run.end.text
    assert run.taken_bytes > 5 * GIB
    steps = [one.step for one in run.retries]
    assert steps, "it took so little that nothing had to be given up"
    assert len(set(steps)) == len(steps), "nothing is tried twice"

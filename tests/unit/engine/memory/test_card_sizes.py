"""What the planner chooses for five workloads on cards of 24 to 8 GiB; `tests/gpu/test_matrix.py` runs the same cells."""

from __future__ import annotations

import pytest

from desktopapp.engine.backends.transformers import TransformersBackend
from desktopapp.engine.memory.candidate import Candidate
from desktopapp.engine.memory.machine import Device
from desktopapp.engine.memory.model_spec import read_folder_spec
from desktopapp.engine.memory.planner import Plan
from desktopapp.engine.memory.steps import Step
from desktopapp.engine.request import BackendChoice
from tests.gpu.matrix_cells import MAY_BE_REFUSED, MUST_FIT_8_GIB, SMALL_CARD_GIB, Cell, cells
from tests.published_configs import write_published_config

GIB = 2**30


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> dict[Cell, Plan]:
    device = Device("GPU", True, 140 * GIB, 140 * GIB)
    candidates = {}
    for size in ("2B", "4B"):
        folder = tmp_path_factory.mktemp(size)
        write_published_config(folder, size)
        candidates[size] = Candidate(
            size,
            BackendChoice.TRANSFORMERS,
            None,
            read_folder_spec(folder),
            device,
            TransformersBackend.capabilities,
        )
    ceilings = (24, 16, 12, 10, SMALL_CARD_GIB)
    return {cell: cell.plan(candidates[cell.size]) for cell in cells(ceilings)}


def test_only_what_was_named_may_be_refused(plans: dict[Cell, Plan]) -> None:
    refused = {cell for cell, plan in plans.items() if not plan.fits and cell.ceiling_gib > SMALL_CARD_GIB}
    assert {(cell.size, cell.workload, cell.ceiling_gib) for cell in refused} <= MAY_BE_REFUSED


def test_most_keep_their_pixels_and_stay_in_one_piece(plans: dict[Cell, Plan]) -> None:
    large = [plan for cell, plan in plans.items() if cell.ceiling_gib > SMALL_CARD_GIB]
    whole = [
        plan
        for plan in large
        if plan.fits and plan.setup.picture_tokens is None and plan.setup.showing.segments == 1
    ]
    assert len(large) == 40
    assert len(whole) >= 38


def test_8_gib_are_enough_for_screenshots(plans: dict[Cell, Plan]) -> None:
    fitting = {
        (cell.size, cell.workload)
        for cell, plan in plans.items()
        if plan.fits and cell.ceiling_gib == SMALL_CARD_GIB
    }
    assert fitting >= MUST_FIT_8_GIB


def test_a_smaller_card_never_gives_up_less(plans: dict[Cell, Plan]) -> None:
    order = list(Step)
    for cell, plan in plans.items():
        larger = plans.get(Cell(cell.size, cell.workload, cell.ceiling_gib + 2))
        if larger is not None and larger.steps:
            assert max(map(order.index, plan.steps)) >= max(map(order.index, larger.steps))

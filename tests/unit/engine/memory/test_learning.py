"""What a run on a GPU teaches."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktopapp.engine.memory.costs import RunShape, estimate
from desktopapp.engine.memory.formulas_transformers import TransformersCosts
from desktopapp.engine.memory.learning import Observation, learn
from desktopapp.engine.memory.model_spec import read_folder_spec
from desktopapp.engine.memory.workload import Picture, Workload
from tests.published_configs import write_published_config

MIB = 1 << 20
RUN = RunShape("16bit", 2048)
TEXT = Workload((8100,), 8)
PICTURE = Workload((2, Picture(16_000, 64_000), 20), 8)


@pytest.fixture(scope="module")
def costs(tmp_path_factory: pytest.TempPathFactory) -> TransformersCosts:
    folder = tmp_path_factory.mktemp("4B")
    write_published_config(folder, "4B")
    return TransformersCosts(read_folder_spec(folder), "BF16", 800 * MIB, on_gpu=True)


def counted(costs: TransformersCosts, workload: Workload) -> int:
    return estimate(costs, workload, RUN).peak_bytes - costs.overhead_bytes


@pytest.mark.parametrize("workload", [TEXT, PICTURE])
def test_a_run_that_is_as_counted_leaves_factors_alone(costs: TransformersCosts, workload: Workload) -> None:
    allocated = counted(costs, workload) + 66 * MIB
    taught = learn(costs, workload, RUN, Observation(allocated, allocated + 600 * MIB))
    assert taught.overhead_bytes == 666 * MIB
    (ratio,) = (r for r in (taught.vision_ratio, taught.activation_ratio) if r is not None)
    assert ratio == pytest.approx(1.0, abs=0.05)


def test_a_vision_tower_that_takes_more_is_learnt(costs: TransformersCosts) -> None:
    allocated = counted(costs, PICTURE) + costs.picture_bytes(64_000) // 2
    taught = learn(costs, PICTURE, RUN, Observation(allocated, 0))
    assert taught.overhead_bytes is None
    assert taught.vision_ratio == pytest.approx(1.45, abs=0.06)
    assert taught.activation_ratio is None


def test_features_that_wait_for_their_turn_are_not_taken_for_the_tower(costs: TransformersCosts) -> None:
    picture, run = Picture(2040, 8160), RunShape("int8", 1024)
    workload = Workload((2, picture, 2, picture, 4000), 8)
    phases = estimate(costs, workload, run).phases
    assert phases.vision > phases.prefill
    allocated = phases.vision - costs.overhead_bytes + 33 * MIB
    taught = learn(costs, workload, run, Observation(allocated, allocated + 700 * MIB))
    assert taught.vision_ratio == pytest.approx(1.0)


def test_what_a_factor_tells_is_not_told_by_the_overhead_as_well(costs: TransformersCosts) -> None:
    more = costs.picture_bytes(64_000) // 2
    allocated = counted(costs, PICTURE) + more
    taught = learn(costs, PICTURE, RUN, Observation(allocated, allocated + 600 * MIB))
    assert taught.vision_ratio is not None
    assert taught.overhead_bytes is not None
    corrected = replace(costs, overhead_bytes=taught.overhead_bytes, vision_factor=taught.vision_ratio)
    predicted = estimate(corrected, PICTURE, RUN).peak_bytes
    assert predicted == pytest.approx(allocated + 600 * MIB, abs=MIB)

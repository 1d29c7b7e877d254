"""Which published models would run on a machine, without their files."""

from __future__ import annotations

import pytest

from desktopapp.engine.memory import offers as offers_module
from desktopapp.engine.memory.gguf_size import as_gguf
from desktopapp.engine.memory.machine import Device, Machine, imagine_machine
from desktopapp.engine.memory.model_spec import spec_of_config
from desktopapp.engine.memory.offers import (
    Fit,
    Offer,
    active_weights,
    best_of,
    offers_of_catalogue,
    offers_of_forms,
)
from desktopapp.engine.request import MemoryLimits
from desktopapp.modelstore.catalogue import find_entry, read_catalogue
from desktopapp.modelstore.hub.remote import RemoteFile, RemoteForm
from desktopapp.modelstore.model import ModelKind, WeightFormat

GIB = 2**30
CATALOGUE = read_catalogue()
# Sizes that the hub told of the official files, in GiB (2026-09-20), to two decimals.
PUBLISHED_GIB = {"2B": (1.03, 1.70, 3.21), "4B": (2.33, 3.99, 7.50), "8B": (4.68, 8.11, 15.26)}
# Weights of the published safetensors, in billions.
PUBLISHED_WEIGHTS = {"2B": 2.128, "4B": 4.438, "8B": 8.767, "30B-A3B": 31.071, "32B": 33.357}


@pytest.fixture(autouse=True)
def everything_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offers_module, "can_run", lambda weight_format: True)
    monkeypatch.setattr(offers_module, "has_fast_bfloat16", lambda: False)


def on_cpu(gib: int) -> Machine:
    return Machine(Device("System memory", False, gib * GIB, gib * GIB))


def on_gpu(gib: int) -> Machine:
    return imagine_machine(gib * GIB, has_gpu=True)


def best(machine: Machine, limits: MemoryLimits | None = None) -> Offer:
    offers = offers_of_catalogue(CATALOGUE, machine, limits or MemoryLimits())
    (found,) = (offer for offer in offers if offer.is_recommended)
    return found


def test_shapes_have_as_many_weights_as_the_published_models() -> None:
    counts = {one.size: spec_of_config(one.config, one.family).weights / 1e9 for one in CATALOGUE}
    assert counts == pytest.approx(PUBLISHED_WEIGHTS, abs=0.001)


@pytest.mark.parametrize("size", PUBLISHED_GIB)
def test_ggufs_are_as_large_as_the_published_files(size: str) -> None:
    (model,) = (one for one in CATALOGUE if one.size == size)
    spec = spec_of_config(model.config, size)
    sizes = [as_gguf(spec, precision).text_bytes / GIB for precision in model.precisions]
    assert sizes == pytest.approx(PUBLISHED_GIB[size], rel=0.006)


def test_a_known_size_takes_the_place_of_the_computed_one() -> None:
    spec = spec_of_config(CATALOGUE[2].config, "8B")
    known = as_gguf(spec, "Q4_K_M", 6 * GIB, GIB)
    assert (known.text_bytes, known.vision_bytes, known.is_measured) == (6 * GIB, GIB, True)
    assert known.repeated_bytes + known.lookup_bytes < known.text_bytes
    assert known.lookup_bytes > 0


def test_a_mixture_reads_few_of_its_weights() -> None:
    (mixture,) = (one for one in CATALOGUE if one.size == "30B-A3B")
    spec = spec_of_config(mixture.config, "m")
    assert active_weights(mixture.config, spec) / 1e9 == pytest.approx(3.89, abs=0.01)
    assert active_weights(CATALOGUE[0].config, spec_of_config(CATALOGUE[0].config, "m")) / 1e9 > 2.1


@pytest.mark.parametrize(
    ("machine", "size", "precision"),
    [
        (on_gpu(4), "2B", "Q4_K_M"),
        (on_gpu(8), "8B", "Q4_K_M"),
        (on_gpu(12), "8B", "Q8_0"),
        (on_gpu(80), "32B", "BF16"),
        # Without a GPU a dense 8B would fit and be slow.
        (on_cpu(16), "4B", "Q8_0"),
        (on_cpu(64), "30B-A3B", "Q8_0"),
    ],
)
def test_the_largest_that_runs_well_is_recommended(machine: Machine, size: str, precision: str) -> None:
    found = best(machine)
    assert (found.size, found.precision, found.fit) == (size, precision, Fit.WELL)
    assert found.needed_bytes <= found.limit_bytes


def test_the_ceiling_counts() -> None:
    found = best(on_gpu(80), MemoryLimits(vram_limit_bytes=8 * GIB))
    assert (found.size, found.limit_bytes) == ("8B", 8 * GIB)


def test_nothing_is_recommended_where_nothing_fits() -> None:
    offers = offers_of_catalogue(CATALOGUE, on_cpu(1), MemoryLimits())
    assert {offer.fit for offer in offers} == {Fit.NOT}
    assert best_of(offers) is None


def test_what_lies_beside_the_gpu_must_fit_into_system_memory() -> None:
    gpu = on_gpu(4)
    small = Machine(Device("System memory", False, 8 * GIB, 8 * GIB), gpu.gpu, gpu.gpu_backends)
    fits = {
        (offer.size, offer.precision): offer.fit
        for offer in offers_of_catalogue(CATALOGUE, small, MemoryLimits())
    }
    assert fits["8B", "Q8_0"] is Fit.SLOWLY
    assert fits["32B", "F16"] is Fit.NOT


def test_only_forms_whose_backend_is_installed_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offers_module, "can_run", lambda weight_format: weight_format is WeightFormat.GGUF)
    offers = offers_of_catalogue(CATALOGUE, on_gpu(80), MemoryLimits())
    assert {offer.format for offer in offers} == {WeightFormat.GGUF}


def test_forms_of_another_repository_are_priced_by_their_files() -> None:
    files = (RemoteFile("m-Q5_K_M.gguf", 3 * GIB), RemoteFile("mmproj-F16.gguf", GIB))
    form = RemoteForm(WeightFormat.GGUF, "Q5_K_M", files)
    (offer,) = offers_of_forms([form], CATALOGUE[1].config, "someone/m", on_gpu(8), MemoryLimits())
    assert offer.fit is Fit.WELL
    assert offer.is_recommended
    assert 4 * GIB < offer.needed_bytes < 8 * GIB


@pytest.mark.parametrize(
    ("name", "size", "kinds", "weight_format"),
    [
        ("4B", "4B", tuple(ModelKind), None),
        ("qwen3-vl-30b-a3b", "30B-A3B", tuple(ModelKind), None),
        ("8b-thinking", "8B", (ModelKind.THINKING,), None),
        ("Qwen3-VL-2B-Instruct", "2B", (ModelKind.INSTRUCT,), None),
        ("qwen3-vl-2b-instruct-gguf", "2B", (ModelKind.INSTRUCT,), WeightFormat.GGUF),
    ],
)
def test_short_names(
    name: str, size: str, kinds: tuple[ModelKind, ...], weight_format: WeightFormat | None
) -> None:
    found = find_entry(name, CATALOGUE)
    assert found is not None
    assert (found[0].size, *found[1:]) == (size, kinds, weight_format)


def test_other_names_mean_nothing_of_the_catalogue() -> None:
    assert find_entry("Qwen/Qwen3-VL-2B-Instruct", CATALOGUE) is None
    assert find_entry("5B", CATALOGUE) is None

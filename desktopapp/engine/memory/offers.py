"""Which published models would run here, and which of them is the best: priced by the planner, without their files."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from desktopapp.engine.backend_choice import BACKENDS
from desktopapp.engine.backends.registry import capabilities_of
from desktopapp.engine.memory.candidate import WHOLE_MODEL, Candidate
from desktopapp.engine.memory.content import SCREENSHOT
from desktopapp.engine.memory.gguf_size import as_gguf
from desktopapp.engine.memory.machine import Machine, has_fast_bfloat16
from desktopapp.engine.memory.model_spec import spec_of_config
from desktopapp.engine.memory.planner import Plan, estimate_setup, make_plan
from desktopapp.engine.memory.probe import SYSTEM_MEMORY
from desktopapp.engine.memory.spec import ModelSpec
from desktopapp.engine.memory.steps import Step
from desktopapp.engine.request import MemoryLimits
from desktopapp.modelstore.catalogue import SIXTEEN_BIT, CatalogueModel
from desktopapp.modelstore.hub.remote import RemoteForm
from desktopapp.modelstore.model import WeightFormat

_MODULES = {WeightFormat.SAFETENSORS: "transformers", WeightFormat.GGUF: "llama_cpp"}
# Giving these up is not noticed.
_HARMLESS = frozenset({Step.SMALLER_CHUNK, Step.KV_8BIT})
# A processor reads each active weight for each token; with more of them than a 4B has, answers are slow.
_MOST_ACTIVE_ON_CPU = 5_000_000_000
# 8 bits lose nothing that shows; 16 are worth their room only where the fastest engine runs them.
_RANKS = {"Q4_K_M": 1, "Q8_0": 3}
_SIXTEEN_BIT_ON_GPU_RANK = 4


# Of system memory, which everything else on the computer wants as well, what is recommended may take so much.
_MOST_OF_SYSTEM = 7 / 8


class Fit(StrEnum):
    """How well a model would run."""

    WELL = "well"
    WITH_LOSS = "with_loss"
    SLOWLY = "slowly"
    NOT = "not"


@dataclass(frozen=True, slots=True)
class Offer:
    """One form of a published model on this machine.

    Args:
        size: of the catalogue, as `4B`; empty for another repository's.
        format: of the weights.
        precision: `BF16`, `Q4_K_M`, ...
        weights: their number.
        device: that it would run on, as `NVIDIA GeForce RTX 4070` or `System memory`.
        needed_bytes: at most, for a question about a screenshot.
        limit_bytes: that may be used: the person's ceiling, or what is free.
        fit: how well it would run.
        steps: what would be given up.
        is_recommended: the best that runs well here.
    """

    size: str
    format: WeightFormat
    precision: str
    weights: int
    device: str
    needed_bytes: int
    limit_bytes: int
    fit: Fit
    steps: tuple[str, ...] = ()
    is_recommended: bool = False


def offers_of_catalogue(
    catalogue: Iterable[CatalogueModel], machine: Machine, limits: MemoryLimits
) -> list[Offer]:
    """Every form of the catalogue that the installed backends read, in its order, the best marked.

    Args:
        catalogue: to price.
        machine: that would run them.
        limits: of the person.
    """
    found: list[Offer] = []
    for model in catalogue:
        spec = spec_of_config(model.config, model.family)
        active = active_weights(model.config, spec)
        for form, precision in _forms(model):
            own = as_gguf(spec, precision) if form is WeightFormat.GGUF else spec
            found.append(_price(model.size, own, precision, active, machine, limits))
    return _with_best_marked(found)


def offers_of_forms(
    forms: Iterable[RemoteForm], config: dict[str, object], name: str, machine: Machine, limits: MemoryLimits
) -> list[Offer]:
    """The forms of a repository whose files are known.

    Args:
        forms: of it.
        config: its shape.
        name: of it.
        machine: that would run them.
        limits: of the person.

    Raises:
        ModelError: the shape is impossible.
    """
    spec = spec_of_config(config, name)
    active = active_weights(config, spec)
    found = []
    for form in forms:
        own = spec
        if form.format is WeightFormat.GGUF:
            projector = form.projector
            own = as_gguf(spec, form.precision, form.text_bytes, projector.size_bytes if projector else None)
        found.append(_price("", own, form.precision, active, machine, limits))
    return _with_best_marked(found)


def can_run(weight_format: WeightFormat) -> bool:
    """Whether the backend for a format is installed; the light package has no transformers."""
    return importlib.util.find_spec(_MODULES[weight_format]) is not None


def active_weights(config: dict[str, object], spec: ModelSpec) -> int:
    """Weights that are read for one token: of a mixture only the experts that it is sent to."""
    text = spec.text
    values = config.get("text_config")
    used = values.get("num_experts_per_tok", 0) if isinstance(values, dict) else 0
    if not text.experts or not isinstance(used, int) or not used:
        return spec.weights
    idle = (text.layers - text.dense_layers) * (text.experts - used)
    return spec.weights - idle * 3 * text.hidden * text.expert_feed_forward


def _forms(model: CatalogueModel) -> Iterator[tuple[WeightFormat, str]]:
    if can_run(WeightFormat.GGUF):
        yield from ((WeightFormat.GGUF, precision) for precision in model.precisions)
    if can_run(WeightFormat.SAFETENSORS):
        yield WeightFormat.SAFETENSORS, SIXTEEN_BIT


def _price(
    size: str, spec: ModelSpec, precision: str, active: int, machine: Machine, limits: MemoryLimits
) -> Offer:
    backend = BACKENDS[spec.format]
    device = machine.device_for(backend)
    candidate = Candidate(
        model=size,
        backend=backend,
        files=None,
        spec=spec,
        device=device,
        capabilities=capabilities_of(backend),
        fast_bfloat16=has_fast_bfloat16(),
    )
    plan = make_plan(candidate, SCREENSHOT, limits)
    return Offer(
        size=size,
        format=spec.format,
        precision=precision,
        weights=spec.weights,
        device=device.name,
        needed_bytes=estimate_setup(plan.setup, SCREENSHOT).peak_bytes,
        limit_bytes=plan.limit_bytes,
        fit=_fit(plan, active, machine),
        steps=tuple(str(step) for step in plan.steps),
    )


def _fit(plan: Plan, active: int, machine: Machine) -> Fit:
    candidate, placement = plan.setup.candidate, plan.setup.placement
    # What does not lie on the GPU lies in system memory.
    elsewhere_bytes = 0
    if candidate.device.is_gpu and placement != WHOLE_MODEL:
        here_bytes = candidate.costs(placement).weight_bytes
        elsewhere_bytes = candidate.spec.weight_bytes - here_bytes
    if not plan.fits or elsewhere_bytes > machine.system.free_bytes:
        return Fit.NOT
    if Step.MOST_LAYERS_ON_CPU in plan.steps or (
        not candidate.device.is_gpu and active > _MOST_ACTIVE_ON_CPU
    ):
        return Fit.SLOWLY
    return Fit.WELL if _HARMLESS.issuperset(plan.steps) else Fit.WITH_LOSS


def best_of(offers: Iterable[Offer]) -> Offer | None:
    """The one to take: the largest model that runs well, in the best form that does; else the one that needs least."""
    offers = list(offers)
    good = [offer for offer in offers if offer.fit is Fit.WELL and _leaves_room(offer) and _rank(offer)]
    usable = [offer for offer in offers if offer.fit is not Fit.NOT and _rank(offer)]
    if good:
        return max(good, key=lambda offer: (offer.weights, _rank(offer)))
    return min(usable, key=lambda offer: offer.needed_bytes, default=None)


def _with_best_marked(offers: list[Offer]) -> list[Offer]:
    best = best_of(offers)
    return [replace(offer, is_recommended=offer is best) for offer in offers]


def _leaves_room(offer: Offer) -> bool:
    return offer.device != SYSTEM_MEMORY or offer.needed_bytes <= _MOST_OF_SYSTEM * offer.limit_bytes


def _rank(offer: Offer) -> int:
    """Which of a model's forms to take, 0 for none that is worth its room."""
    if offer.precision == SIXTEEN_BIT and offer.format is WeightFormat.SAFETENSORS:
        return _SIXTEEN_BIT_ON_GPU_RANK if offer.device != SYSTEM_MEMORY else 0
    return _RANKS.get(offer.precision, 2 if offer.precision.startswith(("Q5", "Q6")) else 0)

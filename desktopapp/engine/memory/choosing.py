"""Which installed models, and which forms of them, could answer a request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from desktopapp.engine.backend_choice import BACKENDS, choose_backend
from desktopapp.engine.backends.registry import capabilities_of
from desktopapp.engine.memory.calibration import Calibration
from desktopapp.engine.memory.candidate import Candidate
from desktopapp.engine.memory.machine import Machine, has_fast_bfloat16
from desktopapp.engine.memory.model_spec import read_spec
from desktopapp.engine.memory.planner import Alternative
from desktopapp.engine.memory.probe import GpuFacts
from desktopapp.engine.memory.steps import Step
from desktopapp.engine.request import BackendChoice
from desktopapp.errors import ModelError, ModelIncomplete, ProjectorMissing
from desktopapp.modelstore.model import InstalledModel, ModelFiles, WeightFormat


@dataclass(frozen=True, slots=True)
class Chooser:
    """Makes candidates for one machine.

    Args:
        machine: that would run them.
        calibration: what was measured on it.
    """

    machine: Machine
    calibration: Calibration

    def wanted(
        self,
        model: InstalledModel,
        backend: BackendChoice,
        ceiling_bytes: int | None = None,
        *,
        to_load: bool = False,
    ) -> tuple[Candidate, str]:
        """The form of a model that would be loaded, and why, in one sentence.

        To be priced only, a model whose weights are not here yet is taken by its config.json.

        Args:
            model: of the store.
            backend: the person's choice.
            ceiling_bytes: most memory of the GPU to use.
            to_load: it is loaded next, so its files must be complete.

        Raises:
            ModelError: there is none that could be.
        """
        gpu = self.machine.gpu
        facts = None
        if gpu is not None:
            free_bytes = gpu.free_bytes if ceiling_bytes is None else min(ceiling_bytes, gpu.free_bytes)
            facts = GpuFacts(gpu.name, gpu.total_bytes, free_bytes, "")
        try:
            choice, files, reason = choose_backend(model, backend, facts, self.machine.gpu_backends)
        except (ModelIncomplete, ProjectorMissing):
            found = next((f for f in model.files if f.format is WeightFormat.SAFETENSORS), None)
            if to_load or found is None or backend is BackendChoice.LLAMA_CPP:
                raise
            choice, files = BackendChoice.TRANSFORMERS, found
            reason = "Its weights are not here yet; sizes come from config.json."
        return self.candidate(model.name, choice, files), reason

    def candidate(self, name: str, backend: BackendChoice, files: ModelFiles) -> Candidate:
        """One form of a model.

        Raises:
            ModelError: its files cannot be read.
        """
        device = self.machine.device_for(backend)
        return Candidate(
            model=name,
            backend=backend,
            files=files,
            spec=read_spec(files),
            device=device,
            capabilities=capabilities_of(backend),
            corrections=self.calibration.corrections(name, backend, device.name),
            fast_bfloat16=has_fast_bfloat16(),
        )

    def other_forms(
        self, model: InstalledModel, taken: Candidate, backend: BackendChoice
    ) -> Iterator[Alternative]:
        """Other complete files of the same model, the largest first.

        Args:
            model: of the store.
            taken: the form that was wanted.
            backend: the person's choice; another one is not offered.
        """
        for files in sorted(model.files, key=lambda files: -files.size_bytes):
            own = BACKENDS[files.format]
            if files.missing or files == taken.files or backend not in (BackendChoice.AUTO, own):
                continue
            step = Step.OTHER_WEIGHTS if own is taken.backend else Step.OTHER_BACKEND
            yield from self._alternative(step, model.name, own, files)

    def smaller_models(
        self, models: Iterable[InstalledModel], than: InstalledModel, taken: Candidate, backend: BackendChoice
    ) -> Iterator[Alternative]:
        """Other usable models of the same kind that are smaller, the largest first."""
        smaller = [
            alternative
            for model in models
            if model.name != than.name
            and model.kind is than.kind
            and model.random_weights == than.random_weights
            for files in model.files
            if not files.missing
            and not model.problem
            and backend in (BackendChoice.AUTO, BACKENDS[files.format])
            for alternative in self._alternative(
                Step.SMALLER_MODEL, model.name, BACKENDS[files.format], files
            )
            if alternative.candidate.spec.weights < taken.spec.weights
        ]
        yield from sorted(smaller, key=lambda one: -one.candidate.spec.weight_bytes)

    def _alternative(
        self, step: Step, name: str, backend: BackendChoice, files: ModelFiles
    ) -> Iterator[Alternative]:
        try:
            yield Alternative(step, self.candidate(name, backend, files))
        except (ModelError, OSError):  # what cannot be read cannot be offered
            return

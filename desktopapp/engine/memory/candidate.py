"""One way to run a model: which files, which backend, on which device."""

from __future__ import annotations

from dataclasses import dataclass

from desktopapp.engine.backend import Capabilities
from desktopapp.engine.memory.calibration import UNCALIBRATED, Corrections
from desktopapp.engine.memory.costs import Costs
from desktopapp.engine.memory.formulas_llama_cpp import LlamaCosts
from desktopapp.engine.memory.formulas_transformers import TransformersCosts
from desktopapp.engine.memory.machine import Device
from desktopapp.engine.memory.spec import KV_TYPES, WEIGHT_BYTES, ModelSpec
from desktopapp.engine.memory.weight_type import INT8, STORED
from desktopapp.engine.request import BackendChoice
from desktopapp.modelstore.model import ModelFiles

# Left of system memory for everything else when weights are widened to 32 bits; see the backend's `device.py`.
_RAM_RESERVE_BYTES = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Placement:
    """What of a model lies on the device that is planned for.

    Args:
        gpu_layers: layers of the language model there; None for the whole model.
        vision_on_gpu: the vision part is there too.
    """

    gpu_layers: int | None = None
    vision_on_gpu: bool = True


WHOLE_MODEL = Placement()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that could answer.

    Args:
        model: its name.
        backend: that would run it.
        files: that would be loaded; None for a model that is not here yet.
        spec: what it is made of.
        device: where it would run.
        capabilities: of the backend.
        corrections: what runs on this machine taught.
        fast_bfloat16: the processor computes in bfloat16, so weights are not widened without a GPU.
        weight_type: that its weights are loaded in, see `weight_type.py`.
    """

    model: str
    backend: BackendChoice
    files: ModelFiles | None
    spec: ModelSpec
    device: Device
    capabilities: Capabilities
    corrections: Corrections = UNCALIBRATED
    fast_bfloat16: bool = False
    weight_type: str = STORED

    @property
    def precision(self) -> str:
        """Of most weights in memory, as `BF16`, `INT8`, `Q4_K_M`."""
        return "INT8" if self.weight_type == INT8 else self.computed_precision

    @property
    def computed_precision(self) -> str:
        """That the model computes in; of a GGUF, the precision of its weights."""
        stored = self.spec.precision
        if self.backend is BackendChoice.LLAMA_CPP or self.device.is_gpu or stored != "BF16":
            return stored
        if self.fast_bfloat16:
            return stored
        wide_bytes = self.spec.weights * WEIGHT_BYTES["F32"]
        return "F32" if wide_bytes + _RAM_RESERVE_BYTES < self.device.free_bytes else stored

    @property
    def chunks(self) -> tuple[int, ...]:
        """Prompt tokens that can be evaluated at once, the fastest first."""
        own = self.capabilities.chunk_tokens
        return own if self.device.is_gpu else self.capabilities.cpu_chunk_tokens or own

    @property
    def can_load_8bit(self) -> bool:
        """Whether its weights can be loaded in 8 bits, and that saves memory of a GPU."""
        return (
            self.capabilities.loads_8bit
            and self.device.is_gpu
            and self.weight_type == STORED
            and self.spec.text.matrix_weights > 0
        )

    @property
    def can_offload(self) -> bool:
        """Whether some layers can stay in system memory."""
        return self.capabilities.offloads_layers and self.device.is_gpu

    @property
    def makes_room_ahead(self) -> bool:
        """Whether its KV cache is allocated for more than a request needs, where memory allows."""
        return self.backend is BackendChoice.LLAMA_CPP

    def nearest_kv_type(self, wanted: str) -> str:
        """The type that this backend has in place of the one that the person named.

        The type itself, else the first of as many bits, else the first with more.
        """
        own = self.capabilities.kv_types
        if wanted in own:
            return wanted
        bits = KV_TYPES[wanted].bits
        same = [name for name in own if KV_TYPES[name].bits == bits]
        wider = [name for name in reversed(own) if KV_TYPES[name].bits > bits]
        return (same or wider or list(own))[0]

    def kv_types_of(self, bits: int) -> tuple[str, ...]:
        """The types of so many bits."""
        return tuple(name for name in self.capabilities.kv_types if KV_TYPES[name].bits == bits)

    def costs_here(self) -> Costs:
        """The formulas for the whole model on its device."""
        return self.costs(WHOLE_MODEL)

    def costs(self, placement: Placement, most_cells: int | None = None) -> Costs:
        """The formulas, with what was measured on this machine.

        Args:
            placement: what lies on the device.
            most_cells: of a cache that is allocated ahead, see `LlamaCosts`.
        """
        learnt = self.corrections
        if self.backend is BackendChoice.LLAMA_CPP:
            return LlamaCosts(
                self.spec,
                overhead_bytes=learnt.overhead_bytes(self.backend, is_gpu=self.device.is_gpu),
                on_gpu=self.device.is_gpu,
                gpu_layers=placement.gpu_layers,
                has_vision=placement.vision_on_gpu,
                most_cells=most_cells,
            )
        return TransformersCosts(
            self.spec,
            self.computed_precision if self.computed_precision in WEIGHT_BYTES else "BF16",
            overhead_bytes=learnt.overhead_bytes(self.backend, is_gpu=self.device.is_gpu),
            on_gpu=self.device.is_gpu,
            vision_factor=learnt.vision_factor,
            activation_factor=learnt.activation_factor,
            weight_type=self.weight_type,
        )

"""What files, drafts and requests cost, and what memory holds: events of the engine and their parts."""

from __future__ import annotations

from dataclasses import dataclass, fields

from desktopapp.engine.events import SYSTEM_MEMORY, Event, Failed
from desktopapp.engine.plan_note import PlanNote


@dataclass(frozen=True, slots=True)
class AttachmentPrice:
    """What one attachment costs, from its header alone.

    Args:
        path: of the file.
        width: in pixels, after EXIF orientation; 0 when it could not be read.
        height: in pixels.
        tokens: visual tokens at the model's pixel budget.
        failed: why it cannot be used, or None.
        kind: `picture`, `video` or `document`.
        pages: of a document, all of them.
        frames: of a video, those that are looked at.
        duration_s: of a video.
        note: what the person should know of how it is read, or empty.
    """

    path: str
    width: int = 0
    height: int = 0
    tokens: int = 0
    failed: Failed | None = None
    kind: str = "picture"
    pages: int = 0
    frames: int = 0
    duration_s: float = 0.0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Priced(Event):
    """The answer to a PriceAttachments command; comes while a request runs as well."""

    prices: tuple[AttachmentPrice, ...]


@dataclass(frozen=True, slots=True)
class MemoryParts:
    """What a backend holds on the device it runs on, by purpose. Zeros where no model is loaded.

    Args:
        weights_bytes: of the whole model, the vision tower and the projector included.
        vision_bytes: what pictures take while they are read: pixels, patches, features.
        kv_cache_bytes: keys and values, as allocated.
        workspace_bytes: everything else that the backend holds: activations, compute buffers.
        unused_bytes: taken from the driver by the allocator, and used by nothing now.
    """

    weights_bytes: int = 0
    vision_bytes: int = 0
    kv_cache_bytes: int = 0
    workspace_bytes: int = 0
    unused_bytes: int = 0

    def plus(self, other: MemoryParts) -> MemoryParts:
        """What two backends hold together."""
        names = (part.name for part in fields(self))
        return MemoryParts(**{name: getattr(self, name) + getattr(other, name) for name in names})

    @property
    def total_bytes(self) -> int:
        """All parts."""
        return (
            self.weights_bytes
            + self.vision_bytes
            + self.kv_cache_bytes
            + self.workspace_bytes
            + self.unused_bytes
        )


@dataclass(frozen=True, slots=True)
class MemorySample(Event):
    """Memory of the device that answers run on.

    Args:
        device: its name, as `NVIDIA GeForce RTX 4070` or `System memory`.
        is_gpu: the figures are the GPU's; else of system memory.
        used_bytes: by all programs.
        total_bytes: what there is.
        engine_bytes: of these, by the engine process; 0 when unknown.
        parts: of the engine's, what the backend can account for.
        shared_bytes: system memory that the GPU uses in place of its own, about ten times slower: this
            process's on Windows, all programs' on AMD under Linux.
    """

    device: str
    is_gpu: bool
    used_bytes: int
    total_bytes: int
    engine_bytes: int
    parts: MemoryParts = MemoryParts()
    shared_bytes: int = 0


@dataclass(frozen=True, slots=True)
class PlannedAttachment:
    """What a plan makes of one attachment.

    Args:
        path: of the file.
        tokens: visual tokens.
        bytes: that these take in the KV cache.
        size: (width, height) in pixels that a picture, page or frame is shown in.
        pages: of a document.
        frames: of a video, those that are looked at.
    """

    path: str
    tokens: int
    bytes: int
    size: tuple[int, int]
    pages: int | None = None
    frames: int | None = None


@dataclass(frozen=True, slots=True)
class PlannedParts:
    """Bytes of each part at its largest; not all are so large at once, so their sum can exceed the peak.

    Args:
        weights: of the model, the vision part included.
        kv_cache: keys and values of prompt and answer.
        vision: what reading the largest picture takes.
        workspace: what the language model computes in.
        overhead: of the GPU's runtime and of the allocator.
    """

    weights: int
    kv_cache: int
    vision: int
    workspace: int
    overhead: int


@dataclass(frozen=True, slots=True)
class PlannedPhases:
    """Most bytes in use in each phase, everything included; 0 for a phase that there is not.

    Args:
        vision: while pictures are read.
        prefill: while the prompt is read.
        decode: while the answer is written.
    """

    vision: int
    prefill: int
    decode: int


@dataclass(frozen=True, slots=True)
class Planned(Event):
    """How a request will be run, decided before it begins; `main.py plan --json` prints the same fields.

    Args:
        request_id: the request; empty for `plan`.
        model: its name.
        backend: that runs it.
        precision: of the weights in memory.
        device: that the bytes are counted on, as `NVIDIA GeForce RTX 4070` or `System memory`.
        prompt_tokens: of the whole prompt.
        answer_tokens: that the plan has room for.
        context_tokens: longest prompt plus answer within the limit and the model's own context.
        parts: bytes of each part.
        phases: bytes of each phase.
        peak_bytes: of the largest phase.
        limit_bytes: that may be used: the person's ceiling, or what is free.
        fits: the peak is within the limit, and the model's own context holds prompt and answer.
        kv_type: numbers in the KV cache.
        prefill_chunk: prompt tokens evaluated at once.
        segments: parts that the media are divided into; 1 for undivided.
        gpu_layers: of the language model on the GPU, where some are not; else None.
        image_max_tokens: a picture that would cost more is shrunk to this; None for the model's own limit.
        attachments: what becomes of each.
        steps_taken: names of `memory.steps.Step`, what was given up, the least loss first.
        reasons: a sentence for each choice, in English.
        remedies: where it does not fit, what would help, the cheapest first, in English.
        reason_notes: the reasons without their words, for another language.
        remedy_notes: likewise the remedies.
        shortfall_bytes: that are missing where it does not fit: what plans keep free of a GPU's limit counts as well.
        conflicts: where it does not fit, what works against each other, the worst first, in English.
        conflict_notes: the same without their words.
        idle_model: name of the other one of a pair, which waits in memory beside it; empty for none.
    """

    request_id: str
    model: str
    backend: str
    precision: str
    device: str
    prompt_tokens: int
    answer_tokens: int
    context_tokens: int
    parts: PlannedParts
    phases: PlannedPhases
    peak_bytes: int
    limit_bytes: int
    fits: bool
    kv_type: str
    prefill_chunk: int
    segments: int = 1
    gpu_layers: int | None = None
    image_max_tokens: int | None = None
    attachments: tuple[PlannedAttachment, ...] = ()
    steps_taken: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    reason_notes: tuple[PlanNote, ...] = ()
    remedy_notes: tuple[PlanNote, ...] = ()
    shortfall_bytes: int = 0
    conflicts: tuple[str, ...] = ()
    conflict_notes: tuple[PlanNote, ...] = ()
    idle_model: str = ""

    @property
    def comparable_peak_bytes(self) -> int:
        """The peak as `Stats.peak_bytes` counts: torch's allocator on a GPU knows nothing of the runtime's context."""
        counts_allocator = self.backend == "transformers" and self.device != SYSTEM_MEMORY
        return self.peak_bytes - self.parts.overhead if counts_allocator else self.peak_bytes


@dataclass(frozen=True, slots=True)
class DraftPriced(Event):
    """The answer to a PriceDraft command; comes while a request runs as well.

    Args:
        request_id: of the draft.
        planned: how it would be run; None where that cannot be told, as without a model.
    """

    request_id: str
    planned: Planned | None = None

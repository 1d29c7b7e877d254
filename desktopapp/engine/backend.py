"""The face that every backend shows to the engine.

A backend turns a prompt of text, pictures and videos into tokens. It knows nothing about conversations, chat
templates, files that people drop, thoughts, or UTF-8: the engine above does that once for all backends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.events import FinishReason
from desktopapp.engine.price_events import MemoryParts
from desktopapp.engine.prompt_parts import PixelBudget, PromptPart, VideoBudget
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore.model import ModelFiles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    RgbArray: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How to load.

    Args:
        context_tokens: longest prompt plus output, in tokens; None takes the backend's default within
            the model's own limit.
        device: `auto`, `cpu`, or `cuda`.
        kv_type: numbers in the KV cache: `auto`, `f32`, `16bit`, `q8_0`, `q4_0`. Only llama.cpp has a choice.
        image_min_tokens: a picture that would cost less is enlarged; None takes the model's own limit. Only
            llama.cpp reads this and the next.
        image_max_tokens: a picture that would cost more is shrunk.
        gpu_layers: layers of the language model that go to the GPU, -1 for all; None decides by what is free. Only
            llama.cpp reads this and the next two.
        projector_on_gpu: whether the vision tower runs there; None follows the layers.
        threads: for the CPU; None takes the physical cores.
        prefill_chunk_tokens: most prompt tokens evaluated at once, to begin with; None takes the backend's own. Only
            llama.cpp reads this: its work space is made with the KV cache.
        weight_type: numbers that weights are loaded in: `stored`, or `int8` for the language model's matrices. Only
            transformers has a choice; a GGUF's are in the file.
    """

    context_tokens: int | None = None
    device: str = "auto"
    kv_type: str = "auto"
    image_min_tokens: int | None = None
    image_max_tokens: int | None = None
    gpu_layers: int | None = None
    projector_on_gpu: bool | None = None
    threads: int | None = None
    prefill_chunk_tokens: int | None = None
    weight_type: str = "stored"


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What one generation may use: a plan's choices for it.

    Args:
        kv_type: numbers in the KV cache: `auto` (the backend's own choice), `16bit`, in transformers also
            `fp8_e4m3`, `fp8_e5m2`, `int8`, `int4`, in llama.cpp `q8_0`, `q4_0`.
        prefill_chunk_tokens: most prompt tokens evaluated at once, above zero; None takes the backend's own.
        context_tokens: longest prompt plus output; None, or more than the loaded model's, takes the model's.
        saves_replaced: a conversation that this one takes the place of in the KV cache may be set aside to return.
    """

    kv_type: str = "auto"
    prefill_chunk_tokens: int | None = None
    context_tokens: int | None = None
    saves_replaced: bool = True

    def context_limit(self, facts: LoadedModel) -> int:
        """Tokens that prompt and output may take together."""
        return min(self.context_tokens or facts.context_tokens, facts.context_tokens)


DEFAULT_RUN = RunOptions()


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """What the engine needs to know of a loaded model.

    Args:
        chat_template: the Jinja source that came with the model.
        precision: of the weights as they were loaded.
        device: `cuda:0`, `cpu`.
        context_tokens: longest prompt plus output.
        pixel_budget: for pictures.
        bos_text: text of the begin-of-sequence token for the template, or empty.
        eos_text: text of the end-of-sequence token for the template.
        video_budget: for videos.
    """

    chat_template: str
    precision: str
    device: str
    context_tokens: int
    pixel_budget: PixelBudget
    bos_text: str = ""
    eos_text: str = "<|im_end|>"
    video_budget: VideoBudget = field(default_factory=VideoBudget)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a backend can do.

    Args:
        reuses_prefix: a prompt that begins like the last one is evaluated only from where it differs.
        kv_types: numbers that its KV cache can hold, names of `RunOptions.kv_type`, the most exact first.
        chunk_tokens: prompt tokens that it can evaluate at once, the fastest first.
        cpu_chunk_tokens: likewise without a GPU; empty for the same.
        offloads_layers: some layers can lie on a GPU and the rest in system memory.
        loads_8bit: it can load weights of 16 bits in 8.
    """

    reuses_prefix: bool = False
    kv_types: tuple[str, ...] = ("16bit",)
    chunk_tokens: tuple[int, ...] = (512,)
    cpu_chunk_tokens: tuple[int, ...] = ()
    offloads_layers: bool = False
    loads_8bit: bool = False


@dataclass(frozen=True, slots=True)
class ImageEvaluated:
    """One picture, or the last pair of a video, went through the vision tower (or its result was reused).

    Args:
        index: of the picture or video in the prompt, counted together from 0.
        tokens: visual tokens, of a video all of them.
    """

    index: int
    tokens: int


@dataclass(frozen=True, slots=True)
class PromptProgress:
    """Prompt tokens evaluated so far, and of these how many came from a cache."""

    done_tokens: int
    total_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class TokenAdded:
    """One generated token.

    Args:
        token_id: in the model's vocabulary.
        data: the bytes that it stands for; may be part of a UTF-8 character. A special token that can be
            part of an answer (`</think>`) comes as its text; stop tokens never come.
    """

    token_id: int
    data: bytes


@dataclass(frozen=True, slots=True)
class GenerationEnded:
    """The last thing a generation yields, but for a cancelled one, which raises Cancelled instead.

    Args:
        reason: `STOP` or `LENGTH`.
        peak_bytes: most memory used, see `Stats.peak_bytes`.
    """

    reason: FinishReason
    peak_bytes: int


@runtime_checkable
class TokenCounter(Protocol):
    """A backend that can tell how many tokens a text has once a model is loaded."""

    def count_tokens(self, text: str) -> int:
        """Tokens of a text without special ones. Only from the thread that generates."""
        ...


GenerationStep: TypeAlias = ImageEvaluated | PromptProgress | TokenAdded | GenerationEnded
LoadProgress: TypeAlias = Callable[[str, float | None], None]


class Backend(Protocol):
    """One way of running a Qwen3-VL model. Used from one thread at a time.

    Attributes:
        name: as in `BackendChoice`.
        capabilities: what it can do.
    """

    name: str
    capabilities: Capabilities

    def load(
        self, files: ModelFiles, options: LoadOptions, steps: StepClock, progress: LoadProgress
    ) -> LoadedModel:
        """Load a model; one at a time.

        Args:
            files: what to load; complete (`missing` empty).
            options: how.
            steps: told about every long step.
            progress: called with a stage of `ModelLoading` and a fraction 0..1 or None, as often as the library
                allows; raises Cancelled when the load is to be given up, which may pass through.

        Raises:
            ModelError: the files are damaged, unsupported, or do not fit together.
            BackendUnavailable: this machine cannot run it this way.
            OutOfMemory: it does not fit.
        """
        ...

    def unload(self) -> None:
        """Give all memory of the model back. Without effect when none is loaded."""
        ...

    def memory_parts(self) -> MemoryParts:
        """What it holds now on the device that it runs on. Safe from any thread, and quick."""
        ...

    def generate(
        self,
        prompt: Sequence[PromptPart],
        sampling: SamplingParameters,
        max_new_tokens: int,
        cancel: CancelToken,
        steps: StepClock,
        options: RunOptions = DEFAULT_RUN,
    ) -> Iterator[GenerationStep]:
        """Evaluate a prompt and generate until a stop token or the limit.

        Yields ImageEvaluated and PromptProgress while the prompt is read (the last PromptProgress has
        `done_tokens == total_tokens`), then TokenAdded for each token, then one GenerationEnded.
        Closing the iterator ends the generation; the model stays loaded and usable.

        Args:
            prompt: text, pictures and videos in order. Pictures are decoded one at a time and a video's frames
                in pairs, as they are evaluated.
            sampling: how tokens are chosen.
            max_new_tokens: longest output; cut further where the context ends.
            cancel: read between tokens, prefill chunks, pictures and pairs of frames.
            steps: told about every long step.
            options: what this generation may use.

        Raises:
            BackendUnavailable: this backend has no KV cache of that type.
            Cancelled: the token was set.
            PromptTooLong: the prompt leaves no room for an answer.
            AttachmentError: a picture cannot be decoded.
            OutOfMemory: memory ran out; the model stays loaded where the library allows it.
        """
        ...

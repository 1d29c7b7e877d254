"""The face that every backend shows to the engine.

A backend turns a prompt of text, pictures and videos into tokens. It knows nothing about conversations, chat
templates, files that people drop, thoughts, or UTF-8: the engine above does that once for all backends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.events import FinishReason, MemoryParts
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore.model import ModelFiles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    RgbArray: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class TextPart:
    """Text of the prompt.

    Args:
        text: Unicode.
        parse_special: the chat template's own text, in which `<|im_start|>` and the like are special tokens.
            False for text that a person or a document wrote, where the same characters are plain text.
    """

    text: str
    parse_special: bool = True


class ImageSource(Protocol):
    """A picture that can be decoded when its turn comes.

    Attributes:
        path: of the file, for messages.
        width: in pixels, after EXIF orientation.
        height: in pixels.
    """

    path: str
    width: int
    height: int

    def decode(self) -> RgbArray:
        """The pixels: uint8 (height, width, 3), RGB, 0..255, contiguous.

        Raises:
            AttachmentError: it cannot be read (any more).
        """
        ...


@runtime_checkable
class VersionedImage(Protocol):
    """A picture or video that can tell whether it is the one of an earlier turn without being decoded."""

    def version(self) -> str | None:
        """A name for its present pixels: equal names, equal pixels. None where that is not known."""
        ...


@dataclass(frozen=True, slots=True)
class PixelBudget:
    """How many pixels of a picture the model is shown.

    Args:
        cell_px: side of the square that one visual token covers (patch size times merge size).
        min_pixels: a smaller picture is enlarged to this.
        max_pixels: a larger picture is shrunk to this.
    """

    cell_px: int = 32
    min_pixels: int = 65_536
    max_pixels: int = 16_777_216

    def limited(self, min_tokens: int | None, max_tokens: int | None) -> PixelBudget:
        """This budget with other limits, in visual tokens; the smallest gives way to the largest.

        Args:
            min_tokens: of a picture, above zero; None keeps the limit.
            max_tokens: likewise.
        """
        cell = self.cell_px**2
        largest = self.max_pixels if max_tokens is None else max_tokens * cell
        smallest = self.min_pixels if min_tokens is None else min_tokens * cell
        return PixelBudget(self.cell_px, min(smallest, largest), largest)


@dataclass(frozen=True, slots=True)
class VideoBudget:
    """How many pixels of a video the model is shown.

    Args:
        cell_px: side of the square that one visual token covers.
        min_pixels: of all frames together; a smaller video is enlarged to this.
        max_pixels: of all frames together; a larger video is shrunk to this.
        max_frame_pixels: of one frame; None for no such limit, as in transformers.
    """

    cell_px: int = 32
    min_pixels: int = 4_096
    max_pixels: int = 25_165_824
    max_frame_pixels: int | None = None


@dataclass(frozen=True, slots=True)
class ImagePart:
    """A picture in the prompt, in place of `<|vision_start|><|image_pad|><|vision_end|>`, those tokens included.

    Args:
        image: where its pixels come from.
        pixel_budget: how large it is shown to the model; None takes the loaded model's budget.
    """

    image: ImageSource
    pixel_budget: PixelBudget | None = None


@dataclass(frozen=True, slots=True)
class TokensPart:
    """What the model itself generated before, given back token by token: to go on from there.

    Text would not do: tokenised again it can become other tokens than those whose KV is kept.

    Args:
        token_ids: as `TokenAdded` told them.
    """

    token_ids: tuple[int, ...]


class VideoSource(Protocol):
    """The sampled frames of a video, decoded when their turn comes. It has at least one frame.

    Attributes:
        path: of the file, for messages.
        width: of each frame in pixels, turned upright.
        height: in pixels.
        frame_times_s: when each sampled frame is shown, in seconds from the video's begin, ascending.
    """

    path: str
    width: int
    height: int
    frame_times_s: tuple[float, ...]

    def decode(self, index: int) -> RgbArray:
        """The pixels of a sampled frame: uint8 (height, width, 3), RGB, 0..255, contiguous.

        Fast in ascending order; any order works.

        Args:
            index: in `frame_times_s`.

        Raises:
            AttachmentError: it cannot be read (any more).
        """
        ...


@dataclass(frozen=True, slots=True)
class VideoPart:
    """A video in the prompt, in place of `<|vision_start|><|video_pad|><|vision_end|>`, those tokens included.

    Each two frames become one picture in time: `<1.3 seconds>` with the mean of their times, then
    `<|vision_start|>`, a token for each cell, `<|vision_end|>`. An odd last frame stands for two.
    `media/video_grid.py` has the arithmetic for all backends.

    Args:
        video: where its frames come from.
        budget: for this video; None takes the model's.
    """

    video: VideoSource
    budget: VideoBudget | None = None


PromptPart: TypeAlias = TextPart | ImagePart | VideoPart | TokensPart


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
    video_budget: VideoBudget = VideoBudget()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a backend can do.

    Args:
        reuses_prefix: a prompt that begins like the last one is evaluated only from where it differs.
        streams_images: pictures are decoded one by one as they are evaluated.
        kv_types: numbers that its KV cache can hold, names of `RunOptions.kv_type`, the most exact first.
        chunk_tokens: prompt tokens that it can evaluate at once, the fastest first.
        cpu_chunk_tokens: likewise without a GPU; empty for the same.
        offloads_layers: some layers can lie on a GPU and the rest in system memory.
        reads_video: it takes `VideoPart`.
        loads_8bit: it can load weights of 16 bits in 8.
    """

    reuses_prefix: bool = False
    streams_images: bool = True
    kv_types: tuple[str, ...] = ("16bit",)
    chunk_tokens: tuple[int, ...] = (512,)
    cpu_chunk_tokens: tuple[int, ...] = ()
    offloads_layers: bool = False
    reads_video: bool = False
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

"""An engine in this process, with a backend that follows a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from desktopapp.engine.backend import (
    DEFAULT_RUN,
    Capabilities,
    GenerationEnded,
    GenerationStep,
    ImageEvaluated,
    LoadedModel,
    LoadOptions,
    LoadProgress,
    PromptProgress,
    RunOptions,
    TokenAdded,
)
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.engine import Engine
from desktopapp.engine.events import Event, Failed, Finished, FinishReason
from desktopapp.engine.price_events import MemoryParts
from desktopapp.engine.prompt_parts import ImagePart, PixelBudget, PromptPart
from desktopapp.engine.request import (
    BackendChoice,
    Mode,
    ModelChoice,
    Request,
    Role,
    Turn,
)
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.errors import ModelNotFound
from desktopapp.modelstore.model import InstalledModel, ModelFiles, ModelKind, WeightFormat
from models.qwen_files.chat_template import chat_template

Script = Callable[[Sequence[PromptPart], CancelToken], Iterator[GenerationStep]]


def say(*pieces: bytes, reason: FinishReason = FinishReason.STOP) -> Script:
    def run(prompt: Sequence[PromptPart], cancel: CancelToken) -> Iterator[GenerationStep]:
        index = 0
        for part in prompt:
            if isinstance(part, ImagePart):
                part.image.decode()
                yield ImageEvaluated(index, 60)
                index += 1
        yield PromptProgress(70, 100, cached_tokens=30)
        yield PromptProgress(100, 100, cached_tokens=30)
        for number, piece in enumerate(pieces):
            cancel.raise_if_cancelled()
            yield TokenAdded(number, piece)
        yield GenerationEnded(reason, 12345)

    return run


class ScriptedBackend:
    """Does what it is told, and remembers what it was asked."""

    name = "scripted"
    capabilities = Capabilities()

    def __init__(self, script: Script, on_load: Callable[[LoadProgress], None] | None = None) -> None:
        self.script = script
        self.on_load = on_load
        self.loaded: Path | None = None
        self.loads: list[str] = []
        self.sampling: SamplingParameters | None = None
        self.limit = 0
        self.closed = 0
        self.prompts: list[tuple[PromptPart, ...]] = []
        self.template = ""
        """The model's; empty for that of Qwen3-VL's kind."""

    def load(
        self, files: ModelFiles, options: LoadOptions, steps: StepClock, progress: LoadProgress
    ) -> LoadedModel:
        progress("weights", 0.5)
        if self.on_load:
            self.on_load(progress)
        self.loaded = files.path
        self.loads.append(files.path.name)
        kind = ModelKind.THINKING if "thinking" in files.path.name else ModelKind.INSTRUCT
        return LoadedModel(
            self.template or chat_template(kind), "F32", "cpu", 4096, PixelBudget(max_pixels=65_536)
        )

    def unload(self) -> None:
        self.loaded = None

    def memory_parts(self) -> MemoryParts:
        return MemoryParts()

    def generate(
        self,
        prompt: Sequence[PromptPart],
        sampling: SamplingParameters,
        max_new_tokens: int,
        cancel: CancelToken,
        steps: StepClock,
        options: RunOptions = DEFAULT_RUN,
    ) -> Iterator[GenerationStep]:
        self.sampling, self.limit = sampling, max_new_tokens
        self.prompts.append(tuple(prompt))
        try:
            yield from self.script(prompt, cancel)
        finally:
            self.closed += 1


class Store:
    """Two families; the second has no Thinking model."""

    def __init__(self) -> None:
        self.asked = 0

    def find_model(self, name_or_path: str, /) -> InstalledModel:
        self.asked += 1
        if name_or_path not in ("a-instruct", "a-thinking", "b-instruct"):
            raise ModelNotFound(name=name_or_path)
        family, kind = name_or_path.split("-")
        gguf = ModelFiles(WeightFormat.GGUF, Path(name_or_path + ".gguf"), Path("mmproj"), "F32", 10)
        return InstalledModel(name_or_path, Path(family), ModelKind(kind), family, (gguf,))

    def find_variant(self, model: InstalledModel, kind: ModelKind, /) -> InstalledModel | None:
        return self.find_model(f"{model.family}-{kind}") if model.family == "a" else None


class Bench:
    """An engine with one scripted backend."""

    def __init__(self, script: Script, on_load: Callable[[LoadProgress], None] | None = None) -> None:
        self.backend = ScriptedBackend(script, on_load)
        self.store = Store()
        self.cancel = CancelToken()
        self.engine = Engine(self.store, {BackendChoice.LLAMA_CPP: lambda: self.backend}, StepClock())

    def ask(self, model: str = "a-instruct", mode: Mode | None = None, **changes: Any) -> list[Event]:
        return list(self.stream(model, mode, **changes))

    def stream(self, model: str = "a-instruct", mode: Mode | None = None, **changes: Any) -> Iterator[Event]:
        fields: dict[str, Any] = {"turns": (Turn(Role.USER, "Hi"),), **changes}
        choice = ModelChoice(model, BackendChoice.AUTO, mode)
        return self.engine.generate(Request("r", choice, **fields), self.cancel)


def last(events: list[Event]) -> Finished:
    assert isinstance(events[-1], Finished), events[-1]
    return events[-1]


def failure(events: list[Event]) -> Failed:
    assert isinstance(events[-1], Failed), events[-1]
    return events[-1]

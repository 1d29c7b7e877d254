"""The engine: takes a request, loads what it needs, and yields events until the answer is there.

It runs in a child process, behind the window as behind the command line, and in tests.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial

from desktopapp.engine.answer import Answer
from desktopapp.engine.attached_media import AttachedMedia
from desktopapp.engine.backend import DEFAULT_RUN, Backend, LoadOptions
from desktopapp.engine.backend_choice import HEADROOM_BYTES, choose_backend, sixteen_bit_bytes
from desktopapp.engine.backends.fake import FAKE_NAMES, fake_model
from desktopapp.engine.cancel import Cancelled, CancelToken
from desktopapp.engine.collaborators import ModelStore, Planner
from desktopapp.engine.events import Event, FinishReason, LoadStopped, RequestStarted
from desktopapp.engine.failed_event import error_behind, failed_event
from desktopapp.engine.loading import Loading, RunningModel
from desktopapp.engine.long_job import LongJob
from desktopapp.engine.media.headers import HeaderCache
from desktopapp.engine.memory.admission import Admission
from desktopapp.engine.memory.heap import give_back_freed
from desktopapp.engine.memory.probe import DeviceWatch, read_gpu
from desktopapp.engine.price_events import AttachmentPrice, MemorySample, Planned
from desktopapp.engine.pricing import price
from desktopapp.engine.prompt_parts import PixelBudget, VideoBudget
from desktopapp.engine.reasoning.request_run import answer_request
from desktopapp.engine.request import Attachment, BackendChoice, Mode, ModelChoice, Request
from desktopapp.engine.request_plan import RequestPlan
from desktopapp.engine.residency import has_room_beside
from desktopapp.engine.routing.desk import KINDS, RouteDesk
from desktopapp.engine.steps import StepClock
from desktopapp.errors import (
    AppError,
    BackendUnavailable,
    DoesNotFit,
    NeedsSegments,
    OutOfMemory,
    VariantMissing,
)
from desktopapp.modelstore.model import InstalledModel, ModelFiles, ModelKind
from desktopapp.modelstore.store import is_usable


class Engine:
    """Answers one request at a time; used from one thread, but for prices and `sample_memory`.

    Args:
        store: finds models.
        backends: makes a backend; called when it is first needed, since that imports its libraries.
        steps: told about every long step.
        planner: plans requests and prices drafts; without one a request runs with the backend's own choices.
    """

    def __init__(
        self,
        store: ModelStore,
        backends: Mapping[BackendChoice, Callable[[], Backend]],
        steps: StepClock,
        planner: Planner | None = None,
    ) -> None:
        self._planner = planner
        self._watch = DeviceWatch()
        """Reads the memory that a planned run is admitted to."""
        self._store = store
        self._backends = backends
        self._steps = steps
        self._headers = HeaderCache()
        self._running: RunningModel | None = None
        self._loading: Loading | None = None
        self._asked_context: int | None = None
        self._parked: RunningModel | None = None
        """The other one of the pair, where memory holds both."""
        self._desk = RouteDesk()

    def load(self, choice: ModelChoice, cancel: CancelToken) -> Iterator[Event]:
        """Load a model ahead of the first question.

        Yields Planned where it is planned, ModelLoading for each stage, then ModelReady, Failed, or LoadStopped.
        """
        try:
            cancel.raise_if_cancelled()
            loaded_before = self._running
            yield from self._bring_back(choice)
            self._let_go_under_ceiling(choice)
            plan = self._plan_load(choice)
            if plan is None:
                yield from self._ensure_loaded(choice, cancel)
            else:
                yield from self._ensure_planned(plan, choice, cancel)
            if self._running is not None and self._running is loaded_before:
                yield self._running.ready
        except Cancelled:
            yield LoadStopped(choice.model)
        except Exception as error:  # noqa: BLE001 - this is where every defect becomes an event
            yield failed_event("", self._without_idle(error, "loading the model"), "loading the model")

    def generate(self, request: Request, cancel: CancelToken) -> Iterator[Event]:
        """Answer a request, loading its model first where another one or none is loaded.

        What does not fit at once is answered in segments (`long_job.LongJob`). Yields RequestStarted, then
        Planned, ModelLoading and ModelReady where it loads, AttachmentRead and PrefillProgress, TextAdded, and
        at the end one Finished or Failed. A cancelled request finishes with what it had said. Closing the
        iterator ends the request; the model stays loaded.
        """
        with closing(LongJob(request, self._answer_once, HeaderCache()).run(cancel)) as events:
            yield from events

    def _answer_once(self, request: Request, cancel: CancelToken) -> Generator[Event, None, None]:
        answer = Answer(request.request_id, time.perf_counter(), request.choice.model)
        yield RequestStarted(request.request_id)
        attached = AttachedMedia()
        try:
            cancel.raise_if_cancelled()
            choice = yield from self._route(request)
            routed = replace(request, choice=choice)
            reason = yield from self._answer(routed, attached, answer, cancel)
            yield from answer.finish(reason)
        except Cancelled:
            yield from answer.finish(FinishReason.CANCELLED)
        except Exception as error:  # noqa: BLE001 - this is where every defect becomes an event
            told = self._without_idle(error, "answering")
            failed = failed_event(request.request_id, told, "answering", attached.at_fault)
            del told  # it would hold itself, and a run's tensors with it
            if not isinstance(error, AppError):
                self.unload()  # nobody knows in which state the defect left it
            yield failed
        finally:
            attached.close()

    def unload(self) -> None:
        """Give all models' memory back."""
        self._let_go_of_parked()
        running, self._running = self._running, None
        if self._planner is not None:
            self._planner.follow(None, None)
        if running is not None:
            running.backend.unload()
            give_back_freed()

    def _let_go_of_parked(self) -> None:
        parked, self._parked = self._parked, None
        if parked is not None:
            parked.backend.unload()
            give_back_freed()
            self._follow()

    def _without_idle(self, error: Exception, what: str) -> Exception:
        """The error to tell; where memory ran out and an idle model gave way, `worker.ladder` may try the same again."""
        idle = self._parked
        if idle is None or not isinstance(error, OutOfMemory | MemoryError):
            return error
        self._let_go_of_parked()
        return error_behind(error, what, idle.model.name)

    def _plan_beside_idle(self, make: Callable[[], RequestPlan | None]) -> RequestPlan | None:
        """A plan; the idle model of the pair goes before anything is given up.

        Raises:
            DoesNotFit: not without it either.
        """
        try:
            plan = make()
        except DoesNotFit:
            if self._parked is None:
                raise
        else:
            if self._parked is None or plan is None or not plan.loses_something:
                return plan
        self._let_go_of_parked()
        return make()

    def _let_go_under_ceiling(self, choice: ModelChoice) -> None:
        """A ceiling that was set since is for all that this process holds."""
        if choice.memory.vram_limit_bytes is not None:
            self._let_go_of_parked()

    def price(self, attachments: Sequence[Attachment]) -> tuple[AttachmentPrice, ...]:
        """What each file would cost, from its header alone. From one thread, which may be another one."""
        running = self._running
        pictures = running.facts.pixel_budget if running else PixelBudget()
        videos = running.facts.video_budget if running else VideoBudget()
        return tuple(price(attachment, pictures, videos, self._headers) for attachment in attachments)

    def price_draft(self, request: Request) -> Planned | None:
        """How a request would be run if it were sent now; None where that cannot be told. From `price`'s thread."""
        if self._planner is None:
            return None
        try:
            return self._planner.plan_draft(request, self._headers)
        except AppError:  # a file or a model that cannot be used says so elsewhere, in words
            return None

    def sample_memory(self, watch: DeviceWatch) -> MemorySample:
        """Memory of the device that the model runs on. Safe from any thread.

        Args:
            watch: reads devices; of that thread.
        """
        running, loading = self._running, self._loading
        if running is None:
            backend = loading.backend if loading is not None else None
            return watch.sample(backend.memory_parts() if backend is not None else None)
        parts, parked = running.backend.memory_parts(), self._parked
        if parked is not None:
            parts = parts.plus(parked.backend.memory_parts())
        return watch.sample(parts, on_gpu=running.facts.device != "cpu")

    def _route(self, request: Request) -> Generator[Event, None, ModelChoice]:
        """Settle which of a pair answers; a choice that names one model and no mode stays as it is."""
        choice = request.choice
        if choice.mode is None:
            return choice
        pair = self._pair(choice)
        if KINDS.get(choice.mode, next(iter(pair))) not in pair:
            return choice  # loading says what is missing
        loaded = {running.model.name for running in (self._running, self._parked) if running is not None}
        routed = self._desk.choose(request, pair, loaded)
        yield routed
        return replace(choice, mode=Mode(routed.mode))

    def _pair(self, choice: ModelChoice) -> dict[ModelKind, InstalledModel]:
        """The model that a choice names, and the other one of its family where that can be used."""
        named = self._resolve(replace(choice, mode=None))
        (other_kind,) = set(ModelKind) - {named.kind}
        if choice.backend is BackendChoice.FAKE:
            other: InstalledModel | None = fake_model(other_kind)
        else:
            other = self._store.find_variant(named, other_kind)
        return {named.kind: named} | ({other_kind: other} if other is not None and is_usable(other) else {})

    def _plan_load(self, choice: ModelChoice) -> RequestPlan | None:
        if self._planner is None or choice.backend is BackendChoice.FAKE:
            return None
        model = self._resolve(choice)
        if self._runs(model, choice):
            return None
        try:
            return self._plan_beside_idle(partial(self._planner.plan_load, choice, model))
        except DoesNotFit:
            if choice.memory.caps:
                raise  # it ran out of memory; without a plan the same would be loaded again
            return None  # loading it says what is missing, if it is

    def _ensure_loaded(self, choice: ModelChoice, cancel: CancelToken) -> Iterator[Event]:
        model = self._resolve(choice)
        options = LoadOptions(context_tokens=choice.context_tokens)
        if self._runs(model, choice):
            return
        # Twice: a choice that cannot be fulfilled leaves the old model alone, but the memory
        # that the old one holds must not count against the new one.
        decided = choose_backend(model, choice.backend, read_gpu())
        needed_bytes = sixteen_bit_bytes(decided[1]) + HEADROOM_BYTES
        if self._running is not None and not self._park(model, needed_bytes, choice):
            self.unload()
            decided = choose_backend(model, choice.backend, read_gpu())
        backend, files, reason = decided
        yield from self._load(model, files, backend, reason, options, choice, cancel)

    def _load(
        self,
        model: InstalledModel,
        files: ModelFiles,
        backend: BackendChoice,
        reason: str,
        options: LoadOptions,
        choice: ModelChoice,
        cancel: CancelToken,
    ) -> Iterator[Event]:
        if backend not in self._backends:
            raise BackendUnavailable(backend=backend, reason="it is not part of this installation")
        loading = self._loading = Loading(model, files, backend, reason, options, self._backends[backend])
        try:
            with closing(loading.events(self._steps, cancel)) as events:
                yield from events
        finally:
            self._running, self._loading = loading.result, None
            self._asked_context = choice.context_tokens
            self._follow()
        if self._running is not None:
            self._desk.note_load(self._running.ready, files.size_bytes)

    def _ensure_planned(self, plan: RequestPlan, choice: ModelChoice, cancel: CancelToken) -> Iterator[Event]:
        """Tell a plan and load what it wants, where something else or nothing is loaded."""
        model = self._resolve(choice)
        if plan.candidate.model != model.name:
            model = self._store.find_model(plan.candidate.model)
        running = self._running
        does = running is not None and self._runs(model, choice) and not plan.needs_other_load(running)
        if not does and (plan.loses_something or not self._park(model, plan.event.peak_bytes, choice)):
            self.unload()
        yield replace(plan.event, idle_model=self._parked.model.name if self._parked is not None else "")
        if does:
            return
        options = plan.load_options(choice)
        self._admission(plan, choice).check_load()
        yield from self._load(model, plan.files, plan.candidate.backend, plan.reason, options, choice, cancel)

    def _admission(self, plan: RequestPlan, choice: ModelChoice) -> Admission:
        """What lets a planned run go from phase to phase."""
        on_gpu = plan.candidate.device.is_gpu

        def read() -> MemorySample:
            running = self._running
            return self._watch.sample(running.backend.memory_parts() if running else None, on_gpu=on_gpu)

        return Admission(plan.plan, read, choice.memory.vram_limit_bytes)

    def _park(self, model: InstalledModel, needed_bytes: int, choice: ModelChoice) -> bool:
        """Keep the loaded model beside the other one of its family, where there is room; under a ceiling there is not."""
        running = self._running
        if running is None or running.model.family != model.family or running.model.kind is model.kind:
            return False
        if choice.memory.vram_limit_bytes is not None:
            return False
        if not has_room_beside(needed_bytes, read_gpu(), on_gpu=running.facts.device != "cpu"):
            return False
        self._let_go_of_parked()
        self._running, self._parked = None, running
        self._follow()
        return True

    def _bring_back(self, choice: ModelChoice) -> Iterator[Event]:
        """Let the model that waits in memory answer, where it is the one that is wanted."""
        parked = self._parked
        if parked is None or parked.model != self._resolve(choice):
            return
        if choice.backend not in (BackendChoice.AUTO, parked.choice):
            return
        self._running, self._parked = parked, self._running
        self._follow()
        yield replace(parked.ready, load_s=0.0)

    def _follow(self) -> None:
        if self._planner is not None:
            self._planner.follow(self._running, self._parked)

    def _resolve(self, choice: ModelChoice) -> InstalledModel:
        mode = choice.mode or Mode.AUTO  # either way the kind of what is named
        if choice.backend is BackendChoice.FAKE:
            named = next(
                (kind for kind, name in FAKE_NAMES.items() if name == choice.model), ModelKind.INSTRUCT
            )
            return fake_model(KINDS.get(mode, named))
        model = self._store.find_model(choice.model)
        kind = KINDS.get(mode, model.kind)
        if model.kind is kind:
            return model
        variant = self._store.find_variant(model, kind)
        if variant is None:
            raise VariantMissing(name=model.name, kind=kind)
        return variant

    def _runs(self, model: InstalledModel, choice: ModelChoice) -> bool:
        running = self._running
        return (
            running is not None
            and running.model == model
            and self._asked_context == choice.context_tokens
            and choice.backend in (BackendChoice.AUTO, running.choice)
        )

    def _answer(
        self, request: Request, attached: AttachedMedia, answer: Answer, cancel: CancelToken
    ) -> Generator[Event, None, FinishReason]:
        yield from self._bring_back(request.choice)
        self._let_go_under_ceiling(request.choice)
        plan: RequestPlan | None = None
        if self._planner is not None and request.choice.backend is not BackendChoice.FAKE:
            model = self._resolve(request.choice)
            attached.open(request.turns, cancel)
            plan = self._plan_beside_idle(
                partial(self._planner.plan_request, request, model, attached.by_turn)
            )
        if plan is None:
            yield from self._ensure_loaded(request.choice, cancel)
        else:
            answer.follow_plan(plan.event)
            if plan.event.segments > 1:
                yield plan.event
                raise NeedsSegments(segments=plan.event.segments)
            yield from self._ensure_planned(plan, request.choice, cancel)
            attached.show(plan.shown_limits)
        if self._running is None:
            raise RuntimeError("no model is loaded after loading")
        if not attached.is_open:
            attached.open(request.turns, cancel)
        options = plan.run_options() if plan else DEFAULT_RUN
        admission = self._admission(plan, request.choice) if plan else None
        reason = yield from answer_request(
            request, self._running, attached, answer, cancel, self._steps, options, admission
        )
        if plan is not None and self._planner is not None:
            self._planner.learn(plan, answer.stats())
        return reason

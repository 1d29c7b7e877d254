"""Which model answers: keeps picker, settings, status line and worker in step."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from desktopapp.engine.events import Failed, LoadStopped, ModelLoading, ModelReady
from desktopapp.engine.memory.limits import limits_of
from desktopapp.engine.request import BackendChoice, Mode, ModelChoice
from desktopapp.errors import AppError, NoModel
from desktopapp.modelstore.model import InstalledModel, ModelKind
from desktopapp.settings import LoadedSettings, Settings, ThinkingMode
from desktopapp.ui.get_model.control import GetModelControl
from desktopapp.ui.main_window import MainWindow
from desktopapp.ui.model_rows import ModelRow
from desktopapp.ui.model_scanner import ModelScanner
from desktopapp.worker.process_events import EngineStarted

_POCKET_PREFIX = "qwen3-vl-pocket"
_MODES = {"auto": Mode.AUTO, "true": Mode.THINKING, "false": Mode.INSTRUCT}
_PINS: dict[ModelKind, ThinkingMode] = {ModelKind.INSTRUCT: "false", ModelKind.THINKING: "true"}


class ModelControl(QObject):
    """Turns what the person chooses into a `ModelChoice`.

    A model that is picked answers until the setting "Answer with" says otherwise: picking it sets that to its variant.

    Signals:
        load_requested: the `ModelChoice` to load ahead of the next question.
        choice_changed: `ModelChoice` and the label for the next answers.
        settings_changed: `Settings` to keep.
        prices_outdated: another model is loaded, or its memory is limited otherwise.
        place_refused: `AppError` of an opened place that holds no model; the one in use stays.
    """

    load_requested = Signal(object)
    choice_changed = Signal(object, str)
    settings_changed = Signal(object)
    prices_outdated = Signal()
    place_refused = Signal(object)

    def __init__(self, window: MainWindow, loaded: LoadedSettings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._window = window
        self._settings = settings = loaded.settings
        self._is_named = loaded.is_model_named
        # A line of the list fixes its format's backend for this session; the setting stays the person's.
        self._row_backend = BackendChoice.AUTO
        self._label = ""
        self._answering = ""
        self._opened_place = ""
        self._scanner = ModelScanner(self)
        self._scanner.found.connect(self._on_found)
        self._scanner.checked.connect(self._on_place_checked)
        window.picker.show_current(settings.model_name)
        window.picker.chosen.connect(self._on_chosen)
        window.picker.place_opened.connect(self._on_place_opened)
        window.picker.opened.connect(self.scan)
        self.getting = GetModelControl(window, self)
        self.getting.arrived.connect(self.scan)
        window.picker.opened.connect(self.getting.look_for_pending)
        self.getting.used.connect(self._on_model_got)
        for source in (window.picker, window.view.empty):
            source.more_wanted.connect(self.offer_models)

    @property
    def choice(self) -> ModelChoice:
        """What answers next; an empty model name is the engine's default."""
        backend = BackendChoice(self._settings.backend)
        if backend is BackendChoice.AUTO:
            backend = self._row_backend
        return ModelChoice(
            self._settings.model_name,
            backend,
            None if self._is_named else _MODES[self._settings.use_thinking_mode],
            context_tokens=self._settings.max_seq_len,
            memory=limits_of(self._settings),
        )

    def begin(self) -> None:
        """Load the model that was used last, and look for the others."""
        self._request_load()
        self.scan()

    def scan(self) -> None:
        """Look for models again."""
        self._scanner.scan(self._settings.model_places)

    def take_settings(self, settings: Settings) -> None:
        """Take over what was changed in the menu; loads where it concerns the model."""
        before, mode = self.choice, self._settings.use_thinking_mode
        if settings.model_name != self._settings.model_name:
            self._row_backend = BackendChoice.AUTO
            self._answering = self._opened_place = ""
        self._settings = settings
        self._is_named = self._is_named and settings.use_thinking_mode == mode
        choice = self.choice
        if replace(choice, memory=before.memory) != before:
            self._request_load()
        elif choice != before:
            self._announce(self._label)
            self.prices_outdated.emit()

    def use(self, model: str, backend: BackendChoice) -> None:
        """Take an installed model from the next question on, as if it had been picked.

        "Answer with" stays as it is; a setting of another backend gives way.

        Args:
            model: a name that the model store lists.
            backend: that runs it.
        """
        kept = self._settings.backend if self._settings.backend == str(backend) else "auto"
        self._settings = replace(self._settings, model_name=model, backend=kept)
        self._answering = self._opened_place = ""
        self._row_backend = backend
        self._window.picker.show_current(model)
        self.settings_changed.emit(self._settings)
        self._request_load(model)

    def offer_models(self) -> None:
        """Open "Get a model …"."""
        self.getting.open(limits_of(self._settings), self._settings.hub_endpoint)

    def close(self) -> None:
        """Wait for what runs."""
        self.getting.close()
        self._scanner.close()

    def on_model_loading(self, event: ModelLoading) -> None:
        """Show the progress, and which model the engine took."""
        self._show_answering(event.model)
        self._window.view.empty.suggest_samples(is_pocket(event.model))
        self._window.status.show_loading(event)

    def on_model_ready(self, event: ModelReady) -> None:
        """Name the model that really runs."""
        self._show_answering(event.model)
        self._window.status.show_ready(event)
        self._window.show_random_weights(event.random_weights)
        self._window.view.empty.suggest_samples(is_pocket(event.model))
        self._announce(event.model)
        self.prices_outdated.emit()

    def on_load_stopped(self, _event: LoadStopped) -> None:
        """Nothing is loaded now."""
        self._window.status.show_no_model()

    def on_model_unloaded(self, _event: object) -> None:
        """Its memory was given back; what is asked next loads it again."""
        self._window.status.show_unloaded()
        self.prices_outdated.emit()

    def on_failed(self, event: Failed) -> None:
        """A failure during a load leaves no model."""
        if event.error == NoModel.__name__:
            self._window.view.empty.offer_model(True)
        if self._window.status.is_loading:
            self._window.status.show_no_model()

    def on_engine_started(self, event: EngineStarted) -> None:
        """A fresh engine has no model yet."""
        self._window.status.show_engine_started(again=event.again)

    def on_engine_stopped(self, _event: object) -> None:
        """No engine, no model."""
        self._window.status.show_engine_stopped()

    def _on_chosen(self, row: ModelRow) -> None:
        self._use(row.model, row.variant, row.backend, row.title)

    def _on_model_got(self, name: str) -> None:
        self.use(name, BackendChoice.AUTO)

    def _on_found(self, models: list[InstalledModel]) -> None:
        self._window.picker.show_models(models)
        self._show_answering(self._answering or self._settings.model_name)

    def _on_place_opened(self, place: str) -> None:
        self._opened_place = place
        self._scanner.check(place)

    def _on_place_checked(self, place: str, found: InstalledModel | AppError) -> None:
        if place != self._opened_place:
            return  # another model was picked meanwhile
        if isinstance(found, AppError):
            self.place_refused.emit(found)
            return
        if place not in self._settings.model_places:
            self._settings = replace(self._settings, model_places=(*self._settings.model_places, place))
        self._use(place, found.kind, BackendChoice.AUTO, place)
        self.scan()

    def _show_answering(self, model: str) -> None:
        """Name the model that answers where it is not the chosen one, or none was chosen."""
        self._answering = model
        picker, chosen = self._window.picker, self._settings.model_name
        is_other = picker.owner_of(model) == model != picker.owner_of(chosen)
        picker.show_current(model if is_other or not chosen else chosen)

    def _use(self, model: str, variant: ModelKind, backend: BackendChoice, label: str) -> None:
        self._settings = replace(self._settings, model_name=model, use_thinking_mode=_PINS[variant])
        self._answering = self._opened_place = ""
        self._is_named = False
        self._row_backend = backend
        self._window.picker.show_current(model)
        self.settings_changed.emit(self._settings)
        self._request_load(label)

    def _request_load(self, label: str = "") -> None:
        self._announce(label or self._settings.model_name)
        self.load_requested.emit(self.choice)

    def _announce(self, label: str) -> None:
        self._label = label
        self.choice_changed.emit(self.choice, label)


def is_pocket(model: str) -> bool:
    """True for the small models that ship with the program, whatever their file is called in full."""
    return model.lower().startswith(_POCKET_PREFIX)

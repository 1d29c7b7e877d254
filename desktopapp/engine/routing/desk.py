"""Chooses which model of a pair answers a request, and remembers how long each took to load."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from desktopapp.engine.events import ModelReady
from desktopapp.engine.reasoning_events import Routed
from desktopapp.engine.request import Mode, Request
from desktopapp.engine.routing.features import media_kind
from desktopapp.engine.routing.router import Route, RouteCause, Situation, route
from desktopapp.modelstore.model import InstalledModel, ModelKind

Pair = Mapping[ModelKind, InstalledModel]
"""The usable models of a family, by kind; one or two."""

KINDS = {Mode.INSTRUCT: ModelKind.INSTRUCT, Mode.THINKING: ModelKind.THINKING}


class RouteDesk:
    """Routes the requests of one engine."""

    def __init__(self) -> None:
        self._load_s: dict[str, float] = {}
        self._rates: list[float] = []

    def note_load(self, ready: ModelReady, size_bytes: int) -> None:
        """Take note of how long a load took.

        Args:
            ready: what was loaded.
            size_bytes: that it read.
        """
        self._load_s[ready.model] = ready.load_s
        if ready.load_s > 0 and size_bytes > 0:
            self._rates.append(size_bytes / ready.load_s)

    def choose(self, request: Request, pair: Pair, loaded: Collection[str]) -> Routed:
        """Decide.

        Args:
            request: whose mode is not None.
            pair: what can answer.
            loaded: names of the models that are in memory.
        """
        question = request.turns[-1] if request.turns else None
        media = [media_kind(attachment.path) for attachment in question.attachments] if question else []
        resident = {kind for kind, model in pair.items() if model.name in loaded}
        waits_s = {kind: self._wait_s(model, loaded) for kind, model in pair.items()}
        situation = Situation(
            installed=tuple(pair),
            resident=resident,
            swap_s=max(waits_s.values()) if resident else 0.0,
            previous=KINDS.get(request.previous_mode) if request.previous_mode else None,
        )
        chosen = route(question.text if question else "", media, situation)
        wanted = KINDS.get(request.choice.mode) if request.choice.mode else None
        if wanted is not None:
            chosen = Route(wanted, chosen.probability, RouteCause.ASKED, chosen.task)
        return Routed(
            request_id=request.request_id,
            model=pair[chosen.kind].name,
            mode=str(chosen.kind),
            probability=round(chosen.probability, 4),
            cause=str(chosen.cause),
            task=str(chosen.task or ""),
            swap_s=waits_s[chosen.kind] if resident else 0.0,
            has_other=len(pair) > 1,
        )

    def _wait_s(self, model: InstalledModel, loaded: Collection[str]) -> float:
        """Seconds until it can answer: as its last load took, else by its size, at the speed of the last load."""
        if model.name in loaded:
            return 0.0
        known = self._load_s.get(model.name)
        if known is not None:
            return known
        return model.files[0].size_bytes / self._rates[-1] if self._rates and model.files else 0.0

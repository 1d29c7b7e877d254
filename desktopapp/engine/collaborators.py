"""What an engine is given to work with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from desktopapp.engine.chat_prompt import ChatMedia
from desktopapp.engine.events import Stats
from desktopapp.engine.loading import RunningModel
from desktopapp.engine.price_events import Planned
from desktopapp.engine.request import ModelChoice, Request
from desktopapp.engine.request_plan import RequestPlan
from desktopapp.modelstore.model import InstalledModel, ModelKind

if TYPE_CHECKING:
    from desktopapp.engine.media.headers import HeaderCache


class ModelStore(Protocol):
    """What the engine asks of the model store; the module `modelstore.store` is one."""

    def find_model(self, name_or_path: str, /) -> InstalledModel:
        """The model of that name or path; raises ModelError."""
        ...

    def find_variant(self, model: InstalledModel, kind: ModelKind, /) -> InstalledModel | None:
        """The model of the other kind in the same family, or None."""
        ...

    def find_models(self) -> list[InstalledModel]:
        """All that are installed."""
        ...


class Planner(Protocol):
    """Says how a request is run; `planning.RequestPlanner` is one."""

    def plan_draft(self, request: Request, headers: HeaderCache, /) -> Planned | None:
        """The plan; None where the request names no model that is here. Raises AppError."""
        ...

    def plan_request(
        self, request: Request, model: InstalledModel, media: Sequence[Sequence[ChatMedia]], /
    ) -> RequestPlan | None:
        """The plan; None where the model cannot be priced. Raises DoesNotFit."""
        ...

    def plan_load(self, choice: ModelChoice, model: InstalledModel, /) -> RequestPlan | None:
        """The plan for a load ahead of the first question; None where there is none. Raises DoesNotFit."""
        ...

    def follow(self, running: RunningModel | None, parked: RunningModel | None, /) -> None:
        """Take note of what is loaded."""
        ...

    def learn(self, plan: RequestPlan, stats: Stats, /) -> None:
        """Take from a finished request what it teaches."""
        ...

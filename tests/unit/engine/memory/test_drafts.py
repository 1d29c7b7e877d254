"""Prices of drafts: the plan that `main.py plan` prints, with what is slow read once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from desktopapp.attachment_errors import AttachmentGone
from desktopapp.engine.collaborators import ModelStore
from desktopapp.engine.media.headers import HeaderCache
from desktopapp.engine.memory.calibration import Calibration
from desktopapp.engine.memory.machine import Machine, imagine_machine
from desktopapp.engine.planning import MACHINE_KEPT_S, MODELS_KEPT_S, RequestPlanner
from desktopapp.engine.request import (
    Attachment,
    BackendChoice,
    MemoryLimits,
    ModelChoice,
    Request,
    Role,
    Turn,
)
from desktopapp.errors import ModelNotFound
from desktopapp.modelstore import store
from desktopapp.modelstore.model import InstalledModel, ModelKind

GIB = 2**30
ALL = MemoryLimits()


class Catalogue:
    """The real store, counting what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def find_model(self, name_or_path: str, /) -> InstalledModel:
        self.asked.append(name_or_path)
        return store.find_model(name_or_path, [])

    def find_models(self) -> list[InstalledModel]:
        self.asked.append("all")
        return []

    def find_variant(self, model: InstalledModel, kind: ModelKind, /) -> InstalledModel | None:
        return None


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Machines:
    def __init__(self) -> None:
        self.read = 0

    def __call__(self, own_gpu_bytes: int = 0, other_bytes: int = 0) -> Machine:
        self.read += 1
        return imagine_machine(16 * GIB, has_gpu=True)


def drafts_of(models: ModelStore = store, machines: Machines | None = None, clock: Clock | None = None):
    calibration = Calibration(Path("no such file"))
    return RequestPlanner(models, calibration, machines or Machines(), clock or Clock())


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "a.png"
    Image.new("RGB", (1920, 1088)).save(path)
    os.utime(path, (0, 0))
    return str(path)


def draft(folder: Path, *paths: str, limits: MemoryLimits = ALL) -> Request:
    turn = Turn(Role.USER, "What is it?", tuple(Attachment(path) for path in paths))
    return Request("draft-7", ModelChoice(str(folder), memory=limits), (turn,))


def test_a_draft_is_planned_with_every_file(random_folder: Path, picture: str) -> None:
    planned = drafts_of().plan_draft(draft(random_folder, picture), HeaderCache())
    assert planned is not None
    assert planned.request_id == "draft-7"
    (attachment,) = planned.attachments
    # The random model reads pictures of up to 256 tokens.
    assert (attachment.path, attachment.size) == (picture, (672, 384))
    assert attachment.tokens == 21 * 12
    assert 0 < attachment.bytes < planned.parts.kv_cache
    assert planned.fits
    assert planned.limit_bytes == 16 * GIB


def test_the_price_follows_pixels_kv_type_and_ceiling(random_folder: Path, picture: str) -> None:
    drafts, headers = drafts_of(), HeaderCache()

    def plan(**limits: object):
        return drafts.plan_draft(draft(random_folder, picture, limits=MemoryLimits(**limits)), headers)

    plain, small, short = plan(), plan(image_max_tokens=100), plan(kv_type="int8")
    assert small.attachments[0].tokens <= 100 < plain.attachments[0].tokens
    assert short.kv_type == "int8"
    assert short.attachments[0].bytes < plain.attachments[0].bytes
    low = plan(vram_limit_bytes=1 << 20)
    assert not low.fits
    assert low.limit_bytes == 1 << 20


def test_what_is_slow_is_read_once_for_a_while(random_folder: Path, picture: str) -> None:
    catalogue, machines, clock = Catalogue(), Machines(), Clock()
    drafts, headers = drafts_of(catalogue, machines, clock), HeaderCache()
    for _ in range(3):
        drafts.plan_draft(draft(random_folder, picture), headers)
    assert catalogue.asked == [str(random_folder)]
    assert machines.read == 1
    clock.now_s += MACHINE_KEPT_S
    drafts.plan_draft(draft(random_folder, picture), headers)
    assert machines.read == 2
    clock.now_s += MODELS_KEPT_S
    drafts.plan_draft(draft(random_folder, picture), headers)
    assert catalogue.asked == [str(random_folder)] * 2


def test_what_cannot_be_planned_says_why(random_folder: Path, tmp_path: Path) -> None:
    drafts, headers = drafts_of(), HeaderCache()
    with pytest.raises(ModelNotFound):
        drafts.plan_draft(draft(tmp_path / "no model"), headers)
    with pytest.raises(AttachmentGone):
        drafts.plan_draft(draft(random_folder, str(tmp_path / "gone.png")), headers)


def test_the_fake_backend_has_no_price() -> None:
    request = Request("d", ModelChoice("fake", BackendChoice.FAKE), (Turn(Role.USER, "?"),))
    assert drafts_of().plan_draft(request, HeaderCache()) is None

"""What `doctor` says about memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from desktopapp.cli import memory_check
from desktopapp.cli.diagnosis import Finding
from desktopapp.cli.memory_check import memory_findings, plan_long_text, plan_screenshot, screenshot_lines
from desktopapp.engine.memory.calibration import Calibration
from desktopapp.engine.memory.machine import Device, Machine
from desktopapp.engine.memory.probe import GpuFacts
from desktopapp.engine.planning import RequestPlanner
from desktopapp.engine.price_events import Planned
from desktopapp.engine.request import BackendChoice
from desktopapp.settings import Settings
from tests.published_configs import write_published_config

GIB = 2**30
GPU = GpuFacts("NVIDIA Test", 8 * 10**9, 7 * 10**9, "600.1", (8, 9))


@pytest.fixture
def screenshot(random_folder: Path) -> Planned:
    planned = plan_screenshot(Settings(model_name=str(random_folder), backend="transformers"))
    assert planned is not None
    return planned


def test_a_screenshot_is_priced_part_by_part(screenshot: Planned) -> None:
    assert screenshot.fits
    assert screenshot.prompt_tokens > 1024
    text = "\n".join(screenshot_lines(screenshot))
    assert "KV cache" in text
    assert "It fits" in text
    assert not list(memory_findings(GPU, Settings(), screenshot))


def test_what_does_not_fit_is_to_mend_with_the_reason(random_folder: Path) -> None:
    settings = Settings(model_name=str(random_folder), backend="transformers", vram_limit_gib=0.1)
    planned = plan_screenshot(settings)
    assert planned is not None
    (finding,) = memory_findings(None, settings, planned)
    assert "The ceiling is set to 0.1 GiB" in finding.message
    assert "Raise the ceiling" in finding.remedy
    assert finding.stops_answers
    assert "What stands in the way" in "\n".join(screenshot_lines(planned))


def test_a_model_that_is_not_here_is_not_priced() -> None:
    assert plan_screenshot(Settings(model_name="nobody has this")) is None


@dataclass
class Card:
    """A 4B model in 16 bits on a card of 24 GiB, of which other programs hold some."""

    folder: Path
    free_gib: float = 24.0

    def __call__(self, own_gpu_bytes: int = 0, other_bytes: int = 0) -> Machine:
        gpu = Device("RTX", True, round(self.free_gib * GIB), 24 * GIB)
        return Machine(Device("System memory", False, 32 * GIB, 32 * GIB), gpu, frozenset(BackendChoice))

    def look(self, **changes: object) -> tuple[Planned, list[Finding]]:
        """The screenshot's plan, and what is to mend."""
        settings = replace(Settings(model_name=str(self.folder), backend="transformers"), **changes)  # type: ignore[arg-type]
        screenshot, long_text = plan_screenshot(settings), plan_long_text(settings)
        assert screenshot is not None
        return screenshot, list(memory_findings(GPU, settings, screenshot, long_text))


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Card:
    write_published_config(tmp_path / "4B", "4B")
    card = Card(tmp_path / "4B")
    calibration = Calibration(tmp_path / "calibration.json")
    planner = partial(RequestPlanner, calibration=calibration, machine=card)
    monkeypatch.setattr(memory_check, "RequestPlanner", planner)
    return card


@pytest.mark.parametrize(
    ("changes", "why", "remedy"),
    [
        ({"kv_cache_quantization": "none", "vram_limit_gib": 10.0}, "is set to 16-bit", "cache to automatic"),
        ({"chunked_prefill": False, "vram_limit_gib": 8.0}, "set to be read at once", "chunks of any size"),
        ({"vram_limit_gib": 6.5}, "The ceiling is set to 6.5 GiB", "Raise the ceiling by"),
    ],
)
def test_settings_that_work_against_each_other_in_a_long_conversation(
    card: Card, changes: dict[str, object], why: str, remedy: str
) -> None:
    screenshot, (finding,) = card.look(**changes)
    assert screenshot.fits
    assert finding.message.startswith("A conversation of 32,768 tokens does not fit into the memory of RTX.")
    assert why in finding.message
    assert remedy in finding.remedy
    assert not finding.stops_answers


def test_what_fits_in_spite_of_a_setting_is_nothing_to_mend(card: Card) -> None:
    assert card.look(kv_cache_quantization="none", vram_limit_gib=20.0)[1] == []


def test_a_prompt_that_is_read_at_once_is_told_with_its_size(card: Card) -> None:
    _, (finding,) = card.look(chunked_prefill=False)
    assert "32,768 tokens take 2.1 GiB of work space" in finding.message
    assert "chunked_prefill" in finding.remedy


def test_another_program_s_memory_is_named_where_a_screenshot_loses_something_for_it(card: Card) -> None:
    assert not card.look()[0].conflicts
    card.free_gib = 8.0
    screenshot, _ = card.look()
    assert screenshot.fits
    assert screenshot.steps_taken
    assert "Other programs hold 16.0 GiB of RTX." in "\n".join(screenshot_lines(screenshot))


def test_an_old_gpu_has_no_flash_attention() -> None:
    (finding,) = memory_findings(replace(GPU, capability=(7, 5)), Settings(), None)
    assert "flash attention" in finding.message

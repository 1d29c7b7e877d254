"""What `doctor` says about memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from desktopapp.cli.memory_check import memory_findings, plan_screenshot, screenshot_lines
from desktopapp.engine.memory.probe import GpuFacts
from desktopapp.engine.price_events import Planned
from desktopapp.settings import Settings

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


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (Settings(kv_cache_quantization="none", vram_limit_gib=8.0), "kv_cache_quantization"),
        (Settings(chunked_prefill=False), "chunked_prefill"),
    ],
)
def test_settings_that_work_against_each_other(settings: Settings, words: str) -> None:
    (finding,) = memory_findings(GPU, settings, None)
    assert words in finding.remedy
    assert not finding.stops_answers


def test_an_old_gpu_has_no_flash_attention() -> None:
    (finding,) = memory_findings(replace(GPU, capability=(7, 5)), Settings(), None)
    assert "flash attention" in finding.message

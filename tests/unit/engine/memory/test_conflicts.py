"""Why a request did not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from desktopapp.engine.backends.transformers import TransformersBackend
from desktopapp.engine.memory.candidate import Candidate
from desktopapp.engine.memory.conflicts import find_conflicts
from desktopapp.engine.memory.content import Content, Document, Still
from desktopapp.engine.memory.machine import Device
from desktopapp.engine.memory.model_spec import read_folder_spec
from desktopapp.engine.memory.planner import make_plan
from desktopapp.engine.memory.remedies import find_remedies
from desktopapp.engine.plan_note import PlanNote, english
from desktopapp.engine.request import BackendChoice, MemoryLimits, PhaseCap
from tests.published_configs import write_published_config

GIB = 2**30
BOOK = Content((Document("/a/book.pdf", ((1248, 1760),) * 100), 100), 500)
LETTERS = Content((200_000,), 500)
NO_LIMITS = MemoryLimits()


def candidate(folder: Path, free_gib: float, total_gib: float) -> Candidate:
    write_published_config(folder, "4B")
    device = Device("RTX", True, round(free_gib * GIB), round(total_gib * GIB))
    capabilities = TransformersBackend.capabilities
    return Candidate("4B", BackendChoice.TRANSFORMERS, None, read_folder_spec(folder), device, capabilities)


def conflicts(one: Candidate, limits: MemoryLimits, content: Content = BOOK) -> dict[str, PlanNote]:
    plan = make_plan(one, content, limits)
    assert not plan.fits
    return {note.code: note for note in find_conflicts(plan, limits)}


def test_a_full_precision_cache_and_a_long_prompt(tmp_path: Path) -> None:
    found = conflicts(candidate(tmp_path, 24, 24), MemoryLimits(kv_type="16bit"), LETTERS)
    assert list(found) == ["wide_kv"]
    assert found["wide_kv"].figures["bits"] == 16
    assert "27.6 GiB for 200,500 tokens" in english(found["wide_kv"])


def test_an_automatic_cache_is_no_conflict(tmp_path: Path) -> None:
    assert "wide_kv" not in conflicts(candidate(tmp_path, 6, 6), NO_LIMITS)


def test_another_program_s_memory(tmp_path: Path) -> None:
    found = conflicts(candidate(tmp_path, 6, 12), NO_LIMITS)
    assert found["other_programs"].figures == {"other_bytes": 6 * GIB, "device": "RTX"}


def test_a_ceiling_below_what_is_free(tmp_path: Path) -> None:
    found = conflicts(candidate(tmp_path, 20, 20), MemoryLimits(vram_limit_bytes=6 * GIB))
    assert found["low_ceiling"].figures == {"limit_bytes": 6 * GIB, "free_bytes": 20 * GIB}


def test_a_prompt_that_is_read_at_once(tmp_path: Path) -> None:
    found = conflicts(candidate(tmp_path, 16, 16), MemoryLimits(chunked_prefill=False), LETTERS)
    assert "large_chunk" in found


def test_pictures_that_are_very_fine(tmp_path: Path) -> None:
    maps = Content((*[Still(f"/{n}.png", (4096, 4096)) for n in range(8)], 10), 500)
    found = conflicts(candidate(tmp_path, 5, 5), NO_LIMITS, maps)
    assert found["fine_pictures"].figures["tokens"] == 16_384


def test_a_task_that_enlarges_pictures(tmp_path: Path) -> None:
    icons = Content((*[Still(f"/{n}.png", (64, 64)) for n in range(20)], 10), 500, least_picture_tokens=1280)
    found = conflicts(candidate(tmp_path, 5, 5), NO_LIMITS, icons)
    assert found["enlarged_pictures"].figures["pictures"] == 20
    plain = replace(icons, least_picture_tokens=None)
    assert "enlarged_pictures" not in conflicts(candidate(tmp_path, 5, 5), NO_LIMITS, plain)


def test_weights_in_32_bits(tmp_path: Path) -> None:
    one = candidate(tmp_path, 6, 6)
    sizes = {"text_bytes": 2 * one.spec.text_bytes, "vision_bytes": 2 * one.spec.vision_bytes}
    wide = replace(one, spec=replace(one.spec, precision="F32", **sizes))
    assert "wide_weights" in conflicts(wide, NO_LIMITS)


AT_ONCE = MemoryLimits(kv_type="16bit", chunked_prefill=False)


@pytest.mark.parametrize(
    ("limits", "remedies"),
    [
        (replace(AT_ONCE, kv_type="auto"), ["automatic_chunk"]),
        (replace(AT_ONCE, chunked_prefill=True), ["automatic_kv"]),
        (AT_ONCE, ["automatic_settings"]),
        (replace(AT_ONCE, vram_limit_bytes=10 * GIB), ["automatic_and_raised"]),
        (MemoryLimits(vram_limit_bytes=10 * GIB), ["raise_ceiling"]),
    ],
)
def test_settings_of_which_none_is_in_the_way_alone_are_changed_together(
    tmp_path: Path, limits: MemoryLimits, remedies: list[str]
) -> None:
    plan = make_plan(candidate(tmp_path, 24, 24), LETTERS, limits)
    assert not plan.fits
    found = find_remedies(plan, limits)
    assert [note.code for note in found if note.code != "shorter_text"] == remedies
    ceiling_bytes, missing_bytes = limits.vram_limit_bytes, int(found[0].figures.get("missing_bytes", 0))
    eased = MemoryLimits(ceiling_bytes + missing_bytes if ceiling_bytes is not None else None)
    assert make_plan(candidate(tmp_path, 24, 24), LETTERS, eased).fits, "and that is enough"


@pytest.mark.parametrize(("free_gib", "is_told"), [(12, True), (23.9, False)])
def test_other_programs_are_to_be_closed_where_memory_ran_out_beside_them(
    tmp_path: Path, free_gib: float, *, is_told: bool
) -> None:
    limits = MemoryLimits(caps=(PhaseCap("transformers", "RTX", "decode", 4 * GIB),))
    plan = make_plan(candidate(tmp_path, free_gib, 24), Content((1000,), 500), limits)
    assert not plan.fits
    codes = [note.code for note in find_remedies(plan, limits)]
    assert ("close_programs" in codes) is is_told


def test_memory_in_pieces_is_had_again_by_loading_anew(tmp_path: Path) -> None:
    one = candidate(tmp_path, 24, 24)
    cap = PhaseCap("transformers", "RTX", "decode", 9 * GIB)
    plan = make_plan(one, LETTERS, MemoryLimits(caps=(cap,)))
    assert not plan.fits
    for limits, unused_bytes, is_told in (
        (MemoryLimits(caps=(cap,)), GIB, True),
        (MemoryLimits(caps=(cap,)), GIB // 8, False),
        (MemoryLimits(caps=(cap,), vram_limit_bytes=6 * GIB), GIB, False),
    ):
        codes = [note.code for note in find_remedies(plan, limits, unused_bytes=unused_bytes)]
        assert ("reload_model" in codes) is is_told


def test_fragments_count_where_they_are_large(tmp_path: Path) -> None:
    plan = make_plan(candidate(tmp_path, 5, 5), BOOK, NO_LIMITS)
    (note,) = find_conflicts(plan, NO_LIMITS, unused_bytes=GIB)
    assert note.code == "fragments"
    assert not find_conflicts(plan, NO_LIMITS, unused_bytes=GIB // 8)

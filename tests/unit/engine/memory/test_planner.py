"""What is given up, in which order, and what is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from desktopapp.engine.backend import Capabilities
from desktopapp.engine.memory.candidate import Candidate
from desktopapp.engine.memory.content import Clip, Content, Document, Still
from desktopapp.engine.memory.machine import Device
from desktopapp.engine.memory.model_spec import read_folder_spec
from desktopapp.engine.memory.phase_limits import GPU_MARGIN_BYTES
from desktopapp.engine.memory.planner import Alternative, estimate_setup, make_plan
from desktopapp.engine.memory.remedies import find_remedies
from desktopapp.engine.memory.report import planned_event
from desktopapp.engine.memory.steps import DETAIL_TOKENS, LAST_RESORTS, WITHIN_MODEL, Step
from desktopapp.engine.plan_note import NoteCode, english
from desktopapp.engine.request import BackendChoice, MemoryLimits
from tests.published_configs import write_published_config

GIB = 2**30
ALL = Capabilities(
    kv_types=("16bit", "int8", "int4"),
    chunk_tokens=(2048, 1024, 512, 256),
)
WITH_8BIT = replace(ALL, loads_8bit=True)
PLAIN = Capabilities(kv_types=("16bit",), chunk_tokens=(1024,))
LAYERED = Capabilities(
    kv_types=("16bit", "q8_0", "q4_0"), chunk_tokens=(2048, 1024, 512, 256), offloads_layers=True
)
NO_LIMITS = MemoryLimits()
SCREEN = Still("/a/screen.png", (1920, 1088))
BOOK = Document("/a/book.pdf", ((1248, 1760),) * 100)
FILM = Clip("/a/film.mp4", (1280, 720), 64)


def on_gpu(free_gib: float, folder: Path, size: str = "4B", capabilities: Capabilities = ALL) -> Candidate:
    write_published_config(folder / size, size)
    backend = BackendChoice.LLAMA_CPP if capabilities.offloads_layers else BackendChoice.TRANSFORMERS
    free = round(free_gib * GIB)
    spec = replace(read_folder_spec(folder / size))
    if capabilities.offloads_layers:
        spec = replace(spec, repeated_bytes=spec.text_bytes * 9 // 10)
    return Candidate(size, backend, None, spec, Device("GPU", True, free, free), capabilities)


def test_the_order_is_that_of_the_issue() -> None:
    assert list(Step) == [
        Step.SMALLER_CHUNK,
        Step.CHEAP_PLACEMENT,
        Step.KV_8BIT,
        Step.WEIGHTS_8BIT,
        Step.KV_4BIT,
        Step.FEWER_PIXELS,
        Step.FEWER_FRAMES,
        Step.SEGMENTS,
        Step.OTHER_WEIGHTS,
        Step.OTHER_BACKEND,
        Step.SMALLER_MODEL,
        Step.MOST_LAYERS_ON_CPU,
        Step.SMALL_PICTURES,
    ]
    assert tuple(step for step in Step if step in WITHIN_MODEL) == WITHIN_MODEL
    assert tuple(Step)[-2:] == LAST_RESORTS


def test_where_all_fits_nothing_is_given_up(tmp_path: Path) -> None:
    plan = make_plan(on_gpu(24, tmp_path), Content((SCREEN, 100), 500), NO_LIMITS)
    assert plan.fits
    assert plan.steps == ()
    assert plan.setup.run.kv_type == "16bit"
    assert plan.setup.run.chunk_tokens == 2048
    assert plan.context_tokens > 50_000


@pytest.mark.parametrize("needs_detail", [True, False])
def test_less_and_less_memory_takes_step_after_step(needs_detail: bool, tmp_path: Path) -> None:
    """The last step that was needed never comes before one of a larger card."""
    content = Content((BOOK, FILM, 500), 1024, needs_detail, cut_path=BOOK.path)
    seen: list[Step] = []
    order = list(Step)
    for tenths in range(460, 80, -12):
        plan = make_plan(on_gpu(tenths / 10, tmp_path), content, NO_LIMITS)
        if not plan.fits:
            break
        assert plan.estimate.peak_bytes <= plan.limit_bytes
        if plan.steps:
            seen.append(max(plan.steps, key=order.index))
    positions = [order.index(step) for step in seen]
    assert positions == sorted(positions)
    expected = {Step.KV_8BIT, Step.KV_4BIT, Step.FEWER_PIXELS}
    assert expected | ({Step.SEGMENTS} if needs_detail else set()) <= set(seen)


def test_weights_become_8_bit_before_the_cache_becomes_4(tmp_path: Path) -> None:
    content = Content((BOOK, 500), 512)
    plans = [
        make_plan(on_gpu(free, tmp_path, capabilities=WITH_8BIT), content, NO_LIMITS)
        for free in (48, 27, 23, 16.5)
    ]
    assert [(plan.setup.run.kv_type, plan.setup.candidate.weight_type) for plan in plans] == [
        ("16bit", "stored"),
        ("int8", "stored"),
        ("int8", "int8"),
        ("int4", "int8"),
    ]
    assert all(plan.fits for plan in plans)
    assert "8 bits" in " ".join(planned_event(plans[2], "").reasons)


def test_a_step_back_to_16_bit_weights_is_taken_where_a_smaller_cache_does(tmp_path: Path) -> None:
    content = Content((BOOK, 500), 512)
    plan = make_plan(on_gpu(19.5, tmp_path, capabilities=WITH_8BIT), content, NO_LIMITS)
    assert plan.steps == (Step.KV_4BIT,)
    assert plan.setup.candidate.weight_type == "stored"


def test_8_gib_hold_the_4b_model_in_8_bits(tmp_path: Path) -> None:
    plan = make_plan(on_gpu(8, tmp_path, capabilities=WITH_8BIT), Content((SCREEN, 32), 500), NO_LIMITS)
    assert plan.steps == (Step.WEIGHTS_8BIT,)
    assert planned_event(plan, "").precision == "INT8"


def test_only_a_gpu_gets_8_bit_weights(tmp_path: Path) -> None:
    candidate = on_gpu(8, tmp_path, capabilities=WITH_8BIT)
    on_cpu = replace(candidate, device=replace(candidate.device, is_gpu=False))
    assert candidate.can_load_8bit
    assert not on_cpu.can_load_8bit


def test_a_step_that_is_not_needed_is_taken_back(tmp_path: Path) -> None:
    content = Content((BOOK, 100), 500)
    full = make_plan(on_gpu(80, tmp_path), content, NO_LIMITS).estimate.peak_bytes
    plan = make_plan(on_gpu(full / GIB - 4, tmp_path), content, NO_LIMITS)
    assert plan.steps == (Step.KV_8BIT,)
    assert plan.setup.run.chunk_tokens == 2048


def test_pictures_keep_1024_tokens_where_small_things_matter(tmp_path: Path) -> None:
    big = Still("/a/map.png", (4096, 4096))
    content = Content((*[big] * 20, 100), 500)
    capabilities = replace(PLAIN, kv_types=("16bit",))
    small = make_plan(on_gpu(13.0, tmp_path, capabilities=capabilities), content, NO_LIMITS)
    assert small.fits
    assert small.steps == (Step.FEWER_PIXELS,)
    assert (small.setup.picture_tokens or 0) >= DETAIL_TOKENS
    smaller = make_plan(on_gpu(10.5, tmp_path, capabilities=capabilities), content, NO_LIMITS)
    assert smaller.fits
    assert smaller.steps[-1] is Step.SMALL_PICTURES
    assert (smaller.setup.picture_tokens or 0) < DETAIL_TOKENS
    assert "may be missed" in " ".join(planned_event(smaller, "").reasons)


def test_what_a_backend_cannot_do_is_not_planned(tmp_path: Path) -> None:
    content = Content((BOOK, FILM, 100), 500)
    plan = make_plan(on_gpu(12, tmp_path, capabilities=PLAIN), content, NO_LIMITS)
    assert not {Step.KV_8BIT, Step.KV_4BIT, Step.SEGMENTS, Step.SMALLER_CHUNK} & set(plan.steps)
    assert plan.setup.placement.gpu_layers is None


def test_what_the_person_decided_stays(tmp_path: Path) -> None:
    content = Content((BOOK, 100), 500)
    limits = MemoryLimits(kv_type="16bit", prefill_chunk_tokens=333)
    plan = make_plan(on_gpu(18, tmp_path), content, limits)
    assert plan.setup.run.kv_type == "16bit"
    assert plan.setup.run.chunk_tokens == 333
    assert not {Step.KV_8BIT, Step.KV_4BIT, Step.SMALLER_CHUNK} & set(plan.steps)


@pytest.mark.parametrize(
    ("wanted", "kv_type"), [("int8", "q8_0"), ("fp8_e4m3", "q8_0"), ("int4", "q4_0"), ("16bit", "16bit")]
)
def test_a_kv_type_of_another_backend_becomes_the_nearest(wanted: str, kv_type: str, tmp_path: Path) -> None:
    candidate = on_gpu(24, tmp_path, capabilities=LAYERED)
    assert candidate.nearest_kv_type(wanted) == kv_type


def test_the_ceiling_binds(tmp_path: Path) -> None:
    content = Content((SCREEN, 100), 500)
    limits = MemoryLimits(vram_limit_bytes=9 * GIB)
    plan = make_plan(on_gpu(80, tmp_path), content, limits)
    assert plan.limit_bytes == 9 * GIB
    assert plan.estimate.peak_bytes <= 9 * GIB or not plan.fits


def test_without_pictures_the_vision_part_leaves_the_gpu_first(tmp_path: Path) -> None:
    candidate = on_gpu(80, tmp_path, capabilities=LAYERED)
    content = Content((1000,), 500)
    full = estimate_setup(make_plan(candidate, content, NO_LIMITS).setup, content).peak_bytes
    limits = MemoryLimits(vram_limit_bytes=full - candidate.spec.vision_bytes // 2, prefill_chunk_tokens=2048)
    plan = make_plan(candidate, content, limits)
    assert plan.steps == (Step.CHEAP_PLACEMENT,)
    assert not plan.setup.placement.vision_on_gpu
    assert plan.setup.placement.gpu_layers is None


def test_room_that_llama_cpp_makes_ahead_is_priced_where_memory_allows_and_given_up_first(
    tmp_path: Path,
) -> None:
    candidate = on_gpu(80, tmp_path, capabilities=LAYERED)
    content, cell_bytes = Content((1000,), 500), candidate.spec.kv_token_bytes("16bit")
    roomy = make_plan(candidate, content, NO_LIMITS)
    assert roomy.estimate.parts.kv_cache == 8192 * cell_bytes
    limits = MemoryLimits(vram_limit_bytes=roomy.estimate.peak_bytes - 4096 * cell_bytes)
    tight = make_plan(candidate, content, limits)
    assert not tight.steps
    assert tight.fits
    assert 1500 <= tight.context_tokens < 4096
    assert tight.estimate.parts.kv_cache == -(-tight.context_tokens // 256) * 256 * cell_bytes


def test_at_last_layers_go_to_the_cpu(tmp_path: Path) -> None:
    plan = make_plan(on_gpu(4, tmp_path, capabilities=LAYERED), Content((SCREEN, 10), 100), NO_LIMITS)
    assert plan.fits
    assert plan.steps[-1] is Step.MOST_LAYERS_ON_CPU
    assert 0 < (plan.setup.placement.gpu_layers or 0) < 36


def test_another_form_comes_before_layers_on_the_cpu(tmp_path: Path) -> None:
    wanted = on_gpu(7, tmp_path, capabilities=LAYERED)
    small = on_gpu(7, tmp_path, "2B", capabilities=LAYERED)
    others = [Alternative(Step.OTHER_WEIGHTS, small)]
    plan = make_plan(wanted, Content((SCREEN, 10), 100), NO_LIMITS, others)
    assert plan.fits
    assert plan.setup.candidate is small
    assert plan.steps[0] is Step.OTHER_WEIGHTS


def test_layers_of_another_form_go_to_the_cpu_where_the_wanted_one_cannot(tmp_path: Path) -> None:
    wanted = on_gpu(3, tmp_path, capabilities=WITH_8BIT)
    form = on_gpu(3, tmp_path, capabilities=LAYERED)
    content = Content((SCREEN, 10), 100)
    plan = make_plan(wanted, content, NO_LIMITS, [Alternative(Step.OTHER_BACKEND, form)])
    assert plan.fits
    assert plan.steps[0] is Step.OTHER_BACKEND
    assert Step.MOST_LAYERS_ON_CPU in plan.steps
    # A smaller model was not asked for, so it is not taken apart either.
    smaller = Alternative(Step.SMALLER_MODEL, form)
    assert not make_plan(wanted, content, NO_LIMITS, [smaller]).fits


def test_what_can_be_cut_is_cut_and_nothing_else(tmp_path: Path) -> None:
    pictures = tuple(Still(f"/{number}.png", (1248, 1760)) for number in range(100))
    for items, cut_path, cut in (((BOOK, SCREEN, 10), BOOK.path, True), ((*pictures, SCREEN, 10), "", False)):
        content = Content(items, 500, cut_path=cut_path)
        plan = make_plan(on_gpu(6.6, tmp_path, capabilities=WITH_8BIT), content, NO_LIMITS)
        assert (plan.setup.showing.segments > 1) is cut
        assert content.most_segments(plan.setup.showing) == (100 if cut else 0)


def test_a_segment_holds_its_pages_and_everything_beside_them(tmp_path: Path) -> None:
    content = Content((7, BOOK, SCREEN, 10), 500, cut_path=BOOK.path)
    showing = make_plan(on_gpu(80, tmp_path), content, NO_LIMITS).setup.showing
    whole = content.workload(showing)
    third = content.workload(replace(showing, segments=3))
    assert len(whole.pictures) == 101
    assert len(third.pictures) == 35
    assert third.pictures[-1].picture == whole.pictures[-1].picture


def test_a_refusal_tells_what_is_missing_and_what_would_help(tmp_path: Path) -> None:
    candidate = on_gpu(8, tmp_path)
    small = Alternative(Step.SMALLER_MODEL, on_gpu(8, tmp_path, "2B"))
    plan = make_plan(candidate, Content((SCREEN, 10), 100), NO_LIMITS)
    assert not plan.fits
    assert plan.shortfall_bytes == plan.estimate.peak_bytes + GPU_MARGIN_BYTES - 8 * GIB
    remedies = find_remedies(plan, NO_LIMITS, [small])
    assert [english(remedy) for remedy in remedies] == ["Use 2B with transformers: it fits."]


def test_remedies_were_tried(tmp_path: Path) -> None:
    candidate = on_gpu(16, tmp_path)
    content = Content((BOOK, 100), 500)
    limits = MemoryLimits(vram_limit_bytes=10 * GIB, kv_type="16bit")
    plan = make_plan(on_gpu(16, tmp_path, capabilities=ALL), content, limits)
    assert not plan.fits
    remedies = find_remedies(plan, limits)
    assert NoteCode.RAISE_CEILING in [remedy.code for remedy in remedies]
    raised = replace(limits, vram_limit_bytes=None)
    assert make_plan(candidate, content, raised).fits


def test_the_event_adds_up(tmp_path: Path) -> None:
    plan = make_plan(on_gpu(12, tmp_path), Content((BOOK, FILM, SCREEN, 40), 200), NO_LIMITS)
    event = planned_event(plan, "r")
    assert event.peak_bytes == max(event.phases.vision, event.phases.prefill, event.phases.decode)
    assert event.fits == (event.peak_bytes <= event.limit_bytes)
    book, film, screen = event.attachments
    assert (book.pages, film.frames, screen.pages) == (100, plan.setup.showing.most_frames or 64, None)
    spec = plan.setup.candidate.spec
    assert book.bytes == book.tokens * spec.kv_token_bytes(event.kv_type)
    assert sum(a.tokens for a in event.attachments) < event.prompt_tokens
    parts = event.parts
    assert (
        parts.weights + parts.kv_cache + parts.vision + parts.workspace + parts.overhead >= event.peak_bytes
    )


@pytest.mark.parametrize(
    ("items", "answer", "remedy"),
    [
        ((300_000,), 1, "Ask with a shorter text"),
        ((500,), 262_144, "Ask for an answer of at most 261,644 tokens."),
        ((SCREEN,) * 150, 1, "Attach fewer or smaller files"),
        ((BOOK, BOOK), 1, "about 3 parts"),
    ],
)
def test_what_the_model_s_context_does_not_hold_does_not_fit(
    items: tuple[int | Still | Document, ...], answer: int, remedy: str, tmp_path: Path
) -> None:
    content = Content(items, answer, least_answer_tokens=answer)
    plan = make_plan(on_gpu(400, tmp_path), content, NO_LIMITS)
    assert plan.fits
    event = planned_event(plan, "", find_remedies(plan, NO_LIMITS))
    assert not event.fits
    assert event.context_tokens == 262_144
    assert "reads 262,144 at once" in event.reasons[-1]
    (told,) = event.remedies
    assert remedy in told


def test_a_prompt_and_answer_that_fill_the_context_fit(tmp_path: Path) -> None:
    content = Content((262_143,), 2048)
    assert planned_event(make_plan(on_gpu(400, tmp_path), content, NO_LIMITS), "").fits

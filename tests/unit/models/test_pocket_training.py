from __future__ import annotations

import math
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from PIL import ImageFont

from models.pocket import prompts
from models.pocket.batches import BatchPlan, make_batch
from models.pocket.checkpoint import load_checkpoint, save_checkpoint
from models.pocket.glyphs import Atlas, build_atlas
from models.pocket.model import PocketModel
from models.pocket.optimiser import Optimiser, orthogonalise
from models.pocket.render import Renderer, changed_cells, frame_pairs, slot_labels
from models.pocket.samples import Mixture, draw_sample
from models.pocket.scene import Canvas
from models.pocket.schedule import Stage, plan_stage
from models.pocket.shape import IMAGE_PAD_ID, SHAPE, TURN_END_ID
from models.pocket.trainer import Helpers, Trainer
from models.pocket.watch import NonFiniteLossError, Watch
from models.pocket.words import TextSource, is_held_out, read_words

WORDS = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "kilo"]
CPU = torch.device("cpu")
LEADS = ("Page 7 of a.pdf: ", "Page 8 of a.pdf: ")


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    """Pillow's own font, so that the test needs none of the system's."""
    font = ImageFont.load_default(20)
    assert isinstance(font, ImageFont.FreeTypeFont)
    folder = tmp_path_factory.mktemp("font")
    file = folder / "default.ttf"
    file.write_bytes(font.font_bytes)
    built = build_atlas([file], faces_per_font=4, seed=1, processes=1)
    built.save(folder / "atlas")
    return Atlas.load(folder / "atlas")


def tensors(batch: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in batch.items()}


def plan(kind: str, **changes: object) -> BatchPlan:
    sizes = {"height": 128, "width": 160, "text_tokens": 200, "max_chars": 30}
    return BatchPlan(kind, 6, **(sizes | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["dense", "image", "pages", "video", "text"])
def test_same_seed_same_batch_other_seed_another(atlas: Atlas, kind: str) -> None:
    what = plan(kind, pairs=3, leads=LEADS if kind == "pages" else ("",))
    first, again, other = (make_batch(what, atlas, TextSource(WORDS, Random(seed))) for seed in (5, 5, 6))
    assert first.keys() == again.keys()
    assert all(np.array_equal(first[name], again[name]) for name in first)
    name = "ids" if kind == "text" else "backgrounds"
    assert not np.array_equal(first[name], other[name])


@pytest.mark.parametrize("seed", range(12))
def test_every_counted_token_ends_with_the_turn_and_every_place_is_in_the_picture(
    atlas: Atlas, seed: int
) -> None:
    canvas = Canvas(atlas, 256, 192, Random(seed))
    mixture = Mixture(thinking=0.5)
    ids, counts, places = draw_sample(canvas, TextSource(WORDS, canvas.rng), 60, 260, mixture).joined()
    assert len(ids) == len(counts) == len(places)
    assert ids[-1] == TURN_END_ID
    assert counts[-1]
    looked = places[places[:, 0] >= 0]
    assert (looked[:, 0] <= 256).all()
    assert (looked[:, 1] <= 192).all()


def test_tokens_are_predicted_from_the_token_before(atlas: Atlas) -> None:
    batch = make_batch(plan("image"), atlas, TextSource(WORDS, Random(1)))
    flat = batch["ids"].ravel()
    assert np.array_equal(flat[batch["at"] + 1], batch["target"])
    assert (batch["ids"][:, batch["seen_at"]] == IMAGE_PAD_ID).all()
    assert batch["positions"].shape == (3, batch["ids"].shape[1])


def test_rendered_text_is_where_its_labels_say(atlas: Atlas) -> None:
    canvas = Canvas(atlas, 128, 64, Random(0))
    canvas.background = ((255, 255, 255), (255, 255, 255))
    canvas.paint_text("H", 0, 70.0, 40.0, (0, 0, 0))
    renderer = Renderer(atlas, CPU, compiled=False)
    batch = {
        "size": torch.tensor([64, 128, 64, 128]),
        "backgrounds": torch.full((1, 6), 255, dtype=torch.uint8),
        "rectangles": torch.zeros(0, 10),
        "shapes": torch.zeros(0, 8, dtype=torch.int32),
        "glyphs": torch.from_numpy(np.column_stack([np.zeros(1, np.int32), canvas.glyphs[0]])),
    }
    labels = slot_labels(batch)[0]
    cell, slot = (int(i) for i in labels.nonzero()[0])
    assert labels[cell, slot] == ord("H") - 31
    assert cell % 4 == 2
    pictures = renderer.render(batch, torch.Generator().manual_seed(1))
    rows, columns = (pictures[0].mean(0) < 0).nonzero(as_tuple=True)
    left, _, right, _ = canvas.lines[0].box
    assert len(rows)
    assert left <= columns.min()
    assert columns.max() < right


def test_films_change_once_and_only_where_they_differ() -> None:
    before, after = torch.zeros(2, 3, 64, 64)
    after[:, 40:50, 8:20] = 1.0
    states = torch.stack([before, after])
    for change, kind in ((3, 1), (4, 2)):
        changes = torch.tensor([change])
        frames = frame_pairs(states, changes, 3).flatten(0, 1)
        assert [bool(frame.any()) for frame in frames] == [number >= change for number in range(6)]
        labels = changed_cells(states, changes, 3).view(3, 4)
        assert labels[change // 2].tolist() == [0, 0, kind, 0]
        assert labels.count_nonzero() == 1


def test_all_losses_have_gradients_and_a_step_changes_every_matrix(atlas: Atlas) -> None:
    model, helpers = PocketModel(SHAPE), Helpers()
    model.initialise(0)
    trainer = Trainer(model, helpers, Renderer(atlas, CPU, compiled=False), CPU)
    optimiser = Optimiser([*model.named_parameters(), *helpers.named_parameters()])
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    shapes_and_text = [
        plan("image", mixture=Mixture(pages=0.0, labels=0.0, shapes=1.0)),
        plan("image", mixture=Mixture(pages=1.0)),
    ]
    seen: set[str] = set()
    for what in (*shapes_and_text, plan("video", pairs=2), plan("pages", leads=LEADS)):
        batch = tensors(make_batch(what, atlas, TextSource(WORDS, Random(2))))
        out = trainer.losses(batch, torch.Generator().manual_seed(0))
        seen |= out.keys()
        torch.autograd.backward(out["loss"])
    assert seen >= {"answer", "dense", "shape", "place", "change"}
    assert math.isfinite(float(optimiser.step(0.01, 1.0)))
    assert [name for name, p in model.named_parameters() if torch.equal(p, before[name])] == []


def test_gradient_that_is_no_number_changes_nothing() -> None:
    layer = torch.nn.Linear(4, 4)
    optimiser = Optimiser(layer.named_parameters())
    before = layer.weight.detach().clone()
    layer.weight.grad = torch.full((4, 4), float("nan"))
    layer.bias.grad = torch.ones(4)
    assert not math.isfinite(float(optimiser.step(0.1, 1.0)))
    assert torch.equal(layer.weight, before)


def test_step_without_any_gradient_tells_its_norm_on_the_device_and_changes_nothing() -> None:
    far = torch.nn.Linear(4, 4, device="meta")
    assert Optimiser(far.named_parameters()).step(0.1, 1.0).device.type == "meta"
    layer = torch.nn.Linear(4, 4)
    before = layer.weight.detach().clone()
    assert float(Optimiser(layer.named_parameters()).step(0.1, 1.0)) == 0.0
    assert torch.equal(layer.weight, before)


def add_many(watch: Watch, steps: range, loss: torch.Tensor, norm: torch.Tensor) -> None:
    for step in steps:
        watch.add(step, loss, norm)


def test_training_stops_at_a_loss_that_is_no_number_and_names_the_step() -> None:
    watch = Watch("base")
    fine, broken = torch.tensor(1.0), torch.tensor(float("inf"))
    for step in range(7):
        watch.add(step, fine, fine)
    watch.add(7, broken, fine)
    with pytest.raises(NonFiniteLossError, match="base stopped at step 7"):
        add_many(watch, range(8, 12), fine, fine)


def test_single_bad_gradients_are_skipped_but_not_many_in_a_row() -> None:
    watch = Watch("base")
    fine, broken = torch.tensor(1.0), torch.tensor(float("nan"))
    for step in range(20):
        watch.add(step, fine, broken if step % 4 == 0 else fine)
    assert watch.skipped >= 4
    with pytest.raises(NonFiniteLossError):
        add_many(watch, range(20, 40), fine, broken)


def test_orthogonalised_matrices_have_singular_values_near_one() -> None:
    for shape in ((3, 16, 40), (2, 40, 16), (1, 24, 24)):
        values = torch.linalg.svdvals(
            orthogonalise(torch.randn(shape, generator=torch.Generator().manual_seed(0)))
        )
        assert values.median() > 0.6
        assert values.max() < 1.3


def test_attention_logits_of_the_tower_are_held_down(atlas: Atlas) -> None:
    model = PocketModel(SHAPE)
    model.initialise(0)
    with torch.no_grad():
        model.visual.layers[0].attn.qkv.weight[:320] *= 12
    trainer = Trainer(model, Helpers(), Renderer(atlas, CPU, compiled=False), CPU)
    pictures = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert trainer.tame_attention(pictures) > 61
    assert trainer.tame_attention(pictures) < 61


def test_checkpoint_gives_back_weights_and_step(tmp_path: Path) -> None:
    model, helpers = PocketModel(SHAPE), Helpers()
    model.initialise(4)
    save_checkpoint(tmp_path, model, helpers, {"stage": "base", "step": 12})
    assert max(file.stat().st_size for file in tmp_path.iterdir()) < 16 * 2**20
    other, other_helpers = PocketModel(SHAPE), Helpers()
    assert load_checkpoint(tmp_path, other, other_helpers)["step"] == 12
    for one, two in ((model, other), (helpers, other_helpers)):
        for name, value in one.state_dict().items():
            assert torch.equal(value, two.state_dict()[name])


def test_rate_warms_up_stays_and_falls() -> None:
    stage = Stage("base", 1000, 0.01, 0.004, 1, 0.25)
    assert stage.rate(0.0, 0) < 0.001
    assert stage.rate(0.5, 500) == 0.01
    assert stage.rate(1.0, 1000) == pytest.approx(0.004)
    assert stage.rate(0.5, 0) < 0.001


@pytest.mark.parametrize("name", ["tower", "base", "instruct", "thinking"])
def test_plans_depend_on_the_seed_alone_and_never_overfill(name: str) -> None:
    stage = Stage(name, 60, 0.01, None, 3)
    plans = plan_stage(stage, growth_steps=20)
    assert plans == plan_stage(stage, growth_steps=20)
    patches = [p.count * p.height * p.width // 256 * max(p.pairs, 1) * len(p.leads) for p in plans]
    assert max(patches) <= 196_608
    thinking = {p.mixture.thinking for p in plans if p.kind != "dense"}
    assert name in ("tower", "base") or thinking == {1.0 if name == "thinking" else 0.0}


def test_held_out_words_are_never_among_the_trained_ones(tmp_path: Path) -> None:
    file = tmp_path / "words"
    file.write_text("\n".join(f"word{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(600)))
    trained, kept = read_words(file, held_out=False), read_words(file, held_out=True)
    assert not {word.lower() for word in trained} & {word.lower() for word in kept}
    assert 30 < len(kept) < 90
    assert is_held_out("Alpha") == is_held_out("ALPHA")


def test_every_wording_can_be_asked() -> None:
    values = {"n": 1, "text": "a", "box": "[1, 2, 3, 4]", "what": "b", "place": "c", "a": "d", "b": "e"}
    values |= {"w": "f", "v": "g", "W": "H"}
    wordings = [w for name, group in vars(prompts).items() if name.isupper() and isinstance(group, tuple)
                for w in group if isinstance(w, str)]  # fmt: skip
    assert len(wordings) > 150
    for wording in wordings:
        assert "{" not in wording.format(**values)
    assert prompts.plural("red cross") == "red crosses"

"""The training forward against transformers' own, and the prompt layout against its positions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import transformers
from transformers import Qwen3VLForConditionalGeneration

from desktopapp.modelstore.model import ModelKind
from models.pocket.batches import lay_out, pair_times
from models.pocket.model import PocketModel, VisionOutput, _patches
from models.pocket.shape import IMAGE_PAD_ID, MERGES, SHAPE, VIDEO_PAD_ID
from models.qwen_files.config import write_configs
from models.qwen_files.tokenizer import make_tokenizer

SMALL = replace(
    SHAPE, layers=4, hidden=64, feed_forward=96, vision_hidden=80, vision_layers=6, vision_feed_forward=96
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[PocketModel, Qwen3VLForConditionalGeneration]:
    folder = tmp_path_factory.mktemp("config")
    ids = make_tokenizer(MERGES).get_vocab(with_added_tokens=True)
    write_configs(folder, SMALL, ModelKind.INSTRUCT, ids, dtype="F32")
    model = PocketModel(SMALL)
    model.initialise(3)
    theirs = Qwen3VLForConditionalGeneration(transformers.AutoConfig.from_pretrained(folder)).eval()
    loaded = theirs.load_state_dict(model.state_dict(), strict=False)
    assert loaded.missing_keys == ["lm_head.weight"]
    assert not loaded.unexpected_keys
    theirs.tie_weights()
    return model, theirs


@torch.no_grad()
@pytest.mark.parametrize(("rows", "columns", "pairs"), [(3, 5, 0), (2, 2, 3), (4, 2, 1)])
def test_logits_and_positions_equal_those_of_transformers(
    pair: tuple[PocketModel, Qwen3VLForConditionalGeneration], rows: int, columns: int, pairs: int
) -> None:
    model, theirs = pair
    generator = torch.Generator().manual_seed(rows)
    layout = lay_out(rows, columns, pair_times(pairs, 2.0) if pairs else None)
    tail = torch.tensor([72, 105, 33])
    ids = torch.cat([torch.from_numpy(layout.ids).long(), tail])[None]
    rest = layout.next_position + torch.arange(len(tail)).expand(3, -1)
    positions = torch.cat([torch.from_numpy(layout.positions), rest], 1)
    grid = torch.tensor([[max(pairs, 1), 2 * rows, 2 * columns]])
    if pairs:
        frames = torch.rand(pairs, 2, 3, 32 * rows, 32 * columns, generator=generator) * 2 - 1
        given = {"pixel_values_videos": _patches(frames).flatten(0, 1), "video_grid_thw": grid}
        kinds = (ids == VIDEO_PAD_ID).int() * 2
    else:
        frames = torch.rand(1, 3, 32 * rows, 32 * columns, generator=generator) * 2 - 1
        twice = frames[:, None].expand(-1, 2, -1, -1, -1)
        given = {"pixel_values": _patches(twice).flatten(0, 1), "image_grid_thw": grid}
        kinds = (ids == IMAGE_PAD_ID).int()
    expected = theirs(input_ids=ids, mm_token_type_ids=kinds, **given).logits
    grids = {name: value for name, value in given.items() if name.endswith("thw")}
    assert torch.equal(theirs.model.get_rope_index(ids, kinds, **grids)[0][:, 0], positions)
    seen = model.visual(frames)
    width = SMALL.hidden
    seen = VisionOutput(
        seen.tokens.view(1, -1, width), [level.view(1, -1, width) for level in seen.deepstack]
    )
    hidden, _ = model.language(ids, positions, seen, torch.from_numpy(layout.seen_at))
    assert expected.std() > 0.05
    torch.testing.assert_close(model.logits(hidden), expected, rtol=0, atol=1e-4)


@torch.no_grad()
def test_pictures_of_a_batch_do_not_see_each_other(
    pair: tuple[PocketModel, Qwen3VLForConditionalGeneration],
) -> None:
    model, _ = pair
    pictures = torch.rand(3, 3, 64, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1
    together = model.visual(pictures).tokens[1]
    torch.testing.assert_close(together, model.visual(pictures[1:2]).tokens[0], rtol=0, atol=1e-5)


def test_shape_of_the_shipped_pair_has_true_sections_and_fits_its_budget() -> None:
    assert SHAPE.heads > SHAPE.kv_heads > 1
    assert len(SHAPE.deepstack_layers) == 3
    count = sum(parameter.numel() for parameter in PocketModel(SHAPE).parameters())
    assert 2 * 2 * count < 36_000_000


def test_config_keeps_published_rope(tmp_path: Path) -> None:
    ids = make_tokenizer(MERGES).get_vocab(with_added_tokens=True)
    write_configs(tmp_path, SHAPE, ModelKind.THINKING, ids, dtype="BF16")
    config = transformers.AutoConfig.from_pretrained(tmp_path)
    assert config.text_config.rope_parameters["mrope_section"] == [24, 20, 20]
    assert config.text_config.head_dim == 128

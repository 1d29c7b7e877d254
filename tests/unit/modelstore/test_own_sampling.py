"""What a model's files say of sampling, and which of it, the person's values and the defaults counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desktopapp import paths
from desktopapp.engine.request import SamplingOverrides
from desktopapp.engine.sampling import resolve_sampling
from desktopapp.modelstore.gguf_export import export_gguf
from desktopapp.modelstore.gguf_folder import inspect_gguf_files
from desktopapp.modelstore.model import ModelKind, OwnSampling
from desktopapp.modelstore.own_sampling import GENERATION_CONFIG, read_generation_config
from desktopapp.modelstore.safetensors_folder import inspect_safetensors_folder

PUBLISHED = {"do_sample": True, "temperature": 0.6, "top_p": 0.9, "top_k": 40, "repetition_penalty": 1.05}
OWN = OwnSampling(temperature=0.6, top_p=0.9, top_k=40, repetition_penalty=1.05)
NOTHING = OwnSampling()


def write(folder: Path, values: object) -> None:
    (folder / GENERATION_CONFIG).write_text(json.dumps(values))


def test_the_published_values_are_read(tmp_path: Path) -> None:
    write(tmp_path, PUBLISHED)
    assert read_generation_config(tmp_path) == OWN
    write(tmp_path, PUBLISHED | {"do_sample": False, "presence_penalty": 0.5})
    own = read_generation_config(tmp_path)
    assert (own.temperature, own.presence_penalty) == (0.0, 0.5)


@pytest.mark.parametrize(
    "content", ["", "[]", "[" * 100_000, '{"temperature": "hot", "top_p": NaN}', "\udce9"]
)
def test_a_file_that_says_nothing_usable_is_as_none(tmp_path: Path, content: str) -> None:
    assert read_generation_config(tmp_path) == NOTHING
    (tmp_path / GENERATION_CONFIG).write_bytes(content.encode(errors="surrogateescape"))
    assert read_generation_config(tmp_path) == NOTHING


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", -1),
        ("temperature", True),
        ("temperature", float("inf")),
        ("top_p", 0),
        ("top_p", 1.1),
        ("top_k", -1),
        ("repetition_penalty", 0),
        ("presence_penalty", 9),
    ],
)
def test_a_value_out_of_range_counts_as_not_said(tmp_path: Path, field: str, value: float) -> None:
    write(tmp_path, PUBLISHED | {field: value})
    own = read_generation_config(tmp_path)
    assert getattr(own, field) is None
    assert own.top_k == 40 or field == "top_k"


def test_both_formats_carry_it(random_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for file in random_folder.iterdir():
        if file.is_file() and file.name != GENERATION_CONFIG:
            (folder / file.name).symlink_to(file)
    write(folder, PUBLISHED)
    weights, projector = tmp_path / "own-F16.gguf", tmp_path / "mmproj-own-F16.gguf"
    export_gguf(folder, weights, projector, "F16", "F16")
    (found,) = inspect_gguf_files([weights, projector])
    expected = (OWN.temperature, OWN.top_p, OWN.top_k, OWN.repetition_penalty)
    for files in (found.model.files[0], inspect_safetensors_folder(folder).model.files[0]):
        own = files.sampling
        read = (own.temperature, own.top_p, own.top_k, own.repetition_penalty)
        assert read == pytest.approx(expected)


def test_the_pocket_pair_takes_the_likeliest_token_without_penalties() -> None:
    for kind in ModelKind:
        folder = paths.program_dir() / f"models/qwen3-vl/qwen3-vl-pocket-{kind}"
        sampling = resolve_sampling(kind, SamplingOverrides(), read_generation_config(folder))
        assert (sampling.temperature, sampling.presence_penalty, sampling.repetition_penalty) == (
            0.0,
            0.0,
            1.0,
        )


def test_the_persons_value_comes_before_the_models_and_this_before_the_default() -> None:
    plain = resolve_sampling(ModelKind.INSTRUCT, SamplingOverrides())
    assert (plain.temperature, plain.top_p, plain.top_k, plain.presence_penalty) == (0.7, 0.8, 20, 1.5)
    own = resolve_sampling(ModelKind.INSTRUCT, SamplingOverrides(), OWN)
    assert (own.temperature, own.top_p, own.top_k, own.repetition_penalty) == (0.6, 0.9, 40, 1.05)
    assert own.presence_penalty == 1.5
    person = resolve_sampling(ModelKind.INSTRUCT, SamplingOverrides(temperature=0.2, top_k=5, seed=3), OWN)
    assert (person.temperature, person.top_p, person.top_k, person.seed) == (0.2, 0.9, 5, 3)


def test_greedy_leaves_the_kinds_penalty_out_and_keeps_the_persons() -> None:
    greedy = SamplingOverrides(temperature=0.0)
    assert resolve_sampling(ModelKind.INSTRUCT, greedy).presence_penalty == 0.0
    own = OwnSampling(temperature=0.0, presence_penalty=0.3)
    assert resolve_sampling(ModelKind.INSTRUCT, SamplingOverrides(), own).presence_penalty == 0.3
    both = SamplingOverrides(temperature=0.0, presence_penalty=0.7)
    assert resolve_sampling(ModelKind.INSTRUCT, both, own).presence_penalty == 0.7

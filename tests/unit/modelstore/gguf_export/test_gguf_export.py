"""The exporter: keys and tensors that llama.cpp's loader wants, values that survive, folders that are refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from desktopapp.errors import ModelDamaged, ModelError, ModelIncomplete, ModelUnsupported
from desktopapp.modelstore.gguf_export import export_gguf
from desktopapp.modelstore.gguf_export.__main__ import main
from desktopapp.modelstore.gguf_metadata import GgufHeader, read_gguf_header
from desktopapp.modelstore.model import ModelFiles, ModelKind
from models.random_pair import make_random_model
from tests.moe_folder import make_moe


def read_tensor(path: Path, name: str) -> np.ndarray[Any, Any]:
    """A tensor's values as float32."""
    tensor = next(tensor for tensor in gguf.GGUFReader(path).tensors if tensor.name == name)
    values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
    return np.array(values.reshape([int(side) for side in tensor.shape[::-1]]), np.float32)


def tensor_types(path: Path) -> dict[str, str]:
    return {tensor.name: tensor.type_name for tensor in read_gguf_header(path).tensors}


def export(folder: Path, precision: str = "F32", projector_precision: str = "F32") -> tuple[Path, Path]:
    text_file, projector_file = folder.parent / f"{precision}.gguf", folder.parent / "mmproj.gguf"
    export_gguf(folder, text_file, projector_file, precision, projector_precision)
    return text_file, projector_file


@pytest.fixture
def folder(random_folder: Path, tmp_path: Path) -> Path:
    """A copy to be changed."""
    return Path(shutil.copytree(random_folder, tmp_path / random_folder.name))


def change_config(folder: Path, **values: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **values}))


@pytest.fixture(scope="module")
def text(random_gguf: ModelFiles) -> GgufHeader:
    return read_gguf_header(random_gguf.path)


def test_text_keys(text: GgufHeader) -> None:
    expected = {
        "general.type": "model",
        "qwen3vl_desktop.random_weights": True,
        "qwen3vl.block_count": 4,
        "qwen3vl.context_length": 8192,
        "qwen3vl.embedding_length": 64,
        "qwen3vl.feed_forward_length": 128,
        "qwen3vl.attention.head_count": 2,
        "qwen3vl.attention.head_count_kv": 1,
        "qwen3vl.attention.key_length": 128,
        "qwen3vl.n_deepstack_layers": 3,
        "qwen3vl.rope.freq_base": 5e6,
        "qwen3vl.rope.dimension_sections": (24, 20, 20, 0),
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.add_bos_token": False,
    }
    assert text.architecture == "qwen3vl"
    assert {key: text.metadata.get(key) for key in expected} == expected


def test_vocabulary(text: GgufHeader, random_folder: Path) -> None:
    tokens, types = text.metadata["tokenizer.ggml.tokens"], text.metadata["tokenizer.ggml.token_type"]
    assert isinstance(tokens, tuple)
    assert isinstance(types, tuple)
    kinds = dict(zip(tokens, types, strict=True))
    assert len(kinds) == 320
    assert kinds["a"] == gguf.TokenType.NORMAL
    assert kinds["<|im_start|>"] == kinds["<|fim_pad|>"] == gguf.TokenType.CONTROL
    assert kinds["</think>"] == kinds["<tool_call>"] == gguf.TokenType.USER_DEFINED
    assert kinds["[PAD319]"] == gguf.TokenType.UNUSED
    assert tokens[text.integer("tokenizer.ggml.eos_token_id")] == "<|im_end|>"
    assert tokens[text.integer("tokenizer.ggml.padding_token_id")] == "<|endoftext|>"
    assert text.metadata["tokenizer.ggml.merges"][0] == "Ġ t"  # type: ignore[index]
    template = (random_folder / "chat_template.jinja").read_text(encoding="utf-8")
    assert text.text("tokenizer.chat_template") == template


def test_projector_keys(random_gguf: ModelFiles) -> None:
    assert random_gguf.projector is not None
    header = read_gguf_header(random_gguf.projector)
    expected = {
        "general.architecture": "clip",
        "general.type": "mmproj",
        "clip.projector_type": "qwen3vl_merger",
        "clip.has_vision_encoder": True,
        "clip.vision.projection_dim": 64,
        "clip.vision.image_size": 768,
        "clip.vision.patch_size": 16,
        "clip.vision.spatial_merge_size": 2,
        "clip.vision.block_count": 4,
        "clip.vision.is_deepstack_layers": (True, True, True, False),
        "clip.vision.image_min_pixels": 65536,
        "clip.vision.image_max_pixels": 262144,
        "clip.use_gelu": True,
    }
    assert {key: header.metadata.get(key) for key in expected} == expected


def test_values_survive_in_32_bits(random_gguf: ModelFiles, random_folder: Path) -> None:
    stored = load_file(random_folder / "model.safetensors")
    assert random_gguf.projector is not None
    gate = "model.language_model.layers.2.mlp.gate_proj.weight"
    assert np.array_equal(read_tensor(random_gguf.path, "blk.2.ffn_gate.weight"), stored[gate])
    kernel = stored["model.visual.patch_embed.proj.weight"]
    for frame, name in enumerate(("v.patch_embd.weight", "v.patch_embd.weight.1")):
        assert np.array_equal(read_tensor(random_gguf.projector, name), kernel[:, :, frame])
    merger = stored["model.visual.deepstack_merger_list.1.linear_fc1.weight"]
    assert np.array_equal(read_tensor(random_gguf.projector, "v.deepstack.1.fc1.weight"), merger)


def test_tied_embeddings_are_written_once(text: GgufHeader) -> None:
    names = {tensor.name for tensor in text.tensors}
    assert "token_embd.weight" in names
    assert "output.weight" not in names


@pytest.mark.parametrize("precision", ["F16", "BF16", "Q8_0"])
def test_precisions(random_folder: Path, folder: Path, precision: str) -> None:
    text_file, projector_file = export(folder, precision, "F16")
    types = tensor_types(text_file)
    assert read_gguf_header(text_file).precision == precision
    assert types["blk.0.attn_q.weight"] == types["token_embd.weight"] == precision
    assert types["blk.0.attn_q_norm.weight"] == types["output_norm.weight"] == "F32"
    vision = tensor_types(projector_file)
    assert vision["v.blk.0.attn_qkv.weight"] == vision["v.patch_embd.weight.1"] == "F16"
    assert vision["v.blk.0.attn_qkv.bias"] == vision["v.position_embd.weight"] == "F32"
    name = "model.language_model.layers.0.self_attn.q_proj.weight"
    exact = load_file(random_folder / "model.safetensors")[name]
    close = np.abs(read_tensor(text_file, "blk.0.attn_q.weight") - exact).max() / np.abs(exact).max()
    assert 0 < close < 0.01


def test_bfloat16_source_equals_its_values(tmp_path: Path) -> None:
    for dtype in ("BF16", "F32"):
        make_random_model(tmp_path / dtype / "m", ModelKind.INSTRUCT, seed=3, dtype=dtype)  # type: ignore[arg-type]
    exact = read_tensor(export(tmp_path / "F32" / "m")[0], "blk.1.ffn_up.weight")
    given = read_tensor(export(tmp_path / "BF16" / "m")[0], "blk.1.ffn_up.weight")
    assert not np.array_equal(given, exact)
    assert np.allclose(given, exact, rtol=2**-8)
    assert not (given.view(np.uint32) & 0xFFFF).any()


def test_same_folder_gives_same_bytes(folder: Path) -> None:
    first = [path.read_bytes() for path in export(folder, "Q8_0", "F16")]
    second = [path.read_bytes() for path in export(folder, "Q8_0", "F16")]
    assert first == second


def test_real_models_are_not_marked_random(folder: Path) -> None:
    change_config(folder, random_weights=False)
    for path in export(folder):
        assert "qwen3vl_desktop.random_weights" not in read_gguf_header(path).metadata


def test_published_form_of_the_rope_config(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    text_config = config["text_config"]
    text_config.pop("rope_parameters", None)
    text_config["rope_theta"] = 123456.0
    text_config["rope_scaling"] = {"mrope_section": [20, 22, 22], "rope_type": "default"}
    change_config(folder, text_config=text_config)
    header = read_gguf_header(export(folder)[0])
    assert header.metadata["qwen3vl.rope.freq_base"] == 123456.0
    assert header.metadata["qwen3vl.rope.dimension_sections"] == (20, 22, 22, 0)


def test_rows_that_do_not_divide_become_f16(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    for layer in range(4):
        prefix = f"model.language_model.layers.{layer}.mlp."
        weights[f"{prefix}down_proj.weight"] = np.ascontiguousarray(
            weights[f"{prefix}down_proj.weight"][:, :120]
        )
    save_file(weights, folder / "model.safetensors")
    types = tensor_types(export(folder, "Q8_0")[0])
    assert types["blk.0.ffn_down.weight"] == "F16"
    assert types["blk.0.ffn_up.weight"] == "Q8_0"


@pytest.mark.parametrize("published_layout", [True, False])
def test_mixture_of_experts(folder: Path, published_layout: bool) -> None:
    weights = make_moe(folder, published_layout=published_layout)
    text_file, _ = export(folder)
    header = read_gguf_header(text_file)
    assert header.architecture == "qwen3vlmoe"
    assert header.integer("qwen3vlmoe.expert_count") == 3
    assert header.integer("qwen3vlmoe.expert_used_count") == 2
    assert header.integer("qwen3vlmoe.expert_feed_forward_length") == 48
    gate_up = weights["model.language_model.layers.1.mlp.experts.gate_up_proj"]
    gate_up = gate_up.transpose(0, 2, 1) if published_layout else gate_up
    assert np.array_equal(read_tensor(text_file, "blk.1.ffn_gate_exps.weight"), gate_up[:, :48])
    assert np.array_equal(read_tensor(text_file, "blk.1.ffn_up_exps.weight"), gate_up[:, 48:])
    assert read_tensor(text_file, "blk.1.ffn_down_exps.weight").shape == (3, 64, 48)


@pytest.mark.parametrize(
    "file_name",
    [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "preprocessor_config.json",
    ],
)
def test_missing_files_are_named(folder: Path, file_name: str) -> None:
    (folder / file_name).unlink()
    with pytest.raises(ModelIncomplete, match=file_name):
        export(folder)


def test_missing_chat_template(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(ModelIncomplete, match="chat template"):
        export(folder)


def test_chat_template_in_the_tokenizer_config(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**config, "chat_template": "{{ 1 }}"}))
    assert read_gguf_header(export(folder)[0]).text("tokenizer.chat_template") == "{{ 1 }}"


def test_missing_shard(folder: Path) -> None:
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelIncomplete, match="model-00001-of-00002"):
        export(folder)


def test_a_shard_outside_the_folder_is_refused(folder: Path) -> None:
    index = {"weight_map": {"a": "../../secret.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelDamaged, match="names no shards"):
        export(folder)


@pytest.mark.parametrize("kept", [0, 4, 500, -1])
def test_truncated_safetensors(folder: Path, kept: int) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelDamaged):
        export(folder)


@pytest.mark.parametrize("file_name", ["config.json", "tokenizer.json", "preprocessor_config.json"])
@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe"])
def test_garbled_json(folder: Path, file_name: str, content: bytes) -> None:
    (folder / file_name).write_bytes(content)
    with pytest.raises(ModelDamaged, match=file_name):
        export(folder)


def test_other_models_are_refused(folder: Path) -> None:
    change_config(folder, model_type="llama")
    with pytest.raises(ModelUnsupported, match="llama"):
        export(folder)


def test_no_vision_part(folder: Path) -> None:
    change_config(folder, vision_config=None)
    with pytest.raises(ModelUnsupported, match="vision"):
        export(folder)


def test_other_tokenizers_are_refused(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["pre_tokenizer"] = {"type": "Whitespace"}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(ModelUnsupported, match="tokenizer"):
        export(folder)


def test_missing_tensor(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["model.visual.merger.norm.bias"]
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(ModelIncomplete, match=r"merger\.norm\.bias"):
        export(folder)


def test_types_that_cannot_be_converted(folder: Path) -> None:
    save_file({"model.language_model.norm.weight": np.zeros(4, np.int8)}, folder / "model.safetensors")
    with pytest.raises(ModelUnsupported, match="I8"):
        export(folder)


def test_a_failed_export_leaves_no_file(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["model.language_model.layers.3.mlp.down_proj.weight"][:] = 1e6
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(ModelUnsupported, match="F16"):
        export(folder, "F16")
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_unknown_precision(folder: Path) -> None:
    with pytest.raises(ValueError, match="Q9"):
        export(folder, "Q9")


def test_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text_file, projector_file = folder.parent / "t.gguf", folder.parent / "p.gguf"
    assert main([str(folder), str(text_file), str(projector_file), "--precision", "BF16"]) == 0
    assert read_gguf_header(text_file).precision == "BF16"
    assert main([str(folder), str(folder.parent / "nowhere" / "t.gguf"), str(projector_file)]) == 1
    assert "cannot be written: No such file" in capsys.readouterr().err
    (folder / "config.json").unlink()
    assert main([str(folder), str(text_file), str(projector_file)]) == 1
    assert "config.json" in capsys.readouterr().err


def test_errors_are_model_errors(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        export(tmp_path / "nowhere")

"""Write both files of a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import gguf

from desktopapp.errors import ModelUnsupported
from desktopapp.modelstore.gguf_export.encoding import TensorToWrite, encode
from desktopapp.modelstore.gguf_export.projector import Projector
from desktopapp.modelstore.gguf_export.source import ModelFolder, Section
from desktopapp.modelstore.gguf_export.text_model import TextModel
from desktopapp.modelstore.gguf_export.vocabulary import read_chat_template, read_vocabulary
from desktopapp.modelstore.gguf_folder import RANDOM_WEIGHTS_KEY
from desktopapp.modelstore.model import OwnSampling
from desktopapp.modelstore.own_sampling import read_generation_config
from desktopapp.modelstore.safetensors_folder import ARCHITECTURES

PRECISIONS = ("F32", "F16", "BF16", "Q8_0")
PROJECTOR_PRECISIONS = ("F32", "F16")
_QUANTIZATION_VERSION = 2
_FILE_TYPES = {
    "F32": gguf.LlamaFileType.ALL_F32,
    "F16": gguf.LlamaFileType.MOSTLY_F16,
    "BF16": gguf.LlamaFileType.MOSTLY_BF16,
    "Q8_0": gguf.LlamaFileType.MOSTLY_Q8_0,
}


def export_gguf(
    folder: Path,
    text_file: Path,
    projector_file: Path,
    precision: str = "Q8_0",
    projector_precision: str = "F16",
) -> None:
    """Export a Qwen3-VL folder to a text-model GGUF and an `mmproj` GGUF.

    The same folder gives the same bytes. Norms, biases and position embeddings stay in F32; rows that do not
    divide into the blocks of Q8_0 become F16. Each file appears under its name only when it is complete.

    Args:
        folder: with `config.json`, safetensors, `tokenizer.json`, `tokenizer_config.json`,
            `preprocessor_config.json` and a chat template; `qwen3_vl` or `qwen3_vl_moe`.
        text_file: to write.
        projector_file: to write.
        precision: of the text model, one of `PRECISIONS`.
        projector_precision: of the vision part, one of `PROJECTOR_PRECISIONS`.

    Raises:
        ModelIncomplete: a file or a tensor is missing.
        ModelDamaged: one is malformed or cut short.
        ModelUnsupported: it is no Qwen3-VL model, or its weights cannot be converted.
        OSError: the files cannot be written.
        ValueError: a precision is unknown.
    """
    if precision not in PRECISIONS or projector_precision not in PROJECTOR_PRECISIONS:
        raise ValueError(f"unknown precision {precision} or {projector_precision}")
    source = ModelFolder(folder)
    config = source.read_json("config.json")
    model_type = config.values.get("model_type")
    if model_type not in ARCHITECTURES:
        raise ModelUnsupported(name=source.name, reason=f"its type is “{model_type}”")
    projector, text = Projector(source, config), TextModel(source, config)
    # Both are collected before anything is written, so that a missing tensor costs no time.
    text_tensors = list(text.tensors(precision))
    projector_tensors = list(projector.tensors(projector_precision))

    text_writer = _new_writer(text.architecture, gguf.GGUFType.MODEL, source, config, precision)
    text.add_keys(text_writer, read_vocabulary(source, text.vocabulary_size), read_chat_template(source))
    _add_sampling_keys(text_writer, read_generation_config(folder))
    projector_writer = _new_writer("clip", gguf.GGUFType.MMPROJ, source, config, projector_precision)
    projector.add_keys(projector_writer)
    _write(text_writer, text_tensors, text_file, source.name)
    _write(projector_writer, projector_tensors, projector_file, source.name)


def _new_writer(
    architecture: str, file_kind: str, source: ModelFolder, config: Section, precision: str
) -> gguf.GGUFWriter:
    writer = gguf.GGUFWriter(None, architecture)
    writer.add_type(file_kind)
    writer.add_name(source.name)
    writer.add_file_type(_FILE_TYPES[precision])
    if precision == "Q8_0":
        writer.add_quantization_version(_QUANTIZATION_VERSION)
    if config.values.get("random_weights") is True:
        writer.add_bool(RANDOM_WEIGHTS_KEY, True)
    return writer


def _add_sampling_keys(writer: gguf.GGUFWriter, own: OwnSampling) -> None:
    """What the makers recommend, of which the format has no key for the presence penalty."""
    if own.temperature is not None:
        writer.add_sampling_temp(own.temperature)
    if own.top_k is not None:
        writer.add_sampling_top_k(own.top_k)
    if own.top_p is not None:
        writer.add_sampling_top_p(own.top_p)
    if own.repetition_penalty is not None:
        writer.add_sampling_penalty_repeat(own.repetition_penalty)


def _write(writer: gguf.GGUFWriter, tensors: Sequence[TensorToWrite], path: Path, model_name: str) -> None:
    """Write one file, tensor by tensor."""
    unfinished = path.with_name(path.name + ".part")
    try:
        for tensor in tensors:
            writer.add_tensor_info(
                tensor.name, tensor.source.shape, tensor.source.array.dtype, tensor.size_bytes, tensor.type
            )
        writer.write_header_to_file(unfinished)
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for tensor in tensors:
            writer.write_tensor_data(encode(tensor, model_name))
        writer.close()
        unfinished.replace(path)
    finally:
        writer.close()
        unfinished.unlink(missing_ok=True)

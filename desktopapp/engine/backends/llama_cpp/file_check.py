"""Read the headers of a model's files before llama.cpp does.

llama.cpp's own checks say less, and some of what they miss ends the process: a division by a head count of
zero, a failed assertion. Here a bad pair of files becomes one clear sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from desktopapp.engine.backends.llama_cpp.projector_tensors import deepstack_layers, find_bad_tensor
from desktopapp.errors import (
    ModelDamaged,
    ModelIncomplete,
    ModelUnsupported,
    ProjectorMismatch,
    ProjectorMissing,
)
from desktopapp.modelstore.gguf_folder import ARCHITECTURES, PROJECTOR_ARCHITECTURE
from desktopapp.modelstore.gguf_metadata import GgufHeader, read_gguf_header
from desktopapp.modelstore.model import ModelFiles
from desktopapp.modelstore.naming import split_part

_PROJECTOR_TYPE = "qwen3vl_merger"
_KV_HEADS = "attention.head_count_kv"
_TEXT_COUNTS = ("block_count", "context_length", "embedding_length", "attention.head_count", _KV_HEADS)
_VISION_COUNTS = (
    "image_size",
    "patch_size",
    "embedding_length",
    "feed_forward_length",
    "block_count",
    "projection_dim",
    "attention.head_count",
)
_MOST_SHARDS = 1000


@dataclass(frozen=True, slots=True)
class CheckedFiles:
    """A pair of files that belong together.

    Args:
        text: header of the (first) text-model file.
        projector: header of the mmproj.
        shards: the text model's files in order.
        projector_path: the mmproj file.
    """

    text: GgufHeader
    projector: GgufHeader
    shards: tuple[Path, ...]
    projector_path: Path

    def text_count(self, key: str) -> int:
        """An integer among the text model's keys, without the architecture's name."""
        return self.text.integer(f"{self.text.architecture}.{key}")

    @property
    def head_size(self) -> int:
        """Width of a key."""
        derived = self.text_count("embedding_length") // self.text_count("attention.head_count")
        return self.text_count("attention.key_length") or derived

    @property
    def cell_values(self) -> int:
        """Numbers that one token's keys and values have in all layers."""
        widths = self.head_size + (self.text_count("attention.value_length") or self.head_size)
        return self.text_count("block_count") * self.text_count(_KV_HEADS) * widths

    @property
    def text_bytes(self) -> int:
        """Size of all files of the text model."""
        return sum(shard.stat().st_size for shard in self.shards)

    @property
    def size_bytes(self) -> int:
        """Size of all files."""
        return self.text_bytes + self.projector.file_bytes

    @property
    def chat_template(self) -> str:
        """The Jinja source in the text model."""
        return self.text.text("tokenizer.chat_template")


def check_files(files: ModelFiles) -> CheckedFiles:
    """Check both files' headers, sizes, kinds, and that they belong together.

    Raises:
        ModelNotFound: the text model is not there.
        ModelIncomplete: a shard or the chat template is missing.
        ModelDamaged: a file is malformed or cut short.
        ModelUnsupported: another architecture.
        ProjectorMissing: no mmproj.
        ProjectorMismatch: the mmproj is for another model.
    """
    text = read_gguf_header(files.path)
    if text.architecture not in ARCHITECTURES:
        reason = f"its architecture is “{text.architecture}”"
        raise ModelUnsupported(name=files.path.stem, reason=reason)
    shards = _shards(files.path, text)
    for shard in shards:
        read_gguf_header(shard)
    if files.projector is None or not files.projector.is_file():
        raise ProjectorMissing(name=files.path.stem)
    checked = CheckedFiles(text, read_gguf_header(files.projector), shards, files.projector)
    _require_counts(text, text.architecture, _TEXT_COUNTS, files.path.name)
    if not checked.chat_template:
        raise ModelIncomplete(name=files.path.stem, missing="the chat template")
    _check_rope(checked, files.path.name)
    _check_projector(checked)
    return checked


def _shards(path: Path, header: GgufHeader) -> tuple[Path, ...]:
    """All files of a split model, which llama.cpp's tools name `NAME-00001-of-00003.gguf`."""
    part = split_part(path.stem)
    if header.integer("split.count") <= 1 or part is None:
        return (path,)
    stem, _, count = part
    numbers = range(1, min(count, _MOST_SHARDS) + 1)
    shards = tuple(path.with_name(f"{stem}-{number:05}-of-{count:05}{path.suffix}") for number in numbers)
    for shard in shards:
        if not shard.is_file():
            raise ModelIncomplete(name=stem, missing=shard.name)
    return shards


def _require_counts(header: GgufHeader, prefix: str, keys: tuple[str, ...], file_name: str) -> None:
    for key in keys:
        if header.integer(f"{prefix}.{key}") <= 0:
            raise ModelDamaged(file=file_name, reason=f"“{key}” is missing or impossible")


def _check_rope(checked: CheckedFiles, file_name: str) -> None:
    """M-RoPE's sections must share half a head between them."""
    sections = checked.text.metadata.get(f"{checked.text.architecture}.rope.dimension_sections")
    numbers = [n for n in sections if isinstance(n, int) and n >= 0] if isinstance(sections, tuple) else []
    if not 3 <= len(numbers) <= 4 or not 0 < sum(numbers) <= checked.head_size // 2:
        raise ModelDamaged(file=file_name, reason="“rope.dimension_sections” is missing or impossible")


def _check_projector(checked: CheckedFiles) -> None:
    projector, name = checked.projector, checked.projector_path.name
    kind = projector.text("clip.projector_type") or projector.text("clip.vision.projector_type")
    if projector.architecture != PROJECTOR_ARCHITECTURE or kind != _PROJECTOR_TYPE:
        described = kind or projector.architecture or "unknown"
        raise ProjectorMismatch(file=name, reason=f"it is of the kind “{described}”, not “{_PROJECTOR_TYPE}”")
    _require_counts(projector, "clip.vision", _VISION_COUNTS, name)
    wanted, given = checked.text_count("embedding_length"), projector.integer("clip.vision.projection_dim")
    if wanted != given:
        reason = f"it gives {given} numbers a token, the model wants {wanted}"
        raise ProjectorMismatch(file=name, reason=reason)
    given = len(deepstack_layers(projector))
    wanted = checked.text_count("n_deepstack_layers")
    if wanted >= checked.text_count("block_count"):
        # llama.cpp's graph of the last layer has no room for one.
        raise ModelDamaged(file=checked.shards[0].name, reason="it has no more layers than DeepStack feeds")
    if wanted != given:
        reason = f"it feeds {given} DeepStack layers, the model wants {wanted}"
        raise ProjectorMismatch(file=name, reason=reason)
    if projector.integer("clip.vision.embedding_length") % projector.integer(
        "clip.vision.attention.head_count"
    ):
        raise ModelDamaged(file=name, reason="its width does not divide into its heads")
    bad_tensor = find_bad_tensor(projector)
    if bad_tensor:
        raise ModelDamaged(file=name, reason=f"the tensor “{bad_tensor}” is missing or has another shape")

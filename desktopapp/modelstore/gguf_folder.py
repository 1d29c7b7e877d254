"""Look into a folder for GGUF files: models in several precisions, whole or split, and their mmproj files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from desktopapp.errors import ModelDamaged, ModelError, ModelIncomplete, ModelUnsupported
from desktopapp.modelstore.found import (
    CHAT_TEMPLATE_WORDS,
    Found,
    broken,
    is_lfs_pointer,
    pointer_words,
    rest_words,
)
from desktopapp.modelstore.gguf_metadata import GgufHeader, read_gguf_header
from desktopapp.modelstore.model import InstalledModel, ModelFiles, ModelKind, WeightFormat
from desktopapp.modelstore.naming import (
    family_name,
    kind_from_name,
    kind_from_template,
    split_part,
    without_precision,
)
from desktopapp.modelstore.own_sampling import sampling_from_metadata

ARCHITECTURES = ("qwen3vl", "qwen3vlmoe")
PROJECTOR_ARCHITECTURE = "clip"
RANDOM_WEIGHTS_KEY = "qwen3vl_desktop.random_weights"
PROJECTOR_WORDS = "the mmproj file"
PROJECTOR_NAME = "mmproj"

# 8 bits lose nothing that shows and take half of the memory and time that 16 do; below 4 it shows.
_BEST_FIRST = ("Q8_0", "Q6_K", "Q5", "Q4", "IQ4", "MXFP4", "BF16", "F16", "F32")
_BEST_PROJECTOR_FIRST = ("F16", "BF16", "F32", "Q8_0")


@dataclass(frozen=True, slots=True)
class _Weights:
    """One GGUF model in one precision, all its parts.

    Args:
        path: of the (first) file, which may be missing where it is split.
        name: of the model, without precision and part number.
        header: of the first file; None where that is not there.
        size_bytes: of all parts.
        missing: parts, in words.
    """

    path: Path
    name: str
    header: GgufHeader | None
    size_bytes: int
    missing: tuple[str, ...]

    @property
    def kind(self) -> ModelKind:
        if self.header is None:
            return kind_from_name(self.name, self.path.parent.name)
        template = self.header.text("tokenizer.chat_template")
        if template:
            return kind_from_template(template)
        names = (self.header.text(f"general.{key}") for key in ("finetune", "name", "basename"))
        return kind_from_name(self.name, *names, self.path.parent.name)

    @property
    def width(self) -> int:
        if self.header is None:
            return 0
        return self.header.integer(f"{self.header.architecture}.embedding_length")

    @property
    def precision(self) -> str:
        return self.header.precision if self.header else ""


@dataclass(frozen=True, slots=True)
class _Projector:
    path: Path
    width: int
    precision: str
    size_bytes: int


def is_gguf(path: Path) -> bool:
    """Whether a file's name says GGUF; hidden files (`._x.gguf` of macOS) do not count."""
    return path.suffix.lower() == ".gguf" and not path.name.startswith(".")


def inspect_gguf_files(paths: Iterable[Path]) -> list[Found]:
    """The models that some GGUF files of one folder make up.

    Args:
        paths: GGUF files, mmproj files among them; parts of a split file may come in any order.

    Returns:
        One entry a model, however many precisions of it are there.
    """
    weights: list[_Weights] = []
    projectors: list[_Projector] = []
    failed: dict[Path, ModelError] = {}
    for parts in _join_parts(paths):
        try:
            one = _read(parts)
        except ModelError as error:
            failed[parts[0]] = error
            continue
        if isinstance(one, _Projector):
            projectors.append(one)
        else:
            weights.append(one)
    damaged = None if projectors or not weights else _take_damaged_projector(failed)
    found = [_broken(path, error) for path, error in failed.items()]
    models: defaultdict[tuple[str, ModelKind, int], list[_Weights]] = defaultdict(list)
    for one in weights:
        models[one.name.lower(), one.kind, one.width].append(one)
    found += [_model(group, projectors, damaged) for group in models.values()]
    if projectors and not found:
        found.append(_only_projector(projectors[0]))
    return found


def damaged_file(error: ModelDamaged, folder: Path) -> ModelFiles:
    """A GGUF file that cannot be read, as a form of the model that its folder holds otherwise."""
    path = folder / error.values["file"]
    missing, damaged = (_undamaged_words(error),), _damage(error)
    return ModelFiles(WeightFormat.GGUF, path, None, "", path.stat().st_size, missing, damaged)


def _undamaged_words(error: ModelDamaged) -> str:
    return f"an undamaged “{error.values['file']}” ({error.values['reason']})"


def _damage(error: ModelDamaged) -> tuple[str, str]:
    return error.values["file"], error.values["reason"]


def _take_damaged_projector(failed: dict[Path, ModelError]) -> ModelDamaged | None:
    """A file that can only be the vision part of a model beside it: its header is gone, its name is left."""
    for path, error in failed.items():
        if isinstance(error, ModelDamaged) and PROJECTOR_NAME in path.stem.lower():
            del failed[path]
            return error
    return None


def _broken(path: Path, error: ModelError) -> Found:
    name = _base(path.stem)
    return broken(name, path.parent, kind_from_name(name), error)


def _base(stem: str) -> str:
    part = split_part(stem)
    return part[0] if part else stem


def _join_parts(paths: Iterable[Path]) -> list[list[Path]]:
    """Files, the parts of a split one together and in order."""
    groups: defaultdict[tuple[str, int], list[Path]] = defaultdict(list)
    for path in sorted(paths):
        part = split_part(path.stem)
        groups[(part[0], part[2]) if part else (path.stem, 0)].append(path)
    return list(groups.values())


def _read(parts: list[Path]) -> _Weights | _Projector:
    """One model file, its parts together.

    Raises:
        ModelUnsupported: another architecture.
        ModelDamaged: malformed.
    """
    first, missing = _find_missing_parts(parts)
    name = without_precision(_base(first.stem))
    try:
        size_bytes = sum(path.stat().st_size for path in parts)
        pointers = [path for path in parts if is_lfs_pointer(path)]
    except OSError as error:
        reason = f"“{first.name}” cannot be read ({error.strerror})"
        raise ModelUnsupported(name=name, reason=reason) from error
    missing += [pointer_words(path) for path in pointers]
    headers: dict[Path, GgufHeader] = {}
    for path in parts:
        if path in pointers:
            continue
        try:
            stat = path.stat()
            headers[path] = _cached_header(path, stat.st_mtime_ns, stat.st_size)
        except ModelDamaged as error:
            if "cut short" not in error.values.get("reason", "") or len(parts) == 1:
                raise
            missing.append(rest_words(path))
    header = headers.get(first)
    if header and header.architecture == PROJECTOR_ARCHITECTURE:
        width = header.integer("clip.vision.projection_dim")
        return _Projector(first, width, header.precision, size_bytes)
    if header and header.architecture not in ARCHITECTURES:
        reason = f"its architecture is “{header.architecture or 'unknown'}”"
        raise ModelUnsupported(name=name, reason=reason)
    return _Weights(first, name, header, size_bytes, tuple(missing))


@lru_cache(maxsize=128)
def _cached_header(path: Path, _mtime_ns: int, _size_bytes: int) -> GgufHeader:
    # Walking through a vocabulary takes a good part of a second, and every question asks again.
    return read_gguf_header(path)


def _find_missing_parts(parts: list[Path]) -> tuple[Path, list[str]]:
    """Path of the first part, there or not, and the names of the missing ones."""
    split = split_part(parts[0].stem)
    if split is None:
        return parts[0], []
    base, _, count = split
    expected = [
        parts[0].with_name(f"{base}-{number:05}-of-{count:05}{parts[0].suffix}")
        for number in range(1, min(count, 1000) + 1)
    ]
    there = {path.name for path in parts}
    return expected[0], [f"“{path.name}”" for path in expected if path.name not in there]


def _model(
    group: list[_Weights], projectors: list[_Projector], damaged_projector: ModelDamaged | None
) -> Found:
    group = sorted(group, key=lambda one: (bool(one.missing), _rank(one.precision, _BEST_FIRST)))
    first = group[0]
    files = tuple(_files(one, projectors, damaged_projector) for one in group)
    is_random = any(one.header is not None and one.header.flag(RANDOM_WEIGHTS_KEY) for one in group)
    model = InstalledModel(
        first.name, first.path.parent, first.kind, family_name(first.name), files, random_weights=is_random
    )
    return Found(model, width=first.width)


def _files(
    weights: _Weights, projectors: list[_Projector], damaged_projector: ModelDamaged | None
) -> ModelFiles:
    projector = min(projectors, key=lambda one: _projector_rank(weights, one), default=None)
    missing = list(weights.missing)
    if weights.header and not weights.header.text("tokenizer.chat_template"):
        missing.append(CHAT_TEMPLATE_WORDS)
    if projector is None:
        missing.append(_undamaged_words(damaged_projector) if damaged_projector else PROJECTOR_WORDS)
    return ModelFiles(
        WeightFormat.GGUF,
        weights.path,
        projector.path if projector else None,
        weights.precision,
        weights.size_bytes + (projector.size_bytes if projector else 0),
        tuple(missing),
        _damage(damaged_projector) if damaged_projector else None,
        sampling_from_metadata(weights.header.metadata if weights.header else {}),
    )


def _projector_rank(weights: _Weights, projector: _Projector) -> tuple[bool, bool, int, str]:
    """Made for this width before others, then the one that bears the model's name, then by precision.

    One of another width is still taken where there is no better: loading it says what does not fit.
    """
    return (
        weights.width != projector.width,
        weights.name.lower() not in projector.path.stem.lower(),
        _rank(projector.precision, _BEST_PROJECTOR_FIRST),
        projector.path.name,
    )


def _rank(precision: str, best_first: tuple[str, ...]) -> int:
    for rank, prefix in enumerate(best_first):
        if precision.startswith(prefix):
            return rank
    return len(best_first)


def _only_projector(projector: _Projector) -> Found:
    name = without_precision(projector.path.stem)
    error = ModelIncomplete(name=name, missing="the model's own GGUF file beside its mmproj file")
    return broken(name, projector.path.parent, kind_from_name(name), error)

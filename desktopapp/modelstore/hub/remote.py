"""What a repository on the hub holds, and which of its files make up a model."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from desktopapp.modelstore.catalogue import SIXTEEN_BIT
from desktopapp.modelstore.gguf_folder import PROJECTOR_NAME
from desktopapp.modelstore.model import ModelKind, WeightFormat
from desktopapp.modelstore.naming import precision_in_name, split_part

_HELPER_SUFFIXES = (".json", ".jinja", ".txt")
_INDEX_SUFFIX = ".safetensors.index.json"
_BEST_PROJECTOR_FIRST = ("F16", "BF16", "Q8_0", "F32")
# Names that every file system takes; a repository is somebody else's.
_SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9 ._+()-]*")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a repository.

    Args:
        name: within the repository; no folders.
        size_bytes: of its content.
        sha256: of its content, in hex; empty where the hub keeps it as plain text and tells `git_sha1` only.
        git_sha1: its name as git object, in hex; empty where it is not told.
    """

    name: str
    size_bytes: int
    sha256: str = ""
    git_sha1: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a repository at one commit.

    Args:
        repository: `owner/name`.
        revision: the commit, so that a download that goes on for days stays of one piece.
        files: at its top.
    """

    repository: str
    revision: str
    files: tuple[RemoteFile, ...]


@dataclass(frozen=True, slots=True)
class RemoteForm:
    """One form of a model: what has to be loaded to use it.

    Args:
        format: safetensors or GGUF.
        precision: `BF16`, `Q4_K_M`, ...
        files: all of it.
    """

    format: WeightFormat
    precision: str
    files: tuple[RemoteFile, ...]

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(file.size_bytes for file in self.files)

    @property
    def text_bytes(self) -> int:
        """Of the language model's weights, of a GGUF; of all weights, of safetensors."""
        return sum(file.size_bytes for file in self.files if is_weights(file.name))

    @property
    def projector(self) -> RemoteFile | None:
        """The mmproj file of a GGUF."""
        return next((file for file in self.files if _is_projector(file.name)), None)


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A repository that holds a Qwen3-VL that can be loaded.

    Args:
        listing: of its files.
        kind: Instruct or Thinking.
        forms: to choose from, the smallest first.
        config: what its `config.json` says, or what its GGUF's header says in the same words.
    """

    listing: Listing
    kind: ModelKind
    forms: tuple[RemoteForm, ...]
    config: dict[str, object]


def forms_of(listing: Listing) -> tuple[RemoteForm, ...]:
    """The forms that the files of a repository make up, complete ones only, the smallest first."""
    files = [file for file in listing.files if _SAFE_NAME.fullmatch(file.name)]
    found = [*_gguf_forms(files), *_safetensors_forms(files)]
    return tuple(sorted(found, key=lambda form: form.size_bytes))


def is_weights(name: str) -> bool:
    """Whether a file holds weights of the language model."""
    return name.endswith((".safetensors", ".gguf")) and not _is_projector(name)


def _is_projector(name: str) -> bool:
    return name.endswith(".gguf") and PROJECTOR_NAME in name.lower()


def _gguf_forms(files: list[RemoteFile]) -> list[RemoteForm]:
    projectors = [file for file in files if _is_projector(file.name)]
    if not projectors:
        return []
    projector = min(projectors, key=_projector_rank)
    groups: defaultdict[str, list[RemoteFile]] = defaultdict(list)
    for file in files:
        precision = precision_in_name(_base(file.name))
        if file.name.endswith(".gguf") and precision and not _is_projector(file.name):
            groups[precision].append(file)
    return [
        RemoteForm(WeightFormat.GGUF, precision, (*_one_model(group), projector))
        for precision, group in groups.items()
        if _one_model(group)
    ]


def _one_model(group: list[RemoteFile]) -> list[RemoteFile]:
    """The parts of one model; of several that have the same precision the first; nothing where a part is missing."""
    by_base: defaultdict[str, list[RemoteFile]] = defaultdict(list)
    for file in sorted(group, key=lambda one: one.name):
        by_base[_base(file.name)].append(file)
    parts = next(iter(by_base.values()))
    split = split_part(parts[0].name.removesuffix(".gguf"))
    return parts if len(parts) == (split[2] if split else 1) else []


def _base(name: str) -> str:
    stem = name.removesuffix(".gguf")
    split = split_part(stem)
    return split[0] if split else stem


def _projector_rank(file: RemoteFile) -> tuple[int, str]:
    precision = precision_in_name(file.name.removesuffix(".gguf"))
    ranks = _BEST_PROJECTOR_FIRST
    return (ranks.index(precision) if precision in ranks else len(ranks), file.name)


def _safetensors_forms(files: list[RemoteFile]) -> list[RemoteForm]:
    weights = [file for file in files if file.name.endswith(".safetensors")]
    shards = [file for file in weights if split_part(file.name.removesuffix(".safetensors"))]
    wanted = shards or [file for file in weights if file.name == "model.safetensors"]
    names = {file.name for file in files}
    if not wanted or "config.json" not in names:
        return []
    count = split_part(shards[0].name.removesuffix(".safetensors")) if shards else None
    if count is not None and len(shards) != count[2]:
        return []
    helpers = [
        file
        for file in files
        if file.name.endswith(_HELPER_SUFFIXES) and (shards or not file.name.endswith(_INDEX_SUFFIX))
    ]
    return [RemoteForm(WeightFormat.SAFETENSORS, SIXTEEN_BIT, (*helpers, *wanted))]

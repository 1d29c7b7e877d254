"""Which models are on this machine: the list, and the one that a name or a path means.

Reads headers and small files only. A folder is one model, in however many formats and precisions it is
there; GGUF files of different models may also lie side by side in one folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from desktopapp import paths
from desktopapp.errors import ModelDamaged, ModelNotFound, ModelUnsupported, NoModel
from desktopapp.modelstore.found import Found
from desktopapp.modelstore.gguf_folder import damaged_file, inspect_gguf_files, is_gguf
from desktopapp.modelstore.model import InstalledModel, ModelFiles, ModelKind
from desktopapp.modelstore.naming import family_name, split_part
from desktopapp.modelstore.safetensors_folder import inspect_safetensors_folder, is_safetensors_folder
from desktopapp.settings import load_settings


def find_models(extra_places: Iterable[str | Path] | None = None) -> list[InstalledModel]:
    """Every model that is here, usable or not, in the order of the places and then of the names.

    Args:
        extra_places: folders and GGUF files beside `paths.model_dirs()`; None takes those of the settings.
    """
    return [found.model for found in _find_all(extra_places)]


def find_model(name_or_path: str, extra_places: Iterable[str | Path] | None = None) -> InstalledModel:
    """The model of a name of the list, of a GGUF file's name, or of a path.

    Args:
        name_or_path: a name as `find_models` gives it, in any case; the path of a model's folder; the path
            or name of one GGUF file, which then is the only one that is taken; empty for the default model:
            a usable one, real before random weights, Instruct before Thinking, the largest.
        extra_places: as for `find_models`.

    Raises:
        NoModel: the default was asked for and nothing usable is here.
        ModelNotFound: nothing has that name.
        ModelError: it is there and cannot be used at all.
    """
    everything = _find_all(extra_places)
    if not name_or_path:
        return _default(everything)
    # A path wins over a listed model that has its last part's name.
    found = (
        _by_exact_name(everything, name_or_path)
        or _by_path(everything, name_or_path)
        or _by_name(everything, name_or_path)
    )
    if found is None:
        raise ModelNotFound(name=name_or_path)
    if found.error is not None:
        raise found.error
    return found.model


def find_variant(
    model: InstalledModel, kind: ModelKind, extra_places: Iterable[str | Path] | None = None
) -> InstalledModel | None:
    """The usable model of the same family with the wanted kind; the model itself where it is that.

    Args:
        model: from the list.
        kind: the wanted kind.
        extra_places: as for `find_models`; the folders beside the model's own are looked at as well.
    """
    if model.kind is kind:
        return model
    candidates = [found.model for found in _find_all(extra_places)]
    candidates += [found.model for found in _siblings(model)]
    fitting = [
        other
        for other in candidates
        if other.family == model.family
        and other.kind is kind
        and other.random_weights == model.random_weights
        and is_usable(other)
    ]
    # A pair usually lies side by side; another copy elsewhere may be of another precision.
    fitting.sort(key=lambda other: other.folder.parent != model.folder.parent)
    return fitting[0] if fitting else None


def is_usable(model: InstalledModel) -> bool:
    """Whether at least one form of a model is complete."""
    return not model.problem and any(not files.missing for files in model.files)


def _find_all(extra_places: Iterable[str | Path] | None) -> list[Found]:
    if extra_places is None:
        extra_places = load_settings().settings.model_places
    seen: set[tuple[Path, str]] = set()
    names: set[str] = set()
    everything = []
    places = (*paths.model_dirs(), *(paths.expand_home(place) for place in extra_places))
    for found in (found for place in places for found in _look_into_place(place)):
        identity = (found.model.folder.resolve(), _identity(found.model))
        if identity not in seen:
            seen.add(identity)
            everything.append(_renamed(found, _free_name(found.model.name, names)))
    return everything


def _identity(model: InstalledModel) -> str:
    """What tells models of one folder apart, under whichever name they are listed."""
    return str(model.files[0].path) if model.files else model.problem


def _look_into_place(place: Path) -> Iterator[Found]:
    """The models of one place: in its subfolders, and in itself."""
    if is_gguf(place):
        yield from (found for found in _look_into(place.parent) if _mentions(found, place))
        return
    yield from _look_into(place)
    for folder in _entries(place):
        if _is_folder(folder) and not folder.name.startswith("."):
            models = list(_look_into(folder))
            yield from [_named_after_folder(models[0])] if len(models) == 1 else models


def _look_into(folder: Path) -> list[Found]:
    """The models that a folder holds itself, not in its subfolders; none where it may not be entered."""
    try:
        return _inspect(folder)
    except OSError:  # one locked or vanished folder must not cost the list
        return []


def _inspect(folder: Path) -> list[Found]:
    ggufs = inspect_gguf_files(path for path in _entries(folder) if is_gguf(path) and path.is_file())
    has_weights = any(path.suffix == ".safetensors" for path in _entries(folder))
    # GGUF folders often come with the config.json of the model that they were made from.
    if not is_safetensors_folder(folder) or (ggufs and not has_weights):
        return ggufs
    main = inspect_safetensors_folder(folder)
    if main.error is not None:
        return [main, *ggufs]
    others = []
    for found in ggufs:
        if isinstance(found.error, ModelDamaged):
            # Whose it is cannot be read any more; a folder is one model.
            files: tuple[ModelFiles, ...] = (damaged_file(found.error, folder),)
        elif found.error is None and (found.model.kind, found.width) == (main.model.kind, main.width):
            files = found.model.files
        else:
            others.append(found)
            continue
        main = replace(main, model=replace(main.model, files=main.model.files + files))
    return [main, *others]


def _entries(folder: Path) -> list[Path]:
    """What a folder contains, by name; nothing where it is none or may not be read."""
    try:
        return sorted(folder.iterdir(), key=lambda path: path.name.lower())
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return []


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # it may not be asked
        return False


def _siblings(model: InstalledModel) -> list[Found]:
    folders = {
        model.folder,
        *(f for f in _entries(model.folder.parent) if family_name(f.name) == model.family),
    }
    return [found for folder in sorted(folders) if _is_folder(folder) for found in _look_into(folder)]


def _by_exact_name(everything: list[Found], name: str) -> Found | None:
    return next((found for found in everything if found.model.name == name), None)


def _by_name(everything: list[Found], name: str) -> Found | None:
    wanted = name.rpartition("/")[2].lower()  # “Qwen/Qwen3-VL-4B-Instruct”, as the hub names it
    for found in everything:
        if found.model.name.lower() == wanted:
            return found
    for found in everything:
        for files in found.model.files:
            if is_gguf(files.path) and wanted in (files.path.name.lower(), _stem(files.path).lower()):
                return _only(found, files.path)
    return None


def _by_path(everything: list[Found], text: str) -> Found | None:
    try:
        path = Path(text).expanduser().resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        return None
    listed = [found for found in everything if found.model.folder.resolve() == path]
    if path.is_dir():
        return _best(listed or list(_look_into_place(path)))
    if not is_gguf(path):
        return _best(_look_into(path.parent)) if path.suffix in (".safetensors", ".json") else None
    for found in _look_into(path.parent):
        if _mentions(found, path):
            return _only(found, path)
    reason = "this is an mmproj file, the vision part alone; open the model's GGUF file"
    raise ModelUnsupported(name=path.name, reason=reason)


def _mentions(found: Found, path: Path) -> bool:
    """Whether a GGUF file, or a part of a split one, belongs to a model."""
    if found.error is not None and not found.model.files:
        return _stem(path) == found.model.name
    return any(_stem(files.path) == _stem(path) for files in found.model.files if is_gguf(files.path))


def _only(found: Found, path: Path) -> Found:
    """A model with one of its GGUF files alone, named after it."""
    name = _stem(path)
    files = tuple(files for files in found.model.files if _stem(files.path) == name)
    return replace(found, model=replace(found.model, name=name, files=files))


def _stem(path: Path) -> str:
    part = split_part(path.stem)
    return part[0] if part else path.stem


def _best(candidates: list[Found]) -> Found | None:
    """The one to take where several would do: usable, real weights, Instruct, the largest.

    Whoever put a large model beside the small pair wants it; where it does not fit, a plan takes the next smaller one.
    """

    def rank(found: Found) -> tuple[bool, bool, bool, int]:
        model = found.model
        size_bytes = max((files.size_bytes for files in model.files if not files.missing), default=0)
        not_instruct = model.kind is not ModelKind.INSTRUCT
        return (not is_usable(model), model.random_weights, not_instruct, -size_bytes)

    return min(candidates, key=rank, default=None)


def _default(everything: list[Found]) -> InstalledModel:
    best = _best(everything)
    if best is None or not is_usable(best.model):
        raise NoModel(folder=os.fspath(paths.model_dirs()[-1]))
    return best.model


def _free_name(name: str, taken: set[str]) -> str:
    """A name that no other model of the list has."""
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    taken.add(free)
    return free


def _renamed(found: Found, name: str) -> Found:
    return replace(found, model=replace(found.model, name=name))


def _named_after_folder(found: Found) -> Found:
    name = found.model.folder.name
    return replace(found, model=replace(found.model, name=name, family=family_name(name)))

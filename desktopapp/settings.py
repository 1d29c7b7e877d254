"""`config.yaml` <-> typed, validated settings.

The file belongs to the person: keys that this version does not know are kept, a file that cannot be
parsed is set aside and not overwritten, and one bad value does not cost the others. Comments are not kept.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

import msgspec
import yaml

from desktopapp import paths

Backend = Literal["auto", "transformers", "llama.cpp", "fake"]
ThinkingMode = Literal["auto", "true", "false"]
KvQuantization = Literal["none", "fp8_e4m3", "fp8_e5m2", "int8", "int4", "auto"]
Language = Literal["system", "en", "zh_CN"]
Theme = Literal["system", "light", "dark"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the person chose, with the values of a first start as defaults.

    Args:
        model_name: a name that the model store lists, or a path; empty takes the largest usable model.
        backend: a value of `engine.request.BackendChoice`.
        use_thinking_mode: whether the Thinking variant answers; a plain `true` or `false` in the file.
        max_steps: steps that a Thinking model may think in; 1 is one plain chain of thought.
        step_tokens: most tokens of one such step.
        thought_budget: most tokens of all thought of an answer; None is what the context leaves.
        max_seq_len: longest conversation in tokens, output included; None is the backend's default.
        kv_cache_quantization: numbers in the KV cache; `none` is 16 bits, `auto` what the memory asks for.
        chunked_prefill: the prompt is read in chunks, which takes less memory.
        prefill_chunk_size: tokens of one chunk; None is what the memory asks for.
        image_max_tokens: most visual tokens of a picture; a larger one is shrunk. None is the model's own limit.
        vram_limit_gib: most memory of the device to use; None for what is free.
        streaming: answers are shown while they are written; else when they are complete.
        language: of the window.
        theme: of the window.
        show_history: earlier conversations stand beside the conversation.
        model_places: further folders and GGUF files that the person opened.
        hub_endpoint: address of the hub that models are fetched from, for a mirror; empty is huggingface.co.
    """

    model_name: str = ""
    backend: Backend = "auto"
    use_thinking_mode: ThinkingMode = "auto"
    max_steps: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    step_tokens: Annotated[int, msgspec.Meta(ge=64, le=65_536)] = 2048
    thought_budget: Annotated[int, msgspec.Meta(ge=1, le=1_048_576)] | None = None
    max_seq_len: Annotated[int, msgspec.Meta(ge=256, le=1_048_576)] | None = None
    kv_cache_quantization: KvQuantization = "auto"
    chunked_prefill: bool = True
    prefill_chunk_size: Annotated[int, msgspec.Meta(ge=16, le=65_536)] | None = None
    image_max_tokens: Annotated[int, msgspec.Meta(ge=16, le=16_384)] | None = None
    vram_limit_gib: Annotated[float, msgspec.Meta(gt=0, le=4096)] | None = None
    streaming: bool = True
    language: Language = "system"
    theme: Theme = "system"
    show_history: bool = False
    model_places: tuple[str, ...] = ()
    hub_endpoint: str = ""


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings as read.

    Args:
        settings: every good value of the file; defaults for the rest.
        problems: one sentence with its remedy for each thing in the file that was not used.
        is_model_named: the command line named the model, which then answers itself, whatever its variant.
    """

    settings: Settings
    problems: tuple[str, ...] = ()
    is_model_named: bool = False


_ACCEPTED = {
    "model_name": "a model's name or path",
    "backend": "auto, transformers or llama.cpp",
    "use_thinking_mode": "auto, true or false",
    "max_steps": "a whole number from 1 to 1000",
    "step_tokens": "a whole number of tokens from 64 to 65536",
    "thought_budget": "a whole number of tokens from 1 to 1048576, or nothing",
    "max_seq_len": "a whole number of tokens from 256 to 1048576, or nothing",
    "kv_cache_quantization": "none, fp8_e4m3, fp8_e5m2, int8, int4 or auto",
    "chunked_prefill": "true or false",
    "prefill_chunk_size": "a whole number of tokens from 16 to 65536, or nothing",
    "image_max_tokens": "a whole number of tokens from 16 to 16384, or nothing",
    "vram_limit_gib": "a number of GiB above 0 and up to 4096, or nothing",
    "streaming": "true or false",
    "language": "system, en or zh_CN",
    "theme": "system, light or dark",
    "show_history": "true or false",
    "model_places": "a list of folders and files",
    "hub_endpoint": "the address of a model hub, as https://huggingface.co",
}


class _Unparsable(Exception):
    """The file is no YAML mapping; the text says why."""


def load_settings(file: Path | None = None) -> LoadedSettings:
    """Read the person's settings; never fails.

    Args:
        file: instead of the per-user `config.yaml`.
    """
    file = file or paths.settings_file()
    try:
        values, lines = _read(file)
    except FileNotFoundError:
        return LoadedSettings(Settings())
    except _Unparsable as error:
        return LoadedSettings(Settings(), (f"{file.name}: {error}; correct or delete it.",))
    except OSError as error:
        reason = error.strerror or "cannot be read"
        return LoadedSettings(Settings(), (f"{file.name}: {reason}; change its permissions.",))
    return _convert(file.name, values, lines)


def limits_of_setting(name: str) -> tuple[float, float]:
    """The least and the greatest number that a setting takes.

    Args:
        name: of a setting that is a number.

    Raises:
        KeyError: it is none.
    """
    kind = get_type_hints(Settings, include_extras=True)[name]
    for part in (kind, *get_args(kind)):
        for meta in getattr(part, "__metadata__", ()):
            least = meta.ge if meta.ge is not None else meta.gt
            return least, meta.le
    raise KeyError(name)


def save_settings(settings: Settings, file: Path | None = None) -> None:
    """Write the settings; keys of the file that this version does not know stay.

    A file that cannot be parsed, or holds a value that could not be used, is first kept as `config.yaml.bak`
    (`.bak2`, ... where that exists).

    Args:
        settings: what to write.
        file: instead of the per-user `config.yaml`.

    Raises:
        OSError: the folder cannot be written.
    """
    file = file or paths.settings_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    known = {field.name for field in fields(Settings)}
    try:
        values, lines = _read(file)
        kept = {key: value for key, value in values.items() if key not in known}
        of_known: dict[object, Any] = {key: value for key, value in values.items() if key in known}
        if _convert(file.name, of_known, lines).problems:
            shutil.copy2(file, _free_backup_name(file))
    except FileNotFoundError:
        kept = {}
    except _Unparsable:
        kept = {}
        file.rename(_free_backup_name(file))
    text = yaml.dump(_to_yaml(settings) | kept, Dumper=yaml.SafeDumper, sort_keys=False, allow_unicode=True)
    _write_atomically(file, text)


def _read(file: Path) -> tuple[dict[object, Any], dict[str, int]]:
    """The file's values, and the line (from 1) of each key."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            value = None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    except UnicodeDecodeError as error:
        raise _Unparsable("is not UTF-8 text") from error
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1} " if error.problem_mark else ""
        raise _Unparsable(f"{line}is not YAML ({error.problem or error.context})") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _Unparsable("is not YAML") from error
    if node is None or value is None:
        return {}, {}
    if not isinstance(value, dict):
        raise _Unparsable("does not hold `name: value` lines")
    lines = {key.value: key.start_mark.line + 1 for key, _ in node.value if isinstance(key, yaml.ScalarNode)}
    return value, lines


def _convert(file_name: str, values: Mapping[object, Any], lines: Mapping[str, int]) -> LoadedSettings:
    types = get_type_hints(Settings, include_extras=True)
    good: dict[str, Any] = {}
    problems: list[str] = []
    for key, value in values.items():
        where = f"{file_name}, line {lines.get(str(key), 1)}"
        if not isinstance(key, str) or key not in types:
            problems.append(f"{where}: there is no setting “{key}”; correct its name or remove it.")
            continue
        if value is None:
            continue
        if key == "use_thinking_mode" and isinstance(value, bool):
            value = "true" if value else "false"
        try:
            good[key] = msgspec.convert(value, type=types[key])
        except msgspec.ValidationError:
            problems.append(f"{where}: “{key}” cannot be “{value}”; write {_ACCEPTED[key]}.")
    return LoadedSettings(Settings(**good), tuple(problems))


def _to_yaml(settings: Settings) -> dict[object, Any]:
    values: dict[object, Any] = msgspec.to_builtins(settings)
    # YAML's own true and false, as the person would write them.
    values["use_thinking_mode"] = {"true": True, "false": False}.get(settings.use_thinking_mode, "auto")
    values["model_places"] = list(settings.model_places)
    return values


def _free_backup_name(file: Path) -> Path:
    candidates = itertools.chain([".bak"], (f".bak{number}" for number in itertools.count(2)))
    return next(path for suffix in candidates if not (path := file.with_name(file.name + suffix)).exists())


def _write_atomically(file: Path, text: str) -> None:
    file = file.resolve()
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=file.name, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise

"""Loads a Qwen3-VL folder into memory. Never asks the network, never runs a model's own code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer
from transformers.utils import logging as transformers_logging

from desktopapp.engine.backend import LoadedModel, LoadOptions, LoadProgress
from desktopapp.engine.backends.transformers.costs import Costs
from desktopapp.engine.backends.transformers.device import Placement, place, stored_type
from desktopapp.engine.backends.transformers.folder import ModelFolder, has_experts
from desktopapp.engine.backends.transformers.loaded import LoadedNetwork
from desktopapp.engine.backends.transformers.memory import free_bytes, run_in_memory
from desktopapp.engine.backends.transformers.memory_ledger import MemoryLedger
from desktopapp.engine.backends.transformers.preparation import prepare
from desktopapp.engine.backends.transformers.vision import PatchRule
from desktopapp.engine.backends.transformers.vocabulary import vocabulary_bytes
from desktopapp.engine.backends.transformers.weight_placing import WeightHome
from desktopapp.engine.memory.weight_type import INT8
from desktopapp.engine.prompt_parts import PixelBudget, VideoBudget
from desktopapp.errors import BackendUnavailable, ModelDamaged

DEFAULT_CONTEXT_TOKENS = 32_768
SMALLEST_CONTEXT_TOKENS = 2_048

_VIDEO_FILE = "video_preprocessor_config.json"

# Of the memory that is free behind the weights; the rest is for the vision tower and the computation itself.
_CONTEXT_SHARE = 0.6
# Shares of the load's time, for the progress bar.
_WEIGHTS_FROM, _MAPPED_TO, _WEIGHTS_TO = 0.1, 0.2, 0.95
# What transformers raises on malformed files, by what was tried; each is told as a damaged model.
_MALFORMED = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RuntimeError,
    ImportError,
    ZeroDivisionError,
    SafetensorError,
    StrictDataclassError,
)


def load_network(folder: ModelFolder, options: LoadOptions, progress: LoadProgress) -> LoadedNetwork:
    """Load everything.

    Args:
        folder: checked by `open_folder`.
        options: how.
        progress: see `Backend.load`.

    Raises:
        ModelDamaged: the files do not make a model.
        BackendUnavailable: the device is not there.
        OutOfMemory: it does not fit.
    """
    placement = place(options.device, folder.stored_type, folder.parameters)
    progress("tokenizer", 0.05)
    tokenizer = _load_part(folder, "tokenizer.json", partial(_load_tokenizer, folder))
    token_bytes = _load_part(folder, "tokenizer.json", partial(vocabulary_bytes, tokenizer))
    progress("vision", 0.08)
    processor = _load_part(
        folder, "preprocessor_config.json", partial(_from_folder, AutoImageProcessor, folder, backend="pil")
    )
    budget = _load_part(folder, "preprocessor_config.json", partial(_pixel_budget, processor, folder))
    home = _home(folder, placement, options)
    network = _load_weights(folder, placement, progress)
    stop_ids = _stop_ids(network, tokenizer)
    rule = _load_part(folder, "preprocessor_config.json", partial(_patch_rule, processor, network))
    context_tokens = _context_tokens(network, home, options)
    read_to = _MAPPED_TO if _maps(folder, placement) else _WEIGHTS_TO
    placed = partial(_tell_placed, progress, read_to)
    prepared = _load_part(
        folder,
        "config.json",
        partial(prepare, network, home, context_tokens, next(iter(stop_ids)), placed),
    )
    facts = LoadedModel(
        chat_template=folder.chat_template,
        precision="INT8" if home.weight_type == INT8 else placement.precision,
        device=str(placement.device),
        context_tokens=context_tokens,
        pixel_budget=budget,
        video_budget=_load_part(folder, _VIDEO_FILE, partial(_video_budget, folder, budget)),
        bos_text=tokenizer.bos_token or "",
        eos_text=tokenizer.eos_token or "",
    )
    vision, conversations = prepared
    return LoadedNetwork(
        network,
        tokenizer,
        vision,
        rule,
        conversations,
        facts,
        stop_ids,
        token_bytes,
        costs=Costs.of(network),
        ledger=MemoryLedger(network),
    )


def _from_folder(loader: Any, folder: ModelFolder, **options: Any) -> Any:
    return loader.from_pretrained(folder.path, local_files_only=True, trust_remote_code=False, **options)


def _load_tokenizer(folder: ModelFolder) -> Any:
    try:
        return _from_folder(AutoTokenizer, folder)
    except MemoryError:
        raise
    except Exception as error:
        # The tokenizers library raises bare `Exception` on a malformed file.
        raise ValueError(str(error)) from error


def _load_part(folder: ModelFolder, file: str, load: Callable[[], Any]) -> Any:
    """Run one stage of the load; whatever the library makes of a bad file becomes one error."""
    try:
        return run_in_memory("loading the model", load)
    except _MALFORMED as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelDamaged(file=f"{folder.path.name}/{file}", reason=reason.rstrip(".")) from error


def _home(folder: ModelFolder, placement: Placement, options: LoadOptions) -> WeightHome:
    """Where weights go; joined on a GPU, where a mapped file is of no use."""
    if options.weight_type == INT8 and has_experts(folder.config):
        raise BackendUnavailable(
            backend="transformers", reason="weights of a mixture of experts stay as they are"
        )
    return WeightHome(placement.device, placement.dtype, options.weight_type, joins=placement.is_cuda)


def _load_weights(folder: ModelFolder, placement: Placement, progress: LoadProgress) -> Any:
    """The network: of a dense model its weights mapped from the files, to be placed later."""
    maps = _maps(folder, placement)
    load = partial(
        _from_folder,
        AutoModelForImageTextToText,
        folder,
        # In another type than the files' they would not be mapped, but memory of this process.
        dtype=stored_type(folder.stored_type) if maps else placement.dtype,
        attn_implementation="sdpa",
        use_safetensors=True,
        output_loading_info=True,
        **({"device_map": {"": placement.device}} if placement.is_cuda and not maps else {}),
    )
    with _loading_progress(progress, _MAPPED_TO if maps else _WEIGHTS_TO):
        network, info = _load_part(folder, "model.safetensors", load)
    missing = sorted(info["missing_keys"])
    if missing:
        # transformers fills them with random numbers and goes on.
        raise ModelDamaged(
            file=f"{folder.path.name}/model.safetensors",
            reason=f"{len(missing)} of its weights are missing, “{missing[0]}” first",
        )
    return network.eval().requires_grad_(False)


def _maps(folder: ModelFolder, placement: Placement) -> bool:
    """Whether weights are read from the mapped files and placed one by one.

    On the CPU they stay mapped. Of a mixture the library turns the experts' weights round as it reads them, which
    would fill the system's memory.
    """
    return placement.is_cuda and not has_experts(folder.config)


def _tell_placed(progress: LoadProgress, begin: float, share: float) -> None:
    progress("weights", begin + (_WEIGHTS_TO - begin) * share)
    if share >= 1:
        progress("warm_up", _WEIGHTS_TO)


class _CountedWeights:
    """Stands where transformers draws its progress bar, and tells our own."""

    def __init__(self, items: Iterable[Any], total: int, progress: LoadProgress, up_to: float) -> None:
        self._items, self._total, self._progress, self._up_to = items, total, progress, up_to

    def __iter__(self) -> Iterator[Any]:
        told = -1
        for done, item in enumerate(self._items):
            percent = 100 * done // self._total
            if percent != told:
                told = percent
                share = (self._up_to - _WEIGHTS_FROM) * done / self._total
                self._progress("weights", _WEIGHTS_FROM + share)
            yield item


@contextmanager
def _loading_progress(progress: LoadProgress, up_to: float) -> Iterator[None]:
    def on_bar(factory: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        if args and hasattr(args[0], "__len__") and len(args[0]):
            return _CountedWeights(args[0], len(args[0]), progress, up_to)
        return factory(*args, **{**options, "disable": True})

    previous = transformers_logging.set_tqdm_hook(on_bar)
    try:
        yield
    finally:
        transformers_logging.set_tqdm_hook(previous)


def _pixel_budget(processor: Any, folder: ModelFolder) -> PixelBudget:
    vision = folder.config["vision_config"]
    for name, expected in (("patch_size", "patch_size"), ("merge_size", "spatial_merge_size")):
        # transformers fills what the file lacks with the values of an older family.
        if getattr(processor, name) != vision.get(expected, getattr(processor, name)):
            raise ValueError(f"its {name} differs from the vision part's")
    return PixelBudget(
        cell_px=int(processor.patch_size) * int(processor.merge_size),
        min_pixels=int(processor.size["shortest_edge"]),
        max_pixels=int(processor.size["longest_edge"]),
    )


def _video_budget(folder: ModelFolder, pixels: PixelBudget) -> VideoBudget:
    """Limits that came with the model, or the family's."""
    file = folder.path / _VIDEO_FILE
    size = json.loads(file.read_text())["size"] if file.is_file() else {}
    usual = VideoBudget(cell_px=pixels.cell_px)
    smallest, largest = (
        int(size.get("shortest_edge", usual.min_pixels)),
        int(size.get("longest_edge", usual.max_pixels)),
    )
    if not 0 < smallest <= largest:
        raise ValueError("its limits of a video's size contradict each other")
    return replace(usual, min_pixels=smallest, max_pixels=largest)


def _stop_ids(network: Any, tokenizer: Any) -> frozenset[int]:
    configured = network.generation_config.eos_token_id
    ids = configured if isinstance(configured, list) else [configured]
    return frozenset(int(token_id) for token_id in (*ids, tokenizer.eos_token_id) if token_id is not None)


def _context_tokens(network: Any, home: WeightHome, options: LoadOptions) -> int:
    """What was asked for, else as many as free memory holds behind the weights; within the model's limit."""
    text = network.config.text_config
    limit = int(text.max_position_embeddings)
    if options.context_tokens is not None:
        return min(options.context_tokens, limit)
    values = 2 * int(text.num_hidden_layers) * int(text.num_key_value_heads) * int(text.head_dim)
    token_bytes = values * int(home.dtype.itemsize)
    free = free_bytes(home.device) - _bytes_elsewhere(network, home)
    fitting = int(max(0, free) * _CONTEXT_SHARE) // token_bytes
    return min(max(fitting, SMALLEST_CONTEXT_TOKENS), DEFAULT_CONTEXT_TOKENS, limit)


def _bytes_elsewhere(network: Any, home: WeightHome) -> int:
    """Of the weights, what is still to come to the device."""
    there = [parameter for parameter in network.parameters() if parameter.device != home.device]
    return sum(parameter.numel() * home.dtype.itemsize for parameter in there)


def _patch_rule(processor: Any, network: Any) -> PatchRule:
    vision = network.config.vision_config
    mean, deviation = (
        tuple(float(value) for value in part) for part in (processor.image_mean, processor.image_std)
    )
    if len(mean) != 3 or len(deviation) != 3 or int(vision.in_channels) != 3:
        raise ValueError("it is not made for pictures of three colours")
    return PatchRule(
        patch_px=int(vision.patch_size),
        merge=int(vision.spatial_merge_size),
        frames=int(vision.temporal_patch_size),
        mean=(mean[0], mean[1], mean[2]),
        deviation=(deviation[0], deviation[1], deviation[2]),
    )

"""Looks into a repository before anything large is loaded: is it a Qwen3-VL that can be used here?"""

from __future__ import annotations

import json
from typing import Any

from desktopapp.errors import ModelDamaged
from desktopapp.hub_errors import PrecisionAbsent, RepositoryUnfit
from desktopapp.modelstore import gguf_folder, safetensors_folder
from desktopapp.modelstore.gguf_metadata import read_gguf_start
from desktopapp.modelstore.hub.address import Address
from desktopapp.modelstore.hub.client import Hub
from desktopapp.modelstore.hub.remote import Listing, RemoteForm, RemoteModel, forms_of
from desktopapp.modelstore.model import WeightFormat
from desktopapp.modelstore.naming import kind_from_name

_LARGEST_CONFIG_BYTES = 1 << 20
# What tells of shapes stands before the vocabulary, within some kilobytes.
_GGUF_START_BYTES = 1 << 16
_PROJECTOR_TYPE = "qwen3vl_merger"
# Keys of a GGUF and of its mmproj, and how a `config.json` calls the same.
_TEXT_KEYS = {
    "block_count": "num_hidden_layers",
    "embedding_length": "hidden_size",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.key_length": "head_dim",
    "context_length": "max_position_embeddings",
    "expert_count": "num_experts",
    "expert_used_count": "num_experts_per_tok",
    "expert_feed_forward_length": "moe_intermediate_size",
}
_VISION_KEYS = {
    "block_count": "depth",
    "embedding_length": "hidden_size",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_heads",
    "projection_dim": "out_hidden_size",
}
# Of every published member of the family.
_VOCABULARY = 151936


def inspect_repository(hub: Hub, address: Address) -> RemoteModel:
    """What can be loaded from a repository; reads its list of files and the beginning of two of them.

    Args:
        hub: to ask.
        address: of the repository.

    Raises:
        RepositoryUnfit: it holds nothing that can be used here.
        PrecisionAbsent: it does not have what the address names.
        HubError: it cannot be told.
    """
    listing = hub.list_files(address.repository)
    forms = forms_of(listing)
    if not forms:
        raise RepositoryUnfit(name=address.repository, reason=_why_nothing(listing))
    ggufs = [form for form in forms if form.format is WeightFormat.GGUF]
    config = _gguf_config(hub, listing, ggufs[0]) if ggufs else _json_config(hub, listing)
    if address.file:
        wanted = [form for form in forms if address.file in (file.name for file in form.files)]
        forms = tuple(wanted) or forms
    if address.precision:
        forms = (pick_form(address.repository, forms, address.precision),)
    return RemoteModel(listing, kind_from_name(address.repository), forms, config)


def pick_form(repository: str, forms: tuple[RemoteForm, ...], precision: str) -> RemoteForm:
    """The form of a precision.

    Raises:
        PrecisionAbsent: there is none.
    """
    for form in forms:
        if form.precision == precision.upper():
            return form
    there = ", ".join(form.precision for form in forms)
    raise PrecisionAbsent(name=repository, precision=precision, there=there)


def _why_nothing(listing: Listing) -> str:
    names = [file.name for file in listing.files]
    if any(name.endswith(".gguf") for name in names):
        return "its GGUF files come without an mmproj file, or in parts of which some are missing"
    if any(name.endswith(".safetensors") for name in names):
        return "its safetensors are not complete"
    return "it holds no safetensors and no GGUF files"


def _json_config(hub: Hub, listing: Listing) -> dict[str, Any]:
    text = hub.read_start(listing, "config.json", _LARGEST_CONFIG_BYTES)
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RepositoryUnfit(name=listing.repository, reason="its config.json cannot be read") from error
    if not isinstance(config, dict):
        raise RepositoryUnfit(name=listing.repository, reason="its config.json cannot be read")
    _demand(config.get("model_type"), safetensors_folder.ARCHITECTURES, listing)
    if not all(isinstance(config.get(part), dict) for part in ("text_config", "vision_config")):
        raise RepositoryUnfit(name=listing.repository, reason="its config.json has no vision part")
    if config.get("quantization_config") is not None:
        reason = "its weights are quantised in a way that only other programs read"
        raise RepositoryUnfit(name=listing.repository, reason=reason)
    return config


def _gguf_config(hub: Hub, listing: Listing, form: RemoteForm) -> dict[str, Any]:
    """The shapes of a GGUF and its mmproj, named as in a `config.json`."""
    weights, projector = form.files[0], form.projector
    text = _gguf_start(hub, listing, weights.name)
    architecture = text.get("general.architecture")
    _demand(architecture, gguf_folder.ARCHITECTURES, listing)
    vision = _gguf_start(hub, listing, projector.name) if projector else {}
    type_name = vision.get("clip.projector_type", vision.get("clip.vision.projector_type"))
    if type_name != _PROJECTOR_TYPE:
        reason = f"its mmproj file was made for “{type_name or 'unknown'}”"
        raise RepositoryUnfit(name=listing.repository, reason=reason)
    text_config = {name: text.get(f"{architecture}.{key}") for key, name in _TEXT_KEYS.items()}
    vision_config = {name: vision.get(f"clip.vision.{key}") for key, name in _VISION_KEYS.items()}
    return {
        "model_type": "qwen3_vl_moe" if text_config["num_experts"] else "qwen3_vl",
        # Not told before the tensors; the size of the file counts both cases.
        "tie_word_embeddings": True,
        "text_config": {k: v for k, v in text_config.items() if v is not None} | {"vocab_size": _VOCABULARY},
        "vision_config": {k: v for k, v in vision_config.items() if v is not None},
    }


def _gguf_start(hub: Hub, listing: Listing, file: str) -> dict[str, object]:
    try:
        return read_gguf_start(hub.read_start(listing, file, _GGUF_START_BYTES), file)
    except ModelDamaged as error:
        raise RepositoryUnfit(name=listing.repository, reason=f"“{file}” is no GGUF file") from error


def _demand(architecture: object, known: tuple[str, ...], listing: Listing) -> None:
    if architecture not in known:
        reason = f"its architecture is “{architecture or 'unknown'}”"
        raise RepositoryUnfit(name=listing.repository, reason=reason)

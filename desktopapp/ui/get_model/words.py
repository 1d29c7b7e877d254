"""How offers and downloads are worded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from desktopapp.engine.request import BackendChoice
from desktopapp.modelstore.hub.download import Phase
from desktopapp.modelstore.model import ModelKind
from desktopapp.ui.get_model.downloads import DownloadEntry, DownloadState
from desktopapp.ui.model_rows import ModelRow
from desktopapp.ui.wording import (
    device_word,
    format_figure,
    format_memory_size,
    format_number,
    format_size,
    step_words,
)

if TYPE_CHECKING:
    from desktopapp.engine.memory.offers import Offer

# lupdate finds calls by this name.
translate = QCoreApplication.translate


def size_title(size: str) -> str:
    """A size of the catalogue by its name: `Qwen3-VL 4B`."""
    return f"Qwen3-VL {size}"


def weights_words(weights: int) -> str:
    """`4.4 billion weights`."""
    billions = format_figure(weights / 1e9)
    return translate("GetModel", "{count} billion weights").format(count=billions)


def fit_words(fit: str) -> str:
    """How well a model would run, in two or three words."""
    return {
        "well": translate("GetModel", "runs well here"),
        "with_loss": translate("GetModel", "fits with losses"),
        "slowly": translate("GetModel", "would be slow here"),
        "not": translate("GetModel", "does not fit"),
    }[fit]


def size_row(size: str, offers: list[Offer], chosen: Offer | None) -> ModelRow:
    """The line of one size in the list.

    Args:
        size: of the catalogue.
        offers: its forms.
        chosen: the best of them, None where none fits.
    """
    best = chosen or min(offers, key=lambda offer: offer.needed_bytes)
    details = f"{weights_words(best.weights)} · {fit_words(str(best.fit))}"
    is_best = any(offer.is_recommended for offer in offers)
    chip = translate("GetModel", "Recommended") if is_best else ""
    return ModelRow(size, BackendChoice.AUTO, size_title(size), ModelKind.INSTRUCT, chip, details)


def other_row(name: str, offers: list[Offer], chosen: Offer | None) -> ModelRow:
    """The line of a repository that the person named."""
    best = chosen or min(offers, key=lambda offer: offer.needed_bytes)
    details = f"{weights_words(best.weights)} · {fit_words(str(best.fit))}"
    return ModelRow(name, BackendChoice.AUTO, name, ModelKind.INSTRUCT, "", details)


def form_label(offer: Offer, *, is_best: bool) -> str:
    """A form in the list of precisions."""
    meaning = {
        "Q4_K_M": translate("GetModel", "4 bits: smallest"),
        "Q8_0": translate("GetModel", "8 bits: as good as 16"),
        "F16": translate("GetModel", "16 bits, GGUF"),
        "BF16": translate("GetModel", "16 bits, for PyTorch"),
    }.get(offer.precision, "")
    label = f"{offer.precision} · {meaning}" if meaning else offer.precision
    return translate("GetModel", "{form} (best here)").format(form=label) if is_best else label


def need_words(offer: Offer) -> str:
    """What a form needs, of what, and how that goes."""
    sentence = translate(
        "GetModel", "Needs {needed} of the {limit} that may be used ({device}): {fit}."
    ).format(
        needed=format_memory_size(offer.needed_bytes),
        limit=format_memory_size(offer.limit_bytes),
        device=device_word(offer.device),
        fit=fit_words(str(offer.fit)),
    )
    if not offer.steps or offer.fit == "not":
        return sentence
    steps = ", ".join(step_words(step) for step in offer.steps)
    given_up = translate("GetModel", "Given up for it: {steps}.").format(steps=steps)
    return f"{sentence} {given_up}"


def progress_words(entry: DownloadEntry) -> str:
    """Where a download stands, in one line."""
    done, total = format_size(entry.done_bytes), format_size(entry.download.total_bytes)
    amount = translate("GetModel", "{done} of {total}").format(done=done, total=total)
    if entry.state is DownloadState.RUNNING:
        return " · ".join([amount, *_running_words(entry)])
    state = {
        DownloadState.WAITING: translate("GetModel", "waits for its turn"),
        DownloadState.PAUSED: translate("GetModel", "paused"),
        DownloadState.FAILED: translate("GetModel", "stopped"),
        DownloadState.DONE: translate("GetModel", "is here"),
    }[entry.state]
    return f"{total} · {state}" if entry.state is DownloadState.DONE else f"{amount} · {state}"


def _running_words(entry: DownloadEntry) -> list[str]:
    advanced = entry.advanced
    if advanced is None:
        return [translate("GetModel", "connecting")]
    if advanced.progress.phase is Phase.CHECKING:
        file = advanced.progress.file
        return [translate("GetModel", "checking {file}").format(file=file)]
    words = []
    if advanced.bytes_per_s:
        rate = format_size(round(advanced.bytes_per_s))
        words.append(translate("GetModel", "{rate} a second").format(rate=rate))
    if advanced.left_s is not None:
        words.append(translate("GetModel", "{time} left").format(time=_duration_words(advanced.left_s)))
    return words


def _duration_words(seconds: float) -> str:
    if seconds < 60:
        return translate("GetModel", "{count} s").format(count=format_number(max(1, round(seconds))))
    if seconds < 3600:
        return translate("GetModel", "{count} min").format(count=format_number(round(seconds / 60)))
    return translate("GetModel", "{count} h").format(count=format_figure(seconds / 3600))

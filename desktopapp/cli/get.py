"""`get`: which models can be had and what they need here, and fetching one. Contacts nothing without a name."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import asdict

from desktopapp.cli.terminal import (
    DONE,
    FAILED,
    INTERRUPTED,
    readable_size,
    report,
    use_utf8,
    write_json,
    write_line,
)
from desktopapp.engine.memory.limits import limits_of
from desktopapp.engine.memory.machine import Machine, read_machine
from desktopapp.engine.memory.offers import Fit, Offer, best_of, offers_of_catalogue, offers_of_forms
from desktopapp.engine.request import MemoryLimits
from desktopapp.errors import AppError
from desktopapp.modelstore.catalogue import SIXTEEN_BIT, CatalogueModel, find_entry, read_catalogue
from desktopapp.modelstore.hub.address import Address, parse_address
from desktopapp.modelstore.hub.client import Hub
from desktopapp.modelstore.hub.download import (
    Download,
    Phase,
    Progress,
    free_disk_bytes,
    pending_downloads,
    plan_download,
    run_download,
)
from desktopapp.modelstore.hub.inspection import inspect_repository
from desktopapp.modelstore.hub.rate import ProgressTeller
from desktopapp.modelstore.hub.remote import RemoteForm, RemoteModel
from desktopapp.modelstore.model import WeightFormat
from desktopapp.settings import load_settings

_GIB = 2**30
_FIT_WORDS = {
    Fit.WELL: "fits",
    Fit.WITH_LOSS: "fits with losses",
    Fit.SLOWLY: "fits, slow here",
    Fit.NOT: "does not fit",
}


def get_model(options: argparse.Namespace) -> int:
    """List what can be had, or fetch it.

    Args:
        options: as `command_line` parsed them.

    Returns:
        The exit code.
    """
    use_utf8(sys.stdout, sys.stderr)
    loaded = load_settings()
    for problem in loaded.problems:
        write_line(sys.stderr, problem)
    machine, limits = read_machine(), limits_of(loaded.settings)
    offers = offers_of_catalogue(read_catalogue(), machine, limits)
    if not options.name:
        _show_catalogue(offers, as_json=options.json)
        return DONE
    teller = _JsonTeller() if options.json else _Teller()
    try:
        hub = Hub(options.endpoint or loaded.settings.hub_endpoint)
        for address in _addresses(options.name, options.precision, offers):
            _fetch(hub, address, machine, limits, teller)
    except AppError as error:
        teller.failed(error)
        return FAILED
    except KeyboardInterrupt:
        teller.interrupted()
        return INTERRUPTED
    return DONE


def _addresses(name: str, precision: str, offers: list[Offer]) -> list[Address]:
    """What a name means: repositories, each with the precision to take or none."""
    entry = find_entry(name.partition(":")[0], read_catalogue())
    if entry is None:
        address = parse_address(name)
        return [Address(address.repository, precision or address.precision, address.file)]
    model, kinds, weight_format = entry
    precision = (precision or name.partition(":")[2]).upper() or _best_precision(model, weight_format, offers)
    if weight_format is None:
        weight_format = WeightFormat.SAFETENSORS if precision == SIXTEEN_BIT else WeightFormat.GGUF
    return [Address(model.repository_of(kind, weight_format), precision) for kind in kinds]


def _best_precision(model: CatalogueModel, weight_format: WeightFormat | None, offers: list[Offer]) -> str:
    own = [offer for offer in offers if offer.size == model.size and weight_format in (None, offer.format)]
    best = best_of(own)
    return best.precision if best else model.precisions[0]


def _fetch(hub: Hub, address: Address, machine: Machine, limits: MemoryLimits, teller: _Teller) -> None:
    teller.asking(hub.host, address.repository)
    model = inspect_repository(hub, address)
    form = _form(model, machine, limits)
    download = plan_download(model, form)
    teller.found(download)
    folder = run_download(hub, download, ProgressTeller(teller.progressed))
    teller.finished(download, str(folder))


def _form(model: RemoteModel, machine: Machine, limits: MemoryLimits) -> RemoteForm:
    """The one to take where several are there."""
    offers = offers_of_forms(model.forms, model.config, model.listing.repository, machine, limits)
    best = best_of(offers)
    return model.forms[offers.index(best) if best in offers else 0]


def _show_catalogue(offers: list[Offer], *, as_json: bool) -> None:
    pending = pending_downloads()
    if as_json:
        listed = [asdict(offer) for offer in offers]
        begun = [
            {"repository": one.repository, "precision": one.precision, "missing_bytes": one.missing_bytes}
            for one in pending
        ]
        write_json(sys.stdout, {"models": listed, "begun": begun, "free_disk_bytes": free_disk_bytes()})
        return
    for line in _catalogue_lines(offers):
        write_line(sys.stdout, line)
    for one in pending:
        rest = readable_size(one.missing_bytes)
        write_line(sys.stdout, f"Begun: {one.repository}:{one.precision}, {rest} still to come.")


def _catalogue_lines(offers: list[Offer]) -> Iterator[str]:
    yield "Qwen3-VL models, each as Instruct and as Thinking, and what a question about a screenshot takes:"
    for offer in offers:
        mark = "  <- recommended" if offer.is_recommended else ""
        need = f"{offer.needed_bytes / _GIB:5.1f} of {offer.limit_bytes / _GIB:.1f} GiB"
        name = f"{offer.size:<8} {offer.precision:<7}"
        yield f"  {name} {need}  {_FIT_WORDS[offer.fit]}{mark}"
    yield f"Free on the disk for models: {readable_size(free_disk_bytes())}."
    yield "To load a pair: main.py get 4B; one of it: main.py get 4B-thinking --precision Q8_0;"
    yield "another repository: main.py get OWNER/NAME. Nothing was contacted for this list."


class _Teller:
    """For a person: the progress on stderr, the result on stdout."""

    def __init__(self) -> None:
        self._line = ""
        self._file = ""

    def asking(self, host: str, repository: str) -> None:
        write_line(sys.stderr, f"Asking {host} about {repository} …")

    def found(self, download: Download) -> None:
        size, missing = readable_size(download.total_bytes), readable_size(download.missing_bytes)
        rest = f", {missing} still to come" if download.kept_bytes else ""
        write_line(
            sys.stderr,
            f"{download.precision}, {len(download.files)} files, {size}{rest}; to {download.target}",
        )

    def progressed(self, progress: Progress, bytes_per_s: float, left_s: float | None) -> None:
        words = f"checking {progress.file}" if progress.phase is Phase.CHECKING else progress.file
        if not sys.stderr.isatty():
            if words != self._file:
                write_line(sys.stderr, words)
            self._file = words
            return
        percent = 100 * progress.done_bytes / progress.total_bytes if progress.total_bytes else 100
        line = f"{percent:5.1f} %  {words}"
        if bytes_per_s:
            line += f"  {readable_size(round(bytes_per_s))}/s"
        if left_s is not None:
            line += f"  {_duration(left_s)} left"
        sys.stderr.write("\r" + line.ljust(len(self._line)))
        sys.stderr.flush()
        self._line = line

    def finished(self, download: Download, folder: str) -> None:
        self._end_line()
        write_line(sys.stdout, f"{download.name} is in {folder}")

    def failed(self, error: AppError) -> None:
        self._end_line()
        report(sys.stderr, error)

    def interrupted(self) -> None:
        self._end_line()
        write_line(sys.stderr, "Stopped. What was loaded is kept; the same command goes on.")

    def _end_line(self) -> None:
        if self._line:
            write_line(sys.stderr, "")
            self._line = ""


class _JsonTeller(_Teller):
    """For a program: every event as one line of JSON on stdout."""

    def asking(self, host: str, repository: str) -> None:
        write_json(sys.stdout, {"event": "asking", "host": host, "repository": repository})

    def found(self, download: Download) -> None:
        facts = {"repository": download.repository, "precision": download.precision}
        sizes = {"total_bytes": download.total_bytes, "missing_bytes": download.missing_bytes}
        write_json(sys.stdout, {"event": "found", **facts, **sizes})

    def progressed(self, progress: Progress, bytes_per_s: float, left_s: float | None) -> None:
        rate = {"bytes_per_s": round(bytes_per_s), "left_s": left_s}
        write_json(sys.stdout, {"event": "progress", **asdict(progress), **rate})

    def finished(self, download: Download, folder: str) -> None:
        write_json(sys.stdout, {"event": "finished", "model": download.name, "folder": folder})

    def failed(self, error: AppError) -> None:
        values = {"error": error.error, "message": error.message, "remedy": error.remedy}
        write_json(sys.stdout, {"event": "failed", **values})

    def interrupted(self) -> None:
        write_json(sys.stdout, {"event": "interrupted"})


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

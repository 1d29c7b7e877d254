"""One model on its way to this machine: what is still to come, kept on the disk so that it can go on another day.

While it comes, a download lies in a hidden folder, which the list of models passes over:
`.downloads/OWNER--NAME--PRECISION/` with `.download.json`, files that are complete and checked under their own names, and
one `*.part`. When the last one is checked they move into the model's folder.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

import msgspec

from desktopapp import paths
from desktopapp.hub_errors import DownloadRunning
from desktopapp.modelstore.hub.client import Hub
from desktopapp.modelstore.hub.failures import disk_too_full, told_as_disk_errors
from desktopapp.modelstore.hub.remote import RemoteFile, RemoteForm, RemoteModel
from desktopapp.modelstore.hub.transfer import check_file, checked, fetch_file
from desktopapp.modelstore.model import WeightFormat

_MANIFEST = ".download.json"
_LOCK = ".lock"
_PART = ".part"
_RESERVE_BYTES = 256 << 20
"""Of the disk, what a download leaves for everything else."""


class Phase(StrEnum):
    """What a download does."""

    LOADING = "loading"
    CHECKING = "checking"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is.

    Args:
        phase: what it does.
        file: that it is at.
        done_bytes: of all files that are there; while checking, of this file that were looked at.
        total_bytes: of all files; while checking, of this file.
    """

    phase: Phase
    file: str
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Download:
    """A model that is wanted.

    Args:
        repository: `owner/name`.
        revision: commit that all files are of.
        precision: `BF16`, `Q4_K_M`, ...
        format: of the weights.
        files: to load.
    """

    repository: str
    revision: str
    precision: str
    format: WeightFormat
    files: tuple[RemoteFile, ...]

    @property
    def name(self) -> str:
        """Of the model's folder."""
        return self.repository.rpartition("/")[2]

    @property
    def total_bytes(self) -> int:
        """Of all files."""
        return sum(file.size_bytes for file in self.files)

    @property
    def target(self) -> Path:
        """The model's folder once it is here."""
        return paths.model_dirs()[-1] / self.name

    @property
    def folder(self) -> Path:
        """Where it lies on its way."""
        return paths.downloads_dir() / f"{self.repository.replace('/', '--')}--{self.precision}"

    @property
    def kept_bytes(self) -> int:
        """That are here already."""
        return sum(_kept_bytes(self, file) for file in self.files)

    @property
    def missing_bytes(self) -> int:
        """That are still to come."""
        return self.total_bytes - self.kept_bytes


def plan_download(model: RemoteModel, form: RemoteForm) -> Download:
    """The download of one form of a model; nothing is written yet."""
    listing = model.listing
    return Download(listing.repository, listing.revision, form.precision, form.format, form.files)


def pending_downloads() -> list[Download]:
    """Downloads that were begun and not finished, in the order of their names."""
    found = []
    for folder in sorted(paths.downloads_dir().glob("*")):
        try:
            download = msgspec.json.decode((folder / _MANIFEST).read_bytes(), type=Download)
        except (OSError, msgspec.MsgspecError):
            continue
        if download.folder == folder:
            found.append(download)
    return found


def discard(download: Download) -> None:
    """Throw away what was loaded.

    Raises:
        DownloadRunning: it is being loaded.
        FolderUnwritable: it cannot be deleted.
    """
    if not download.folder.exists():
        return
    with _claimed(download), told_as_disk_errors(download.folder, 0):
        for path in download.folder.iterdir():
            if path.name != _LOCK:
                path.unlink()
    shutil.rmtree(download.folder, ignore_errors=True)


def run_download(hub: Hub, download: Download, report: Callable[[Progress], None]) -> Path:
    """Load what is missing, check it, and put the model into its folder.

    May be ended at any moment, by an exception out of `report` or with its process, and called again.

    Args:
        hub: to ask.
        download: to run.
        report: is told the progress, for every block that comes.

    Returns:
        The model's folder.

    Raises:
        HubError: it cannot go on; what was loaded is kept.
    """
    folder, missing_bytes = download.folder, download.missing_bytes
    with told_as_disk_errors(folder, missing_bytes):
        folder.mkdir(parents=True, exist_ok=True)
    with _claimed(download):
        _demand_room(folder, missing_bytes)
        with told_as_disk_errors(folder, missing_bytes):
            (folder / _MANIFEST).write_text(json.dumps(asdict(download)), encoding="utf-8")
        for file in sorted(download.files, key=lambda one: one.size_bytes):
            _bring(hub, download, file, report)
        with told_as_disk_errors(download.target, 0):
            _move_in(download)
    shutil.rmtree(folder, ignore_errors=True)
    return download.target


def _bring(hub: Hub, download: Download, file: RemoteFile, report: Callable[[Progress], None]) -> None:
    whole, part = download.folder / file.name, download.folder / (file.name + _PART)
    if whole.is_file():
        return
    here = download.target / file.name

    def checking(done_bytes: int) -> None:
        report(Progress(Phase.CHECKING, file.name, done_bytes, file.size_bytes))

    if here.is_file() and check_file(file, here, checking):
        return  # another precision came with the same one
    others = download.kept_bytes - _kept_bytes(download, file)

    def loading(done_bytes: int) -> None:
        report(Progress(Phase.LOADING, file.name, others + done_bytes, download.total_bytes))

    loading(_kept_bytes(download, file))
    fetch_file(hub, download.repository, download.revision, file, part, loading)
    checked(file, part, hub.host, checking)
    with told_as_disk_errors(download.folder, 0):
        part.replace(whole)


def _kept_bytes(download: Download, file: RemoteFile) -> int:
    for path in (
        download.folder / file.name,
        download.target / file.name,
        download.folder / (file.name + _PART),
    ):
        try:
            size_bytes = path.stat().st_size
        except OSError:
            continue
        # A finished file of another size is another one; a part may only be shorter.
        if size_bytes == file.size_bytes or path.suffix == _PART:
            return min(size_bytes, file.size_bytes)
    return 0


def _move_in(download: Download) -> None:
    download.target.mkdir(parents=True, exist_ok=True)
    # The weights last: whoever looks in between sees a model that is not complete.
    for file in sorted(download.files, key=lambda one: one.size_bytes):
        whole = download.folder / file.name
        if whole.is_file():
            whole.replace(download.target / file.name)


def _demand_room(folder: Path, missing_bytes: int) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if missing_bytes and free_bytes < missing_bytes + _RESERVE_BYTES:
        raise disk_too_full(folder, missing_bytes, free_bytes)


def free_disk_bytes() -> int:
    """Room on the disk that models go to."""
    return paths.free_bytes_for(paths.model_dirs()[-1])


@contextmanager
def _claimed(download: Download) -> Iterator[None]:
    """Keep other processes from the same files; the claim ends with the process at the latest."""
    from filelock import FileLock, Timeout

    lock = FileLock(download.folder / _LOCK, timeout=0)
    with told_as_disk_errors(download.folder, 0):
        try:
            lock.acquire()
        except Timeout as error:
            raise DownloadRunning(name=download.name) from error
    try:
        yield
    finally:
        lock.release()

"""“Get a model …”: contacts nothing by itself, loads, pauses, goes on, and says what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from desktopapp.app import Desktop
from desktopapp.engine.memory import machine as machine_module
from desktopapp.engine.memory import offers as offers_module
from desktopapp.engine.memory.machine import Device, Machine
from desktopapp.engine.request import MemoryLimits
from desktopapp.modelstore.hub.address import Address
from desktopapp.modelstore.hub.client import Hub
from desktopapp.modelstore.hub.download import Download, plan_download
from desktopapp.modelstore.hub.inspection import inspect_repository
from desktopapp.modelstore.model import ModelFiles
from desktopapp.settings import Settings
from desktopapp.ui.get_model.dialog import GetModelDialog
from desktopapp.ui.get_model.downloads import Downloads, DownloadState
from desktopapp.ui.get_model.offer_finder import Situation
from tests.hub_server import HubServer, running_hub

GIB = 2**30
LONG_MS = 120_000  # a process that starts on a busy machine
INSTRUCT = "Qwen3-VL-4B-Instruct-GGUF"


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    small = Machine(Device("System memory", False, 16 * GIB, 16 * GIB))
    monkeypatch.setattr(machine_module, "read_machine", lambda *_: small)
    monkeypatch.setattr(offers_module, "can_run", lambda weight_format: True)


@pytest.fixture
def hub(random_gguf: ModelFiles) -> Iterator[HubServer]:
    assert random_gguf.projector is not None
    with running_hub() as server:
        for kind in ("Instruct", "Thinking"):
            server.repositories[f"Qwen/Qwen3-VL-4B-{kind}-GGUF"] = {
                f"Qwen3VL-4B-{kind}-Q8_0.gguf": random_gguf.path.read_bytes(),
                f"mmproj-Qwen3VL-4B-{kind}-F16.gguf": random_gguf.projector.read_bytes(),
            }
        yield server


@pytest.fixture
def downloads(hub: HubServer) -> Iterator[Downloads]:
    downloads = Downloads()
    downloads.endpoint = hub.url
    yield downloads
    downloads.close()


@pytest.fixture
def dialog(hub: HubServer, downloads: Downloads, qtbot: QtBot) -> Iterator[GetModelDialog]:
    dialog = GetModelDialog(downloads, Situation(MemoryLimits()), hub.url)
    qtbot.addWidget(dialog)
    dialog.show()
    shown = [part for part in (dialog.pane.button, dialog.pane.precision) if part.isVisible()]
    assert shown == []  # nothing is known yet
    qtbot.waitUntil(lambda: dialog.rows.rowCount() == 5, timeout=LONG_MS)
    yield dialog
    dialog.close()


@pytest.fixture
def planned(hub: HubServer) -> Download:
    from huggingface_hub import close_session

    model = inspect_repository(Hub(hub.url), Address(f"Qwen/{INSTRUCT}"))
    close_session()
    return plan_download(model, model.forms[0])


def wait_for(qtbot: QtBot, holds: Callable[[], object]) -> None:
    qtbot.waitUntil(lambda: bool(holds()), timeout=LONG_MS)


def states(downloads: Downloads) -> list[DownloadState]:
    return [entry.state for entry in downloads.entries]


def test_it_opens_with_the_best_for_this_machine_and_contacts_nothing(
    dialog: GetModelDialog, hub: HubServer
) -> None:
    titles = [row.title for row in dialog.rows.rows]
    assert titles == [f"Qwen3-VL {size}" for size in ("2B", "4B", "8B", "30B-A3B", "32B")]
    assert [row.kind for row in dialog.rows.rows] == ["", "Recommended", "", "", ""]
    assert dialog.pane.title.text() == "Qwen3-VL 4B"
    assert dialog.pane.button.isVisible()
    assert dialog.pane.precision.isVisible()
    assert dialog.pane.offer is not None
    assert dialog.pane.offer.precision == "Q8_0"
    assert "6.0 GiB of the 16.0 GiB" in dialog.pane.need.text()
    assert hub.url.removeprefix("http://") in dialog.pane.button.text()
    assert hub.requests == []


def test_a_pair_is_asked_about_loaded_and_used(
    dialog: GetModelDialog, downloads: Downloads, qtbot: QtBot
) -> None:
    dialog.pane.button.click()
    assert not dialog.pane.button.isEnabled()
    assert dialog.pane.stop.isVisible()
    wait_for(qtbot, lambda: dialog.pane.button.text().startswith("Download "))
    assert "free on the disk" in dialog.pane.amount.text()
    arrived: list[str] = []
    downloads.arrived.connect(arrived.append)
    dialog.pane.button.click()
    assert states(downloads) == [DownloadState.RUNNING, DownloadState.WAITING]
    wait_for(qtbot, lambda: states(downloads) == [DownloadState.DONE] * 2)
    assert arrived == [INSTRUCT, "Qwen3-VL-4B-Thinking-GGUF"]
    assert dialog.pane.button.text() == "It is here already"
    row = dialog.download_list.rows[downloads.entries[0].key]
    with qtbot.waitSignal(dialog.used) as used:
        row.action.click()
    assert used.args == [INSTRUCT]


def test_pause_is_immediate_and_another_start_goes_on(
    hub: HubServer, downloads: Downloads, planned: Download, qtbot: QtBot
) -> None:
    hub.block_pause_s = 0.05
    downloads.add([planned])
    key = downloads.entries[0].key
    wait_for(qtbot, lambda: planned.kept_bytes > 0)
    downloads.pause(key)
    assert states(downloads) == [DownloadState.PAUSED]
    kept = planned.kept_bytes
    assert 0 < kept < planned.total_bytes
    hub.block_pause_s = 0.0
    later = Downloads()
    later.endpoint = hub.url
    later.look_for_pending()
    assert [(entry.state, entry.done_bytes) for entry in later.entries] == [(DownloadState.PAUSED, kept)]
    asked = len(hub.requests)
    later.resume(key)
    wait_for(qtbot, lambda: states(later) == [DownloadState.DONE])
    assert _asked_bytes(hub, planned, asked) == planned.total_bytes - kept
    later.close()


def _asked_bytes(hub: HubServer, download: Download, since: int) -> int:
    """Of files, in the requests after so many."""
    sizes = {file.name: file.size_bytes for file in download.files}
    files = [one for one in hub.requests[since:] if one[0].startswith("/cdn/")]
    starts = [int(wished.removeprefix("bytes=").partition("-")[0] or 0) for _, wished in files]
    return sum(sizes[path.rpartition("/")[2]] - start for (path, _), start in zip(files, starts, strict=True))


def test_closing_keeps_what_was_loaded(
    hub: HubServer, downloads: Downloads, planned: Download, qtbot: QtBot
) -> None:
    hub.block_pause_s = 0.05
    downloads.add([planned])
    wait_for(qtbot, lambda: planned.kept_bytes > 0)
    downloads.close()
    assert planned.kept_bytes > 0


def test_a_failure_is_said_and_tried_again(
    hub: HubServer, downloads: Downloads, planned: Download, dialog: GetModelDialog, qtbot: QtBot
) -> None:
    # What the hub listed, and what it holds meanwhile.
    other = tuple(replace(file, sha256="0" * 64) for file in planned.files)
    wrong = replace(planned, files=other)
    downloads.add([wrong])
    wait_for(qtbot, lambda: states(downloads) == [DownloadState.FAILED])
    row = dialog.download_list.rows[downloads.entries[0].key]
    assert "arrived damaged" in row.accessibleDescription()
    assert row.action.text() == "Try again"
    row.remove.click()
    assert downloads.entries == []
    assert not planned.folder.exists()


def test_another_repository_is_looked_up(dialog: GetModelDialog, hub: HubServer, qtbot: QtBot) -> None:
    files = hub.repositories[f"Qwen/{INSTRUCT}"]
    hub.repositories["someone/tuned"] = files
    hub.repositories["someone/else"] = {"README.md": b"x"}
    for text, problem in (
        ("nonsense", "names no repository"),
        ("someone/else", "no safetensors and no GGUF"),
        ("no/such", "There is no “no/such”"),
    ):
        qtbot.keyClicks(dialog.other.edit, text)
        qtbot.keyClick(dialog.other.edit, Qt.Key.Key_Return)
        wait_for(qtbot, lambda problem=problem: problem in dialog.other.problem.text())
        dialog.other.edit.clear()
    qtbot.keyClicks(dialog.other.edit, "https://huggingface.co/someone/tuned")
    dialog.other.button.click()
    wait_for(qtbot, lambda: dialog.rows.rowCount() == 6)
    assert dialog.pane.title.text() == "someone/tuned"
    assert dialog.pane.button.text().startswith("Download ")
    assert not any(box.isVisible() for box in dialog.pane.kinds.values())


def test_return_asks_nothing_in_passing(dialog: GetModelDialog, hub: HubServer, qtbot: QtBot) -> None:
    for widget in (dialog.other.edit, dialog.view, dialog):
        qtbot.keyClick(widget, Qt.Key.Key_Return)
    assert not dialog.inquiry.is_busy
    assert dialog.isVisible()
    assert hub.requests == []
    dialog.pane.button.setFocus()
    qtbot.keyClick(dialog.pane.button, Qt.Key.Key_Return)
    assert dialog.inquiry.is_busy


def test_asking_can_be_stopped(dialog: GetModelDialog) -> None:
    dialog.pane.button.click()
    dialog.pane.stop.click()
    assert not dialog.inquiry.is_busy
    assert dialog.pane.button.isEnabled()
    assert dialog.pane.button.text().startswith("Ask ")


def test_a_pair_needs_at_least_one_of_it(dialog: GetModelDialog) -> None:
    for box in dialog.pane.kinds.values():
        box.setChecked(False)
    assert not dialog.pane.button.isEnabled()


def test_everything_has_a_name_for_those_who_listen(
    dialog: GetModelDialog, downloads: Downloads, planned: Download, qtbot: QtBot
) -> None:
    downloads.add([planned])
    downloads.pause(downloads.entries[0].key)
    for widget in [*dialog.findChildren(QPushButton), *dialog.findChildren(QLineEdit), dialog.view]:
        if widget.isVisible():
            assert widget.accessibleName() or getattr(widget, "text", str)(), widget
    row = dialog.download_list.rows[downloads.entries[0].key]
    assert "paused" in row.accessibleName()


def test_the_window_leads_to_it_and_takes_the_model(
    hub: HubServer, open_desktop: Callable[..., Desktop], planned: Download, qtbot: QtBot
) -> None:
    desktop = open_desktop(Settings(language="en", theme="light", hub_endpoint=hub.url))
    empty = desktop.window.view.empty
    empty.suggest_samples(True)
    assert empty.get_button.isVisible()
    empty.get_button.click()
    getting = desktop.session.models.getting
    assert getting.dialog is not None
    getting.dialog.close()
    assert getting.dialog is None
    desktop.window.picker.open()
    desktop.window.picker.model_list.get_button.click()
    assert not desktop.window.picker.model_list.isVisible()
    dialog = getting.dialog
    assert dialog is not None
    getting.downloads.endpoint = hub.url
    getting.downloads.add([planned])
    wait_for(qtbot, lambda: states(getting.downloads) == [DownloadState.DONE])
    wait_for(qtbot, lambda: INSTRUCT in [row.title for row in desktop.window.picker.rows])
    dialog.download_list.rows[getting.downloads.entries[0].key].action.click()
    assert desktop.session.settings.model_name == INSTRUCT


def test_a_download_that_ends_while_the_dialog_is_closed_is_told(
    hub: HubServer, desktop: Desktop, planned: Download, qtbot: QtBot
) -> None:
    getting = desktop.session.models.getting
    getting.downloads.endpoint = hub.url
    getting.downloads.add([planned])
    wait_for(qtbot, lambda: states(getting.downloads) == [DownloadState.DONE])
    messages = [notice.message for notice in desktop.window.notices.notices]
    assert f"{INSTRUCT} is here." in messages


def test_the_list_of_models_tells_of_unfinished_downloads(
    hub: HubServer, downloads: Downloads, desktop: Desktop, planned: Download, qtbot: QtBot
) -> None:
    button = desktop.window.picker.model_list.get_button
    desktop.window.picker.open()
    assert button.text() == "Get a model …"
    hub.block_pause_s = 0.05
    downloads.add([planned])
    wait_for(qtbot, lambda: planned.kept_bytes > 0)
    downloads.close()
    desktop.window.picker.open()
    assert button.text() == "Get a model … (1 unfinished)"
    desktop.window.picker.model_list.hide()


def test_a_process_that_dies_is_told(
    hub: HubServer, downloads: Downloads, planned: Download, qtbot: QtBot
) -> None:
    hub.block_pause_s = 0.05
    downloads.add([planned])
    wait_for(qtbot, lambda: planned.kept_bytes > 0)
    process = downloads._worker._process
    assert process is not None
    process.kill()
    wait_for(qtbot, lambda: states(downloads) == [DownloadState.FAILED])
    failed = downloads.entries[0].failed
    assert failed is not None
    assert failed.error == "DownloadEnded"

"""One file: resumed, over broken lines, checked; and what is said when it cannot be had."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from desktopapp.errors import AppError
from desktopapp.hub_errors import (
    DiskTooFull,
    DownloadDamaged,
    EndpointUnusable,
    FolderUnwritable,
    HubRefused,
    HubUnreachable,
    ProxyRefused,
    RepositoryAbsent,
    RepositoryLocked,
)
from desktopapp.modelstore.hub import client
from desktopapp.modelstore.hub.client import Hub
from desktopapp.modelstore.hub.failures import told_as_disk_errors, told_as_hub_errors
from desktopapp.modelstore.hub.remote import RemoteFile
from desktopapp.modelstore.hub.transfer import MOST_TRIES, check_file, checked, fetch_file
from tests.hub_server import REVISION, HubServer

NAME = "owner/Some-GGUF"
DATA = bytes(range(256)) * 400


@pytest.fixture
def fetch(hub_server: HubServer, tmp_path: Path) -> Callable[[], bytes]:
    """Fetches `model.gguf` into a part file and returns what is there then."""
    hub_server.repositories[NAME] = {"model.gguf": DATA, "config.json": b"{}", "empty.txt": b""}

    def run(name: str = "model.gguf") -> bytes:
        hub = Hub(hub_server.url)
        file = next(one for one in hub.list_files(NAME).files if one.name == name)
        part = tmp_path / f"{name}.part"
        fetch_file(hub, NAME, REVISION, file, part, lambda done: None)
        checked(file, part, hub.host)
        return part.read_bytes()

    return run


def ranges(server: HubServer) -> list[str]:
    return [wished for path, wished in server.requests if path.startswith("/cdn/")]


def test_a_listing_has_sizes_and_checksums(hub_server: HubServer) -> None:
    hub_server.repositories[NAME] = {"model.gguf": DATA, "sub/other.gguf": b"", "config.json": b"{}"}
    listing = Hub(hub_server.url).list_files(NAME)
    assert listing.revision == REVISION
    assert [(file.name, file.size_bytes) for file in listing.files] == [
        ("model.gguf", len(DATA)),
        ("config.json", 2),
    ]
    assert len(listing.files[0].sha256) == 64
    # `git hash-object` says the same of a file that holds {}.
    assert listing.files[1].git_sha1 == "9e26dfeeb6e641a33dae4961196235bdb965b21b"


def test_a_whole_file_comes_over_a_redirect(fetch: Callable[[], bytes], hub_server: HubServer) -> None:
    assert fetch() == DATA
    assert ranges(hub_server) == [""]


def test_what_is_there_is_not_asked_for_again(
    fetch: Callable[[], bytes], hub_server: HubServer, tmp_path: Path
) -> None:
    (tmp_path / "model.gguf.part").write_bytes(DATA[:5000])
    assert fetch() == DATA
    assert ranges(hub_server) == ["bytes=5000-"]


def test_a_broken_line_is_taken_up_where_it_broke(fetch: Callable[[], bytes], hub_server: HubServer) -> None:
    hub_server.cut_after = [10_000, 20_000, 4096]
    assert fetch() == DATA
    assert ranges(hub_server) == ["", "bytes=10000-", "bytes=30000-", "bytes=34096-"]


def test_a_server_that_ignores_ranges_begins_anew(
    fetch: Callable[[], bytes], hub_server: HubServer, tmp_path: Path
) -> None:
    (tmp_path / "model.gguf.part").write_bytes(b"x" * 5000)
    hub_server.ignores_ranges = True
    assert fetch() == DATA


def test_a_part_that_is_too_long_is_thrown_away(fetch: Callable[[], bytes], tmp_path: Path) -> None:
    (tmp_path / "model.gguf.part").write_bytes(DATA + b"more")
    assert fetch() == DATA


def test_an_empty_file_is_a_file(fetch: Callable[..., bytes]) -> None:
    assert fetch("empty.txt") == b""


def test_a_line_that_never_holds_is_given_up_and_its_bytes_stay(
    fetch: Callable[[], bytes], hub_server: HubServer, tmp_path: Path
) -> None:
    hub_server.cut_after = [10_000] + [0] * MOST_TRIES
    with pytest.raises(HubUnreachable, match="broke off"):
        fetch()
    assert (tmp_path / "model.gguf.part").read_bytes() == DATA[:10_000]
    assert fetch() == DATA


def test_a_wrong_checksum_throws_the_file_away(
    fetch: Callable[[], bytes], hub_server: HubServer, tmp_path: Path
) -> None:
    hub_server.lies_about = {"model.gguf"}
    with pytest.raises(DownloadDamaged, match="checksum"):
        fetch()
    assert not (tmp_path / "model.gguf.part").exists()
    hub_server.lies_about = set()
    assert fetch() == DATA


def test_small_files_are_checked_as_git_objects(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(b"{}")
    right = RemoteFile("config.json", 2, git_sha1="9e26dfeeb6e641a33dae4961196235bdb965b21b")
    assert check_file(right, path)
    path.write_bytes(b"[]")
    assert not check_file(right, path)


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (404, RepositoryAbsent, "There is no “owner/Some-GGUF”"),
        (401, RepositoryAbsent, "There is no “owner/Some-GGUF”"),
        (403, RepositoryLocked, "does not give"),
        (407, ProxyRefused, "password"),
        (429, HubRefused, "asked too often"),
        (500, HubRefused, "status 500"),
    ],
)
def test_a_refusal_says_what_to_do(
    hub_server: HubServer, status: int, kind: type[AppError], words: str
) -> None:
    hub_server.statuses = {"/api/": status}
    with pytest.raises(kind, match=words) as caught:
        Hub(hub_server.url).list_files(NAME)
    assert caught.value.remedy


def test_a_page_that_is_no_hub_is_named(hub_server: HubServer) -> None:
    hub_server.statuses = {"/api/": 200}
    with pytest.raises(HubRefused, match="no answer of a model hub"):
        Hub(hub_server.url).list_files(NAME)


@pytest.mark.parametrize("place", ["", "bytes", "bytes x-9/10"])
def test_a_part_that_does_not_say_where_it_begins_is_refused(place: str) -> None:
    response = httpx2.Response(206, headers={"Content-Range": place})
    with pytest.raises(HubRefused, match="no answer"), told_as_hub_errors("hub", NAME):
        client._first_byte(response)


def test_a_busy_hub_is_asked_again(fetch: Callable[[], bytes], hub_server: HubServer) -> None:
    fetch()
    hub_server.statuses = {"/cdn/": 503}
    (file,) = (one for one in Hub(hub_server.url).list_files(NAME).files if one.name == "model.gguf")
    asked = len(ranges(hub_server))
    with pytest.raises(HubRefused, match="status 503"):
        fetch_file(Hub(hub_server.url), NAME, REVISION, file, Path("never"), lambda done: None)
    assert len(ranges(hub_server)) - asked == MOST_TRIES


def test_no_connection_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(HubUnreachable, match="the connection was refused"):
        Hub(f"http://127.0.0.1:{port}").list_files(NAME)

    def knows_no_names(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", knows_no_names)
    with pytest.raises(HubUnreachable, match="its name was not found"):
        Hub("http://hub.invalid").list_files(NAME)


def test_a_proxy_that_refuses_is_named(hub_server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    # A plain web server answers CONNECT with "not implemented".
    monkeypatch.setenv("HTTPS_PROXY", hub_server.url)
    with pytest.raises(ProxyRefused) as caught:
        Hub("https://hub.invalid").list_files(NAME)
    assert "HTTPS_PROXY" in caught.value.remedy


@pytest.mark.parametrize(
    "endpoint", ["ftp://x", "huggingface.co", "http://", "https://a b", "http://x:99999"]
)
def test_an_unusable_endpoint_is_named(endpoint: str) -> None:
    with pytest.raises(EndpointUnusable):
        Hub(endpoint)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a Linux device")
def test_a_full_disk_is_told(hub_server: HubServer, tmp_path: Path) -> None:
    hub_server.repositories[NAME] = {"model.gguf": DATA}
    hub = Hub(hub_server.url)
    part = tmp_path / "model.gguf.part"
    part.symlink_to("/dev/full")
    with pytest.raises(DiskTooFull, match="GB are still to come"):
        fetch_file(hub, NAME, REVISION, hub.list_files(NAME).files[0], part, lambda done: None)


def test_the_disk_s_refusals_are_told(tmp_path: Path) -> None:
    with pytest.raises(DiskTooFull, match=r"3\.0 GB"), told_as_disk_errors(tmp_path, 3 * 10**9):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(FolderUnwritable, match="Read-only"), told_as_disk_errors(tmp_path, 0):
        raise OSError(errno.EROFS, "Read-only file system")

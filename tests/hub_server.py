"""A Hugging Face hub on this machine: what the client asks of the real one, and its faults."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

REVISION = "0123456789abcdef0123456789abcdef01234567"
_BLOCK = 4096


@dataclass
class HubServer:
    """What it holds and how it misbehaves.

    Args:
        repositories: name to files.
        url: of its endpoint.
        statuses: status instead of an answer, for paths that begin so.
        cut_after: bytes after which the connection of the next file ends; taken off when used.
        ignores_ranges: it always sends the whole file.
        lies_about: files whose checksum is listed wrongly.
        block_pause_s: between two blocks of a file.
        requests: method, path and wished range of all that was asked, in order.
    """

    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    url: str = ""
    statuses: dict[str, int] = field(default_factory=dict)
    cut_after: list[int] = field(default_factory=list)
    ignores_ranges: bool = False
    lies_about: set[str] = field(default_factory=set)
    block_pause_s: float = 0.0
    requests: list[tuple[str, str]] = field(default_factory=list)

    def listing(self, repository: str) -> dict[str, object]:
        siblings = [self._sibling(name, data) for name, data in self.repositories[repository].items()]
        return {"id": repository, "sha": REVISION, "siblings": siblings}

    def _sibling(self, name: str, data: bytes) -> dict[str, object]:
        seen = data + b"!" if name in self.lies_about else data
        entry: dict[str, object] = {"rfilename": name, "size": len(data)}
        if name.endswith((".gguf", ".safetensors")):
            digest = hashlib.sha256(seen).hexdigest()
            entry["blobId"] = "f" * 40
            entry["lfs"] = {"sha256": digest, "size": len(data), "pointerSize": 135}
        else:
            git = hashlib.sha1(f"blob {len(seen)}\0".encode() + seen, usedforsecurity=False)
            entry["blobId"] = git.hexdigest()
        return entry


@contextmanager
def running_hub() -> Iterator[HubServer]:
    """A hub that serves while the block runs."""
    state = HubServer()

    class Handler(_Handler):
        hub = state

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False  # so that closing waits for them
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append((path, self.headers.get("Range", "")))
        for start, status in self.hub.statuses.items():
            if path.startswith(start):
                self._send(status, b"no", {})
                return
        if path.startswith("/api/models/"):
            self._send_listing(path.removeprefix("/api/models/"))
        elif path.startswith("/cdn/"):
            self._send_file(path.removeprefix("/cdn/"))
        elif "/resolve/" in path:
            # The real one sends the client on to its store.
            self._send(302, b"", {"Location": f"{self.hub.url}/cdn{self.path}"})
        else:
            self._send(404, b"", {})

    def log_message(self, *_: object) -> None:
        pass

    def _send_listing(self, repository: str) -> None:
        if repository not in self.hub.repositories:
            self._send(401, b"{}", {"X-Error-Code": "RepoNotFound"})
            return
        body = json.dumps(self.hub.listing(repository)).encode()
        self._send(200, body, {"Content-Type": "application/json"})

    def _send_file(self, path: str) -> None:
        repository, _, rest = path.partition("/resolve/")
        data = self.hub.repositories.get(repository, {}).get(rest.partition("/")[2])
        if data is None:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        wished = self.headers.get("Range", "")
        if not wished or self.hub.ignores_ranges:
            self._send(200, data, {})
            return
        first, _, last = wished.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(data) - 1), len(data) - 1)
        if start > end:
            self._send(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            return
        place = {"Content-Range": f"bytes {start}-{end}/{len(data)}"}
        self._send(206, data[start : end + 1], place)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        is_file = status in (200, 206) and self.path.startswith("/cdn")
        cut = self.hub.cut_after.pop(0) if is_file and self.hub.cut_after else len(body)
        try:
            for start in range(0, min(cut, len(body)), _BLOCK):
                self.wfile.write(body[start : min(start + _BLOCK, cut)])
                if is_file and self.hub.block_pause_s:
                    self.wfile.flush()
                    time.sleep(self.hub.block_pause_s)
        except OSError:
            pass  # the client went away

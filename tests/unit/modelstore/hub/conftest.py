"""A hub on this machine with two small repositories."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import close_session

from desktopapp import paths
from desktopapp.modelstore.hub import transfer
from tests.hub_server import HubServer, running_hub


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv(paths.HOME_VARIABLE, str(folder))
    monkeypatch.setattr(transfer, "PAUSES_S", (0.0,))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return folder


@pytest.fixture(autouse=True)
def fresh_connections(home: Path) -> Iterator[None]:
    """The client keeps connections, and the proxies of the environment that it saw first."""
    close_session()
    yield
    close_session()


@pytest.fixture
def hub_server() -> Iterator[HubServer]:
    with running_hub() as server:
        yield server

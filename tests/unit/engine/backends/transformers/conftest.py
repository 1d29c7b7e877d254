from __future__ import annotations

from pathlib import Path

import pytest

from desktopapp.engine.backend import LoadOptions
from desktopapp.engine.backends.transformers.folder import open_folder
from desktopapp.engine.backends.transformers.loaded import LoadedNetwork
from desktopapp.engine.backends.transformers.loader import load_network


@pytest.fixture(scope="session")
def network(random_folder: Path) -> LoadedNetwork:
    """The random model on the CPU; not to be changed."""
    return load_network(open_folder(random_folder), LoadOptions(device="cpu"), lambda stage, fraction: None)

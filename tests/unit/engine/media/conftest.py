"""Saves pictures under any name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.image_files import Save


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def write(picture: Image.Image, name: str, **options: Any) -> str:
        path = tmp_path / name
        if path.suffix == ".heic":
            import pillow_heif

            pillow_heif.register_heif_opener()
        picture.save(path, **options)
        return str(path)

    return write

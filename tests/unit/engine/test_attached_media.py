"""How a picture tells, without being decoded, that it is the one of an earlier turn."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from PIL import Image

from desktopapp.engine.attached_media import AttachedImage, AttachedMedia
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.prompt_parts import VersionedImage
from desktopapp.engine.request import Attachment, Role, Turn

LONG_AGO_NS = 1_600_000_000_000_000_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "red.png"
    Image.new("RGB", (300, 200), "red").save(path)
    os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS))
    return path


def opened(path: Path) -> AttachedImage:
    attached = AttachedMedia()
    attached.open([Turn(Role.USER, "?", (Attachment(str(path)),))], CancelToken())
    (image,) = attached.items
    assert isinstance(image, AttachedImage)
    return image


def test_an_unchanged_file_has_one_version(file: Path) -> None:
    assert isinstance(opened(file), VersionedImage)
    assert opened(file).version() == opened(file).version() is not None


def test_changes_give_other_versions(file: Path) -> None:
    image = opened(file)
    versions = [image.version()]
    os.utime(file, ns=(LONG_AGO_NS, LONG_AGO_NS + 1000))
    versions.append(image.version())
    file.write_bytes(file.read_bytes() + b"\0")
    os.utime(file, ns=(LONG_AGO_NS, LONG_AGO_NS))
    versions.append(image.version())
    copy = file.with_name("copy.png")
    copy.write_bytes(file.read_bytes())
    os.utime(copy, ns=(LONG_AGO_NS, LONG_AGO_NS))
    versions.append(opened(copy).version())
    assert len(set(versions)) == 4


def test_a_file_that_just_changed_has_none_yet(file: Path) -> None:
    image = opened(file)
    os.utime(file)
    assert image.version() is None
    settled = time.time() - 60
    os.utime(file, (settled, settled))
    assert image.version() is not None


def test_a_file_that_is_gone_has_none(file: Path) -> None:
    image = opened(file)
    file.unlink()
    assert image.version() is None

"""Linux packages of a program that is one script."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

PACKAGING = Path(__file__).resolve().parents[3] / "packaging"
sys.path.insert(0, str(PACKAGING))

import linux_packages  # noqa: E402
from bundle_contents import FLAVOURS, NAME, Flavour  # noqa: E402

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="packages for Linux")


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program, in a tree of its own with icons and licence; packages go beside it."""
    root = tmp_path / "root"
    icons = root / "build" / "icons" / "hicolor" / "256x256" / "apps"
    icons.mkdir(parents=True)
    (icons / f"{NAME}.png").write_bytes(b"picture")
    (root / "LICENSE").write_text("licence")
    (root / "dist").mkdir()
    monkeypatch.setattr(linux_packages, "ROOT", root)
    monkeypatch.setattr(linux_packages, "DIST", root / "dist")
    monkeypatch.setattr(linux_packages, "dependencies", lambda _program: ["libc6"])
    folder = root / "build" / "bundle" / NAME
    folder.mkdir(parents=True)
    (folder / NAME).write_text("#!/bin/sh\necho ran\n")
    (folder / NAME).chmod(0o755)
    return folder


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_the_archive_holds_what_its_script_installs(flavour: Flavour, program: Path, tmp_path: Path) -> None:
    archive = linux_packages.make_archive(program, flavour)
    with tarfile.open(archive) as packed:
        assert {member.uid for member in packed} == {0}
        packed.extractall(tmp_path / "unpacked", filter="data")
    (folder,) = (tmp_path / "unpacked").iterdir()
    home = {"HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}
    subprocess.run(["sh", str(folder / "install.sh")], env=home, check=True, capture_output=True)
    done = subprocess.run(
        [tmp_path / "home" / ".local" / "bin" / NAME], capture_output=True, text=True, check=True
    )
    assert done.stdout == "ran\n"


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg")
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_the_debian_package_holds_program_menu_entry_icon_and_licence(
    flavour: Flavour, program: Path
) -> None:
    package = linux_packages.make_deb(program, flavour)
    listed = subprocess.run(
        ["dpkg-deb", "-c", str(package)], capture_output=True, text=True, check=True
    ).stdout
    for path in (
        f"./usr/lib/{NAME}/{NAME}",
        f"./usr/bin/{NAME} -> ../lib/{NAME}/{NAME}",
        f"./usr/share/applications/{NAME}.desktop",
        f"./usr/share/icons/hicolor/256x256/apps/{NAME}.png",
        "./usr/share/metainfo/io.github.qwen3_vl_desktop.metainfo.xml",
        f"./usr/share/doc/{linux_packages.package_name(flavour)}/copyright",
    ):
        assert f" {path}\n" in listed
    assert "root/root" in listed


def test_appimagetool_is_given_the_folder_and_a_runtime_that_was_named(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "appimagetool"
    tool.write_text('#!/bin/sh\nfor last; do :; done\necho "$ARCH $*" > "$last"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("APPIMAGE_RUNTIME", "/opt/runtime")
    image = linux_packages.make_appimage(program, "lite", str(tool))
    tree = tmp_path / "root" / "build" / "appdir" / "lite"
    assert f"--runtime-file /opt/runtime {tree} {image}" in image.read_text()
    assert subprocess.run([tree / "AppRun"], capture_output=True, text=True, check=True).stdout == "ran\n"
    assert (tree / ".DirIcon").read_bytes() == b"picture"
    assert (tree / f"{NAME}.desktop").is_file()


def test_sums_are_those_of_sha256sum(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    line = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a\n"
    assert linux_packages.checksums([tmp_path / "a"]) == line

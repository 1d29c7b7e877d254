"""Linux packages of a frozen program: a .deb, a .tar.xz with an install script, and an AppImage where its tool is."""

from __future__ import annotations

import hashlib
import lzma
import os
import platform
import shutil
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path

from bundle_contents import NAME, ROOT, Flavour, program_version
from bundle_pruning import needed_libraries

DIST = ROOT / "dist"
_OWN = ROOT / "packaging" / "linux"
_METAINFO = "io.github.qwen3_vl_desktop.metainfo.xml"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
# Of xz: NVIDIA's libraries are gigabytes that hardly get smaller.
_COMPRESSION: dict[Flavour, int] = {"lite": 6, "full": 0}
# Not linked against, but what a window looks for: fonts, and the loader of Vulkan drivers.
_RECOMMENDED = ("fonts-dejavu-core", "libvulkan1", "mesa-vulkan-drivers")


def make_all(program: Path, flavour: Flavour) -> list[Path]:
    """Make every package that can be made here.

    Args:
        program: the frozen program's folder.
        flavour: which program.

    Returns:
        The files, with a file of their SHA-256 sums last.
    """
    DIST.mkdir(exist_ok=True)
    made = [make_archive(program, flavour)]
    if shutil.which("dpkg-deb"):
        made.append(make_deb(program, flavour))
    tool = shutil.which("appimagetool")
    if tool:
        made.append(make_appimage(program, flavour, tool))
    sums = DIST / f"{_base(flavour)}.sha256"
    sums.write_text(checksums(made), encoding="utf-8")
    return [*made, sums]


def package_name(flavour: Flavour) -> str:
    """Name of the Debian package."""
    return NAME if flavour == "lite" else f"{NAME}-{flavour}"


def _base(flavour: Flavour) -> str:
    return f"{package_name(flavour)}-{program_version()}-linux-{platform.machine()}"


def copy_shared(target: Path) -> None:
    """Put menu entry, icons and AppStream metadata into a `share` folder."""
    applications, metainfo = target / "applications", target / "metainfo"
    for folder in (applications, metainfo):
        folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_OWN / f"{NAME}.desktop", applications / f"{NAME}.desktop")
    shutil.copyfile(_OWN / _METAINFO, metainfo / _METAINFO)
    shutil.copytree(ROOT / "build" / "icons" / "hicolor", target / "icons" / "hicolor", dirs_exist_ok=True)


def make_archive(program: Path, flavour: Flavour) -> Path:
    """A self-contained .tar.xz: program, menu entry, `install.sh`."""
    work = _fresh(ROOT / "build" / "archive" / flavour)
    copy_shared(work / "share")
    target = DIST / f"{_base(flavour)}.tar.xz"
    with (
        lzma.open(target, "wb", preset=_COMPRESSION[flavour]) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for script in ("install.sh", "uninstall.sh"):
            archive.add(_OWN / script, f"{_base(flavour)}/{script}", filter=_owned_by_root)
        archive.add(ROOT / "LICENSE", f"{_base(flavour)}/LICENSE", filter=_owned_by_root)
        archive.add(work / "share", f"{_base(flavour)}/share", filter=_owned_by_root)
        archive.add(program, f"{_base(flavour)}/program", filter=_owned_by_root)
    return target


def make_deb(program: Path, flavour: Flavour) -> Path:
    """A Debian package; the menu, icon and type databases are brought up to date by dpkg's own triggers."""
    tree = _fresh(ROOT / "build" / "deb" / flavour)
    target = tree / "usr" / "lib" / NAME
    target.parent.mkdir(parents=True)
    shutil.copytree(program, target, symlinks=True, copy_function=_link)
    copy_shared(tree / "usr" / "share")
    (tree / "usr" / "bin").mkdir()
    (tree / "usr" / "bin" / NAME).symlink_to(f"../lib/{NAME}/{NAME}")
    papers = tree / "usr" / "share" / "doc" / package_name(flavour)
    papers.mkdir(parents=True)
    shutil.copyfile(ROOT / "LICENSE", papers / "copyright")
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN" / "control").write_text(control(program, flavour), encoding="utf-8")
    name = f"{package_name(flavour)}_{program_version()}_{_MACHINES.get(platform.machine(), platform.machine())}.deb"
    packing = ["-Zxz", f"-z{_COMPRESSION[flavour]}"]
    command = ["dpkg-deb", "--root-owner-group", *packing, "--build", str(tree), str(DIST / name)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return DIST / name


def control(program: Path, flavour: Flavour) -> str:
    """The package's control file; what it depends on is read from the libraries that it does not bring."""
    other = package_name("full" if flavour == "lite" else "lite")
    size = sum(path.lstat().st_size for path in program.rglob("*")) // 1024
    what = "with llama.cpp" if flavour == "lite" else "with llama.cpp and PyTorch"
    return (
        f"Package: {package_name(flavour)}\n"
        f"Version: {program_version()}\n"
        "Section: science\n"
        "Priority: optional\n"
        f"Architecture: {_MACHINES.get(platform.machine(), platform.machine())}\n"
        "Maintainer: The Qwen3-VL Desktop authors <noreply@localhost>\n"
        f"Installed-Size: {size}\n"
        f"Depends: {', '.join(dependencies(program))}\n"
        f"Recommends: {', '.join(_RECOMMENDED)}\n"
        f"Conflicts: {other}\n"
        f"Replaces: {other}\n"
        f"Description: ask a Qwen3-VL model on this machine about pictures, {what}\n"
        " Drop a screenshot, a video or a PDF into the window and a model on this\n"
        " machine answers. Two very small models come with it.\n"
    )


def dependencies(program: Path) -> list[str]:
    """Debian packages of the libraries that the program loads and does not hold."""
    files = [path for path in program.rglob("*") if path.is_file() and not path.is_symlink()]
    own = {path.name for path in program.rglob("*")}
    wanted = {name for file in files if _is_elf(file) for name in needed_libraries(str(file))} - own
    packages = sorted(set(filter(None, map(_package_of, sorted(wanted)))) - set(_RECOMMENDED))
    # What is linked against this machine's C library may use its newest functions.
    oldest = platform.libc_ver()[1]
    return [f"{package} (>= {oldest})" if package == "libc6" else package for package in packages]


def _package_of(library: str) -> str:
    done = subprocess.run(["dpkg-query", "-S", f"*/{library}"], capture_output=True, text=True, check=False)
    return done.stdout.partition(":")[0].partition(",")[0]


def make_appimage(program: Path, flavour: Flavour, tool: str) -> Path:
    """An AppImage.

    Args:
        program: the frozen program's folder.
        flavour: which program.
        tool: path of appimagetool; it downloads the part that mounts an AppImage, unless `APPIMAGE_RUNTIME` names a file.
    """
    tree = make_appdir(program, flavour)
    target = DIST / f"{_base(flavour)}.AppImage"
    environment = {**os.environ, "ARCH": platform.machine()}
    runtime = os.environ.get("APPIMAGE_RUNTIME")
    options = ["--no-appstream", *(["--runtime-file", runtime] if runtime else [])]
    subprocess.run([tool, *options, str(tree), str(target)], check=True, env=environment)
    return target


def make_appdir(program: Path, flavour: Flavour) -> Path:
    """The folder that appimagetool packs."""
    tree = _fresh(ROOT / "build" / "appdir" / flavour)
    target = tree / "usr" / "lib" / NAME
    target.parent.mkdir(parents=True)
    shutil.copytree(program, target, symlinks=True, copy_function=_link)
    copy_shared(tree / "usr" / "share")
    (tree / "AppRun").symlink_to(f"usr/lib/{NAME}/{NAME}")
    shutil.copyfile(_OWN / f"{NAME}.desktop", tree / f"{NAME}.desktop")
    shutil.copyfile(ROOT / "build/icons/hicolor/256x256/apps" / f"{NAME}.png", tree / f"{NAME}.png")
    (tree / ".DirIcon").symlink_to(f"{NAME}.png")
    return tree


def _is_elf(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(4) == b"\x7fELF"


def _link(source: str, target: str) -> str:
    """A second name instead of a copy: the packages' trees are only read."""
    os.link(source, target)
    return target


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _owned_by_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


def checksums(files: Iterable[Path]) -> str:
    """Lines as `sha256sum --check` reads them."""
    lines = []
    for file in files:
        with file.open("rb") as stream:
            lines.append(f"{hashlib.file_digest(stream, 'sha256').hexdigest()}  {file.name}\n")
    return "".join(lines)

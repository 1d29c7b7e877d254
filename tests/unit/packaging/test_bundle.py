"""What goes into the installable programs, without building one."""

from __future__ import annotations

import ast
import configparser
import plistlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml

from desktopapp.cli.diagnosis import PACKAGES
from desktopapp.ui.incoming import MEDIA_SUFFIXES

ROOT = Path(__file__).resolve().parents[3]
PACKAGING = ROOT / "packaging"
sys.path.insert(0, str(PACKAGING))
sys.path.insert(0, str(PACKAGING / "macos"))
sys.path.insert(0, str(PACKAGING / "windows"))

import build_llama  # noqa: E402
import bundle_contents as contents  # noqa: E402
import bundle_info  # noqa: E402
import bundle_pruning as pruning  # noqa: E402
import linux_packages  # noqa: E402
import write_resources  # noqa: E402
from file_types import FILE_TYPES  # noqa: E402

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="ELF files")


def test_the_recipe_is_python_and_reads_the_lists() -> None:
    tree = ast.parse((PACKAGING / "qwen3-vl-desktop.spec").read_text(encoding="utf-8"))
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "contents"
    }
    assert {"data_files", "hidden_imports", "excluded_modules", "llama_libraries", "is_wanted"} <= used
    assert all(hasattr(contents, name) for name in used)


@pytest.mark.parametrize("flavour", contents.FLAVOURS)
def test_all_files_that_the_program_opens_go_in(flavour: contents.Flavour) -> None:
    files = {f"{folder}/{path.name}" for path, folder in contents.data_files(flavour)}
    assert "desktopapp/engine/routing/weights.json" in files
    assert "resources/translations/qwen3-vl-desktop_zh_CN.qm" in files
    assert "resources/samples/receipt.png" in files
    assert {f"resources/icons/{path.name}" for path in (ROOT / "resources/icons").glob("*.svg")} <= files
    for kind in ("instruct", "thinking"):
        folder = f"models/qwen3-vl/qwen3-vl-pocket-{kind}"
        assert f"{folder}/qwen3-vl-pocket-{kind}-Q8_0.gguf" in files
        assert f"{folder}/mmproj-qwen3-vl-pocket-{kind}-F16.gguf" in files
        assert f"{folder}/chat_template.jinja" in files
        assert (f"{folder}/model.safetensors" in files) is (flavour == "full")


def test_every_data_file_of_the_package_goes_in() -> None:
    there = {
        path
        for path in (ROOT / "desktopapp").rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    assert there == {
        path for path, _ in contents.data_files("lite") if "desktopapp" in path.parts[:-1] and path in there
    }


def test_a_missing_translation_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "resources" / "translations").mkdir(parents=True)
    (tmp_path / "resources" / "translations" / "x_zh_CN.ts").touch()
    monkeypatch.setattr(contents, "ROOT", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"x_zh_CN\.qm.*setup_env"):
        contents.data_files("lite")


def test_hidden_imports_exist_and_none_is_left_out() -> None:
    for flavour in contents.FLAVOURS:
        left_out = contents.excluded_modules(flavour)
        for name in contents.hidden_imports(flavour):
            assert not any(name == other or name.startswith(f"{other}.") for other in left_out), name
            if name.startswith("desktopapp."):
                path = ROOT / name.replace(".", "/")
                assert path.with_suffix(".py").exists() or (path / "__init__.py").exists(), name


def test_lite_has_no_torch_and_full_has() -> None:
    assert {"torch", "transformers"} <= set(contents.excluded_modules("lite"))
    assert not {"torch", "transformers"} & set(contents.excluded_modules("full"))


def test_doctor_finds_the_versions_that_it_tells() -> None:
    backends = {"torch", "transformers", "safetensors"}
    assert set(PACKAGES) - backends <= set(contents.metadata_packages("lite"))
    assert set(PACKAGES) <= set(contents.metadata_packages("full"))


@pytest.mark.parametrize(
    ("destination", "wanted"),
    [
        ("PySide6/Qt/plugins/platforms/libqxcb.so", True),
        ("PySide6/plugins/platforms/qwindows.dll", True),
        (r"PySide6\plugins\platforms\qwindows.dll", True),
        ("PySide6/Qt/plugins/platforms/libqeglfs.so", False),
        ("PySide6/Qt/plugins/sqldrivers/libqsqlite.so", False),
        ("PySide6/Qt/plugins/imageformats/libqpdf.so", False),
        ("PySide6/Qt/plugins/iconengines/libqsvgicon.so", True),
        ("PySide6/Qt/lib/libQt6Qml.so.6", False),
        ("PySide6/Qt/lib/libQt6Gui.so.6", True),
        ("PySide6/Qt/lib/libQt6WebEngineCore.so.6", True),  # the module itself is left out, so it never comes
        ("PySide6/Qt/translations/qtbase_zh_CN.qm", True),
        ("PySide6/Qt/translations/qtbase_de.qm", False),
        ("cv2/cv2.abi3.so", True),
        ("opencv_python_headless.libs/libavcodec-c4204469.so.62.28.101", True),
        ("libvulkan.so.1", False),
        ("numpy/_core/tests/data.npy", False),
        ("models/qwen3-vl/x/model.gguf", True),
    ],
)
def test_files_are_sorted_out_by_their_place(destination: str, wanted: bool) -> None:
    assert contents.is_wanted(destination, "lite") is wanted


def test_torch_goes_in_without_headers() -> None:
    assert contents.is_wanted("torch/lib/libtorch_cpu.so", "full")
    assert not contents.is_wanted("torch/include/ATen/ATen.h", "full")
    assert not contents.is_wanted("torch/lib/libtorch.a", "full")


def test_llama_cpp_s_libraries_must_be_complete(tmp_path: Path) -> None:
    suffix = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
    for stem in ("llama", "mtmd", "ggml", "ggml-base"):
        (tmp_path / f"lib{stem}{suffix}").touch()
    with pytest.raises(FileNotFoundError, match="ggml-cpu"):
        contents.llama_libraries(tmp_path)
    (tmp_path / f"libggml-cpu-haswell{suffix}").touch()
    libraries = contents.llama_libraries(tmp_path)
    assert len(libraries) == 5
    assert contents.is_second_copy(f"libggml{suffix}", libraries)
    assert not contents.is_second_copy(f"llama_cpp/lib/libggml{suffix}", libraries)
    assert not contents.is_second_copy("libgomp.so.1", libraries)


def test_orphans_go_in_turn_and_with_them_their_links() -> None:
    entries = [
        ("cv2/cv2.abi3.so", "cv2", "EXTENSION"),
        ("cv2.libs/libblas-1.so", "stub", "BINARY"),
        ("cv2.libs/libfortran-1.so.5", "fortran", "BINARY"),
        ("cv2.libs/libquad-1.so.0", "quad", "BINARY"),
        ("libquad-1.so.0", "cv2.libs/libquad-1.so.0", "SYMLINK"),
        ("libpython3.11.so.1.0", "python", "BINARY"),
        ("libgtk.so", "gtk", "BINARY"),
        ("PySide6/Qt/plugins/platforms/libqxcb.so", "xcb", "BINARY"),
        ("libxcb.so.1", "xcb1", "BINARY"),
        ("models/x.gguf", "model", "DATA"),
    ]
    needed = {"cv2": ["libblas-1.so"], "fortran": ["libquad-1.so.0"], "xcb": ["libxcb.so.1"]}
    left = pruning.drop_orphans(entries, lambda source: needed.get(source, []), ["libpython"])
    assert [destination for destination, _, _ in left] == [
        "cv2/cv2.abi3.so",
        "cv2.libs/libblas-1.so",
        "libpython3.11.so.1.0",
        "PySide6/Qt/plugins/platforms/libqxcb.so",
        "libxcb.so.1",
        "models/x.gguf",
    ]
    links = [("libquad-1.so.0", "cv2.libs/libquad-1.so.0", "SYMLINK"), ("a.txt", "a", "DATA")]
    assert pruning.drop_dangling(links, left) == [("a.txt", "a", "DATA")]


@linux_only
def test_a_stub_offers_what_is_asked_for_and_says_its_name(tmp_path: Path) -> None:
    for name, code in {
        "libreal": "double dgemm_(void) { return 1; } double unused_(void) { return 2; }",
        "libcaller": "double dgemm_(void); double call(void) { return dgemm_(); }",
    }.items():
        (tmp_path / f"{name}.c").write_text(code)
        command = ["cc", "-shared", "-fPIC", "-o", f"{name}.so", f"{name}.c"]
        subprocess.run(command, cwd=tmp_path, check=True)
    real, caller = tmp_path / "libreal.so", tmp_path / "libcaller.so"
    for kind, told in (("abort", "dgemm_ of libreal.so is not part of this program"), ("null", "")):
        stub = pruning.write_stub(real, [caller], kind, tmp_path / kind)
        assert pruning._symbols(stub, "--defined-only") == {"dgemm_"}
        run = f"import ctypes; print(ctypes.CDLL({str(stub)!r}).dgemm_())"
        done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=False)
        assert told in done.stderr
        assert done.stdout == ("" if told else "0\n")
    assert contents.stub_kind("pillow_heif.libs/libx265-4883ecb5.so.217") == "null"
    assert contents.stub_kind("numpy.libs/libscipy_openblas64_-32a4b2a6.so") == ""


def test_llama_cpp_is_built_for_every_processor_and_one_gpu() -> None:
    options = build_llama.cmake_options(["vulkan"], "linux")
    assert {"-DGGML_BACKEND_DL=ON", "-DGGML_CPU_ALL_VARIANTS=ON", "-DGGML_VULKAN=ON"} <= set(options)
    assert {"-DGGML_NATIVE=OFF", "-DGGML_CUDA=OFF", "-DGGML_METAL=OFF"} <= set(options)
    assert "-DGGML_CUDA=ON" in build_llama.cmake_options(["cuda"], "win32")
    mac = build_llama.cmake_options(["metal"], "darwin")
    assert {"-DGGML_METAL=ON", "-DGGML_CPU_ALL_VARIANTS=OFF", "-DCMAKE_INSTALL_RPATH=@loader_path"} <= set(
        mac
    )
    assert re.fullmatch(r"\d+\.\d+\.\d+", build_llama.pinned_version())


def test_every_desktop_offers_exactly_the_files_that_the_window_takes() -> None:
    assert {suffix for kind in FILE_TYPES for suffix in kind.suffixes} == MEDIA_SUFFIXES
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment,method-assign]
    entry.read(PACKAGING / "linux" / "qwen3-vl-desktop.desktop", encoding="utf-8")
    named = entry["Desktop Entry"]["MimeType"].rstrip(";").split(";")
    assert named == [mime for kind in FILE_TYPES for mime in kind.mime]
    types = bundle_info.information()["CFBundleDocumentTypes"]
    assert [kind["LSItemContentTypes"] for kind in types] == [[kind.uti] for kind in FILE_TYPES]
    offered = re.findall(r'ValueName: "(\.\w+)"', write_resources.file_type_entries())
    assert set(offered) == MEDIA_SUFFIXES


def test_the_version_is_said_once() -> None:
    from desktopapp import __version__

    assert contents.program_version() == __version__
    resource = write_resources.version_resource("1.2.3")
    assert "filevers=(1, 2, 3, 0)" in resource
    assert compile(resource, "version.txt", "eval")
    tree = ElementTree.parse(PACKAGING / "linux" / "io.github.qwen3_vl_desktop.metainfo.xml")
    assert tree.find("releases/release").attrib["version"] == __version__  # type: ignore[union-attr]


def test_manifests_and_the_workflow_can_be_parsed() -> None:
    manifest = (PACKAGING / "windows" / "dpi.manifest").read_text(encoding="utf-8")
    assert "PerMonitorV2" in manifest
    ElementTree.fromstring(manifest.encode())
    rights = plistlib.loads((PACKAGING / "macos" / "entitlements.plist").read_bytes())
    assert rights["com.apple.security.cs.disable-library-validation"] is True
    assert plistlib.dumps(bundle_info.information())
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "packages.yml").read_text(encoding="utf-8"))
    assert set(workflow["jobs"]) == {"linux", "windows", "macos"}


@linux_only
def test_what_the_package_depends_on_is_read_from_its_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text.so").write_text("no library")
    (tmp_path / "libown.so.1").write_bytes(b"\x7fELF")
    monkeypatch.setattr(
        linux_packages, "needed_libraries", lambda _file: ["libown.so.1", "libGL.so.1", "libc.so.6"]
    )
    packages = {"libGL.so.1": "libgl1", "libc.so.6": "libc6"}
    monkeypatch.setattr(linux_packages, "_package_of", lambda library: packages[library])
    depends = linux_packages.dependencies(tmp_path)
    assert depends[1] == "libgl1"
    assert re.fullmatch(r"libc6 \(>= \d+\.\d+\)", depends[0])
    control = linux_packages.control(tmp_path, "lite")
    assert "Package: qwen3-vl-desktop\n" in control
    assert "Conflicts: qwen3-vl-desktop-full\n" in control


@linux_only
def test_the_archive_installs_and_its_removal_leaves_what_is_the_person_s(tmp_path: Path) -> None:
    unpacked, home = tmp_path / "unpacked", tmp_path / "home"
    (unpacked / "program").mkdir(parents=True)
    binary = unpacked / "program" / "qwen3-vl-desktop"
    binary.write_text("#!/bin/sh\necho ran\n")
    binary.chmod(0o755)
    for script in ("install.sh", "uninstall.sh"):
        (unpacked / script).write_bytes((PACKAGING / "linux" / script).read_bytes())
    applications = unpacked / "share" / "applications"
    applications.mkdir(parents=True)
    (applications / "qwen3-vl-desktop.desktop").write_bytes(
        (PACKAGING / "linux" / "qwen3-vl-desktop.desktop").read_bytes()
    )
    own = home / ".local" / "share" / "qwen3-vl-desktop" / "models"
    own.mkdir(parents=True)
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    for _ in range(2):  # the second time over the first
        subprocess.run(["sh", str(unpacked / "install.sh")], env=environment, check=True, capture_output=True)
    started = subprocess.run(
        [str(home / ".local/bin/qwen3-vl-desktop")], check=True, capture_output=True, text=True
    )
    assert started.stdout == "ran\n"
    entry = home / ".local/share/applications/qwen3-vl-desktop.desktop"
    assert f'Exec="{home}/.local/lib/qwen3-vl-desktop/qwen3-vl-desktop" %F' in entry.read_text()
    remove = home / ".local/lib/qwen3-vl-desktop/uninstall.sh"
    subprocess.run(["sh", str(remove)], env=environment, check=True, capture_output=True)
    left = [path for path in home.rglob("*") if path.is_file() or path.is_symlink()]
    assert {path.name for path in left} <= {"mimeinfo.cache", "icon-theme.cache"}
    assert own.is_dir()

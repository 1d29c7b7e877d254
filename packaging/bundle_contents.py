"""What goes into a frozen program, and what stays out of it: read by the PyInstaller spec, checked by tests.

`lite` is the window with llama.cpp and the pocket pair; `full` has torch and transformers as well.
"""

from __future__ import annotations

import fnmatch
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import full_contents

ROOT = Path(__file__).resolve().parent.parent
NAME = "qwen3-vl-desktop"
Flavour: TypeAlias = Literal["lite", "full"]
FLAVOURS: tuple[Flavour, ...] = get_args(Flavour)
# What PyInstaller's bootloader calls the folder beside the program.
CONTENTS = "_internal"
LLAMA_LIBRARIES = "llama_cpp/lib"

_FULL_PACKAGES = ("torch", "transformers", "accelerate", "safetensors", "tokenizers", "triton")
# Nothing of these is used; each was found in a bundle that was made without this list.
_NEVER = (
    "tkinter",
    "pytest",
    "_pytest",
    "hypothesis",
    "setuptools",
    "pkg_resources",
    "pip",
    "mypy",
    "IPython",
    "matplotlib",
    "scipy",
    "pandas",
    "PIL.ImageQt",
    "PIL.ImageTk",
    "PIL._tkinter_finder",
    "cv2.gapi",
    "numpy.f2py",
    "numpy.testing",
    "yaml._yaml",
    "_yaml",
    "pypdfium2_cli",
    "desktopapp.modelstore.gguf_export",
    # The hub's client works without these: its command line, and a second way of downloading.
    "typer",
    "rich",
    "pydantic",
    "hf_xet",
    "PySide6.QtQml",
    "PySide6.QtQuick",
    "PySide6.QtOpenGL",
    "PySide6.QtWebEngineCore",
)
# llama.cpp's Python package asks for these in parts of it that are not used here; torch needs all but gguf.
_LITE_NEVER = ("unittest.mock", "gguf", "requests", "sympy", "networkx", "sqlite3.test")
# Imported inside functions, by name, or by a child process.
_HIDDEN = (
    "desktopapp.app",
    "desktopapp.cli.ask",
    "desktopapp.cli.doctor",
    "desktopapp.cli.get",
    "desktopapp.cli.models",
    "desktopapp.cli.plan",
    "desktopapp.cli.route",
    "desktopapp.engine.backends.fake",
    "desktopapp.engine.backends.llama_cpp.backend",
    "desktopapp.engine.serving",
    "desktopapp.ui.session",
    "cv2",
    # Hands its parts out by name.
    "huggingface_hub.hf_api",
    "json_repair",
    "nh3",
    "pillow_heif",
    "pynvml",
    "pypdfium2",
)
METADATA = (
    "pyside6-essentials",
    "llama-cpp-python",
    "pillow",
    "pillow-heif",
    "opencv-python-headless",
    "numpy",
    "jinja2",
    "msgspec",
    # They ask for their own versions when they are imported.
    "httpx2",
    "httpcore2",
)

# Destinations, as patterns of `fnmatch`; `*` spans folders.
_QT_PLUGINS = (
    "platforms/*qxcb.*",
    "platforms/*qwayland*",
    "platforms/*qoffscreen.*",
    "platforms/*qwindows.*",
    "platforms/*qcocoa.*",
    "platformthemes/*portal*",
    "platforminputcontexts/*composeplatforminputcontext*",
    "platforminputcontexts/*ibusplatforminputcontext*",
    "styles/*",
    "xcbglintegrations/*",
    "wayland-shell-integration/*xdg-shell*",
    "wayland-decoration-client/*",
    "wayland-graphics-integration-client/*wayland-egl*",
    # The window shows pictures that the engine decoded, pictures of the clipboard, and its own SVG icons.
    "imageformats/*qjpeg.*",
    "imageformats/*qsvg.*",
    "imageformats/*qgif.*",
    "imageformats/*qwebp.*",
    "iconengines/*qsvgicon.*",
)
_UNWANTED = (
    # Quick and what it brings; the wheel's hook follows a plugin that is left out above.
    "*Qt6Qml*",
    "*Qt6Quick*",
    "*Qt6Pdf*",
    "*Qt6VirtualKeyboard*",
    "*Qt6ShaderTools*",
    "*Qt6EglFS*",
    "*Qt6OpenGLWidgets*",
    "*QtQml*",
    "*QtQuick*",
    "*/opengl32sw.dll",
    "*/Qt/qml/*",
    "*/Qt/resources/*",
    # The loader belongs to the driver; a second one would look past the system's.
    "libvulkan.so*",
    "*/vulkan-1.dll",
    "libcuda.so*",
    "libdrm.so*",
    # Headers, import libraries, type stubs, sources of extensions, and tests.
    "*.pyi",
    "*.a",
    "*.lib",
    "*.h",
    "*.pxd",
    "*.pyx",
    "*/tests/*",
    "*/testing/*",
    "cv2/misc/*",
    "cv2/data/*",
    "numpy/_core/include/*",
)
_LANGUAGES = ("zh_CN",)
# Libraries that wheels carry for what is never called here, each with what a call should do: `null` lets the caller
# see that there is none, `abort` ends the process with the function's name. 65 MB, and x265 is under the GPL.
STUBS = {"libx265": "null", "libopenblasp": "abort"}


def program_version() -> str:
    """The program's version, from the file that says so.

    Raises:
        ValueError: the file does not say it.
    """
    text = (ROOT / "desktopapp" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    if found is None:
        raise ValueError("desktopapp/__init__.py holds no version")
    return found[1]


def excluded_modules(flavour: Flavour) -> list[str]:
    """Modules that must not be followed."""
    others = full_contents.excluded_modules() if flavour == "full" else (*_FULL_PACKAGES, *_LITE_NEVER)
    return [*_NEVER, *others]


def hidden_imports(flavour: Flavour) -> list[str]:
    """Modules that PyInstaller cannot see being imported."""
    return [*_HIDDEN, *(full_contents.hidden_imports() if flavour == "full" else ())]


def source_modules(flavour: Flavour) -> dict[str, str]:
    """Modules whose sources are read at run time, as PyInstaller's `module_collection_mode`."""
    return full_contents.SOURCES if flavour == "full" else {}


def metadata_packages(flavour: Flavour) -> list[str]:
    """Packages whose versions are read at run time, by `doctor` or by transformers."""
    return [*METADATA, *(full_contents.metadata_packages() if flavour == "full" else ())]


def data_files(flavour: Flavour) -> list[tuple[Path, str]]:
    """Files of the source tree, each with the folder inside the bundle that it goes to.

    Raises:
        FileNotFoundError: something was not made yet; the text says what, and how to make it.
    """
    files = [ROOT / "desktopapp/engine/routing/weights.json", ROOT / "LICENSE"]
    resources = ROOT / "resources"
    files += sorted([*resources.glob("*.json"), *resources.glob("icons/*.svg")])
    files += sorted(path for path in resources.glob("samples/*") if path.suffix != ".py")
    translations = sorted(resources.glob("translations/*.ts"))
    files += [path.with_suffix(".qm") for path in translations]
    for folder in sorted((ROOT / "models" / "qwen3-vl").glob("qwen3-vl-pocket-*")):
        files += _model_files(folder, flavour)
    missing = [path.relative_to(ROOT).as_posix() for path in files if not path.is_file()]
    if missing or not translations:
        raise FileNotFoundError(f"missing: {', '.join(missing)}; run: python3 packaging/setup_env.py")
    return [(path, path.parent.relative_to(ROOT).as_posix()) for path in files]


def _model_files(folder: Path, flavour: Flavour) -> list[Path]:
    """Of one pocket model: without torch the safetensors are of no use, but the small files tell what it is."""
    projector, weights = folder / f"mmproj-{folder.name}-F16.gguf", folder / f"{folder.name}-Q8_0.gguf"
    others = [path for path in folder.iterdir() if path.suffix in {".json", ".jinja", ".txt"}]
    return [projector, weights, *sorted(others), *(folder.glob("*.safetensors") if flavour == "full" else ())]


def is_wanted(destination: str, flavour: Flavour) -> bool:
    """Whether a collected file belongs into the bundle.

    Args:
        destination: its path inside the bundle, with either kind of slash.
        flavour: which program.
    """
    path = destination.replace("\\", "/")
    if "/plugins/" in path and path.startswith("PySide6/"):
        return _matches(path.partition("/plugins/")[2], _QT_PLUGINS)
    if path.startswith("PySide6/") and "/translations/" in path:
        return _matches(path, [f"*/qtbase_{language}.qm" for language in _LANGUAGES])
    if flavour == "full" and path.startswith(("torch/", "transformers/", "triton/", "nvidia/")):
        return not _matches(path, full_contents.UNWANTED)
    return not _matches(path, _UNWANTED)


def stub_kind(destination: str) -> str:
    """What stands in for a collected library: `null`, `abort`, or empty where it goes in itself."""
    name = destination.rpartition("/")[2]
    return next((kind for stem, kind in STUBS.items() if name.startswith(f"{stem}-")), "")


def is_link_to_torch(destination: str, source: str) -> bool:
    """Whether an entry is a link at the top to a library of torch's, which finds its own by their place."""
    return "/" not in destination and source.startswith(("nvidia/", "torch/"))


def is_second_copy(destination: str, libraries: Iterable[Path]) -> bool:
    """Whether a file is one of llama.cpp's libraries beside its place: loaded as well, it would know no backends."""
    return "/" not in destination and destination in {path.name for path in libraries}


def llama_libraries(folder: Path) -> list[Path]:
    """The libraries to bundle; they all go to `LLAMA_LIBRARIES`.

    Args:
        folder: with `libllama` and the others, as `build_llama.py` leaves them.

    Raises:
        FileNotFoundError: one that cannot be missing is.
    """
    suffix = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
    files = [path for path in sorted(folder.iterdir()) if path.suffix in {suffix, ".so", ".metallib"}]
    stems = {path.stem.removeprefix("lib") for path in files}
    missing = {"llama", "mtmd", "ggml", "ggml-base"} - stems
    if missing or not any(stem.startswith("ggml-cpu") for stem in stems):
        raise FileNotFoundError(
            f"{folder} lacks {', '.join(sorted(missing)) or 'ggml-cpu'}; see build_llama.py"
        )
    return files


def _matches(path: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)

"""What the Windows build reads and the source tree would otherwise say twice: the version resource, the file types.

    python packaging/windows/write_resources.py

Writes `build/windows/version.txt` for PyInstaller and `build/windows/file_types.iss` for Inno Setup.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging"))

from bundle_contents import NAME, program_version  # noqa: E402
from file_types import FILE_TYPES  # noqa: E402

TARGET = ROOT / "build" / "windows"
_US_ENGLISH, _UNICODE = 0x0409, 0x04B0


def version_resource(version: str) -> str:
    """The version resource in PyInstaller's notation.

    Args:
        version: as `0.1.0`; what follows the numbers is left out of the binary fields.
    """
    numbers = tuple(int(part) for part in version.split(".")[:3] if part.isdecimal())
    four = (*numbers, *(0,) * (4 - len(numbers)))
    texts = {
        "CompanyName": "The Qwen3-VL Desktop authors",
        "FileDescription": "Qwen3-VL Desktop",
        "FileVersion": version,
        "InternalName": NAME,
        "LegalCopyright": "Apache-2.0",
        "OriginalFilename": f"{NAME}.exe",
        "ProductName": "Qwen3-VL Desktop",
        "ProductVersion": version,
    }
    strings = ", ".join(f"StringStruct({name!r}, {value!r})" for name, value in texts.items())
    return (
        f"VSVersionInfo(ffi=FixedFileInfo(filevers={four}, prodvers={four}, mask=0x3F, flags=0x0, OS=0x40004,"
        " fileType=0x1, subtype=0x0, date=(0, 0)), kids=[StringFileInfo([StringTable("
        f"'{_US_ENGLISH:04x}{_UNICODE:04x}', [{strings}])]),"
        f" VarFileInfo([VarStruct('Translation', [{_US_ENGLISH}, {_UNICODE}])])])\n"
    )


def file_type_entries() -> str:
    """Inno Setup's registry lines that offer the program under "Open with"."""
    lines = [
        f'Root: HKA; Subkey: "Software\\Classes\\Applications\\{NAME}.exe\\SupportedTypes"; '
        f'ValueType: string; ValueName: "{suffix}"; ValueData: ""; Tasks: openwith'
        for file_type in FILE_TYPES
        for suffix in file_type.suffixes
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write both files."""
    TARGET.mkdir(parents=True, exist_ok=True)
    (TARGET / "version.txt").write_text(version_resource(program_version()), encoding="utf-8")
    (TARGET / "file_types.iss").write_text(f"[Registry]\n{file_type_entries()}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

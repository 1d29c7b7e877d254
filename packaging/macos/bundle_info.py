"""The Info.plist of the Mac's program: what it is, what it opens, what it asks for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bundle_contents import program_version
from file_types import FILE_TYPES

BUNDLE_IDENTIFIER = "io.github.qwen3-vl-desktop"


def information() -> dict[str, Any]:
    """Keys and values; PyInstaller adds the names of the executable and the icon."""
    return {
        "CFBundleDisplayName": "Qwen3-VL Desktop",
        "CFBundleShortVersionString": program_version(),
        "CFBundleVersion": program_version(),
        "CFBundleLocalizations": ["en", "zh_CN"],
        "CFBundleDocumentTypes": [
            {
                "CFBundleTypeName": file_type.name,
                "CFBundleTypeRole": "Viewer",
                # Offered, never taken: what opens these files stays as the person chose it.
                "LSHandlerRank": "Alternate",
                "LSItemContentTypes": [file_type.uti],
            }
            for file_type in FILE_TYPES
        ],
        "LSApplicationCategoryType": "public.app-category.utilities",
        "LSMinimumSystemVersion": "13.0",
        "NSHighResolutionCapable": True,
        "NSRequiresAquaSystemAppearance": False,
        "NSScreenCaptureUsageDescription": "A picture of the screen is taken when you press the capture button.",
    }

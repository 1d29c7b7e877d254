"""The exporter's command line."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from desktopapp.errors import AppError
from desktopapp.modelstore.gguf_export.export import PRECISIONS, PROJECTOR_PRECISIONS, export_gguf


def main(arguments: list[str] | None = None) -> int:
    """Export one folder; returns the exit code: 0 done, 1 failed, 2 wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m desktopapp.modelstore.gguf_export",
        description="Export a Qwen3-VL folder (config.json and safetensors) to two GGUF files.",
    )
    parser.add_argument("folder", type=Path, help="folder with config.json and safetensors")
    parser.add_argument("text_file", type=Path, help="GGUF file to write for the text model")
    parser.add_argument("projector_file", type=Path, help="mmproj GGUF file to write for the vision part")
    parser.add_argument("--precision", choices=PRECISIONS, default="Q8_0")
    parser.add_argument("--projector-precision", choices=PROJECTOR_PRECISIONS, default="F16")
    options = parser.parse_args(arguments)
    try:
        export_gguf(
            options.folder,
            options.text_file,
            options.projector_file,
            options.precision,
            options.projector_precision,
        )
    except AppError as error:
        sys.stderr.write(f"{error.message} {error.remedy}\n")
        return 1
    except OSError as error:
        sys.stderr.write(
            f"The files cannot be written: {error.strerror}. Choose another place, or make room.\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

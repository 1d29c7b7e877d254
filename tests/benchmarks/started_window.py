"""Starts the window as `python main.py` does, prints what that took as one line of JSON, and ends.

Measured from the start of the process: to the window being exposed, and to the engine having been started and the
last conversation shown behind it.
"""

import json
import os
import sys
import time

import psutil
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from desktopapp import app

HEAVY = ("numpy", "torch", "transformers", "llama_cpp", "PIL", "cv2", "gguf", "safetensors")


def main() -> None:
    """Open the window once."""
    process = psutil.Process()
    born_s = process.create_time()
    figures: dict[str, object] = {}
    begin = app.Desktop.begin

    def measured_begin(desktop: app.Desktop, files: list[str]) -> None:
        if figures:
            return
        while not desktop.window.windowHandle().isExposed():
            QApplication.processEvents()
        figures["visible_s"] = time.time() - born_s
        used = process.cpu_times()
        figures["visible_cpu_s"] = used.user + used.system
        figures["visible_rss_bytes"] = process.memory_info().rss
        begin(desktop, files)
        figures["begun_s"] = time.time() - born_s
        QTimer.singleShot(int(os.environ.get("SETTLE_MS", "1500")), desktop, lambda: finish(desktop))

    def finish(desktop: app.Desktop) -> None:
        used_memory = process.memory_full_info()
        figures["settled_rss_bytes"] = used_memory.rss
        figures["settled_own_bytes"] = used_memory.uss
        figures["heavy_modules"] = [name for name in HEAVY if name in sys.modules]
        figures["title"] = desktop.window.windowTitle()
        desktop.window.close()

    app.Desktop.begin = measured_begin  # type: ignore[method-assign, assignment]
    code = app.main([])
    print(json.dumps(figures))
    sys.exit(code)


if __name__ == "__main__":
    main()

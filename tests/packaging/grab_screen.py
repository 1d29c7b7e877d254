"""Save a picture of the whole screen: `python grab_screen.py FILE`."""

import sys

from PySide6.QtGui import QGuiApplication

application = QGuiApplication(sys.argv[:1])
sys.exit(0 if application.primaryScreen().grabWindow(0).save(sys.argv[1]) else 1)

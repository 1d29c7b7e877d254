"""Another program that a file is dragged out of: a small window at the screen's corner, on its own connection.

    python drag_source.py FILE

Ends with 0 once something took the file, with 1 where nothing did.
"""

import sys

from PySide6.QtCore import QMimeData, Qt, QTimer, QUrl
from PySide6.QtGui import QDrag, QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel

_LINGER_MS = 15_000


class DragSource(QLabel):
    """A square that is dragged."""

    def __init__(self, path: str) -> None:
        super().__init__("drag me")
        self._path = path
        self.setWindowTitle("drag source")
        self.setWindowFlags(Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint)
        self.setGeometry(0, 0, 80, 80)

    def mouseMoveEvent(self, _event: QMouseEvent) -> None:
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(self._path)])
        drag = QDrag(self)
        drag.setMimeData(mime)
        taken = drag.exec(Qt.DropAction.CopyAction | Qt.DropAction.MoveAction)
        # What took it asks this process for the data only now.
        QTimer.singleShot(
            _LINGER_MS, lambda: QApplication.exit(0 if taken == Qt.DropAction.CopyAction else 1)
        )


def main() -> int:
    application = QApplication(sys.argv[:1])
    source = DragSource(sys.argv[1])
    source.show()
    return application.exec()


if __name__ == "__main__":
    sys.exit(main())

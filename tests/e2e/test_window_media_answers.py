"""The shipped model in the real window: a dropped PDF is read, a button is framed, the second of a change is found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktopapp import paths
from desktopapp.app import Desktop
from desktopapp.engine.backends.registry import default_backends
from desktopapp.settings import Settings
from desktopapp.ui.chat import ChatState
from desktopapp.ui.media.places_panel import PlacesPanel
from desktopapp.worker.inference_worker import InferenceWorker
from models.pocket.evaluation.scores import overlap
from tests.desktop import opened_desktop
from tests.documents import write_document

PATIENCE_MS = 150_000
POCKET = paths.program_dir() / "models" / "qwen3-vl" / "qwen3-vl-pocket-instruct"
BUTTON = (380, 260, 540, 320)
CHANGE_S = 4.5


@pytest.fixture
def desktop(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desktop]:
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "home"))
    worker = InferenceWorker(default_backends, log_dir=tmp_path / "logs")
    settings = Settings(model_name=str(POCKET), backend="transformers", language="en", theme="light")
    with opened_desktop(qapp, qtbot, worker, settings) as desktop:
        yield desktop


def ask_about(desktop: Desktop, qtbot: QtBot, path: Path, question: str) -> str:
    """Drop a file, wait for its price, ask, wait for the answer."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    copy, button, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(desktop.window, QDragEnterEvent(QPoint(200, 200), copy, mime, button, keys))
    QApplication.sendEvent(desktop.window, QDropEvent(QPointF(200, 200), copy, mime, button, keys))
    (card,) = desktop.window.composer.strip.cards
    qtbot.waitUntil(lambda: "tokens" in card.accessibleDescription(), timeout=PATIENCE_MS)
    qtbot.keyClicks(desktop.window.composer.edit, question)
    qtbot.keyClick(desktop.window.composer.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: desktop.session.chat.state is ChatState.IDLE, timeout=PATIENCE_MS)
    desktop.window.view.flush()
    return desktop.session.chat.messages[-1].text


def panel_of(desktop: Desktop, qtbot: QtBot) -> PlacesPanel:
    """What the answer points at, its picture there."""
    panel = list(desktop.window.view._answers.values())[-1].places.panel
    assert panel is not None
    qtbot.waitUntil(lambda: not panel.canvas.image.isNull(), timeout=PATIENCE_MS)
    return panel


def test_a_dropped_pdf_is_read(desktop: Desktop, qtbot: QtBot, tmp_path: Path) -> None:
    path = write_document(tmp_path / "note.pdf", ["Green garden", "Second page"], size=(420, 300))
    text = ask_about(desktop, qtbot, path, "What does it say?")
    assert "Green garden" in text


def test_a_button_is_framed(desktop: Desktop, qtbot: QtBot, tmp_path: Path) -> None:
    picture = Image.new("RGB", (640, 400), (238, 240, 244))
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(26)  # the same on every machine
    pen.text((40, 60), "Delete the file?", (30, 30, 30), font)
    for left, text in ((120, "Cancel"), (380, "Delete")):
        pen.rounded_rectangle((left, 260, left + 160, 320), 10, (255, 255, 255), (120, 120, 130), 2)
        pen.text((left + 80, 290), text, (20, 20, 20), font, anchor="mm")
    path = tmp_path / "dialog.png"
    picture.save(path)
    ask_about(desktop, qtbot, path, 'Locate the button "Delete", output its bbox_2d in JSON.')
    canvas = panel_of(desktop, qtbot).canvas
    (place,) = canvas.places
    assert place.label == "Delete"
    box = place.pixels(640, 400)
    assert overlap((box[0], box[1], box[2], box[3]), BUTTON) > 0.5
    # Where it is drawn in the widget is where the button is in the picture there.
    area, drawn = canvas.picture_rect(), canvas.place_rect(place)
    assert drawn.center().x() == pytest.approx(area.x() + area.width() * 460 / 640, abs=area.width() * 0.05)
    assert drawn.center().y() == pytest.approx(area.y() + area.height() * 290 / 400, abs=area.height() * 0.05)


def test_the_second_of_a_change_is_found_and_sought(desktop: Desktop, qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "change.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (256, 192))
    for number in range(60):
        frame = np.full((192, 256, 3), (232, 241, 244), np.uint8)
        colour = (224, 87, 36) if number >= CHANGE_S * 10 else (40, 39, 214)
        writer.write(cv2.circle(frame, (90, 96), 50, colour, -1, cv2.LINE_AA))
    writer.release()
    ask_about(desktop, qtbot, path, "When does the scene change? Answer as mm:ss.ff.")
    panel = panel_of(desktop, qtbot)
    (moment,) = panel.group.moments
    assert moment.start_s == pytest.approx(CHANGE_S, abs=0.5)
    assert panel.track.now_s == pytest.approx(moment.start_s, abs=0.01)
    # One second later the circle is blue.
    panel.track.set_now(moment.start_s + 1)
    panel.track.sought.emit(panel.track.now_s)

    def is_blue() -> bool:
        image = panel.canvas.image
        colour = image.pixelColor(image.width() * 90 // 256, image.height() // 2)
        return colour.blue() > 180 > colour.red()

    qtbot.waitUntil(is_blue, timeout=PATIENCE_MS)

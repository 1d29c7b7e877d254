"""The evaluation's crops of windows and pages show what they are said to say."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QDialog, QLabel, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from models.pocket.evaluation.item import VIDEO_FPS, write_video
from models.pocket.evaluation.pages import page_items
from models.pocket.evaluation.windows import window_items


def test_crops_are_of_what_is_seen_whole_in_the_window_itself(qtbot: QtBot, tmp_path: Path) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    for text in ("Open", "Two\nlines", "中文", "Save &as"):
        layout.addWidget(QPushButton(text))
    hidden = QLabel("hidden", window)
    layout.addWidget(hidden)
    window.show()
    hidden.hide()
    narrow = QLabel("much too long for this", window)
    narrow.setGeometry(2, 2, 20, 10)
    narrow.show()
    dialog = QDialog(window)
    QVBoxLayout(dialog).addWidget(QLabel("elsewhere"))
    dialog.show()
    items = window_items(window, tmp_path, "w-")
    assert [item.expected for item in items] == ["Open", "Save as"]
    for item in items:
        crop = QImage(str(tmp_path / item.pictures[0]))
        assert 0 < crop.height() < window.height()
    assert [item.expected for item in window_items(dialog, tmp_path, "d-")] == ["elsewhere"]


def test_pages_are_cropped_by_lines_without_lists_and_tables(qtbot: QtBot, tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    words = " ".join(f"word{index}" for index in range(60))
    document.write_text(f"{words}\n\n- {words}\n\n| a | b |\n|---|---|\n| {words} | c |\n\n第一段 {words}\n")
    items = page_items([document], tmp_path)
    assert " ".join(str(item.expected) for item in items).split() == words.split()
    heights = {QImage(str(tmp_path / item.pictures[0])).height() for item in items}
    assert max(heights) < 5 * 18 * 2


def test_videos_are_written_without_loss(tmp_path: Path) -> None:
    frames = [np.full((64, 96, 3), value, np.uint8) for value in (0, 90, 255)]
    frames[1][:, :40] = (200, 10, 30)
    write_video(tmp_path / "a.avi", frames)
    video = cv2.VideoCapture(str(tmp_path / "a.avi"))
    assert video.get(cv2.CAP_PROP_FPS) == VIDEO_FPS
    for frame in frames:
        read, shown = video.read()
        assert read
        assert np.abs(shown[:, :, ::-1].astype(int) - frame).max() <= 3
    assert not video.read()[0]

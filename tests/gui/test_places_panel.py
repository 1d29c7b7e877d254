"""Boxes and moments of answers: found while the text streams, drawn in the right place, hovered on either side."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QImage, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from desktopapp.app import Desktop
from desktopapp.engine.events import PreviewRead
from desktopapp.engine.grounding.places import Place
from desktopapp.engine.media.preview import read_previews
from desktopapp.engine.request import Attachment
from desktopapp.ui.media.document_view import DocumentView
from desktopapp.ui.media.places_canvas import PlacesCanvas
from desktopapp.ui.media.places_panel import PlacesPanel
from tests.gui.scripted_worker import script_of
from tests.gui.window_actions import ask

BOXES = '```json\n[{"bbox_2d": [100, 100, 500, 500], "label": "cat"},\n'
MORE = '{"bbox_2d": [200, 200, 300, 300], "label": "eye"}, {"point_2d": [800, 800], "label": "nose"}]\n```\n'


def panel_of(desktop: Desktop) -> PlacesPanel:
    answer = list(desktop.window.view._answers.values())[-1]
    assert answer.places.panel is not None
    return answer.places.panel


def question(desktop: Desktop, *paths: str) -> None:
    desktop.session.intake.take_paths(paths)
    ask(desktop, "Find them")


def show(desktop: Desktop, path: str, position: float, width: int = 400, height: int = 400) -> None:
    rgb = base64.b64encode(bytes([90, 120, 200]) * (width * height)).decode()
    event = PreviewRead(path, position, width, height, rgb, width * 2, height * 2, 20.0)
    script_of(desktop).preview_read.emit(event)


def hover(canvas: PlacesCanvas, point: QPointF) -> None:
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        point,
        canvas.mapToGlobal(point),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(canvas, event)


@pytest.fixture
def boxes(desktop: Desktop, make_png: Callable[..., str]) -> PlacesPanel:
    """The panel of an answer with two boxes and a point, its picture there."""
    path = make_png()
    question(desktop, path)
    script_of(desktop).say(BOXES + MORE)
    script_of(desktop).finish(BOXES + MORE)
    desktop.window.view.flush()
    show(desktop, path, -1.0)
    return panel_of(desktop)


def test_boxes_appear_while_the_answer_streams(
    desktop: Desktop, make_png: Callable[..., str], qtbot: QtBot
) -> None:
    path = make_png()
    question(desktop, path)
    answer = list(desktop.window.view._answers.values())[-1]
    script_of(desktop).say("Here: ")
    script_of(desktop).say(BOXES)
    qtbot.waitUntil(lambda: answer.places.panel is not None)
    assert [place.caption for place in panel_of(desktop).canvas.places] == ["cat"]
    asked = script_of(desktop).asked_previews[-1]
    assert (asked[0].path, asked[1]) == (path, (-1.0,))
    script_of(desktop).say(MORE)
    qtbot.waitUntil(lambda: len(panel_of(desktop).canvas.places) == 3)


def test_an_answer_without_places_has_no_panel(desktop: Desktop, make_png: Callable[..., str]) -> None:
    question(desktop, make_png())
    script_of(desktop).finish("It is 10:30, and a cat.")
    desktop.window.view.flush()
    assert list(desktop.window.view._answers.values())[-1].places.panel is None


def test_hover_on_either_side_shows_the_other(boxes: PlacesPanel) -> None:
    canvas = boxes.canvas
    assert canvas.picture_rect().width() == canvas.picture_rect().height()
    hover(canvas, canvas.place_rect(canvas.places[0]).topLeft() + QPointF(5, 5))
    assert [item.text() for item in boxes.list.selectedItems()] == ["cat"]
    # Where one lies inside another, the smaller one.
    hover(canvas, canvas.place_rect(canvas.places[1]).center())
    assert [item.text() for item in boxes.list.selectedItems()] == ["eye"]
    boxes.list.itemEntered.emit(boxes.list.item(2))
    assert canvas._highlighted == 2
    hover(canvas, QPointF(canvas.picture_rect().right() - 3, canvas.picture_rect().top() + 3))
    assert boxes.list.selectedItems() == []


def test_zoom_keeps_what_is_under_the_pointer(boxes: PlacesPanel) -> None:
    canvas = boxes.canvas
    held = canvas.place_rect(canvas.places[1]).center()
    wheel = QWheelEvent(
        held,
        canvas.mapToGlobal(held),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.ControlModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    before = canvas.place_rect(canvas.places[1]).width()
    for _ in range(3):
        QApplication.sendEvent(canvas, wheel)
    after = canvas.place_rect(canvas.places[1])
    assert after.width() > before * 1.9
    assert (after.center() - held).manhattanLength() < 2
    QTest.keyClick(canvas, Qt.Key.Key_0)
    assert abs(canvas.place_rect(canvas.places[1]).width() - before) < 0.01


def test_a_crop_is_copied_and_places_are_saved(
    boxes: PlacesPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    boxes.list.setCurrentRow(1)
    boxes._copy.click()
    copied = QGuiApplication.clipboard().image()
    assert (copied.width(), copied.height()) == (40, 40)
    for form, suffix in (("json", ".json"), ("coco", ".json"), ("picture", ".png")):
        target = tmp_path / f"{form}{suffix}"
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, target=target: (str(target), ""))
        boxes._save_picture() if form == "picture" else boxes._save_text(form)
    plain = json.loads((tmp_path / "json.json").read_text())
    assert (plain["width"], plain["height"]) == (800, 800)
    assert plain["places"][0]["pixels"] == [80, 80, 400, 400]
    assert len(json.loads((tmp_path / "coco.json").read_text())["annotations"]) == 2
    assert QImage(str(tmp_path / "picture.png")).size() == boxes.canvas.image.size()


@pytest.mark.parametrize("form", ["json", "picture"])
def test_places_that_cannot_be_saved_say_why_until_they_are(
    boxes: PlacesPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    folder = tmp_path / "absent"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(folder / "boxes.out"), ""))

    def save() -> None:
        boxes._save_picture() if form == "picture" else boxes._save_text(form)

    save()
    assert boxes._unsaved.isVisibleTo(boxes)
    assert boxes._unsaved.text().startswith("boxes.out was not saved: ")
    folder.mkdir()
    save()
    assert not boxes._unsaved.isVisibleTo(boxes)
    assert (folder / "boxes.out").stat().st_size > 0


def test_several_pictures_each_keep_their_boxes(desktop: Desktop, make_png: Callable[..., str]) -> None:
    first, second = make_png("first.png"), make_png("second.png")
    question(desktop, first, second)
    text = f"Picture 1: {BOXES}]\n```\nPicture 2: {BOXES}{MORE}"
    script_of(desktop).finish(text)
    desktop.window.view.append_text(script_of(desktop).requests[-1].request_id, "answer", text)  # type: ignore[arg-type]
    answer = list(desktop.window.view._answers.values())[-1]
    answer.places.feed(text)
    answer.places.look()
    panel = panel_of(desktop)
    assert [Path(group.attachment.path).name for group in panel._groups] == ["first.png", "second.png"]
    assert [len(group.places) for group in panel._groups] == [1, 3]
    panel._choice.setCurrentIndex(1)
    assert panel.group.attachment.path == second
    assert script_of(desktop).asked_previews[-1][0].path == second


def test_moments_seek(desktop: Desktop, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"x")
    question(desktop, str(path))
    text = "- 0:03 it begins\n- 0:07 – 0:09 it turns red\n"
    script_of(desktop).say(text)
    script_of(desktop).finish(text)
    desktop.window.view.flush()
    panel = panel_of(desktop)
    assert [panel.list.item(row).text() for row in range(2)] == [
        "0:03  it begins",
        "0:07 – 0:09  it turns red",
    ]
    show(desktop, str(path), 3.0)
    assert panel.track.now_s == 3
    panel.list.setCurrentRow(1)
    assert script_of(desktop).asked_previews[-1][1] == (7.0,)
    show(desktop, str(path), 7.0, 300, 200)
    assert panel.canvas.image.width() == 300
    QTest.mouseClick(panel.track, Qt.MouseButton.LeftButton, pos=QPoint(panel.track.width() // 2, 8))
    assert panel.track.now_s == pytest.approx(10, abs=0.3)


def test_a_time_that_still_grows_is_followed_until_the_person_seeks(desktop: Desktop, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"x")
    question(desktop, str(path))
    answer = list(desktop.window.view._answers.values())[-1]
    for text, second in (("00:04", 4.0), ("00:04.6", 4.6)):
        answer.places.feed(text)
        answer.places.look()
        assert panel_of(desktop).track.now_s == second
        assert script_of(desktop).asked_previews[-1][1] == (second,)
    panel = panel_of(desktop)
    panel.track.set_now(2.0)
    panel.track.sought.emit(2.0)
    answer.places.feed("00:04.62 it turns")
    answer.places.look()
    assert panel.track.now_s == 2.0


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("size", [(640, 480), (37, 1500)])
def test_a_box_lies_right_whatever_the_camera_held(
    tmp_path: Path, qtbot: QtBot, turn: int, size: tuple[int, int]
) -> None:
    """A red field in a picture of any EXIF orientation: the box in thousandths of the upright picture covers it."""
    width, height = size
    upright = np.full((height, width, 3), 255, np.uint8)
    x1, y1, x2, y2 = width // 5, height // 4, width // 2, height // 2
    upright[y1:y2, x1:x2] = (220, 20, 20)
    inverse = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = Image.fromarray(upright)
    if turn > 1:
        stored = stored.transpose(Image.Transpose(inverse[turn]))
    exif = Image.Exif()
    exif[274] = turn
    path = tmp_path / "turned.png"
    stored.save(path, exif=exif)
    (preview,) = read_previews(Attachment(str(path)), (-1.0,), 1280)
    assert (preview.full_width, preview.full_height) == size
    pixels = np.frombuffer(base64.b64decode(preview.rgb), np.uint8).reshape(preview.height, preview.width, 3)
    box = Place(tuple(1000 * v / s for v, s in zip((x1, y1, x2, y2), (width, height) * 2, strict=True)))
    left, top, right, bottom = box.pixels(preview.width, preview.height)
    red = np.argwhere(pixels[:, :, 1] < 120)
    found = (red[:, 1].min(), red[:, 0].min(), red[:, 1].max() + 1, red[:, 0].max() + 1)
    assert max(abs(a - b) for a, b in zip(found, (left, top, right, bottom), strict=True)) <= 2


def test_a_page_as_html_is_shown_beside_its_picture(
    desktop: Desktop, make_png: Callable[..., str], qtbot: QtBot
) -> None:
    path = make_png()
    question(desktop, path)
    text = (
        '```html\n<h1 data-bbox="10 20 900 80">A title</h1>\n<p data-bbox="10 100 900 300">Words'
        '<img src="file:///etc/hostname"></p>\n```\n'
    )
    script_of(desktop).say(text)
    script_of(desktop).finish(text)
    desktop.window.view.flush()
    show(desktop, path, -1.0)
    panel = panel_of(desktop)
    assert panel.document_button.isVisibleTo(panel)
    panel.document_button.click()
    view = panel.findChild(DocumentView)
    assert view is not None
    assert view.page.toPlainText().split() == ["▸", "A", "title", "▸", "Words"]
    view.page.highlighted.emit(QUrl("place:1"))
    assert view.canvas._highlighted == 1
    view.page.highlighted.emit(QUrl(""))
    assert view.canvas._highlighted == -1
    view.canvas.chosen.emit(0)
    assert [mark.cursor.block().text() for mark in view.page.extraSelections()] == ["▸ A title"]
    hover(view.canvas, view.canvas.place_rect(view.canvas.places[1]).center())
    assert [mark.cursor.block().text() for mark in view.page.extraSelections()] == ["▸ Words"]
    view.canvas.hovered.emit(-1)
    assert view.page.extraSelections() == []
    view.close()


def test_a_length_that_is_known_stays_known_while_text_comes(desktop: Desktop, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"x")
    question(desktop, str(path))
    script_of(desktop).say("Look at 0:05.")
    desktop.window.view.flush()
    answer = list(desktop.window.view._answers.values())[-1]
    answer.places.look()
    show(desktop, str(path), 5.0)
    assert panel_of(desktop).track.duration_s == 20.0
    script_of(desktop).say(" And at 0:07.")
    desktop.window.view.flush()
    answer.places.look()
    assert len(panel_of(desktop).group.moments) == 2
    assert panel_of(desktop).track.duration_s == 20.0


def test_few_pictures_of_a_video_are_kept(desktop: Desktop, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"x")
    question(desktop, str(path))
    script_of(desktop).say("Look at 0:01.")
    desktop.window.view.flush()
    list(desktop.window.view._answers.values())[-1].places.look()
    panel = panel_of(desktop)
    for second in range(1, 30):
        panel.track.set_now(second / 2)
        show(desktop, str(path), second / 2, width=210 + second)
        assert panel.canvas.image.width() == 210 + second
    assert len(panel._previews) == 12


def test_a_large_picture_is_averaged_once_for_its_place(qtbot: QtBot) -> None:
    stripes = np.zeros((400, 800, 3), np.uint8)
    stripes[:, ::2] = 255
    image = QImage(stripes.tobytes(), 800, 400, 2400, QImage.Format.Format_RGB888).copy()
    canvas = PlacesCanvas()
    qtbot.addWidget(canvas)
    canvas.setFixedSize(100, 50)
    canvas.show_image(image)
    shown = canvas.grab().toImage()
    assert abs(shown.pixelColor(shown.width() // 2, shown.height() // 2).red() - 127) < 25
    assert canvas._drawn_image(canvas.picture_rect()) == canvas._fitted
    canvas._zoom_at(QPointF(50, 25), 3.0)
    assert canvas._drawn_image(canvas.picture_rect()) == image


def test_marks_never_lie_over_another_picture(desktop: Desktop, make_png: Callable[..., str]) -> None:
    first, second = make_png("first.png"), make_png("second.png")
    question(desktop, first, second)
    script_of(desktop).say('Picture 1: {"bbox_2d": [1, 1, 9, 9]} Picture 2: {"bbox_2d": [5, 5, 90, 90]}')
    desktop.window.view.flush()
    list(desktop.window.view._answers.values())[-1].places.look()
    panel = panel_of(desktop)
    show(desktop, first, -1.0)
    assert panel.canvas.image.width() == 400
    panel._choice.setCurrentIndex(1)
    assert panel.canvas.image.isNull()
    show(desktop, second, -1.0, width=300)
    assert panel.canvas.image.width() == 300
    panel._choice.setCurrentIndex(0)
    assert panel.canvas.image.width() == 400

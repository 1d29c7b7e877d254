"""Every text is translated, live, and no placeholder gets lost on the way."""

import re
import runpy
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QTranslator
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from desktopapp import attachment_errors, errors, paths
from desktopapp.app import Desktop
from desktopapp.engine.events import Failed
from desktopapp.engine.plan_note import NoteCode, PlanNote
from desktopapp.settings import Settings
from desktopapp.ui.engine_phrases import PHRASES
from desktopapp.ui.languages import LanguageController, resolve_language
from desktopapp.ui.wording import translate_error
from tests.gui.scripted_worker import script_of

OpenDesktop = Callable[..., Desktop]
ROOT = Path(__file__).resolve().parents[2]
CHINESE = ROOT / "resources" / "translations" / "qwen3-vl-desktop_zh_CN.ts"
PLACEHOLDER = re.compile(r"\{\w+\}|%\d|%n")


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Resources with freshly compiled catalogues; the set-up makes those of the source tree."""
    resources = tmp_path / "resources"
    shutil.copytree(paths.resources_dir(), resources)
    tool = Path(sys.executable).with_name("pyside6-lrelease")
    made = resources / "translations" / CHINESE.with_suffix(".qm").name
    subprocess.run([str(tool), "-silent", str(CHINESE), "-qm", str(made)], check=True)
    monkeypatch.setattr(paths, "resources_dir", lambda: resources)


def messages(catalogue: Path) -> dict[tuple[str, str], ElementTree.Element]:
    return {
        (context.findtext("name", ""), message.findtext("source", "")): message
        for context in ElementTree.parse(catalogue).getroot().iter("context")
        for message in context.iter("message")
    }


def test_catalogue_has_every_text_of_the_sources_and_no_other(tmp_path: Path) -> None:
    fresh = tmp_path / CHINESE.name
    shutil.copy(CHINESE, fresh)
    # The folder's name is that of a PyPI package, so it cannot be imported.
    script = runpy.run_path(str(ROOT / "packaging" / "update_translations.py"))
    script["update"](fresh)
    assert set(messages(fresh)) == set(messages(CHINESE)), "run packaging/update_translations.py"


def test_no_translation_is_missing_or_loses_a_placeholder() -> None:
    for (context, source), message in messages(CHINESE).items():
        translation = message.find("translation")
        assert translation is not None
        assert translation.get("type") is None, f"{context}: {source}"
        text = translation.text or ""
        assert text.strip(), f"{context}: {source}"
        assert sorted(PLACEHOLDER.findall(source)) == sorted(PLACEHOLDER.findall(text)), source


def test_no_text_hides_from_lupdate_inside_an_f_string() -> None:
    hidden = re.compile(r"""\{\s*(?:self\.tr|translate)\(""")
    for source in (ROOT / "desktopapp").rglob("*.py"):
        assert not hidden.search(source.read_text("utf-8")), source


def test_phrases_are_those_that_the_engine_writes() -> None:
    folders = ("engine", "worker", "modelstore")
    sources = [path for folder in folders for path in (ROOT / "desktopapp" / folder).rglob("*.py")]
    written = "\n".join(path.read_text("utf-8") for path in sources)
    for phrase in PHRASES:
        # Two of them are made from a name.
        template = re.sub(r"^(The|Only) \S+ (backend|files)", "", phrase)
        assert template in written, phrase


@pytest.mark.parametrize(
    ("choice", "system", "shown"),
    [
        ("system", ["zh-Hans-CN", "zh-CN", "en"], "zh_CN"),
        ("system", ["zh_TW"], "zh_CN"),
        ("system", ["de-DE", "zh-CN"], "zh_CN"),
        ("system", ["en-GB", "zh-CN"], "en"),
        ("system", ["de-DE"], "en"),
        ("system", [], "en"),
        ("zh_CN", ["en"], "zh_CN"),
        ("en", ["zh-CN"], "en"),
        ("tlh", ["zh-CN"], "en"),
    ],
)
def test_language_follows_the_choice_then_the_system(choice: str, system: list[str], shown: str) -> None:
    assert resolve_language(choice, system) == shown


@pytest.mark.usefixtures("compiled")
def test_language_switches_while_the_window_is_open_and_back(open_desktop: OpenDesktop, qtbot: QtBot) -> None:
    desktop = open_desktop()
    script_of(desktop).be_ready(random_weights=True)
    english = visible_texts(desktop.window)
    assert "New conversation" in english
    menu = desktop.window.settings_menu
    menu.menu().aboutToShow.emit()
    actions = {action.data(): action for group in menu._groups for action in group.actions()}
    actions["language", "zh_CN"].trigger()
    QApplication.processEvents()
    chinese = visible_texts(desktop.window)
    assert "新对话" in chinese
    assert "随机权重：回答没有意义" in chinese
    assert desktop.window.windowTitle() == "新对话 - Qwen3-VL Desktop"
    latin = {text for text in english & chinese if re.search("[A-Za-z]{3}", text)}
    assert latin <= {"tiny · Q8_0 · llama.cpp on CPU · only GGUF is here", "tiny", "Instruct"}
    desktop.language.choose("en")
    QApplication.processEvents()
    assert visible_texts(desktop.window) == english


@pytest.mark.usefixtures("compiled")
def test_starts_in_chinese_when_that_is_set(open_desktop: OpenDesktop) -> None:
    desktop = open_desktop(Settings(language="zh_CN"))
    assert desktop.window.windowTitle() == "新对话 - Qwen3-VL Desktop"


@pytest.mark.usefixtures("compiled")
def test_errors_are_translated_with_their_values(qapp: QApplication) -> None:
    translator = QTranslator()
    assert translator.load(CHINESE.stem, str(paths.resources_dir() / "translations"))
    qapp.installTranslator(translator)
    try:
        error = attachment_errors.ImageTooNarrow(name="a.png", width=1, height=900)
        message, remedy = translate_error(Failed.from_error("", error))
    finally:
        qapp.removeTranslator(translator)
    assert message == "“a.png”为 1 × 900 像素：一边超过另一边的 200 倍。"
    assert "裁剪" in remedy


def test_remedies_of_a_refusal_are_shown_in_chinese(compiled: None, qapp: QApplication) -> None:
    notes = (
        PlanNote(NoteCode.RAISE_CEILING, {"missing_bytes": 3 << 29, "free_bytes": 9 << 30}),
        PlanNote(NoteCode.TEXT_ALONE),
        PlanNote("of a later version"),
    )
    figures = dict.fromkeys(("needed_gib", "limit_gib", "missing_gib"), "1.0")
    error = errors.DoesNotFit(
        **figures, model="m", device="GPU", remedies="?", remedy_notes=msgspec.json.encode(notes).decode()
    )
    translator = QTranslator()
    assert translator.load(str(paths.resources_dir() / "translations" / CHINESE.with_suffix(".qm").name))
    qapp.installTranslator(translator)
    try:
        remedy = translate_error(Failed.from_error("", error))[1]
    finally:
        qapp.removeTranslator(translator)
    assert remedy == "请将上限提高 1.5 GiB：目前空闲 9.0 GiB。请减少页面或图片：单独的文字可以放下。"


def test_unknown_error_is_shown_as_the_engine_wrote_it() -> None:
    failed = Failed("", "SomethingNewer", "It broke.", "Mend it.", {"name": "{x}"})
    assert translate_error(failed) == ("It broke.", "Mend it.")
    lost = Failed("", "ImageDamaged", "“a” is damaged.", "", {})
    assert translate_error(lost)[0] == "“a” is damaged."


def visible_texts(window: QWidget) -> set[str]:
    labels = [label.text() for label in window.findChildren(QLabel) if label.isVisible()]
    buttons = [button.text() for button in window.findChildren(QAbstractButton) if button.isVisible()]
    return {text.strip() for text in labels + buttons if text.strip()}


def test_a_catalogue_that_is_not_there_is_told_in_the_log(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(paths, "resources_dir", lambda: tmp_path)
    controller = LanguageController(qapp, "zh_CN")
    try:
        assert "qwen3-vl-desktop_zh_CN.qm is not in" in caplog.text
    finally:
        controller.choose("en")

"""The window's language: the system's or a chosen one, changed while the window is open."""

from __future__ import annotations

import logging

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QObject, QTranslator

from desktopapp import paths

_log = logging.getLogger(__name__)

_CATALOGUE = "qwen3-vl-desktop"
_SYSTEM = "system"
_SUPPORTED = ("en", "zh_CN")


def resolve_language(choice: str, system_languages: list[str]) -> str:
    """The language to show.

    Args:
        choice: `system`, `en` or `zh_CN`.
        system_languages: what the desktop prefers, best first, as `zh-Hans-CN`, `zh-CN`, `de-DE`.
    """
    if choice != _SYSTEM:
        return choice if choice in _SUPPORTED else "en"
    for language in system_languages:
        code = language.replace("_", "-").casefold()
        # Traditional Chinese readers (Hant, TW, HK, MO) are closer to this than to English.
        if code.split("-")[0] == "zh":
            return "zh_CN"
        if code.split("-")[0] == "en":
            return "en"
    return "en"


class LanguageController(QObject):
    """Installs the translators of a language; Qt then sends every widget a LanguageChange event."""

    def __init__(self, application: QCoreApplication, choice: str = _SYSTEM) -> None:
        super().__init__(application)
        self._application = application
        self._translators: list[QTranslator] = []
        self._language = "en"
        self._choice = choice
        self.choose(choice)

    @property
    def choice(self) -> str:
        """What is chosen: `system`, `en` or `zh_CN`."""
        return self._choice

    @property
    def language(self) -> str:
        """What is shown: `en` or `zh_CN`."""
        return self._language

    def choose(self, choice: str) -> None:
        """Show the window in another language at once."""
        self._choice = choice
        language = resolve_language(choice, QLocale.system().uiLanguages())
        QLocale.setDefault(QLocale.system() if choice == _SYSTEM else QLocale(language))
        if language == self._language:
            return
        self._language = language
        for translator in self._translators:
            self._application.removeTranslator(translator)
        self._translators = [] if language == "en" else self._load(language)
        for translator in self._translators:
            self._application.installTranslator(translator)

    def _load(self, language: str) -> list[QTranslator]:
        qt_folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
        own_folder = str(paths.resources_dir() / "translations")
        loaded = []
        for name, folder in ((f"qtbase_{language}", qt_folder), (f"{_CATALOGUE}_{language}", own_folder)):
            translator = QTranslator(self)
            if translator.load(name, folder):
                loaded.append(translator)
            else:
                _log.warning("%s.qm is not in %s: its texts stay English", name, folder)
        return loaded

"""The router's tasks in the window's language."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktopapp.errors import QT_TRANSLATE_NOOP

_WORDS = (
    QT_TRANSLATE_NOOP("tasks", "proof"),
    QT_TRANSLATE_NOOP("tasks", "multi-step sum"),
    QT_TRANSLATE_NOOP("tasks", "cause and effect"),
    QT_TRANSLATE_NOOP("tasks", "comparison"),
    QT_TRANSLATE_NOOP("tasks", "planning"),
    QT_TRANSLATE_NOOP("tasks", "debugging"),
    QT_TRANSLATE_NOOP("tasks", "checking"),
    QT_TRANSLATE_NOOP("tasks", "decision"),
    QT_TRANSLATE_NOOP("tasks", "reasoning in steps"),
    QT_TRANSLATE_NOOP("tasks", "puzzle"),
    QT_TRANSLATE_NOOP("tasks", "analysis"),
    QT_TRANSLATE_NOOP("tasks", "programming"),
    QT_TRANSLATE_NOOP("tasks", "reading"),
    QT_TRANSLATE_NOOP("tasks", "places in the picture"),
    QT_TRANSLATE_NOOP("tasks", "translation"),
    QT_TRANSLATE_NOOP("tasks", "extraction"),
    QT_TRANSLATE_NOOP("tasks", "description"),
    QT_TRANSLATE_NOOP("tasks", "writing"),
    QT_TRANSLATE_NOOP("tasks", "plain question"),
    QT_TRANSLATE_NOOP("tasks", "looking"),
    QT_TRANSLATE_NOOP("tasks", "chat"),
    QT_TRANSLATE_NOOP("tasks", "time in a video"),
    QT_TRANSLATE_NOOP("tasks", "no sign of several steps"),
)


def task_words(task: str) -> str:
    """A value of `routing.router.Task` as the window names it; the last of all where there is none."""
    return QCoreApplication.translate("tasks", task or _WORDS[-1])

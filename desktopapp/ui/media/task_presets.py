"""Tasks at a click: questions in the words that Qwen3-VL was trained on, and how finely files are shown for them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from desktopapp.engine.media.selection import MediaSelection
from desktopapp.engine.request import SamplingOverrides
from desktopapp.errors import QT_TRANSLATE_NOOP

BLANK = "…"
"""Stands in a question for what the person fills in."""

FINE_DPI = 160
"""A4 costs 2,401 visual tokens at it: places of small print want more than reading does."""


READABLE_TOKENS = 1024
"""Places and small print want so many visual tokens of a picture at least (llama.cpp's issue 16842 has the evidence)."""

USUAL = SamplingOverrides()
"""The model's own way."""

EXACT = SamplingOverrides(temperature=0.0, presence_penalty=0.0)
"""For copying what is there: the likeliest token, and no penalty on words, brackets and commas that come again."""


@dataclass(frozen=True, slots=True)
class TaskPreset:
    """One task.

    Args:
        key: names it in what is kept.
        name: for people, English; `QCoreApplication.translate("TaskPresets", name)` translates it.
        english: the question.
        chinese: the question.
        hint: what the person may or has to write beside it, English, translated as the name is.
        dpi: pages are drawn at, or None for the usual.
        fps: frames a second of videos, or None for the usual.
        sampling: how tokens are chosen.
        least_tokens: a picture of fewer visual tokens is enlarged to this; None for the model's own limit.
        zooms: the model is told that it may look closer.
    """

    key: str
    name: str
    english: str
    chinese: str
    hint: str = ""
    dpi: int | None = None
    fps: float | None = None
    sampling: SamplingOverrides = USUAL
    least_tokens: int | None = None
    zooms: bool = False

    @property
    def needs_words(self) -> bool:
        """The question has a blank that the person's words fill."""
        return BLANK in self.english

    def question(self, language: str, words: str = "") -> str:
        """What the model is asked.

        Args:
            language: of the window, as `en` or `zh_CN`.
            words: of the person; they fill the blank, else they stand behind the question.
        """
        question = self.chinese if language.lower().startswith("zh") else self.english
        if not words:
            return question
        if BLANK in question:
            return question.replace(BLANK, " ".join(words.split()))
        return f"{question}\n\n{words}"

    def adjust(self, selection: MediaSelection) -> MediaSelection:
        """What of a file goes along, as finely as this task wants it."""
        if self.dpi is not None:
            selection = replace(selection, dpi=self.dpi)
        return selection if self.fps is None else replace(selection, fps=self.fps)


PRESETS = (
    TaskPreset(
        "read",
        QT_TRANSLATE_NOOP("TaskPresets", "Read the text"),
        "Read all the text.",
        "提取图中的所有文字。",
        sampling=EXACT,
        least_tokens=READABLE_TOKENS,
    ),
    TaskPreset(
        "read_places",
        QT_TRANSLATE_NOOP("TaskPresets", "Text with its places"),
        "Spotting all the text in the image with line-level, and output in JSON format.",
        "识别图中的所有文字，按行给出位置，以 JSON 格式输出。",
        dpi=FINE_DPI,
        sampling=EXACT,
        least_tokens=READABLE_TOKENS,
    ),
    TaskPreset(
        "find",
        QT_TRANSLATE_NOOP("TaskPresets", "Find …"),
        'Locate every instance of "…" in the image. Report bbox coordinates in JSON format.',
        "找出图中所有的“…”，以 JSON 格式输出 bbox_2d 坐标。",
        QT_TRANSLATE_NOOP("TaskPresets", "What should be found?"),
        dpi=FINE_DPI,
        sampling=EXACT,
        least_tokens=READABLE_TOKENS,
    ),
    TaskPreset(
        "markdown",
        QT_TRANSLATE_NOOP("TaskPresets", "Document to Markdown"),
        "qwenvl markdown",
        "qwenvl markdown",
        dpi=FINE_DPI,
        sampling=EXACT,
        least_tokens=READABLE_TOKENS,
    ),
    TaskPreset(
        "csv",
        QT_TRANSLATE_NOOP("TaskPresets", "Table to CSV"),
        "Convert the table in the image to CSV. Output nothing but the CSV, in a code block.",
        "将图中的表格转换为 CSV，只在代码块中输出 CSV。",
        dpi=FINE_DPI,
        sampling=EXACT,
        least_tokens=READABLE_TOKENS,
    ),
    TaskPreset(
        "events",
        QT_TRANSLATE_NOOP("TaskPresets", "Video: what happens when"),
        "Localize a series of activity events in the video, output the start and end timestamp for each event, and "
        "describe each event in a sentence. Answer in JSON with the keys start, end and event, times as mm:ss.ff.",
        "定位视频中的一系列事件，给出每个事件的开始与结束时间并用一句话描述。以 JSON 输出，键为 start、end、event，"
        "时间格式为 mm:ss.ff。",
        fps=2.0,
        sampling=EXACT,
    ),
    TaskPreset(
        "html",
        QT_TRANSLATE_NOOP("TaskPresets", "Screenshot to HTML"),
        "Turn this screenshot into one HTML file with its CSS inside. Output nothing but the code.",
        "将这张截图还原为一个内含 CSS 的 HTML 文件，只输出代码。",
        dpi=FINE_DPI,
        sampling=EXACT,
        least_tokens=READABLE_TOKENS,
    ),
    TaskPreset(
        "compare",
        QT_TRANSLATE_NOOP("TaskPresets", "Compare the pictures"),
        "Compare the pictures: what is the same, and what differs? Name each picture by its number.",
        "比较这些图片：哪些相同，哪些不同？请用编号指明每张图片。",
    ),
    TaskPreset(
        "look_closer",
        QT_TRANSLATE_NOOP("TaskPresets", "Look closely"),
        "Look closer at what matters before you answer: zoom in with the tool where something is small.",
        "回答之前先仔细查看关键部分：细小之处用工具放大后再看。",
        QT_TRANSLATE_NOOP("TaskPresets", "What do you want to know?"),
        zooms=True,
    ),
)


def find_preset(key: str) -> TaskPreset | None:
    """The task of that key; None for an empty one, or one of another version of this program."""
    return next((preset for preset in PRESETS if preset.key == key), None)

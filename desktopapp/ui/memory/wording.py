"""The gauge's words."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from desktopapp.engine.memory.account import Account, Alarm, Segment
from desktopapp.ui.memory.bar import segment_color
from desktopapp.ui.wording import device_word, format_memory, format_memory_size

if TYPE_CHECKING:
    from desktopapp.engine.price_events import MemorySample
    from desktopapp.ui.tokens import Colors


def segment_name(segment: Segment, *, is_gpu: bool) -> str:
    """What a segment is called.

    Args:
        segment: which.
        is_gpu: of a GPU's memory; in the system's, the work space holds the program's libraries as well.
    """
    translate = QCoreApplication.translate
    work = (
        translate("MemoryGauge", "Work space")
        if is_gpu
        else translate("MemoryGauge", "Work space and libraries")
    )
    return {
        Segment.WEIGHTS: translate("MemoryGauge", "Weights"),
        Segment.VISION: translate("MemoryGauge", "Vision"),
        Segment.KV_CACHE: translate("MemoryGauge", "KV cache"),
        Segment.WORKSPACE: work,
        Segment.OTHER: translate("MemoryGauge", "Other programs"),
        Segment.FREE: translate("MemoryGauge", "Free"),
    }[segment]


def alarm_words(alarm: Alarm) -> str:
    """The alarm in two or three words; empty for none."""
    translate = QCoreApplication.translate
    return {
        Alarm.NONE: "",
        Alarm.TIGHT: translate("MemoryGauge", "Getting tight"),
        Alarm.FULL: translate("MemoryGauge", "Nearly full"),
        Alarm.OVER_CEILING: translate("MemoryGauge", "Over the ceiling"),
        Alarm.SPILLING: translate("MemoryGauge", "Spilled: slow"),
    }[alarm]


def alarm_sentence(alarm: Alarm) -> str:
    """The alarm with what to do; empty for none."""
    translate = QCoreApplication.translate
    return {
        Alarm.NONE: "",
        Alarm.TIGHT: translate(
            "MemoryGauge", "Little memory is left. Long answers or more files may not fit."
        ),
        Alarm.FULL: translate(
            "MemoryGauge",
            "Almost no memory is left. Close other programs, attach fewer files, or pick a smaller model.",
        ),
        Alarm.OVER_CEILING: translate(
            "MemoryGauge",
            "The engine uses more than the ceiling that you set. Raise it, or load the model again.",
        ),
        Alarm.SPILLING: translate(
            "MemoryGauge",
            "The graphics card is full, and the system has moved part of it into its own memory, which is about ten"
            " times slower. Set a ceiling, or close other programs that use the card.",
        ),
    }[alarm]


def figures_rows(
    sample: MemorySample, account: Account, planned_bytes: int | None, limit_bytes: int | None
) -> list[tuple[Segment | None, str, str]]:
    """Every figure: the segment it belongs to (None for others), what it is called, and how much it is."""
    translate = QCoreApplication.translate
    rows: list[tuple[Segment | None, str, str]] = [
        (segment, segment_name(segment, is_gpu=sample.is_gpu), format_memory_size(size_bytes))
        for segment, size_bytes in account.segments.items()
    ]
    if planned_bytes is not None:
        rows.append(
            (None, translate("MemoryGauge", "Planned peak of the engine"), format_memory_size(planned_bytes))
        )
    ceiling = format_memory_size(limit_bytes) if limit_bytes is not None else translate("MemoryGauge", "none")
    rows.append((None, translate("MemoryGauge", "Ceiling for the engine"), ceiling))
    if sample.is_gpu and sample.shared_bytes:
        rows.append(
            (
                None,
                translate("MemoryGauge", "In shared system memory"),
                format_memory_size(sample.shared_bytes),
            )
        )
    return rows


def figures_title(sample: MemorySample, account: Account) -> str:
    """The device, and how much of it is in use."""
    return QCoreApplication.translate("MemoryGauge", "{device}: {used} of {total} GiB used").format(
        device=device_word(sample.device),
        used=format_memory(account.used_bytes),
        total=format_memory(account.total_bytes),
    )


def figures_text(
    sample: MemorySample, account: Account, planned_bytes: int | None, limit_bytes: int | None
) -> str:
    """All figures as plain text, for assistive technology."""
    rows = figures_rows(sample, account, planned_bytes, limit_bytes)
    return "; ".join([figures_title(sample, account), *(f"{name}: {figure}" for _, name, figure in rows)])


def figures_html(
    sample: MemorySample,
    account: Account,
    planned_bytes: int | None,
    limit_bytes: int | None,
    *,
    colors: Colors,
    marked: Segment | None = None,
) -> str:
    """All figures as a table for a tool tip, with the bar's colours.

    Args:
        sample: as measured.
        account: of it.
        planned_bytes: peak of the next answer, if known.
        limit_bytes: the ceiling, if any.
        colors: of the scheme.
        marked: the segment under the pointer, in bold.
    """
    lines = []
    for segment, name, figure in figures_rows(sample, account, planned_bytes, limit_bytes):
        swatch = f'<span style="color:{segment_color(segment, colors)}">■</span>' if segment else ""
        begin, end = ("<b>", "</b>") if segment is not None and segment is marked else ("", "")
        lines.append(
            f"<tr><td>{swatch}&nbsp;</td><td>{begin}{html.escape(name)}{end}&nbsp;&nbsp;</td>"
            f'<td align="right">{begin}{html.escape(figure)}{end}</td></tr>'
        )
    title = html.escape(figures_title(sample, account))
    return f"<p><b>{title}</b></p><table cellspacing=1>{''.join(lines)}</table>"

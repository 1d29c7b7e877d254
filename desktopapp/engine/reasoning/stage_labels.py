"""Words around staged reasoning that go to the person or are read out of notes, in the question's language."""

from __future__ import annotations

from dataclasses import dataclass

from desktopapp.engine.reasoning.stage_prompts import CHINESE, StagePrompts
from desktopapp.engine.reasoning_events import StepKind


@dataclass(frozen=True, slots=True)
class StageLabels:
    """The words in one language.

    Args:
        step: heads a step's thought, `{number}`.
        check: heads a check's thought.
        answer_is: stands before the answer in the notes that hold one.
        gap: between a line's opening word and its rest.
        full_stop: ends a line.
        lead: put into the model's mouth where it ends without a word.
    """

    step: str
    check: str
    answer_is: str
    gap: str
    full_stop: str
    lead: str

    def heading(self, step: int, kind: StepKind) -> str:
        """Heads the thought of a step; empty for the last one, whose answer follows."""
        if kind is StepKind.THINK:
            return self.step.format(number=step)
        return self.check if kind is StepKind.CHECK else ""


_ENGLISH = StageLabels("Step {number}", "Check", "the answer is", " ", ".", "The answer is")
_CHINESE = StageLabels("第 {number} 步", "检查", "答案是", "", "。", "答案是")


def labels_of(wordings: StagePrompts) -> StageLabels:
    """The words in the language of the wordings."""
    return _CHINESE if wordings is CHINESE else _ENGLISH

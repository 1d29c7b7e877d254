"""What staged reasoning says to a Thinking model, in English and Chinese. The pocket pair is trained on these wordings.

A stage asks the person's question again, so that its KV is kept, and goes on behind it in the same user turn:

    question + step                  the first step
    question + notes + go_on         each further step; the notes hold the last carry-over
    question + notes + check         a check of a proposed answer: the notes are those that the last step began with,
                                     none where that was the first one, so that the check has one step's work to do again
    question + notes + doubt + go_on     the step after a check that refuted; without notes `doubt + step`
    question + notes + final         the final answer

`StagePrompts.first_step`, `further_step`, `check_of` and `answer_from` put them together, here and for training. Each reply is a thought and, behind `THOUGHT_CLOSING`, two lines of carry-over ("Established: ...", "Open: ..."), a
verdict ("Confirmed: 42", "Refuted: 41", "Undecided: 42"), or the answer. A thought that is cut at its budget is closed
with `THOUGHT_CLOSING`; the model then writes from what it has. The carry-over `Open: nothing` says that the answer is found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

THOUGHT_CLOSING = "\n</think>\n\n"
_HAN = re.compile("[\u4e00-\u9fff]")
_KANA = re.compile("[\u3040-\u30ff]")
_LATIN_WORD = re.compile("[A-Za-z]{2,}")


@dataclass(frozen=True, slots=True)
class StagePrompts:
    """The wordings in one language.

    Args:
        step: asks for the first step.
        notes: gives the last carry-over, as `{carry_over}`.
        go_on: asks for a further step, behind `notes`.
        check: asks to refute a proposed answer, `{answer}`.
        doubt: says that a check refuted `{answer}`.
        final: asks for the answer, behind `notes`.
        established: opens the first line of a carry-over.
        open: opens its second line.
        nothing: follows `open` when the answer is found, a full stop behind it.
        confirmed: opens a verdict; the answer follows.
        refuted: opens a verdict; the right answer follows.
        undecided: opens the verdict of a check that was cut; the proposed answer follows.
    """

    step: str
    notes: str
    go_on: str
    check: str
    doubt: str
    final: str
    established: str
    open: str
    nothing: str
    confirmed: str
    refuted: str
    undecided: str

    def first_step(self, refuted: str = "") -> str:
        """Behind the question, to think from nothing.

        Args:
            refuted: an answer that a check refuted, if one did.
        """
        return self._doubted(refuted) + self.step

    def further_step(self, carry_over: str, refuted: str = "") -> str:
        """Behind the question, to think on.

        Args:
            carry_over: of the step before.
            refuted: an answer that a check refuted, if one did.
        """
        return self.notes.format(carry_over=carry_over) + self._doubted(refuted) + self.go_on

    def check_of(self, answer: str, carry_over: str = "") -> str:
        """Behind the question, to check an answer.

        Args:
            answer: that was found.
            carry_over: that the step which found it began with; empty for the first step.
        """
        notes = self.notes.format(carry_over=carry_over) if carry_over else ""
        return notes + self.check.format(answer=answer)

    def answer_from(self, carry_over: str) -> str:
        """Behind the question, to answer from the last carry-over."""
        return self.notes.format(carry_over=carry_over) + self.final

    def _doubted(self, refuted: str) -> str:
        return self.doubt.format(answer=refuted) if refuted else ""


ENGLISH = StagePrompts(
    step='\n\nWork in steps. Think, then write two lines: "Established:" what is sure by now, and "Open:" what is left '
    'to do, "nothing" once the answer is found.',
    notes="\n\nNotes so far:\n{carry_over}",
    go_on='\n\nGo on from these notes. Then write "Established:" and "Open:" anew.',
    check='\n\nProposed answer: {answer}\n\nTry to refute it. Then write "Confirmed:" or "Refuted:" and the right answer.',
    doubt="\n\nA check refuted the answer {answer}.",
    final="\n\nNow give the final answer.",
    established="Established:",
    open="Open:",
    nothing="nothing",
    confirmed="Confirmed:",
    refuted="Refuted:",
    undecided="Undecided:",
)
CHINESE = StagePrompts(
    step="\n\n请分步进行。先思考，再写两行：“已确定：”写目前已经肯定的内容，“待解决：”写还要做的事；答案找到后写“无”。",
    notes="\n\n目前的笔记：\n{carry_over}",
    go_on="\n\n请从这些笔记继续，然后重新写“已确定：”和“待解决：”两行。",
    check="\n\n候选答案：{answer}\n\n请设法反驳它，然后写“确认：”或“反驳：”以及正确答案。",
    doubt="\n\n检查否定了答案 {answer}。",
    final="\n\n现在请给出最终答案。",
    established="已确定：",
    open="待解决：",
    nothing="无",
    confirmed="确认：",
    refuted="反驳：",
    undecided="未定：",
)


def stage_prompts(question: str) -> StagePrompts:
    """The wordings in the language of a question: Chinese if that is most of it, else English, for Japanese as well."""
    if _KANA.search(question):
        return ENGLISH
    characters = len(_HAN.findall(question))
    return CHINESE if characters and characters >= len(_LATIN_WORD.findall(question)) else ENGLISH

"""What a step leaves for the next one, read out of what a model wrote: notes, and a check's verdict."""

from __future__ import annotations

import re
from dataclasses import dataclass

from desktopapp.engine.reasoning.begun_reply import BegunReply
from desktopapp.engine.reasoning.stage_labels import labels_of
from desktopapp.engine.reasoning.stage_prompts import StagePrompts


@dataclass(frozen=True, slots=True)
class Notes:
    """A carry-over.

    Args:
        text: what goes into the next prompt.
        answer: that it says was found; empty while something is open.
        thought: the last sentences of the thought behind it, where that was cut; the next step goes on behind them.
    """

    text: str
    answer: str = ""
    thought: str = ""

    @property
    def conclusion(self) -> str:
        """The answer, else what is established; empty where nothing is."""
        established, _, left = self.text.partition("\n")
        sure = re.split("[:：]", established, maxsplit=1)[-1].strip() if left else ""
        return self.answer or sure or self.text

    @property
    def begun_thought(self) -> BegunReply | None:
        """What the next thought goes on from, if anything."""
        return BegunReply(self.thought, "") if self.thought else None


NO_NOTES = Notes("")


def read_notes(reply: str, wordings: StagePrompts) -> Notes:
    """Find the carry-over in a reply; one that does not keep to the form is taken as it is, and as unfinished."""
    established = left = ""
    for line in reply.splitlines():
        words = line.strip().lstrip("*#- ")
        if words.startswith(wordings.established):
            established, left = words.removeprefix(wordings.established).strip(" *"), ""
        elif words.startswith(wordings.open):
            left = words.removeprefix(wordings.open).strip(" *")
    if not established:
        return Notes(reply.strip())
    gap = labels_of(wordings).gap
    text = f"{wordings.established}{gap}{established}\n{wordings.open}{gap}{left or '?'}"
    found = left.rstrip(".。 ").lower() == wordings.nothing.lower()
    return Notes(text, _bare_answer(established, wordings) if found else "")


def last_notes(thought: str, wordings: StagePrompts) -> Notes:
    """The last carry-over in a thought of several steps; empty where no step came so far."""
    notes = read_notes(thought, wordings)
    return notes if notes.text.startswith(wordings.established) else Notes("")


def _bare_answer(established: str, wordings: StagePrompts) -> str:
    """`The answer is 42.` as `42`."""
    text = established.rstrip(".。")
    answer_is = labels_of(wordings).answer_is
    start = text.lower().rfind(answer_is)
    return text[start + len(answer_is) :].strip(" :：") if start >= 0 else text


def read_refutation(reply: str, wordings: StagePrompts) -> str | None:
    """The answer that a check holds for right instead of the proposed one.

    Args:
        reply: of the check; its last verdict counts.
        wordings: in the question's language.

    Returns:
        None where the check does not refute; empty where it does and says no other answer.
    """
    verdicts = (wordings.confirmed, wordings.refuted, wordings.undecided)
    last = max(verdicts, key=lambda word: reply.rfind(word))
    if wordings.refuted not in reply or last != wordings.refuted:
        return None
    said = reply.rpartition(wordings.refuted)[2].strip(" *").splitlines()
    return said[0].rstrip(".。* ") if said else ""


def write_notes(answer: str, wordings: StagePrompts) -> str:
    """The carry-over of an answer that is found."""
    labels = labels_of(wordings)
    stop = labels.full_stop
    return (
        f"{wordings.established}{labels.gap}{labels.answer_is}{labels.gap}{answer}{stop}\n"
        f"{wordings.open}{labels.gap}{wordings.nothing}{stop}"
    )


def answer_sentence(answer: str, wordings: StagePrompts) -> str:
    """An answer that is found, as a thought."""
    labels = labels_of(wordings)
    return f"{labels.lead}{labels.gap}{answer}{labels.full_stop}"

"""What the model sees of an untidy conversation."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from desktopapp.conversations import MessageState, StoredMessage
from desktopapp.engine.request import Attachment, Role, Turn
from desktopapp.ui.dialogue import build_dialogue


def asked(text: str, *paths: str) -> StoredMessage:
    return StoredMessage(f"q-{text}", "user", text, MessageState.SENT, attachments=paths)


def answered(text: str, thought: str = "") -> StoredMessage:
    return StoredMessage(f"a-{text}", "assistant", text, MessageState.DONE, thought=thought)


def test_questions_and_answers_alternate_without_thoughts() -> None:
    earlier = [asked("one"), answered("first", thought="secret")]
    assert build_dialogue(earlier, asked("two")).turns == (
        Turn(Role.USER, "one"),
        Turn(Role.ASSISTANT, "first"),
        Turn(Role.USER, "two"),
    )


def test_question_without_an_answer_is_left_out() -> None:
    earlier = [asked("failed"), answered(" \n"), asked("also failed"), asked("one"), answered("first")]
    assert [turn.text for turn in build_dialogue(earlier, asked("two")).turns] == ["one", "first", "two"]


def test_gone_and_refused_pictures_of_earlier_turns_are_left_out_and_named(tmp_path: Path) -> None:
    here, refused = tmp_path / "here.png", tmp_path / "refused.png"
    here.touch()
    refused.touch()
    earlier = [asked("one", str(here), str(tmp_path / "gone.png"), str(refused)), answered("first")]
    dialogue = build_dialogue(earlier, asked("two", "/gone/too.png"), refused={str(refused)})
    assert dialogue.turns[0].attachments == (Attachment(str(here)),)
    assert dialogue.left_out == (str(tmp_path / "gone.png"), str(refused))
    assert dialogue.turns[-1].attachments == (Attachment("/gone/too.png"),)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["", "text"])), max_size=12))
def test_turns_always_alternate_and_end_with_the_question(said: list[tuple[bool, str]]) -> None:
    earlier = [asked(text or "q") if is_person else answered(text) for is_person, text in said]
    turns = build_dialogue(earlier, asked("now")).turns
    roles = [turn.role for turn in turns]
    assert roles == [Role.USER, Role.ASSISTANT] * (len(roles) // 2) + [Role.USER]
    assert turns[-1].text == "now"

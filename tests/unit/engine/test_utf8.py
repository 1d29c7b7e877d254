from hypothesis import given
from hypothesis import strategies as st

from desktopapp.engine.utf8 import Utf8Assembler


@given(st.text(), st.integers(1, 5))
def test_text_survives_any_division_of_its_bytes(text: str, size: int) -> None:
    data = text.encode()
    assembler = Utf8Assembler()
    pieces = [assembler.feed(data[i : i + size]) for i in range(0, len(data), size)]
    assert "".join(pieces) + assembler.finish() == text
    assert not any("\ufffd" in piece for piece in pieces) or "\ufffd" in text


def test_a_character_comes_with_its_last_byte() -> None:
    assembler = Utf8Assembler()
    assert [assembler.feed(bytes([b])) for b in "🙂".encode()] == ["", "", "", "🙂"]
    assert assembler.finish() == ""


def test_a_cut_character_is_replaced_at_the_end_only() -> None:
    assembler = Utf8Assembler()
    assert assembler.feed("好".encode()[:2]) == ""
    assert assembler.finish() == "\ufffd"


def test_impossible_bytes_do_not_swallow_what_follows() -> None:
    assembler = Utf8Assembler()
    assert assembler.feed(b"\xff") + assembler.feed(b"ok") == "\ufffdok"

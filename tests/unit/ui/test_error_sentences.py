"""What went wrong and what to do, in one line."""

import pytest

from desktopapp.engine.events import Failed
from desktopapp.ui.wording import error_sentences


@pytest.mark.parametrize(
    ("message", "remedy", "shown"),
    [
        ("It broke.", "Mend it.", "It broke. Mend it."),
        ("It broke.", "", "It broke."),
        ("坏了。", "请修理。", "坏了。请修理。"),
    ],
)
def test_message_and_remedy_stand_in_one_line(message: str, remedy: str, shown: str) -> None:
    assert error_sentences(Failed("", "NoneOfOurs", message, remedy)) == shown

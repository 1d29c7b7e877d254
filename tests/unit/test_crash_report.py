from __future__ import annotations

import pytest

from desktopapp.crash_report import report_error, report_fault, shorten

SECRET = "/home/anna/letters/tax.png"


def fail_with_a_secret() -> None:
    try:
        raise FileNotFoundError(f"no such file: {SECRET}")
    except FileNotFoundError as error:
        raise RuntimeError("question: what does Anna owe?") from error


def test_a_report_to_give_away_names_the_place_and_nothing_of_the_person_s() -> None:
    with pytest.raises(RuntimeError) as caught:
        fail_with_a_secret()
    report = report_error(caught.value, "Python 3, Qt 6")
    assert "Python 3, Qt 6" in report.public
    assert "test_crash_report.py" in report.public
    assert "in fail_with_a_secret" in report.public
    assert report.public.index("FileNotFoundError") < report.public.index("RuntimeError")
    for word in ("anna", "Anna", "tax", "owe", "/home"):
        assert word not in report.public
    assert SECRET in report.full
    assert "what does Anna owe?" in report.full


def test_errors_that_name_each_other_as_cause_end() -> None:
    first, second = ValueError("a"), TypeError("b")
    first.__cause__, second.__cause__ = second, first
    assert report_error(first, "").public.count("ValueError") == 1


def test_an_error_whose_context_is_suppressed_stands_alone() -> None:
    error = ValueError("a")
    error.__context__, error.__suppress_context__ = TypeError("b"), True
    assert "TypeError" not in report_error(error, "").public


@pytest.mark.parametrize(
    ("path", "short"),
    [
        ("/home/anna/src/desktopapp/ui/chat.py", "desktopapp/ui/chat.py"),
        ("/opt/qwen/_internal/desktopapp/app.py", "desktopapp/app.py"),
        ("/home/anna/.venv/lib/python3.11/site-packages/PIL/Image.py", "PIL/Image.py"),
        ("/home/anna/.pyenv/lib/python3.11/threading.py", "python3.11/threading.py"),
        (r"C:\Users\Anna\app\_internal\PIL\Image.py", "PIL/Image.py"),
        (r"C:\Users\Anna\x.py", "x.py"),
        ("<string>", "<string>"),
    ],
)
def test_a_path_is_shortened_to_what_is_the_program_s(path: str, short: str) -> None:
    assert shorten(path) == short


def test_last_words_keep_their_frames_and_lose_paths_and_what_is_unknown() -> None:
    text = (
        "Fatal Python error: Segmentation fault\n\nCurrent thread 0x01 (most recent call first):\n"
        '  File "/home/anna/src/desktopapp/app.py", line 7 in main\n'
        "something that a library printed about /home/anna/tax.png\n"
    )
    assert report_fault(text) == (
        "Fatal Python error: Segmentation fault\n"
        "Current thread 0x01 (most recent call first):\n"
        "  desktopapp/app.py:7 in main\n"
    )

"""Reading drops, opening folders, wording names."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QMimeData, QUrl

from desktopapp.ui.incoming import expand_folders, natural_key, read_incoming
from desktopapp.ui.wording import file_label, tooltip_text


def test_natural_order_counts_numbers() -> None:
    names = ["page 10.png", "Page 2.png", "page 1.png", "page.png", "10.png", "9.png"]
    assert sorted(names, key=natural_key) == [
        "9.png",
        "10.png",
        "page 1.png",
        "Page 2.png",
        "page 10.png",
        "page.png",
    ]


@given(st.lists(st.text(), max_size=6))
def test_any_names_can_be_sorted(names: list[str]) -> None:
    assert len(sorted(names, key=natural_key)) == len(names)


def test_relative_paths_become_absolute_and_missing_files_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert expand_folders(["not there.png"]).paths == (str(tmp_path / "not there.png"),)


def test_link_to_a_file_is_kept_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "real.png").touch()
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    assert expand_folders([str(tmp_path / "link.png")]).paths == (str(tmp_path / "link.png"),)


def test_links_that_lead_round_in_a_folder_hide_nothing(tmp_path: Path) -> None:
    for name in ("10.png", "2.png"):
        (tmp_path / name).touch()
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "itself.pdf").symlink_to(".")
    (tmp_path / "nowhere.mp4").symlink_to("gone.mp4")
    expanded = expand_folders([str(tmp_path)])
    assert expanded.paths == (str(tmp_path / "2.png"), str(tmp_path / "10.png"))


def test_room_limits_what_is_taken(tmp_path: Path) -> None:
    expanded = expand_folders([f"/{number}.png" for number in range(5)], room=3)
    assert len(expanded.paths) == 3
    assert expanded.left_out == 2


def test_files_go_before_text_and_text_before_bitmaps() -> None:
    mime = QMimeData()
    mime.setText("file names")
    assert read_incoming(mime).text == "file names"
    mime.setUrls([QUrl.fromLocalFile("/a b.png"), QUrl("https://example.com/c.png")])
    assert read_incoming(mime).paths == ("/a b.png",)


def test_address_alone_is_text_or_remote_but_never_a_path() -> None:
    mime = QMimeData()
    mime.setUrls([QUrl("https://example.com/c.png")])
    incoming = read_incoming(mime)
    assert incoming.paths == ()
    assert incoming.text or incoming.remote


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/x/plain.png", "plain.png"),
        ("/x/line\nbreak.png", "line�break.png"),
        ("/x/\u202egnp.exe", "�gnp.exe"),
        ("/x/图片 é.png", "图片 é.png"),
        ("/x/caf\udce9.png", "caf�.png"),
        ("/", "/"),
    ],
)
def test_names_are_shown_on_one_line_without_tricks(path: str, shown: str) -> None:
    assert file_label(path) == shown


def test_tool_tips_show_markup_as_text() -> None:
    assert tooltip_text("<b>x</b> & y") == "<p>&lt;b&gt;x&lt;/b&gt; &amp; y</p>"
    assert tooltip_text("a plan\nand why") == "<p>a plan<br>and why</p>"
    assert tooltip_text("") == ""

"""What a container says of its frames' size, whether or not FFmpeg could open it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktopapp.engine.media import video
from desktopapp.engine.media.stated_size import stated_size
from desktopapp.engine.media.video import open_video
from desktopapp.engine.media.video_format import VideoFormat, sniff_video
from tests.clips import CODECS, rotate, write_clip


def size_in(path: Path) -> tuple[int, int] | None:
    found = sniff_video(path.read_bytes()[:1024])
    assert found is not None
    return stated_size(str(path), found)


def box(kind: bytes, *inside: bytes) -> bytes:
    body = b"".join(inside)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def long_box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4sQ", 1, kind, len(body) + 16) + body


def track(width: int, height: int) -> bytes:
    entry = box(b"avc1", bytes(24), struct.pack(">HH", width, height), bytes(50))
    return box(
        b"trak",
        box(b"tkhd", bytes(80)),
        box(b"mdia", box(b"minf", box(b"stbl", box(b"stsd", bytes(8), entry)))),
    )


@pytest.mark.parametrize("suffix", CODECS)
def test_every_container(tmp_path: Path, suffix: str) -> None:
    assert size_in(write_clip(tmp_path / f"a{suffix}", 2, size=(240, 80))) == (240, 80)


def test_before_rotation(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", 2, size=(240, 80))
    rotate(path, 90)
    assert size_in(path) == (240, 80)
    assert (open_video(str(path)).width, open_video(str(path)).height) == (80, 240)


def test_the_largest_track_counts_wherever_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    moov = box(b"moov", track(64, 48), track(15_360, 8_640), track(0, 0))
    path.write_bytes(box(b"ftyp", b"isom", bytes(4)) + long_box(b"mdat", bytes(100)) + moov)
    assert size_in(path) == (15_360, 8_640)


def test_the_last_box_may_reach_to_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    moov = bytearray(box(b"moov", track(64, 48)))
    moov[:4] = bytes(4)
    path.write_bytes(box(b"ftyp", b"isom", bytes(4)) + moov)
    assert size_in(path) == (64, 48)


def test_a_segment_of_unknown_length(tmp_path: Path) -> None:
    video_part = b"\xe0\x88" + b"\xb0\x82\x1e\x00" + b"\xba\x82\x10\xe0"
    entry = b"\xae" + bytes([0x80 + len(video_part)]) + video_part
    tracks = b"\x16\x54\xae\x6b" + bytes([0x80 + len(entry)]) + entry
    path = tmp_path / "a.mkv"
    path.write_bytes(b"\x1a\x45\xdf\xa3\x80" + b"\x18\x53\x80\x67\x01" + b"\xff" * 7 + tracks)
    assert size_in(path) == (7680, 4320)


def test_frames_that_are_too_large_never_reach_the_decoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(box(b"ftyp", b"isom", bytes(4)) + box(b"moov", track(15_360, 8_640)))
    monkeypatch.delattr(video, "_open_capture")
    with pytest.raises(video.ImageTooLarge, match="15360 × 8640"):
        open_video(str(path))


def test_boxes_without_end_are_given_up(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(box(b"ftyp", b"isom") + box(b"free") * 20_000 + box(b"moov", track(64, 48)))
    assert size_in(path) is None


@settings(max_examples=300)
@given(data=st.data(), video_format=st.sampled_from(VideoFormat))
def test_rubbish_says_nothing_or_a_size(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, video_format: VideoFormat
) -> None:
    whole = {
        VideoFormat.MP4: box(b"moov", track(64, 48)),
        VideoFormat.MATROSKA: b"\x18\x53\x80\x67\xff\x16\x54\xae\x6b\x8a\xae\x88\xe0\x86\xb0\x81\x40\xba\x81\x30",
        VideoFormat.AVI: bytes(24) + b"avih" + bytes(36) + struct.pack("<II", 64, 48),
    }[video_format]
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "rubbish"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    found = stated_size(str(path), video_format)
    assert found is None or all(side >= 0 for side in found)
    path.write_bytes(whole)
    assert stated_size(str(path), video_format) == (64, 48)

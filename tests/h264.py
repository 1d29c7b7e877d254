"""H.264 videos of any size in a moment, without an encoder: one grey key frame, then frames that skip every block.

Source: ITU-T H.264, 7.3 (syntax) and 9.1 (Exp-Golomb codes); Microsoft's AVI RIFF File Reference.
"""

from __future__ import annotations

import struct
from pathlib import Path

_BLOCK_PX = 16
# A block predicted from its mean without any remainder: mb_type 3, chroma mode 0, no change of the quantiser, no coefficients.
_GREY_BLOCK = "00100" + "1" + "1" + "1"


def write_h264(path: Path, size: tuple[int, int], frames: int, references: int) -> Path:
    """Write an AVI file.

    Args:
        path: of the file.
        size: width and height in pixels, multiples of 16.
        frames: how many.
        references: earlier frames that the decoder must keep, 1 to 16.
    """
    columns, rows = size[0] // _BLOCK_PX, size[1] // _BLOCK_PX
    blocks = columns * rows
    head = _unit(
        0x67, _bits(8, 66), _bits(8, 0xC0), _bits(8, 62), _ue(0), _ue(4), _ue(2), _ue(references), "0",
        _ue(columns - 1), _ue(rows - 1), "1100",
    )  # fmt: skip
    head += _unit(0x68, _ue(0), _ue(0), "00", _ue(0), _ue(0), _ue(0), "000", _ue(0), _ue(0), _ue(0), "000")
    key = _unit(0x65, _ue(0), _ue(7), _ue(0), _bits(8, 0), _ue(0), "00", _ue(0), _GREY_BLOCK * blocks)
    others = [
        _unit(0x61, _ue(0), _ue(5), _ue(0), _bits(8, number % 256), "000", _ue(0), _ue(blocks))
        for number in range(1, frames)
    ]
    path.write_bytes(_avi([head + key, *others], size))
    return path


def _bits(count: int, value: int) -> str:
    return format(value, f"0{count}b")


def _ue(value: int) -> str:
    code = format(value + 1, "b")
    return "0" * (len(code) - 1) + code


def _unit(head: int, *parts: str) -> bytes:
    """A unit with its start code; where its bytes could be taken for another one, a 3 is put between them."""
    bits = "".join(parts) + "1"
    bits += "0" * (-len(bits) % 8)
    body = bytearray()
    zeros = 0
    for byte in int(bits, 2).to_bytes(len(bits) // 8, "big"):
        if zeros >= 2 and byte <= 3:
            body.append(3)
            zeros = 0
        body.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return b"\0\0\0\1" + bytes([head]) + bytes(body)


def _avi(frames: list[bytes], size: tuple[int, int], rate: int = 10) -> bytes:
    stream = (
        b"vidsH264" + struct.pack("<5I", 0, 0, 0, 1, rate) + struct.pack("<2I", 0, len(frames)) + bytes(20)
    )
    picture = struct.pack("<IiiHH4s5I", 40, *size, 1, 24, b"H264", 0, 0, 0, 0, 0)
    main = struct.pack("<10I", 1_000_000 // rate, 0, 0, 0x10, len(frames), 0, 1, 0, *size) + bytes(16)
    heads = _list(
        b"hdrl", _chunk(b"avih", main), _list(b"strl", _chunk(b"strh", stream), _chunk(b"strf", picture))
    )
    chunks = [_chunk(b"00dc", frame) for frame in frames]
    index = b""
    at = 4
    for number, (frame, chunk) in enumerate(zip(frames, chunks, strict=True)):
        index += b"00dc" + struct.pack("<3I", 0x10 if number == 0 else 0, at, len(frame))
        at += len(chunk)
    body = b"AVI " + heads + _list(b"movi", *chunks) + _chunk(b"idx1", index)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _list(kind: bytes, *parts: bytes) -> bytes:
    return _chunk(b"LIST", kind + b"".join(parts))

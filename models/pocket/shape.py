"""The pocket pair's sizes and token ids."""

from __future__ import annotations

from models.qwen_files.config import ModelShape
from models.qwen_files.tokenizer import (
    IMAGE_PAD,
    SPECIAL_TOKENS,
    TEXT_TOKENS,
    THOUGHT_END,
    THOUGHT_START,
    TURN_END,
    TURN_START,
    VIDEO_PAD,
    VISION_END,
    VISION_START,
)

# 8.9 million parameters. DeepStack takes the tower's layers 1, 3 and 5.
SHAPE = ModelShape(
    vocabulary=320,
    layers=5,
    hidden=256,
    feed_forward=448,
    heads=4,
    kv_heads=2,
    context_tokens=8192,
    vision_layers=8,
    vision_hidden=160,
    vision_feed_forward=640,
    vision_heads=5,
    vision_positions=576,
    deepstack_layers=(1, 3, 5),
)

# The largest picture that training shows, in pixels: the processor shrinks larger ones to it.
MAX_IMAGE_PIXELS = 327_680
MIN_IMAGE_PIXELS = 65_536
# Side of the square that one visual token covers, px.
CELL_PX = 32

# Ids 0..255 are bytes, and text is read byte by byte. llama.cpp refuses a tokenizer without merges, so there is
# one, of two bytes that UTF-8 never holds; `make_tokenizer(MERGES)` numbers the control tokens behind it.
MERGES = (("ÿ", "þ"),)
_IDS = {token: 256 + len(MERGES) + index for index, token in enumerate(SPECIAL_TOKENS + TEXT_TOKENS)}
TURN_START_ID = _IDS[TURN_START]
TURN_END_ID = _IDS[TURN_END]
VISION_START_ID = _IDS[VISION_START]
VISION_END_ID = _IDS[VISION_END]
IMAGE_PAD_ID = _IDS[IMAGE_PAD]
VIDEO_PAD_ID = _IDS[VIDEO_PAD]
THOUGHT_START_ID = _IDS[THOUGHT_START]
THOUGHT_END_ID = _IDS[THOUGHT_END]

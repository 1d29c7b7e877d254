"""Videos cost as many tokens as in transformers' own processor, and frames have the times at which they are shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torchvision", reason="transformers' video processor needs it")

from tests.clip_comparison import CLIPS, Clip, compare, make_processor


@pytest.fixture(scope="module")
def processor() -> Any:
    return make_processor()


@pytest.mark.parametrize(
    "clip", CLIPS, ids=lambda clip: f"{clip.suffix}-{clip.frames}-{clip.rate}-{clip.degrees}"
)
def test_tokens_and_times(clip: Clip, tmp_path: Path, processor: Any) -> None:
    found = compare(clip, clip.write(tmp_path, 0), processor)
    assert found.is_equal, found

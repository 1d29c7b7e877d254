"""The gauge against the driver: its segments add up to what NVML says, and each is what else is known of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch finds no CUDA card"),
]


def test_segments_are_what_the_driver_and_the_model_s_shape_say(tmp_path: Path) -> None:
    from tests.gpu.probe_moments import record

    moments, figures = record(tmp_path)
    print("\n".join(str(moment) for moment in moments), figures)
    assert len(moments) >= 5
    assert not [(moment.name, moment.misses) for moment in moments if moment.misses]
    assert figures["samples_per_s"] >= 4
    assert figures["core_share_at_4_hz"] < 0.01

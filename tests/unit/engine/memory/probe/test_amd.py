"""The AMD probe on a copy of the kernel's folders."""

import os
from pathlib import Path

import pytest

from desktopapp.engine.memory.probe import GpuAbsent
from desktopapp.engine.memory.probe.amd import AmdProbe

GIB = 2**30


def add_card(root: Path, number: int, address: str, *, vendor: str = "0x1002", used: int = 2 * GIB) -> Path:
    device = root / "devices" / address
    device.mkdir(parents=True)
    files = {
        "vendor": vendor,
        "product_name": f"Radeon {number}",
        "mem_info_vram_total": 16 * GIB,
        "mem_info_vram_used": used,
        "mem_info_gtt_total": 8 * GIB,
        "mem_info_gtt_used": 300,
    }
    for name, content in files.items():
        (device / name).write_text(f"{content}\n")
    card = root / "class/drm" / f"card{number}"
    card.mkdir(parents=True)
    (card / "device").symlink_to(device)
    return device


@pytest.fixture(autouse=True)
def nothing_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)


def test_memory_of_the_card_and_of_this_process(tmp_path: Path) -> None:
    add_card(tmp_path, 0, "0000:03:00.0")
    own = tmp_path / "class/kfd/kfd/proc" / str(os.getpid())
    own.mkdir(parents=True)
    (own / "vram_4321").write_text(f"{GIB}\n")
    sample = AmdProbe(tmp_path).sample()
    assert (sample.device, sample.is_gpu) == ("Radeon 0", True)
    assert (sample.used_bytes, sample.total_bytes, sample.engine_bytes) == (2 * GIB, 16 * GIB, GIB)
    assert sample.shared_bytes == 300


def test_a_process_that_does_not_compute_uses_nothing_that_is_known(tmp_path: Path) -> None:
    add_card(tmp_path, 0, "0000:03:00.0")
    assert AmdProbe(tmp_path).sample().engine_bytes == 0


def test_cards_are_counted_as_rocm_does_without_those_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_card(tmp_path, 0, "0000:0c:00.0")
    add_card(tmp_path, 1, "0000:01:00.0", vendor="0x8086")
    add_card(tmp_path, 2, "0000:03:00.0")
    assert AmdProbe(tmp_path).sample().device == "Radeon 2"
    monkeypatch.setenv("HIP_VISIBLE_DEVICES", "1")
    assert AmdProbe(tmp_path).sample().device == "Radeon 0"


@pytest.mark.parametrize("visible", ["", "2", "-1"])
def test_hidden_cards_are_no_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: str) -> None:
    add_card(tmp_path, 0, "0000:03:00.0")
    monkeypatch.setenv("HIP_VISIBLE_DEVICES", visible)
    with pytest.raises(GpuAbsent):
        AmdProbe(tmp_path)


def test_a_driver_that_is_unloaded_is_told(tmp_path: Path) -> None:
    device = add_card(tmp_path, 0, "0000:03:00.0")
    probe = AmdProbe(tmp_path)
    (device / "mem_info_vram_used").unlink()
    with pytest.raises(GpuAbsent):
        probe.sample()

"""Damaged GGUF files and pictures through the real engine process; `bench_llama_cpp_damage.py` tries hundreds."""

from __future__ import annotations

from pathlib import Path

from desktopapp.modelstore.model import ModelFiles
from tests.damage_run import DamageRun


def test_damaged_files_end_in_one_error_and_good_ones_still_work(
    random_gguf: ModelFiles, tmp_path: Path
) -> None:
    outcome = DamageRun(random_gguf, tmp_path, longest_s=100.0).run(models=16, pictures=8)
    assert outcome.faults == []
    assert outcome.errors.total() == 24
    assert outcome.errors.total() - outcome.errors["Finished"] >= 12

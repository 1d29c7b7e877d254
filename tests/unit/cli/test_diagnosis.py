from __future__ import annotations

import json
from pathlib import Path

import pytest

from desktopapp.cli import diagnosis, run_command
from desktopapp.cli.diagnosis import (
    PACKAGES,
    backend_findings,
    installed_version,
    llama_build,
    model_findings,
    package_findings,
    python_findings,
    torch_build,
)
from desktopapp.engine.memory.probe import GpuFacts
from desktopapp.modelstore.model import InstalledModel, ModelFiles, ModelKind, WeightFormat

GPU = GpuFacts("NVIDIA Test", 8 * 10**9, 7 * 10**9, "600.1")
BOTH_CPU: dict[str, str | None] = {"transformers": "CPU only", "llama.cpp": "CPU only"}


def model(*, missing: tuple[str, ...] = (), problem: str = "", gguf: bool = False) -> InstalledModel:
    weights = WeightFormat.GGUF if gguf else WeightFormat.SAFETENSORS
    files = (ModelFiles(weights, Path("m"), None, "F16", 1, missing),)
    return InstalledModel("m", Path("m"), ModelKind.INSTRUCT, "m", () if problem else files, problem=problem)


def test_an_old_python_stops_answers() -> None:
    (finding,) = python_findings((3, 10))
    assert finding.stops_answers
    assert python_findings((3, 11)) == []


def test_a_missing_package_is_named_and_an_optional_one_stops_nothing() -> None:
    there: dict[str, str | None] = dict.fromkeys(PACKAGES, "1")
    assert package_findings(there) == []
    (finding,) = package_findings(there | {"pillow": None})
    assert "pillow" in finding.message
    assert finding.stops_answers
    (finding,) = package_findings(there | {"pillow-heif": None})
    assert not finding.stops_answers


def test_a_gpu_that_is_left_unused_is_named() -> None:
    assert backend_findings(BOTH_CPU, None, has_driver=False) == []
    assert len(backend_findings(BOTH_CPU, GPU, has_driver=True)) == 2
    with_cuda: dict[str, str | None] = {"transformers": "CUDA 13.0", "llama.cpp": "CUDA"}
    assert backend_findings(with_cuda, GPU, has_driver=True) == []


def test_a_cuda_build_without_a_driver_cannot_load() -> None:
    builds = BOTH_CPU | {"llama.cpp": "CUDA"}
    (finding,) = backend_findings(builds, None, has_driver=False)
    assert "LLAMA_CUDA=off" in finding.remedy


def test_no_model_that_can_run_stops_answers() -> None:
    assert [finding.stops_answers for finding in model_findings((), BOTH_CPU)] == [True]
    assert model_findings((model(),), BOTH_CPU) == []
    for bad in (model(missing=("the mmproj file",)), model(problem="its architecture is “llama”")):
        named, none = model_findings((bad,), BOTH_CPU)
        assert "“m”" in named.message
        assert none.stops_answers


def test_a_model_whose_backend_is_missing_cannot_run() -> None:
    builds = BOTH_CPU | {"llama.cpp": None}
    assert [finding.stops_answers for finding in model_findings((model(gguf=True),), builds)] == [True]
    assert model_findings((model(gguf=True), model()), builds) == []


def test_builds_are_read_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lib").mkdir()
    monkeypatch.setattr(diagnosis, "_package_folder", lambda _module: tmp_path)
    assert torch_build() == "unknown"
    for text, build in (
        ("cuda: Optional[str] = None\n", "CPU only"),
        ("cuda: Optional[str] = '13.0'\n", "CUDA 13.0"),
    ):
        (tmp_path / "version.py").write_text(f"__version__ = '2.13.0'\n{text}")
        assert torch_build() == build
    assert llama_build() == "CPU only"
    (tmp_path / "lib" / "libggml-cuda.so").touch()
    assert llama_build() == "CUDA"
    monkeypatch.setattr(diagnosis, "_package_folder", lambda _module: None)
    assert torch_build() is None
    assert llama_build() is None


def test_versions_come_from_metadata() -> None:
    assert installed_version("msgspec")
    assert installed_version("no-such-package-at-all") is None


def test_doctor_fails_without_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QWEN3VL_DESKTOP_HOME", str(tmp_path))
    monkeypatch.setattr("desktopapp.paths.program_dir", lambda: tmp_path / "program")
    (tmp_path / "config.yaml").write_text("theme: pink\n")
    assert run_command(["doctor", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False
    assert set(report["backends"]) == {"transformers", "llama.cpp"}
    assert report["memory"]["total_bytes"] > report["memory"]["free_bytes"] > 0
    assert report["to_mend"][0]["stops_answers"]
    assert any("theme" in finding["message"] for finding in report["to_mend"])
    assert run_command(["doctor"]) == 1
    assert "No model can run here." in capsys.readouterr().out

"""What the full flavour takes of torch, transformers and Triton, without freezing it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "packaging"))

import bundle_contents as contents  # noqa: E402
import full_contents  # noqa: E402
import triton_driver  # noqa: E402

from desktopapp.engine.backends.transformers import packaged_triton  # noqa: E402


def test_the_models_behind_qwen3_vl_go_in_and_the_others_stay_out() -> None:
    left_out, hidden = full_contents.excluded_modules(), full_contents.hidden_imports()
    assert "transformers.models.llama.modeling_llama" in left_out
    assert not {"transformers.models.llama", "transformers.models.llama.__init__"} & set(left_out)
    for name in (
        "auto.image_processing_auto",
        "qwen2.tokenization_qwen2",
        "qwen2_vl.image_processing_pil_qwen2_vl",
        "qwen3_vl.modeling_qwen3_vl",
        "qwen3_vl_moe.modeling_qwen3_vl_moe",
    ):
        assert f"transformers.models.{name}" in hidden
    assert not [name for name in hidden if name in left_out]


def test_torch_s_own_parts_are_not_left_out_of_the_full_flavour() -> None:
    """Transformers reports a missing `unittest.mock` as a missing class of its own."""
    assert "unittest.mock" in contents.excluded_modules("lite")
    assert not {"unittest.mock", "sympy", "huggingface_hub"} & set(contents.excluded_modules("full"))


@pytest.mark.parametrize(
    ("destination", "wanted"),
    [
        ("torch/lib/libtorch_cuda.so", True),
        ("torch/bin/torch_shm_manager", True),
        ("torch/bin/test_jit", False),
        ("torch/bin/protoc-3.13.0.0", False),
        ("torch/testing/__init__.py", True),
        ("transformers/models/qwen3_vl/modeling_qwen3_vl.py", True),
        ("triton/_C/libtriton.so", True),
        ("triton/_C/libproton.so", False),
        ("triton/backends/nvidia/bin/ptxas", True),
        ("triton/backends/nvidia/bin/ptxas-blackwell", True),
        ("triton/backends/nvidia/bin/nvdisasm", False),
        ("triton/backends/nvidia/lib/libdevice.10.bc", True),
        ("triton/backends/nvidia/lib/cupti/libcupti.so", False),
        ("triton/backends/nvidia/cuda_utils.so", True),
        ("nvidia/cu13/lib/libcublas.so.13", True),
        ("nvidia/cu13/lib/libnvrtc.alt.so.13", False),
        ("nvidia/cudnn/lib/libcudnn_engines_precompiled.so.9", True),
        ("nvidia/nvshmem/lib/libnvshmem_host.so.3", True),
        ("nvidia/nvshmem/lib/nvshmem_transport_ucx.so.3", False),
        ("sympy/tests/data.txt", False),
    ],
)
def test_what_is_loaded_goes_in(destination: str, wanted: bool) -> None:
    assert contents.is_wanted(destination, "full") is wanted


def test_links_at_the_top_to_torch_s_libraries_stay_out() -> None:
    assert contents.is_link_to_torch("libcudnn.so.9", "nvidia/cudnn/lib/libcudnn.so.9")
    assert not contents.is_link_to_torch("libz.so.1", "/usr/lib/libz.so.1")
    assert not contents.is_link_to_torch("torch/lib/libtorch.so", "torch/lib/libtorch.so")


def test_sources_that_triton_compiles_go_in_as_files() -> None:
    folders = {f"{name.replace('.', '/')}" for name in contents.source_modules("full")}
    kernels = {
        file.parent.relative_to(ROOT).as_posix()
        for file in (ROOT / "desktopapp").rglob("*.py")
        if "\n@jit\n" in file.read_text(encoding="utf-8")
    }
    assert kernels
    assert kernels <= folders
    assert contents.source_modules("lite") == {}


def test_a_package_s_size_is_that_of_its_files_and_of_what_it_requires(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, size, requires in (
        ("alpha", 100, ['beta[fast]; python_version >= "3"', 'never; extra == "other"']),
        ("beta", 20, ["Alpha", 'gamma_x; extra == "fast"', 'delta; extra == "slow"']),
        ("gamma-x", 3, []),
    ):
        info = tmp_path / f"{name.replace('-', '_')}-1.dist-info"
        info.mkdir()
        lines = [
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1",
            *(f"Requires-Dist: {one}" for one in requires),
        ]
        (info / "METADATA").write_text("\n".join(lines) + "\n")
        (tmp_path / f"{name}.py").write_bytes(b"x" * size)
        (tmp_path / f"{name}.pyc").write_bytes(b"x" * 1000)
        (info / "RECORD").write_text(f"{name}.py,,\n{name}.pyc,,\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert full_contents.installed_bytes("alpha") == 123


@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="needs Triton")
@pytest.mark.skipif(
    not (Path(sysconfig.get_paths()["include"]) / "Python.h").is_file(), reason="needs Python's headers"
)
def test_the_driver_s_part_is_compiled_without_a_driver(tmp_path: Path) -> None:
    library = triton_driver.build(tmp_path / "made")
    assert library.name == f"{triton_driver.NAME}.so"
    assert [path.name for path in library.parent.iterdir()] == [library.name]
    done = subprocess.run(["nm", "--dynamic", str(library)], check=True, capture_output=True, text=True)
    assert " T PyInit_cuda_utils" in done.stdout
    assert triton_driver.DESTINATION == packaged_triton.DRIVER_FOLDER

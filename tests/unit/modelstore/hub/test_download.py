"""A whole model: what is loaded, kept, gone on with, and where it ends up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from desktopapp import paths
from desktopapp.hub_errors import (
    DiskTooFull,
    DownloadRunning,
    FolderUnwritable,
    PrecisionAbsent,
    RepositoryUnfit,
)
from desktopapp.modelstore.hub import download as download_module
from desktopapp.modelstore.hub.address import parse_address
from desktopapp.modelstore.hub.client import Hub
from desktopapp.modelstore.hub.download import (
    Download,
    Phase,
    Progress,
    discard,
    pending_downloads,
    plan_download,
    run_download,
)
from desktopapp.modelstore.hub.inspection import inspect_repository
from desktopapp.modelstore.model import ModelFiles, ModelKind
from desktopapp.modelstore.store import find_models, find_variant
from tests.hub_server import HubServer

NAME = "Qwen/Qwen3-VL-1B-Instruct-GGUF"
THINKING = "Qwen/Qwen3-VL-1B-Thinking"


@pytest.fixture
def stocked(hub_server: HubServer, random_gguf: ModelFiles, random_folder: Path) -> HubServer:
    """A hub with a GGUF in two precisions and a safetensors repository."""
    assert random_gguf.projector is not None
    weights, projector = random_gguf.path.read_bytes(), random_gguf.projector.read_bytes()
    hub_server.repositories[NAME] = {
        "README.md": b"hello",
        "Qwen3VL-1B-Instruct-Q8_0.gguf": weights,
        "Qwen3VL-1B-Instruct-F16.gguf": weights,
        "mmproj-Qwen3VL-1B-Instruct-F16.gguf": projector,
        "mmproj-Qwen3VL-1B-Instruct-Q8_0.gguf": projector,
    }
    hub_server.repositories[THINKING] = {
        path.name: path.read_bytes() for path in random_folder.iterdir() if path.is_file()
    }
    return hub_server


@pytest.fixture
def planned(stocked: HubServer) -> Download:
    model = inspect_repository(Hub(stocked.url), parse_address(f"{NAME}:Q8_0"))
    return plan_download(model, model.forms[0])


def run(server: HubServer, download: Download, report: Callable[[Progress], None] | None = None) -> Path:
    return run_download(Hub(server.url), download, report or (lambda progress: None))


class Stopped(Exception):
    pass


def test_a_model_comes_into_the_person_s_folder_and_is_listed(stocked: HubServer, planned: Download) -> None:
    seen: list[Progress] = []
    folder = run(stocked, planned, seen.append)
    assert folder == paths.model_dirs()[-1] / "Qwen3-VL-1B-Instruct-GGUF"
    assert sorted(path.name for path in folder.iterdir()) == [
        "Qwen3VL-1B-Instruct-Q8_0.gguf",
        "mmproj-Qwen3VL-1B-Instruct-F16.gguf",
    ]
    loading = [one.done_bytes for one in seen if one.phase is Phase.LOADING]
    assert loading == sorted(loading)
    assert loading[-1] == planned.total_bytes
    assert {one.file for one in seen if one.phase is Phase.CHECKING} == {file.name for file in planned.files}
    (model,) = (one for one in find_models(()) if one.name == "Qwen3-VL-1B-Instruct-GGUF")
    assert not model.files[0].missing
    assert pending_downloads() == []
    assert not planned.folder.exists()


def test_a_pair_is_recognised_across_formats(stocked: HubServer, planned: Download) -> None:
    run(stocked, planned)
    thinking = inspect_repository(Hub(stocked.url), parse_address(THINKING))
    run(stocked, plan_download(thinking, thinking.forms[0]))
    models = {model.name: model for model in find_models(())}
    instruct = models["Qwen3-VL-1B-Instruct-GGUF"]
    assert models["Qwen3-VL-1B-Thinking"].files[0].missing == ()
    # The random model's template is Instruct's, whatever the folder is called: only the family is shared here.
    assert models["Qwen3-VL-1B-Thinking"].family == instruct.family
    assert find_variant(instruct, ModelKind.INSTRUCT, ()) is instruct


def test_what_was_loaded_is_kept_and_gone_on_with(stocked: HubServer, planned: Download) -> None:
    def stop(progress: Progress) -> None:
        if progress.done_bytes > planned.total_bytes // 2:
            raise Stopped

    with pytest.raises(Stopped):
        run(stocked, planned, stop)
    (pending,) = pending_downloads()  # as after a restart
    assert pending == planned
    kept = pending.kept_bytes
    assert planned.total_bytes // 2 <= kept < planned.total_bytes
    assert planned.name not in [model.name for model in find_models(())]
    asked = len(stocked.requests)
    run(stocked, pending)
    again = [wished for path, wished in stocked.requests[asked:] if path.startswith("/cdn/")]
    assert all(wished for wished in again)
    assert planned.name in [model.name for model in find_models(())]


def test_discarding_takes_everything_away(stocked: HubServer, planned: Download) -> None:
    def stop(progress: Progress) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        run(stocked, planned, stop)
    discard(planned)
    assert pending_downloads() == []
    assert not planned.folder.exists()
    discard(planned)  # nothing is there any more


def test_another_precision_shares_the_mmproj_file(stocked: HubServer, planned: Download) -> None:
    run(stocked, planned)
    model = inspect_repository(Hub(stocked.url), parse_address(f"{NAME}:F16"))
    second = plan_download(model, model.forms[0])
    assert 0 < second.missing_bytes < second.total_bytes
    asked = len(stocked.requests)
    run(stocked, second)
    loaded = {path.rpartition("/")[2] for path, _ in stocked.requests[asked:] if path.startswith("/cdn/")}
    assert loaded == {"Qwen3VL-1B-Instruct-F16.gguf"}
    assert len(list(second.target.iterdir())) == 3


def test_the_same_download_runs_once(stocked: HubServer, planned: Download) -> None:
    def begin_again(progress: Progress) -> None:
        with pytest.raises(DownloadRunning, match="another window or command"):
            run(stocked, planned)
        with pytest.raises(DownloadRunning):
            discard(planned)
        raise Stopped

    with pytest.raises(Stopped):
        run(stocked, planned, begin_again)
    run(stocked, planned)


def test_the_disk_is_asked_before(
    stocked: HubServer, planned: Download, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 300 << 20

    monkeypatch.setattr(download_module.shutil, "disk_usage", lambda folder: Usage)
    run(stocked, planned)
    discard(planned)
    Usage.free = 200 << 20
    model = inspect_repository(Hub(stocked.url), parse_address(f"{NAME}:F16"))
    with pytest.raises(DiskTooFull, match=r"0\.2 GB are free"):
        run(stocked, plan_download(model, model.forms[0]))


def test_a_folder_that_cannot_be_made_is_named(stocked: HubServer, planned: Download, home: Path) -> None:
    home.parent.mkdir(parents=True, exist_ok=True)
    home.write_text("a file where the folder should be")
    with pytest.raises(FolderUnwritable, match=r"\.downloads"):
        run(stocked, planned)


def test_precisions_are_told_the_smallest_first(stocked: HubServer) -> None:
    model = inspect_repository(Hub(stocked.url), parse_address(NAME))
    assert {form.precision for form in model.forms} == {"Q8_0", "F16"}
    assert model.kind is ModelKind.INSTRUCT
    assert model.config["model_type"] == "qwen3_vl"
    link = f"https://huggingface.co/{NAME}/blob/main/Qwen3VL-1B-Instruct-F16.gguf"
    (form,) = inspect_repository(Hub(stocked.url), parse_address(link)).forms
    assert form.precision == "F16"
    with pytest.raises(PrecisionAbsent) as caught:
        inspect_repository(Hub(stocked.url), parse_address(f"{NAME}:Q2_K"))
    assert "Q8_0" in caught.value.remedy


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"README.md": b"x"}, "no safetensors and no GGUF"),
        ({"a-Q8_0.gguf": b"x"}, "without an mmproj file"),
        ({"model-00001-of-00002.safetensors": b"x", "config.json": b"{}"}, "not complete"),
        ({"model.safetensors": b"x", "config.json": b'{"model_type": "llava"}'}, "“llava”"),
        ({"model.safetensors": b"x", "config.json": b"["}, "cannot be read"),
        ({"model.safetensors": b"x", "config.json": b'{"model_type": "qwen3_vl"}'}, "no vision part"),
        (
            {
                "model.safetensors": b"x",
                "config.json": b'{"model_type": "qwen3_vl", "text_config": {}, "vision_config": {}, '
                b'"quantization_config": {"quant_method": "fp8"}}',
            },
            "only other programs read",
        ),
        ({"a-Q8_0.gguf": b"x", "mmproj-F16.gguf": b"y"}, "is no GGUF file"),
    ],
)
def test_what_cannot_be_used_is_refused_before_it_is_loaded(
    hub_server: HubServer, files: dict[str, bytes], words: str
) -> None:
    hub_server.repositories["some/model"] = files
    with pytest.raises(RepositoryUnfit, match=words):
        inspect_repository(Hub(hub_server.url), parse_address("some/model"))


def test_a_gguf_of_another_family_is_refused(stocked: HubServer) -> None:
    files = stocked.repositories[NAME]
    weights = files["Qwen3VL-1B-Instruct-Q8_0.gguf"]
    files["Qwen3VL-1B-Instruct-Q8_0.gguf"] = weights.replace(b"qwen3vl", b"qwen2vl", 1)
    files["Qwen3VL-1B-Instruct-F16.gguf"] = files["Qwen3VL-1B-Instruct-Q8_0.gguf"]
    with pytest.raises(RepositoryUnfit, match="“qwen2vl”"):
        inspect_repository(Hub(stocked.url), parse_address(NAME))


def test_an_mmproj_of_another_family_is_refused(stocked: HubServer) -> None:
    files = stocked.repositories[NAME]
    projector = files["mmproj-Qwen3VL-1B-Instruct-F16.gguf"]
    files["mmproj-Qwen3VL-1B-Instruct-F16.gguf"] = projector.replace(b"qwen3vl_merger", b"qwen2vl_merger", 1)
    with pytest.raises(RepositoryUnfit, match="qwen2vl_merger"):
        inspect_repository(Hub(stocked.url), parse_address(NAME))

from __future__ import annotations

from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from desktopapp import settings as settings_module
from desktopapp.engine.request import BackendChoice
from desktopapp.settings import Settings, load_settings, save_settings

ALL_CHANGED = Settings(
    model_name="qwen3-vl-4b",
    backend="llama.cpp",
    use_thinking_mode="true",
    max_seq_len=8192,
    kv_cache_quantization="int8",
    chunked_prefill=False,
    prefill_chunk_size=256,
    image_max_tokens=1024,
    vram_limit_gib=11.5,
    language="zh_CN",
    theme="dark",
    model_places=("/data/模型", "/data/b.gguf"),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def test_a_missing_file_gives_the_defaults_without_a_problem(file: Path) -> None:
    loaded = load_settings(file)
    assert loaded.settings == Settings()
    assert loaded.problems == ()


def test_the_per_user_file_is_used_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QWEN3VL_DESKTOP_HOME", str(tmp_path / "home"))
    save_settings(ALL_CHANGED)
    assert (tmp_path / "home" / "config.yaml").is_file()
    assert load_settings().settings == ALL_CHANGED


def test_every_field_survives_a_round_trip(file: Path) -> None:
    save_settings(ALL_CHANGED, file)
    assert load_settings(file).settings == ALL_CHANGED
    assert load_settings(file).problems == ()


@pytest.mark.parametrize(
    ("written", "mode"), [("true", "true"), ("false", "false"), ("auto", "auto"), ("'true'", "true")]
)
def test_thinking_mode_is_a_yaml_boolean_or_auto(file: Path, written: str, mode: str) -> None:
    file.write_text(f"use_thinking_mode: {written}\n")
    assert load_settings(file).settings.use_thinking_mode == mode


def test_thinking_mode_is_written_as_a_plain_boolean(file: Path) -> None:
    save_settings(ALL_CHANGED, file)
    assert "use_thinking_mode: true\n" in file.read_text()


def test_a_bad_value_is_named_with_its_line_and_the_rest_loads(file: Path) -> None:
    file.write_text("model_name: mine\n\nmax_seq_len: lots\ntheme: dark\n")
    loaded = load_settings(file)
    assert loaded.settings == Settings(model_name="mine", theme="dark")
    (problem,) = loaded.problems
    assert problem.startswith("config.yaml, line 3: “max_seq_len” cannot be “lots”; write ")


def test_an_unknown_key_is_named_and_kept_by_a_save(file: Path) -> None:
    file.write_text("# mine\ntheme: dark\nfuture_setting: {a: [1, 2]}\n")
    loaded = load_settings(file)
    assert loaded.settings.theme == "dark"
    assert loaded.problems == (
        "config.yaml, line 3: there is no setting “future_setting”; correct its name or remove it.",
    )
    save_settings(loaded.settings, file)
    assert "future_setting:" in file.read_text()
    assert load_settings(file) == loaded.__class__(
        loaded.settings,
        (loaded.problems[0].replace("line 3", f"line {_line_of(file, 'future_setting')}"),),
    )


def _line_of(file: Path, key: str) -> int:
    return next(i for i, line in enumerate(file.read_text().splitlines(), 1) if line.startswith(key))


@pytest.mark.parametrize(
    "line",
    ["max_seq_len: 0", "max_seq_len: true", "backend: cuda", "language: fr", "theme: 1", "model_places: a"],
)
def test_values_out_of_range_are_refused(file: Path, line: str) -> None:
    file.write_text(line + "\n")
    loaded = load_settings(file)
    assert loaded.settings == Settings()
    assert len(loaded.problems) == 1


def test_an_empty_value_means_the_default(file: Path) -> None:
    file.write_text("model_name:\nmax_seq_len: null\n")
    assert load_settings(file) == type(load_settings(file))(Settings())


@pytest.mark.parametrize(
    "content",
    [b"a: [1\n", b"- a\n- b\n", b"just text", b"\xff\xfe\x00bad", b"a: 2026-99-99", b"\x00", b"? [a]\n: b"],
)
def test_a_broken_file_is_named_and_set_aside_by_a_save(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    loaded = load_settings(file)
    assert loaded.settings == Settings()
    (problem,) = loaded.problems
    assert problem.startswith("config.yaml: ")
    assert problem.endswith("; correct or delete it.")
    save_settings(ALL_CHANGED, file)
    assert file.with_name("config.yaml.bak").read_bytes() == content
    assert load_settings(file).settings == ALL_CHANGED


def test_an_earlier_backup_is_never_overwritten(file: Path) -> None:
    for content in (b"[1", b"[2", b"[3"):
        file.write_bytes(content)
        save_settings(Settings(), file)
    backups = [file.with_name(f"config.yaml{suffix}").read_bytes() for suffix in (".bak", ".bak2", ".bak3")]
    assert backups == [b"[1", b"[2", b"[3"]


def test_a_save_that_fails_leaves_the_old_file_and_no_litter(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_settings(ALL_CHANGED, file)
    before = file.read_bytes()

    def full_disk(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(settings_module.os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        save_settings(Settings(), file)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_a_folder_in_the_files_place_is_a_problem_and_not_a_crash(file: Path) -> None:
    file.mkdir()
    loaded = load_settings(file)
    assert loaded.settings == Settings()
    assert len(loaded.problems) == 1


def test_a_linked_file_stays_a_link(file: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.yaml"
    real.write_text("theme: dark\n")
    file.symlink_to(real)
    save_settings(ALL_CHANGED, file)
    assert file.is_symlink()
    assert load_settings(real).settings == ALL_CHANGED


@hypothesis_settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_no_content_makes_loading_or_saving_fail(file: Path, content: str) -> None:
    file.write_text(content, encoding="utf-8", errors="surrogatepass")
    load_settings(file)
    save_settings(ALL_CHANGED, file)
    assert load_settings(file).settings == ALL_CHANGED


def test_the_backends_are_those_of_the_engine() -> None:
    assert get_args(get_type_hints(Settings)["backend"]) == tuple(choice.value for choice in BackendChoice)


def test_a_file_name_that_is_no_unicode_survives(file: Path) -> None:
    settings = Settings(model_places=("/data/\udcff.gguf",))
    save_settings(settings, file)
    assert load_settings(file).settings == settings


@pytest.mark.parametrize(
    "line",
    [
        "vram_limit_gib: 0",
        "vram_limit_gib: -1",
        "vram_limit_gib: .nan",
        "vram_limit_gib: .inf",
        "vram_limit_gib: all",
        "kv_cache_quantization: int2",
        "chunked_prefill: sometimes",
        "prefill_chunk_size: 8",
        "image_max_tokens: 0",
        "image_max_tokens: many",
        "prefill_chunk_size: 12.5",
    ],
)
def test_impossible_memory_settings_are_named(line: str, file: Path) -> None:
    file.write_text(f"{line}\ntheme: dark\n")
    loaded = load_settings(file)
    assert loaded.settings == Settings(theme="dark")
    assert line.partition(":")[0] in loaded.problems[0]


def test_a_ceiling_may_be_a_whole_number(file: Path) -> None:
    file.write_text("vram_limit_gib: 24\n")
    assert load_settings(file).settings.vram_limit_gib == 24.0

"""`doctor`: look at the installation and say what to mend, in words."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

from desktopapp.cli.diagnosis import Diagnosis, Finding, diagnose
from desktopapp.cli.memory_check import (
    memory_findings,
    plan_long_text,
    plan_screenshot,
    screenshot_lines,
)
from desktopapp.cli.models import describe_model, model_lines
from desktopapp.cli.terminal import DONE, FAILED, readable_size, use_utf8, write_json, write_line
from desktopapp.engine.price_events import Planned
from desktopapp.engine.wire import event_to_dict
from desktopapp.settings import load_settings


def show_diagnosis(*, as_json: bool) -> int:
    """Look, and print what was found.

    Args:
        as_json: one JSON object instead of text.

    Returns:
        The exit code: 1 where the main job, an answer about a picture, cannot run.
    """
    use_utf8(sys.stdout)
    settings = load_settings().settings
    screenshot, long_text, diagnosis = plan_screenshot(settings), plan_long_text(settings), diagnose()
    of_memory = memory_findings(diagnosis.gpu, settings, screenshot, long_text)
    findings = (*diagnosis.findings, *of_memory)
    diagnosis = replace(diagnosis, findings=findings)
    if as_json:
        told = event_to_dict(screenshot) if screenshot is not None else None
        write_json(sys.stdout, _to_json(diagnosis) | {"screenshot": told})
    else:
        for line in _to_lines(diagnosis, screenshot):
            write_line(sys.stdout, line)
    return DONE if diagnosis.can_answer else FAILED


def _to_json(diagnosis: Diagnosis) -> dict[str, Any]:
    gpu = diagnosis.gpu
    return {
        "ok": diagnosis.can_answer,
        "program": diagnosis.program,
        "python": diagnosis.python,
        "system": diagnosis.system,
        "packages": diagnosis.packages,
        "gpu": None
        if gpu is None
        else {
            "name": gpu.name,
            "driver": gpu.driver,
            "total_bytes": gpu.total_bytes,
            "free_bytes": gpu.free_bytes,
        },
        "backends": {
            name: {"installed": build is not None, "build": build} for name, build in diagnosis.builds.items()
        },
        "vulkan": diagnosis.vulkan or None,
        "memory": {"free_bytes": diagnosis.free_memory_bytes, "total_bytes": diagnosis.total_memory_bytes},
        "disk": {"free_bytes": diagnosis.free_disk_bytes, "folder": diagnosis.user_folder},
        "models": [describe_model(model) for model in diagnosis.models],
        "to_mend": [_finding_to_json(finding) for finding in diagnosis.findings],
    }


def _finding_to_json(finding: Finding) -> dict[str, Any]:
    return {"message": finding.message, "remedy": finding.remedy, "stops_answers": finding.stops_answers}


def _to_lines(diagnosis: Diagnosis, screenshot: Planned | None) -> list[str]:
    gpu = diagnosis.gpu
    packages = ", ".join(f"{name} {version or 'missing'}" for name, version in diagnosis.packages.items())
    lines = [
        f"Program: {diagnosis.program}",
        f"Python: {diagnosis.python} on {diagnosis.system}",
        f"Packages: {packages}",
        "GPU: none found"
        if gpu is None
        else f"GPU: {gpu.name}, driver {gpu.driver}, "
        f"{readable_size(gpu.free_bytes)} of {readable_size(gpu.total_bytes)} free",
        *(f"Backend {name}: {build or 'not installed'}" for name, build in diagnosis.builds.items()),
        *([f"Vulkan: {diagnosis.vulkan}"] if diagnosis.vulkan else []),
        f"Memory: {readable_size(diagnosis.free_memory_bytes)} of "
        f"{readable_size(diagnosis.total_memory_bytes)} free",
        f"Disk: {readable_size(diagnosis.free_disk_bytes)} free for {diagnosis.user_folder}",
        f"Models: {len(diagnosis.models)}",
        *(f"  {line}" for model in diagnosis.models for line in model_lines(model)),
        *(screenshot_lines(screenshot) if screenshot is not None else ()),
    ]
    if not diagnosis.findings:
        return [*lines, "Nothing to mend."]
    lines.append("To mend:")
    lines += [f"  {finding.message} {finding.remedy}" for finding in diagnosis.findings]
    return lines

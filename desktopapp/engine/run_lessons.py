"""What a finished request teaches about the machine that it ran on."""

from __future__ import annotations

from dataclasses import replace

from desktopapp.engine.events import Stats
from desktopapp.engine.memory.calibration import UNCALIBRATED, Calibration
from desktopapp.engine.memory.learning import Observation, learn
from desktopapp.engine.memory.probe import GpuAbsent, open_gpu_probe
from desktopapp.engine.request import BackendChoice
from desktopapp.engine.request_plan import RequestPlan


def learn_from(plan: RequestPlan, stats: Stats, calibration: Calibration) -> None:
    """Compare a plan with what its request took.

    Only torch's allocator on a GPU counts every byte; a prompt that was partly cached tells nothing of its costs.

    Args:
        plan: of the request.
        stats: of it, finished.
        calibration: takes what was learnt.
    """
    candidate, setup = plan.candidate, plan.plan.setup
    is_counted = candidate.backend is BackendChoice.TRANSFORMERS and candidate.device.is_gpu
    if not is_counted or stats.cached_tokens or not stats.peak_bytes:
        return
    workload = plan.plan.content.workload(setup.showing)
    if workload.prompt_tokens != stats.prompt_tokens:
        workload = workload.with_prompt_tokens(stats.prompt_tokens)
    seen = Observation(stats.peak_bytes, _device_bytes())
    plain = replace(candidate, corrections=UNCALIBRATED).costs(setup.placement)
    measured = learn(plain, workload.answered_with(stats.new_tokens), setup.run, seen)
    calibration.add(candidate.model, candidate.backend, candidate.device.name, measured)


def _device_bytes() -> int:
    """Of this process, by the GPU's driver; 0 where it does not tell."""
    try:
        probe = open_gpu_probe()
    except GpuAbsent:
        return 0
    try:
        return probe.sample().engine_bytes
    except GpuAbsent:
        return 0
    finally:
        probe.close()

"""What a finished request teaches about the machine that it ran on."""

from __future__ import annotations

from dataclasses import replace

from desktopapp.engine.events import Stats
from desktopapp.engine.memory.calibration import UNCALIBRATED, Calibration
from desktopapp.engine.memory.learning import Observation, learn
from desktopapp.engine.memory.probe import sample_gpu
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
    sample = sample_gpu()
    # Of this process; 0 where the driver does not tell.
    device_bytes = sample.engine_bytes if sample is not None else 0
    seen = Observation(stats.peak_bytes, device_bytes)
    plain = replace(candidate, corrections=UNCALIBRATED).costs(setup.placement)
    measured = learn(plain, workload.answered_with(stats.new_tokens), setup.run, seen)
    calibration.add(candidate.model, candidate.backend, candidate.device.name, measured)

"""Trains the pocket pair: `python -m models.pocket.train --help`.

Stages: the tower alone learns which character stands where ("tower"), the whole model learns all skills in both
kinds of answer ("base"), and from there each checkpoint learns its own kind while the rate falls ("instruct",
"thinking"). A stage goes on from its checkpoint; it ends with its steps, or with its time if it is given some.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import torch
from torch.utils.data import DataLoader

from models.pocket.batches import Batches
from models.pocket.checkpoint import load_checkpoint, load_exported, save_checkpoint
from models.pocket.glyphs import Atlas, build_atlas
from models.pocket.model import PocketModel
from models.pocket.optimiser import Optimiser
from models.pocket.render import Renderer
from models.pocket.schedule import Stage, plan_stage
from models.pocket.shape import SHAPE
from models.pocket.trainer import Helpers, Trainer
from models.pocket.watch import Watch
from models.pocket.words import read_words

SEED = 20261122
_STAGE_SEEDS = {"tower": 1, "base": 2, "instruct": 3, "thinking": 4}
_FACES_PER_FONT = 12
_CLIP_NORM = 1.0
_SAVE_EVERY_S = 120.0
_LOGIT_CHECK_STEPS = 20
# For helpers that start anew beside a trained model.
_SETTLE_STEPS = 150


@dataclass(frozen=True, slots=True)
class Clock:
    """The time that a stage may take.

    Args:
        before_s: spent on it in earlier runs.
        budget_s: that it may take from now on; infinite if its steps alone count.
    """

    before_s: float
    budget_s: float
    started_s: float = field(default_factory=time.monotonic)

    @property
    def spent_s(self) -> float:
        """Spent on the stage in all."""
        return self.before_s + time.monotonic() - self.started_s

    @property
    def done(self) -> float:
        """Part of the stage's time that is over."""
        return self.spent_s / (self.before_s + self.budget_s)


def train_stage(
    trainer: Trainer,
    stage: Stage,
    batches: Batches,
    first_step: int,
    clock: Clock,
    log: IO[str],
    workers: int,
    save: Callable[[int], None],
    settle_steps: int = 0,
) -> int:
    """Train until the steps or the time are over, and save now and then; returns the next step.

    In the first `settle_steps` only the helpers learn, so that new ones do not spoil the model's weights.

    Raises:
        NonFiniteLossError: the loss is no number, or too many gradients in a row were not.
    """
    optimiser = Optimiser([*trainer.model.named_parameters(), *trainer.helpers.named_parameters()])
    generator = torch.Generator(trainer.device)
    loader = DataLoader(
        batches,
        batch_size=None,
        sampler=range(first_step, stage.steps),
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        pin_memory=trainer.device.type == "cuda",
    )
    shown = saved = time.monotonic()
    pictures = 0
    peak = 0.0
    watch = Watch(stage.name)
    for step, host_batch in enumerate(loader, first_step):
        batch = {
            name: t.to(trainer.device, non_blocking=True) for name, t in host_batch.items() if name != "size"
        }
        batch["size"] = host_batch["size"]
        generator.manual_seed(stage.seed * 1_000_003 + step)
        if step % _LOGIT_CHECK_STEPS == 0 and "backgrounds" in batch:
            with torch.autocast(trainer.device.type, torch.bfloat16):
                sample = trainer.renderer.render(batch, generator)[:8]
                peak = trainer.tame_attention(sample)
        with torch.autocast(trainer.device.type, torch.bfloat16):
            out = trainer.losses(batch, generator)
        optimiser.zero_grad()
        torch.autograd.backward(out["loss"])
        out = {name: value.detach() for name, value in out.items()}
        done = max(step / stage.steps, clock.done)
        since_start = step - first_step
        if since_start < settle_steps:
            trainer.model.zero_grad()
        else:
            since_start -= settle_steps
        norm = optimiser.step(stage.rate(min(1.0, done), since_start), _CLIP_NORM)
        watch.add(step, out["loss"], norm)
        pictures += len(batch["backgrounds"]) if "backgrounds" in batch else 0
        now = time.monotonic()
        if step % 25 == 0:
            values = {name: round(float(value), 4) for name, value in out.items()}
            line = {"stage": stage.name, "step": step, "s": round(clock.spent_s, 1), "done": round(done, 4), **values, "norm": round(float(norm), 3),
                    "peak": round(peak, 1), "per_s": round(pictures / (now - shown)), "skipped": watch.skipped,
                    "size": batch["size"].tolist()[:2]}  # fmt: skip
            log.write(json.dumps(line) + "\n")
            log.flush()
            if step % 100 == 0:
                print(json.dumps(line), flush=True)
            shown, pictures = now, 0
        if now - saved > _SAVE_EVERY_S:
            save(step + 1)
            saved = now
        if done >= 1:
            return step + 1
    return stage.steps


def prepare_atlas(folder: Path, fonts: Path, processes: int) -> Atlas:
    """Build the atlas unless it is there."""
    if not (folder / "face_size.npy").exists():
        files = [file for file in sorted(fonts.rglob("*")) if file.suffix.lower() in (".ttf", ".otf")]
        build_atlas(files, faces_per_font=_FACES_PER_FONT, seed=SEED, processes=processes).save(folder)
    return Atlas.load(folder)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("stage", choices=tuple(_STAGE_SEEDS))
    add("--steps", type=int, required=True, help="of the whole stage")
    add("--rate", type=float, default=0.01, help="Muon's learning rate")
    add("--end-rate", type=float, help="learning rate at the stage's end; left out, it stays")
    add("--decay-share", type=float, default=1.0, help="last part of the stage, where it falls")
    add("--growth-steps", type=int, default=700, help="of the base stage")
    add(
        "--budget-s",
        type=float,
        default=math.inf,
        help="end the stage after this time, its rate fallen all the same",
    )
    add(
        "--start",
        type=Path,
        help="checkpoint of the stage before, or a model folder; its steps are not counted",
    )
    add("--checkpoint", type=Path, required=True, help="is written, and gone on from")
    add("--fonts", type=Path, required=True, help="folder of training fonts")
    add("--words", type=Path, required=True, help="word list, a word a line")
    add("--atlas", type=Path, default=Path("/dev/shm/pocket-atlas"), help="is made if missing")
    add("--workers", type=int, default=max(1, (os.cpu_count() or 2) - 2))
    add("--no-compile", action="store_true")
    return parser.parse_args()


def _is_exported(folder: Path | None) -> bool:
    """Whether a folder is that of a model, not a checkpoint."""
    return folder is not None and (folder / "model.safetensors").exists()


def _make_trainer(
    options: argparse.Namespace, atlas: Atlas, device: torch.device
) -> tuple[Trainer, int, float]:
    """A trainer with the weights to go on from, the stage's first step, and the seconds spent on it before."""
    model = PocketModel(SHAPE)
    model.initialise(SEED)
    helpers = Helpers()
    first_step, spent_s = 0, 0.0
    if (options.checkpoint / "state.json").exists():
        state = load_checkpoint(options.checkpoint, model, helpers)
        if state["stage"] == options.stage:
            first_step, spent_s = int(state["step"]), float(state["spent_s"])
    elif _is_exported(options.start):
        load_exported(options.start, model)
    elif options.start is not None:
        load_checkpoint(options.start, model, helpers)
    model.to(device)
    helpers.to(device)
    if not options.no_compile:
        tower = model.visual
        for module in [*tower.blocks, *model.language.layers, tower.merger, *tower.deepstack_merger_list]:
            module.compile(dynamic=True)
    renderer = Renderer(atlas, device, compiled=not options.no_compile)
    return Trainer(model, helpers, renderer, device), first_step, spent_s


def main() -> None:
    """Run one stage."""
    options = _parse()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.manual_seed(SEED)
    begun = time.monotonic()
    atlas = prepare_atlas(options.atlas, options.fonts, options.workers)
    print(f"atlas: {atlas.faces} faces, {atlas.pixels.nbytes / 1e6:.0f} MB", flush=True)
    trainer, first_step, spent_s = _make_trainer(options, atlas, device)
    stage = Stage(
        name=options.stage,
        steps=options.steps,
        peak_rate=options.rate,
        end_rate=options.end_rate,
        seed=SEED + _STAGE_SEEDS[options.stage],
        decay_share=options.decay_share,
    )
    plans = plan_stage(stage, growth_steps=options.growth_steps)
    batches = Batches(plans, options.atlas, read_words(options.words, held_out=False), stage.seed)

    # What building the atlas and starting took is part of the budget.
    clock = Clock(spent_s, options.budget_s, begun)

    def save(next_step: int, *, done: bool = False) -> None:
        state = {"stage": stage.name, "step": next_step, "spent_s": round(clock.spent_s, 1), "done": done}
        save_checkpoint(options.checkpoint, trainer.model, trainer.helpers, state)

    options.checkpoint.mkdir(parents=True, exist_ok=True)
    with (options.checkpoint / f"{stage.name}.log").open("a", encoding="utf-8") as log:
        settle = _SETTLE_STEPS if first_step == 0 and _is_exported(options.start) else 0
        step = train_stage(trainer, stage, batches, first_step, clock, log, options.workers, save, settle)
    save(step, done=True)
    print(f"{stage.name} ended at step {step} of {stage.steps} after {clock.spent_s:.0f} s", flush=True)


if __name__ == "__main__":
    main()

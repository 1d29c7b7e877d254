"""The losses: answers, and helpers that say densely what a visual token should know."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.pocket.batches import PLACES_A_CELL
from models.pocket.glyphs import CHARS
from models.pocket.model import PocketModel, VisionOutput
from models.pocket.render import SHAPE_LABELS, SLOTS, Renderer, changed_cells, frame_pairs, slot_labels
from models.pocket.shape import SHAPE

# For pictures of up to 48 cells a side.
_PLACE_BINS = 48 * PLACES_A_CELL
_EMPTY_SLOT_WEIGHT = 0.15
_EMPTY_CELL_WEIGHT = 0.1
_DENSE_WEIGHT = 0.2
_PLACE_WEIGHT = 0.2
# The tower has no norm on queries and keys: past this logit, both are scaled down.
_MOST_LOGIT = 60.0


class Helpers(nn.Module):
    """Heads of the helper losses; they are not part of the model.

    `slot_head` tells the characters of each visual token and `shape_head` the shape whose middle it holds, from what
    the tower gives; `place_head` tells where the character that comes next is read, and `change_head` what changes in
    a visual token, from the language model's middle.
    """

    def __init__(self) -> None:
        super().__init__()
        self.slot_head = nn.Linear(SHAPE.hidden, SLOTS * (CHARS + 1))
        self.shape_head = nn.Linear(SHAPE.hidden, SHAPE_LABELS)
        self.place_head = nn.Linear(SHAPE.hidden, 2 * _PLACE_BINS)
        self.change_head = nn.Linear(SHAPE.hidden, 3)


@dataclass(slots=True)
class Trainer:
    """A model in training.

    Args:
        model: being trained.
        helpers: of its helper losses.
        renderer: paints the batches.
        device: that trains.
    """

    model: PocketModel
    helpers: Helpers
    renderer: Renderer
    device: torch.device

    def losses(self, batch: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Losses and scores of a batch; "loss" is the one to descend."""
        seen = changed = None
        out: dict[str, Tensor] = {}
        if "backgrounds" in batch:
            pictures = self.renderer.render(batch, generator)
            if "pairs" in batch:
                pairs = int(batch["pairs"])
                changed = changed_cells(pictures, batch["changes"], pairs)
                pictures = frame_pairs(pictures, batch["changes"], pairs)
            seen = self.model.visual(pictures)
            if "pairs" not in batch:
                out |= self._dense_losses(seen, batch)
            if "pairs" in batch or "pictures" in batch:
                samples = len(batch["ids"])
                seen = VisionOutput(
                    seen.tokens.reshape(samples, -1, SHAPE.hidden),
                    [level.reshape(samples, -1, SHAPE.hidden) for level in seen.deepstack],
                )
        if "ids" in batch:
            out |= self._answer_losses(seen, batch, changed)
        total = out.get("answer", torch.zeros((), device=self.device))
        if "dense" in out:
            total = total + out["dense"] * (_DENSE_WEIGHT if "answer" in out else 1.0)
        for name in ("shape", "change"):
            if name in out:
                total = total + out[name] * _DENSE_WEIGHT
        if "place" in out:
            total = total + out["place"] * _PLACE_WEIGHT
        out["loss"] = total
        return out

    def _dense_losses(self, seen: VisionOutput, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        features = seen.tokens + sum(seen.deepstack)
        out = {}
        if len(batch["shapes"]):
            shapes = self.renderer.shape_labels(batch)
            weight = torch.ones(SHAPE_LABELS, device=self.device)
            weight[0] = _EMPTY_CELL_WEIGHT
            logits = self.helpers.shape_head(features).float().view(-1, SHAPE_LABELS)
            out["shape"] = functional.cross_entropy(logits, shapes.flatten(), weight)
        if not len(batch["glyphs"]):
            return out
        labels = slot_labels(batch)
        if "ids" in batch:
            features, labels = features[::4], labels[::4]
        logits = self.helpers.slot_head(features).float().view(-1, CHARS + 1)
        weight = torch.ones(CHARS + 1, device=self.device)
        weight[0] = _EMPTY_SLOT_WEIGHT
        flat = labels.reshape(-1)
        out["dense"] = functional.cross_entropy(logits, flat, weight)
        with torch.no_grad():
            guess = logits.argmax(-1)
            right = ((guess == flat) & (flat > 0)).sum()
            out["f1"] = 2 * right / ((guess > 0).sum() + (flat > 0).sum()).clamp(min=1)
        return out

    def _answer_losses(
        self, seen: VisionOutput | None, batch: dict[str, Tensor], changed: Tensor | None
    ) -> dict[str, Tensor]:
        hidden, middle = self.model.language(
            batch["ids"].long(), batch["positions"], seen, batch["seen_at"] if seen is not None else None
        )
        at, target = batch["at"], batch["target"]
        logits = self.model.logits(hidden.flatten(0, 1)[at]).float()
        out = {"answer": functional.cross_entropy(logits, target)}
        out["right"] = (logits.argmax(-1) == target).float().mean()
        place = batch["place"]
        if seen is not None:
            bins = self.helpers.place_head(middle.flatten(0, 1)[at]).float().view(-1, 2, _PLACE_BINS)
            losses = functional.cross_entropy(
                bins.flatten(0, 1),
                place.flatten().clamp(max=_PLACE_BINS - 1),
                ignore_index=-1,
                reduction="sum",
            )
            if changed is not None:
                kinds = self.helpers.change_head(middle[:, batch["seen_at"]]).float().view(-1, 3)
                weight = torch.tensor([_EMPTY_CELL_WEIGHT, 1.0, 1.0], device=self.device)
                out["change"] = functional.cross_entropy(kinds, changed.flatten(), weight)
            out["place"] = losses / (place >= 0).sum().clamp(min=1)
        return out

    @torch.no_grad()
    def tame_attention(self, pictures: Tensor) -> float:
        """Largest attention logit of the tower on some pictures; heads past the limit are scaled down to it."""
        peak = 0.0
        tower = self.model.visual
        x, cos, sin = tower.embed(pictures)
        for block in tower.layers:
            q, k, _ = block.queries_keys_values(x, cos, sin)
            width = q.shape[-1]
            logits = (q.float() @ k.float().mT).abs().amax((0, 2, 3)) / width**0.5
            peak = max(peak, float(logits.max()))
            scale = (_MOST_LOGIT / logits).clamp(max=1).sqrt().repeat_interleave(width).repeat(2)
            projection = block.attn.qkv
            projection.weight[: len(scale)] *= scale[:, None]
            projection.bias[: len(scale)] *= scale
            x = block(x, cos, sin)
        return peak

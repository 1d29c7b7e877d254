"""Muon for the matrices, Adam for the rest.

Source: Muon, Keller Jordan and others 2024 (https://kellerjordan.github.io/posts/muon/): the momentum of a matrix is
replaced by the nearest orthogonal matrix, which five Newton-Schulz steps approach. Matrices of one shape are
orthogonalised together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor, nn

_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
_NEWTON_SCHULZ_STEPS = 5
_MOMENTUM = 0.95
_MUON_DECAY = 0.1
_ADAM_DECAY = 0.0
_ADAM_BETAS = (0.9, 0.95)
# Adam's rate as a part of Muon's.
_ADAM_RATE = 0.25


def is_matrix(name: str, parameter: Tensor) -> bool:
    """Whether Muon takes a parameter: hidden matrices, not embeddings, heads of the helper losses, norms, biases."""
    return (
        parameter.dim() >= 2 and "embed_tokens" not in name and "pos_embed" not in name and "head" not in name
    )


class Optimiser:
    """Both optimisers behind one step.

    Args:
        parameters: by name.
    """

    def __init__(self, parameters: Iterable[tuple[str, nn.Parameter]]) -> None:
        self._stacks: dict[tuple[int, int], list[tuple[nn.Parameter, int]]] = defaultdict(list)
        others = []
        self._all: list[nn.Parameter] = []
        for name, parameter in parameters:
            self._all.append(parameter)
            if not is_matrix(name, parameter):
                others.append(parameter)
                continue
            # Queries, keys and values are three matrices in one.
            parts = 3 if name.endswith("qkv.weight") else 1
            rows, columns = parameter.shape[0] // parts, parameter[0].numel()
            self._stacks[rows, columns].append((parameter, parts))
        self._momentum: dict[tuple[int, int], Tensor] = {}
        self._adam = torch.optim.AdamW(
            others, lr=1e-3, betas=_ADAM_BETAS, weight_decay=_ADAM_DECAY, eps=1e-10, fused=others[0].is_cuda
        )

    def zero_grad(self) -> None:
        """Drop the gradients."""
        for parameter in self._all:
            parameter.grad = None

    @torch.no_grad()
    def step(self, rate: float, clip_norm: float) -> Tensor:
        """Update all parameters that have a gradient, if there is any; none if a gradient is not finite.

        Args:
            rate: Muon's learning rate.
            clip_norm: Adam's gradients are scaled down where the norm of all gradients is larger.

        Returns:
            The norm of all gradients, on the device: reading it waits for the step.
        """
        gradients = [parameter.grad for parameter in self._all if parameter.grad is not None]
        if not gradients:
            return torch.zeros((), device=self._all[0].device)
        norm = torch.nn.utils.get_total_norm(gradients)
        finite = norm.isfinite()
        for key, stack in self._stacks.items():
            members = [member for member in stack if member[0].grad is not None]
            if members:
                self._step_stack(key, members, rate * finite, finite)
        factor = (clip_norm / (norm + 1e-6)).clamp(max=1)
        for group in self._adam.param_groups:
            group["lr"] = rate * _ADAM_RATE
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.grad = torch.where(finite, parameter.grad * factor, 0)
        self._adam.step()
        return norm

    def _step_stack(
        self, key: tuple[int, int], members: list[tuple[nn.Parameter, int]], rate: Tensor, finite: Tensor
    ) -> None:
        rows, columns = key
        gradients = torch.cat(
            [p.grad.reshape(parts, rows, columns) for p, parts in members if p.grad is not None]
        )
        gradients = torch.where(finite, gradients, 0)
        momentum = self._momentum.get(key)
        if momentum is None or len(momentum) != len(gradients):
            momentum = self._momentum[key] = torch.zeros_like(gradients)
        momentum.lerp_(gradients, 1 - _MOMENTUM)
        update = orthogonalise(gradients.lerp(momentum, _MOMENTUM)) * max(1.0, rows / columns) ** 0.5
        parameters = [p.view(parts, rows, columns) for p, parts in members]
        torch._foreach_mul_(parameters, 1 - rate * _MUON_DECAY)
        torch._foreach_sub_(parameters, list((update * rate).split([parts for _, parts in members])))


def orthogonalise(matrices: Tensor) -> Tensor:
    """The nearest (semi-)orthogonal matrices, roughly: (count, rows, columns) float32 to the same."""
    a, b, c = _NEWTON_SCHULZ
    x = matrices.bfloat16()
    tall = x.shape[1] > x.shape[2]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(_NEWTON_SCHULZ_STEPS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    out: Tensor = (x.mT if tall else x).float()
    return out

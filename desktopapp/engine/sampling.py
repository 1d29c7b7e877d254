"""How the next token is chosen: defaults of the two kinds of model, and what the person set by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from desktopapp.engine.request import SamplingOverrides
from desktopapp.modelstore.model import ModelKind, OwnSampling


@dataclass(frozen=True, slots=True)
class SamplingParameters:
    """The complete recipe; see `SamplingOverrides` for the meaning of each field.

    `temperature` 0 is greedy. `seed` None draws a fresh one. Order of application: penalties, temperature,
    top-k, top-p, min-p (candidates below this share of the likeliest one's probability are dropped). llama.cpp
    alone reads `grammar` (GBNF with the rule `root`, which the whole answer follows).
    """

    temperature: float
    top_p: float
    top_k: int
    presence_penalty: float
    repetition_penalty: float = 1.0
    seed: int | None = None
    min_p: float = 0.0
    grammar: str = ""


# Source: generation settings that the Qwen3-VL repository publishes for each kind, language and media alike.
_DEFAULTS = {
    ModelKind.INSTRUCT: SamplingParameters(temperature=0.7, top_p=0.8, top_k=20, presence_penalty=1.5),
    ModelKind.THINKING: SamplingParameters(temperature=1.0, top_p=0.95, top_k=20, presence_penalty=0.0),
}
_SAYS_NOTHING = OwnSampling()
_LONGEST_OUTPUT = {
    (ModelKind.INSTRUCT, True): 16_384,
    (ModelKind.INSTRUCT, False): 32_768,
    (ModelKind.THINKING, True): 40_960,
    (ModelKind.THINKING, False): 40_960,
}


def resolve_sampling(
    kind: ModelKind, overrides: SamplingOverrides, own: OwnSampling = _SAYS_NOTHING
) -> SamplingParameters:
    """The person's values before the model's own, these before the defaults of its kind.

    At temperature 0 the presence penalty of the kind is left out: with it, the token taken is not the likeliest.
    """
    default = _DEFAULTS[kind]

    def pick(name: str) -> Any:
        said = (getattr(source, name) for source in (overrides, own, default))
        return next(value for value in said if value is not None)

    if pick("temperature") <= 0:
        default = replace(default, presence_penalty=0.0)
    names = ("temperature", "top_p", "top_k", "presence_penalty", "repetition_penalty")
    return replace(default, **{name: pick(name) for name in names}, seed=overrides.seed)


def longest_output(kind: ModelKind, has_media: bool) -> int:
    """Default limit of generated tokens for the model's kind."""
    return _LONGEST_OUTPUT[kind, has_media]

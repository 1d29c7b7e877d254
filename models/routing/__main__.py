"""`python -m models.routing`: fit the router's weights, write them, print the figures.

While features are worked on, `--cross-validate` shows the training part alone; the held-out third is for the end.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from desktopapp.engine import routing
from desktopapp.engine.routing.logistic import LogisticModel
from models.routing.prompts import LANGUAGES, read_prompts
from models.routing.training import PENALTY, Confusion, cross_validate, fit, measure

_WEIGHTS = Path(routing.__file__).parent / "weights.json"


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(prog="python -m models.routing", description=__doc__)
    parser.add_argument("--cross-validate", action="store_true", help="of the training part; writes nothing")
    parser.add_argument("--blind", action="store_true", help="measure the blind prompts as well")
    options = parser.parse_args()
    prompts = read_prompts()
    training = [prompt for prompt in prompts if not prompt.is_held_out]
    _print("cross-validation", cross_validate(training))
    if options.cross_validate:
        return
    model = fit(training)
    _write(model, len(training))
    held_out = [prompt for prompt in prompts if prompt.is_held_out]
    _print("training", measure(model, training))
    _print("held out", measure(model, held_out))
    for language in LANGUAGES:
        part = [prompt for prompt in held_out if prompt.language == language]
        _print(f"held out, {language}", measure(model, part))
    if not options.blind:
        return
    blind = read_prompts("blind")
    _print("blind", measure(model, blind))
    for language in LANGUAGES:
        part = [prompt for prompt in blind if prompt.language == language]
        _print(f"blind, {language}", measure(model, part))


def _write(model: LogisticModel, prompts: int) -> None:
    ordered = sorted(model.weights.items(), key=lambda item: -item[1])
    values = {
        "about": "Log-odds that Thinking is the better model; made by python -m models.routing",
        "training_prompts": prompts,
        "penalty": PENALTY,
        "intercept": round(model.intercept, 4),
        "weights": {name: round(weight, 4) for name, weight in ordered},
    }
    _WEIGHTS.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def _print(name: str, found: Confusion) -> None:
    print(
        f"{name}: accuracy {found.accuracy:.1%}, missed Thinking {found.missed_share:.1%} ({found.missed}), "
        f"needless Thinking {found.needless_share:.1%} ({found.needless}); "
        f"right: {found.instruct_right} Instruct, {found.thinking_right} Thinking"
    )


if __name__ == "__main__":
    main()

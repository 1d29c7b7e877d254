"""Whether a step's keys and values may be coarser than the prompt's: python tests/benchmarks/bench_step_precision.py [ITEMS].

The pocket Thinking model answers held-out items greedily with a full-precision cache, in which the numbers of the prompt, of the
thought, or of both were rounded as an `int4` or `int8` cache would round them. What such a cache would take at the 4B
shape is counted, not measured.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from desktopapp.engine.backend import LoadOptions, PromptProgress, RunOptions, TokenAdded
from desktopapp.engine.backends.transformers import TransformersBackend
from desktopapp.engine.backends.transformers.kv_cache import codec
from desktopapp.engine.backends.transformers.kv_cache.cache import KvLayer
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.media.image import open_image
from desktopapp.engine.memory.kv_format import KV_FORMATS, KvFormat
from desktopapp.engine.prompt_parts import ImagePart, PromptPart, TextPart
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore.model import ModelFiles, WeightFormat
from models.pocket.evaluation.items import load_items
from models.pocket.evaluation.measuring import is_right

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "models" / "qwen3-vl" / "qwen3-vl-pocket-thinking"
ITEMS = ROOT / "build" / "pocket-eval"
_GREEDY = SamplingParameters(temperature=0.0, top_p=1.0, top_k=0, presence_penalty=0.0)
_MOST_TOKENS = 700
_SHAPE_4B = (36, 8, 128)  # layers, KV heads, their width
_PROMPT_TOKENS, _STEP_TOKENS = 2_302, 2_279  # of `tests/gpu/bench_staged_large.py`
_MIB = 2**20

PLANS = (
    ("16bit", "16bit"),
    ("16bit", "int8"),
    ("int8", "int8"),
    ("int8", "16bit"),
    ("int8", "int4"),
    ("16bit", "int4"),
    ("int4", "int4"),
    ("int4", "16bit"),
)
"""KV types of the prompt and of the step."""


class Rounding:
    """Rounds what is written into the cache.

    Attributes:
        kv_type: as which type; `16bit` leaves it as it is.
    """

    def __init__(self) -> None:
        self.kv_type = "16bit"

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Stand between the model and its cache in the body."""
        append = KvLayer.append

        def rounded(layer: KvLayer, keys: torch.Tensor, values: torch.Tensor) -> None:
            kv_format = KV_FORMATS[self.kv_type]
            keys = _round(keys, kv_format, rotates=kv_format.rotates_keys)
            append(layer, keys, _round(values, kv_format, rotates=kv_format.rotates_values))

        KvLayer.append = rounded  # type: ignore[method-assign]
        try:
            yield
        finally:
            KvLayer.append = append  # type: ignore[method-assign]


def _round(vectors: torch.Tensor, kv_format: KvFormat, *, rotates: bool) -> torch.Tensor:
    if not kv_format.is_quantised:
        return vectors
    stored = codec.rotate_stored(vectors) if rotates else vectors
    back = codec.decode(*codec.encode(stored.contiguous(), kv_format), kv_format, vectors.dtype)
    # The two rotations are each other's inverse up to the powers of two that they share out.
    return codec.rotate_query(back) if rotates else back


def ask(
    backend: TransformersBackend, rounding: Rounding, picture: Path, question: str, plan: Sequence[str]
) -> str:
    """The answer behind the thought."""
    prompt: list[PromptPart] = [
        TextPart("<|im_start|>user\n"),
        ImagePart(open_image(str(picture))),
        TextPart(question, False),
        TextPart("<|im_end|>\n<|im_start|>assistant\n<think>\n"),
    ]
    said = b""
    rounding.kv_type = plan[0]
    options = RunOptions("16bit", saves_replaced=False)
    for step in backend.generate(prompt, _GREEDY, _MOST_TOKENS, CancelToken(), StepClock(), options):
        if isinstance(step, PromptProgress) and step.done_tokens == step.total_tokens:
            rounding.kv_type = plan[1]
        elif isinstance(step, TokenAdded):
            said += step.data
    return said.decode(errors="replace").rpartition("</think>")[2].strip()


def _forget(backend: TransformersBackend) -> None:
    """Empty the cache, so that no numbers of another plan are reused."""
    loaded = backend._loaded
    if loaded is None:
        raise RuntimeError("no model is loaded")
    loaded.conversations.clear()


def counted_bytes(plan: Sequence[str]) -> int:
    """KV cache at the 4B shape of a prompt and a step in these types."""
    sizes = zip(plan, (_PROMPT_TOKENS, _STEP_TOKENS), strict=True)
    return sum(
        tokens * KV_FORMATS[kv_type].bytes_per_token(*_SHAPE_4B, element_bytes=2) for kv_type, tokens in sizes
    )


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "items",
        type=Path,
        nargs="?",
        default=ITEMS,
        help="folder of items of models.pocket.evaluation",
    )
    parser.add_argument("--skill", default="chain")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=1e6, help="ask about no further item after these")
    options = parser.parse_args()
    listed = options.items / f"{options.skill}.json"
    if not listed.exists():
        print(f"{listed} is missing: make pocket-eval paints the items")
        return 0
    every = load_items(listed)
    backend, rounding = TransformersBackend(), Rounding()
    files = ModelFiles(WeightFormat.SAFETENSORS, MODEL, None, "BF16", 0)
    backend.load(files, LoadOptions(device="cpu"), StepClock(), lambda *_: None)
    answers: dict[Sequence[str], list[tuple[str, bool]]] = {plan: [] for plan in PLANS}
    until_s = time.monotonic() + options.seconds
    with rounding.installed():
        for item in every[: options.count]:
            if time.monotonic() > until_s:
                break
            for plan in PLANS:
                said = ask(backend, rounding, options.items / item.pictures[0], item.question, plan)
                answers[plan].append((said, is_right(item, said)))
                _forget(backend)
    print("| prompt | step | right | answers as with 16 bit | KV cache at 4B, counted, MiB |")
    print("|---|---|---|---|---|")
    exact = answers[PLANS[0]]
    for plan, given in answers.items():
        right = sum(is_so for _, is_so in given)
        same = sum(one == other for (one, _), (other, _) in zip(given, exact, strict=True))
        mib = counted_bytes(plan) / _MIB
        print(f"| {plan[0]} | {plan[1]} | {right} of {len(given)} | {same} | {mib:.0f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Measures the transformers backend on the CPU beside transformers' own `generate`, on the same weights.

    python tests/benchmarks/bench_transformers_cpu.py [--folder build/bench-transformers] [--rounds 3]

Each run is a process of its own, so that its peak of resident memory is its own; ours and plain ones take turns, and
the best round of each counts. Both give the same greedy tokens, or the benchmark fails; it also fails where
ours is slower by more than a tenth or takes more memory.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktopapp.engine.backend import LoadOptions, TokenAdded
from desktopapp.engine.backends.transformers import TransformersBackend
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.prompt_parts import ImagePart, PromptPart, TextPart
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore.model import ModelFiles, ModelKind, WeightFormat
from models.qwen_files.config import ModelShape
from models.random_pair import make_random_model
from tests.pictures import NoisePicture

GREEDY = SamplingParameters(temperature=0.0, top_p=1.0, top_k=0, presence_penalty=0.0)
NEW_TOKENS = 32
POCKET = Path(__file__).resolve().parents[2] / "models/qwen3-vl/qwen3-vl-pocket-instruct"
# 0.2 billion parameters, so that matrix products take the time, as in a real model; in 32 bits, since rounding to 16
# decides between a random model's likeliest tokens.
LARGER = ModelShape(
    vocabulary=320,
    layers=12,
    hidden=1024,
    feed_forward=3072,
    heads=16,
    kv_heads=8,
    context_tokens=8192,
    vision_layers=4,
    vision_hidden=256,
    vision_feed_forward=1024,
    vision_heads=4,
)
TEXT = "Describe what you see in this picture, and what you do not see. " * 12
PROMPT: list[PromptPart] = [
    TextPart("<|im_start|>user\n"),
    ImagePart(NoisePicture(448, 448, seed=1)),
    TextPart(TEXT + "<|im_end|>\n<|im_start|>assistant\n"),
]


def run_ours(folder: Path) -> dict[str, Any]:
    backend = TransformersBackend()
    files = ModelFiles(WeightFormat.SAFETENSORS, folder, None, "BF16", 1)
    backend.load(files, LoadOptions(device="cpu"), StepClock(), lambda *_: None)
    stamps, tokens = [time.perf_counter()], []
    for step in backend.generate(PROMPT, GREEDY, NEW_TOKENS, CancelToken(), StepClock()):
        if isinstance(step, TokenAdded):
            stamps.append(time.perf_counter())
            tokens.append(step.token_id)
    return figures(stamps, tokens)


def run_plain(folder: Path) -> dict[str, Any]:
    import torch
    from PIL import Image
    from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer

    from desktopapp.engine.backends.transformers.device import place
    from desktopapp.engine.backends.transformers.folder import open_folder

    opened = open_folder(folder)
    dtype = place("cpu", opened.stored_type, opened.parameters).dtype
    network = AutoModelForImageTextToText.from_pretrained(folder, dtype=dtype).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
    stamps, picture = [time.perf_counter()], PROMPT[1]
    inputs = dict(processor(images=[Image.fromarray(picture.image.decode())], return_tensors="pt"))
    pads = "<|image_pad|>" * int(inputs["image_grid_thw"].prod() // 4)
    text = f"{PROMPT[0].text}<|vision_start|>{pads}<|vision_end|>{PROMPT[2].text}"
    ids = tokenizer(text, return_tensors="pt")["input_ids"]
    types = (ids == network.config.image_token_id).int()

    def stamp(ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        stamps.append(time.perf_counter())
        return scores

    options = {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
    output = network.generate(
        input_ids=ids,
        mm_token_type_ids=types,
        **inputs,
        max_new_tokens=NEW_TOKENS,
        logits_processor=[stamp],
        **options,
    )
    stops = network.generation_config.eos_token_id
    return figures(stamps, [token for token in output[0, ids.shape[1] :].tolist() if token not in stops])


def figures(stamps: list[float], tokens: list[int]) -> dict[str, Any]:
    """Of a run: began, then one stamp a token."""
    import torch

    from desktopapp.engine.backends.transformers.memory import peak_bytes

    return {
        "first_token_s": stamps[1] - stamps[0],
        "token_s": (stamps[-1] - stamps[1]) / (len(stamps) - 2),
        "peak_mib": peak_bytes(torch.device("cpu")) / 2**20,
        "tokens": tokens,
    }


def measure(how: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--only", how, "--folder", str(folder)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


def compare(name: str, folder: Path, rounds: int) -> bool:
    """Print a row for a model; returns whether it is as it should be."""
    runs = [(measure("plain", folder), measure("ours", folder)) for _ in range(rounds)]
    plain, ours = (
        {key: min(run[key] for run in side) for key in ("first_token_s", "token_s", "peak_mib")}
        for side in zip(*runs, strict=True)
    )
    same = all(run[0]["tokens"] == run[1]["tokens"] for run in runs)
    cells = [f"{plain[key]:.3f} | {ours[key]:.3f} | {ours[key] / plain[key]:.2f}" for key in plain]
    print(f"| {name} | {' | '.join(cells)} | {'same' if same else 'OTHER'} tokens |", flush=True)
    faster = all(ours[key] <= 1.1 * plain[key] for key in ("first_token_s", "token_s"))
    return same and faster and ours["peak_mib"] < plain["peak_mib"]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path("build/bench-transformers"))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", choices=("ours", "plain", "make"), help="one run, its figures as JSON")
    arguments = parser.parse_args()
    if arguments.only == "make":
        make_random_model(arguments.folder, ModelKind.INSTRUCT, seed=1, dtype="F32", shape=LARGER)
        return 0
    if arguments.only:
        run = run_ours if arguments.only == "ours" else run_plain
        print(json.dumps(run(arguments.folder)))
        return 0
    larger = arguments.folder / "larger"
    if not (larger / "model.safetensors").is_file():
        # In a process of its own: a child's peak of memory begins with what its parent has.
        subprocess.run([sys.executable, __file__, "--only", "make", "--folder", str(larger)], check=True)
    heads = [f"plain: {what} | ours | ratio" for what in ("first token s", "s a token", "peak MiB")]
    print(f"| model | {' | '.join(heads)} | tokens |")
    results = [
        compare("pocket", POCKET, arguments.rounds),
        compare("random, 0.2 B", larger, arguments.rounds),
    ]
    return int(not all(results))


if __name__ == "__main__":
    sys.exit(main())

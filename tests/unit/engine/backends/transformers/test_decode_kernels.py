"""The kernels of decoding: on the GPU where there is one, else in Triton's interpreter on the CPU."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from desktopapp.engine.backend import LoadOptions
from desktopapp.engine.backends.transformers.folder import open_folder
from desktopapp.engine.backends.transformers.kv_cache import KvCache
from desktopapp.engine.backends.transformers.loader import load_network
from desktopapp.engine.backends.transformers.quantised_matrix import QuantisedMatrix, quantise_into
from desktopapp.engine.backends.transformers.text_decoder import TextDecoder
from desktopapp.engine.backends.transformers.text_ops import TorchOps
from desktopapp.engine.backends.transformers.text_sequence import TextSequence
from desktopapp.engine.backends.transformers.text_weights import read_text_weights
from desktopapp.engine.backends.transformers.weight_placing import WeightHome

pytest.importorskip("triton")

from desktopapp.engine.backends.transformers.decode_graph import DecodeGraph
from desktopapp.engine.backends.transformers.kernels.gemv import gemv
from desktopapp.engine.backends.transformers.kernels.token_ops import TritonOps

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
# bfloat16 has eight binary digits, and sums are taken in another order.
TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 0.05}
types = pytest.mark.parametrize("dtype", TOLERANCE)


def noise(*shape: int, dtype: torch.dtype, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(DEVICE, dtype)


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    tolerance = TOLERANCE[found.dtype]
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


@types
def test_small_operations_equal_torchs(dtype: torch.dtype) -> None:
    kernels, plain = TritonOps(), TorchOps()
    hidden, delta, weight = (noise(*shape, dtype=dtype) for shape in ((5, 96), (5, 96), (96,)))
    close(kernels.rms_norm(hidden, weight, 1e-6), plain.rms_norm(hidden, weight, 1e-6))
    sums = hidden.clone(), hidden.clone()
    close(
        kernels.add_rms_norm(sums[0], delta, weight, 1e-6), plain.add_rms_norm(sums[1], delta, weight, 1e-6)
    )
    assert torch.equal(*sums)
    gate, up = noise(5, 200, dtype=dtype).split(100, -1)
    close(kernels.swiglu(gate, up), plain.swiglu(gate.clone(), up))


@types
@pytest.mark.parametrize("head_dim", [32, 72])
def test_turns_equal_torchs(dtype: torch.dtype, head_dim: int) -> None:
    kernels, plain = TritonOps(), TorchOps()
    heads = noise(5, 7 * head_dim, dtype=dtype)[:, head_dim : 4 * head_dim].unflatten(-1, (3, head_dim))
    angles = noise(5, head_dim // 2, dtype=torch.float32)
    rope = angles.cos(), angles.sin()
    weight = noise(head_dim, dtype=dtype)
    close(kernels.norm_rope(heads, weight, 1e-6, rope), plain.norm_rope(heads, weight, 1e-6, rope))
    turned = heads.clone()
    plain.rope_in_place(turned, rope)
    kernels.rope_in_place(heads, rope)
    close(heads, turned)


@types
@pytest.mark.parametrize(("inputs", "outputs"), [(96, 37), (320, 64)])
def test_gemv_equals_linear(dtype: torch.dtype, inputs: int, outputs: int) -> None:
    matrix = noise(2 * outputs, inputs, dtype=dtype) * inputs**-0.5
    vector, norm = noise(inputs, dtype=dtype), noise(inputs, dtype=dtype, seed=1)
    normed = TorchOps().rms_norm(vector.unsqueeze(0), norm, 1e-6)[0]
    found = torch.full((2 * outputs,), torch.nan, dtype=dtype, device=DEVICE)
    gemv(matrix, vector, found)
    close(found, functional.linear(vector, matrix))
    gemv(matrix, vector, found, norm=norm, epsilon=1e-6)
    close(found, functional.linear(normed, matrix))
    before = noise(2 * outputs, dtype=dtype, seed=2)
    found = before.clone()
    gemv(matrix, vector, found, adds=True)
    close(found, before + functional.linear(vector, matrix))
    found = torch.full((outputs,), torch.nan, dtype=dtype, device=DEVICE)
    gemv(matrix, vector, found, norm=norm, epsilon=1e-6, gated=True)
    gate, up = functional.linear(normed, matrix).split(outputs)
    close(found, TorchOps().swiglu(gate.unsqueeze(0), up.unsqueeze(0))[0])


@types
def test_gemv_reads_8_bit_codes(dtype: torch.dtype) -> None:
    inputs, outputs = 320, 37
    matrix = quantised(noise(2 * outputs, inputs, dtype=torch.float32) * inputs**-0.5)
    wide = (matrix.codes * matrix.scales[:, None]).to(dtype)
    vector, norm = noise(inputs, dtype=dtype), noise(inputs, dtype=dtype, seed=1)
    found = torch.full((2 * outputs,), torch.nan, dtype=dtype, device=DEVICE)
    gemv(matrix, vector, found)
    close(found, functional.linear(vector, wide))
    found = torch.full((outputs,), torch.nan, dtype=dtype, device=DEVICE)
    gemv(matrix, vector, found, norm=norm, epsilon=1e-6, gated=True)
    normed = TorchOps().rms_norm(vector.unsqueeze(0), norm, 1e-6)
    gate, up = functional.linear(normed, wide).split(outputs, -1)
    close(found, TorchOps().swiglu(gate, up)[0])


def quantised(matrix: torch.Tensor) -> QuantisedMatrix:
    codes = torch.empty(matrix.shape, dtype=torch.int8, device=matrix.device)
    scales = torch.empty(len(matrix), device=matrix.device)
    quantise_into(matrix, codes, scales)
    return QuantisedMatrix(codes, scales)


@pytest.mark.parametrize(
    ("kv_type", "weight_type", "tolerance"),
    [("16bit", "stored", 1e-4), ("16bit", "int8", 1e-4), ("int4", "stored", 0.2)],
)
def test_a_step_equals_the_plain_forward_pass(
    random_folder: Path, kv_type: str, weight_type: str, tolerance: float
) -> None:
    network = load_network(open_folder(random_folder), LoadOptions(device="auto"), lambda *_: None).network
    weights = read_text_weights(network, WeightHome(DEVICE, torch.float32, weight_type))
    decoder = TextDecoder(weights, TorchOps())
    sizes = len(weights.layers), weights.shape.kv_heads, weights.shape.head_dim
    plain, stepped = (
        TextSequence(decoder, KvCache(*sizes, kv_type, DEVICE, torch.float32, 512, 64)) for _ in range(2)
    )
    ids = torch.randint(0, 300, (70,), generator=torch.Generator().manual_seed(1)).tolist()
    for sequence in (plain, stepped):
        sequence.evaluate(ids, torch.arange(70).expand(3, 70))
    graph = DecodeGraph(weights, stepped.cache, captures=DEVICE.type == "cuda")
    graph.begin(70)
    expected = plain.evaluate([5], torch.full((3, 1), 70))
    found = graph.evaluate(torch.tensor([5], device=DEVICE))
    assert float(expected.std()) > 1
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance)


def test_turns_of_several_tokens_are_laid_out_as_kernels_read_them(random_folder: Path) -> None:
    network = load_network(open_folder(random_folder), LoadOptions(device="cpu"), lambda *_: None).network
    decoder = TextDecoder(
        read_text_weights(network, WeightHome(torch.device("cpu"), torch.float32, joins=False)), TorchOps()
    )
    cosine, sine = decoder.rope(torch.arange(9).expand(3, 9))
    assert cosine.is_contiguous()
    assert sine.is_contiguous()

"""Weights in 8 bits: how exact they are, and that a model answers with them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from desktopapp.engine.backend import LoadOptions
from desktopapp.engine.backends.transformers import quantised_matrix
from desktopapp.engine.backends.transformers.folder import open_folder
from desktopapp.engine.backends.transformers.loader import load_network
from desktopapp.engine.backends.transformers.quantised_matrix import (
    QuantisedMatrix,
    product,
    quantise_into,
    rows_at_once,
)
from desktopapp.engine.memory.model_spec import read_folder_spec


def quantised(weights: torch.Tensor) -> QuantisedMatrix:
    codes, scales = torch.empty(weights.shape, dtype=torch.int8), torch.empty(len(weights))
    quantise_into(weights, codes, scales)
    return QuantisedMatrix(codes, scales)


def test_each_weight_is_within_half_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantised_matrix, "_QUANTISED_AT_ONCE", 100)
    weights = torch.randn(37, 24, generator=torch.Generator().manual_seed(0))
    weights[5] = 0
    weights[6] *= 1000
    matrix = quantised(weights)
    error = (matrix.codes * matrix.scales[:, None] - weights).abs().amax(1)
    assert torch.all(error <= weights.abs().amax(1) / 127 * 0.5001)
    assert torch.equal(matrix.codes[5], torch.zeros(24, dtype=torch.int8))
    assert matrix.codes.abs().amax() == 127


@pytest.mark.parametrize("rows_at_once", [1, 8, 1000])
def test_a_product_in_pieces_equals_the_whole(rows_at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantised_matrix, "WIDENED_BYTES", rows_at_once * 24 * 4)
    matrix = quantised(torch.randn(37, 24, generator=torch.Generator().manual_seed(0)))
    inputs = torch.randn(5, 24, generator=torch.Generator().manual_seed(1))
    expected = functional.linear(inputs, matrix.codes * matrix.scales[:, None])
    torch.testing.assert_close(product(inputs, matrix), expected)


def test_pieces_are_of_even_rows_as_fast_products_want() -> None:
    assert rows_at_once(2560, 2) == 6528
    assert rows_at_once(9728, 2) == 1664
    assert rows_at_once(1 << 20, 4) == 8


def test_a_network_keeps_its_logits_and_halves_its_matrices(random_folder: Path) -> None:
    folder = open_folder(random_folder)
    loaded = {
        kind: load_network(folder, LoadOptions(device="cpu", weight_type=kind), lambda *_: None)
        for kind in ("stored", "int8")
    }
    logits = {}
    for kind, model in loaded.items():
        live = model.conversations.live()
        logits[kind] = live.evaluate(list(range(60)), torch.arange(60).expand(3, 60))
    assert loaded["int8"].facts.precision == "INT8"
    # Of 8 bits each row's largest weight has 7: errors of some 0.5 % a product.
    assert float((logits["int8"] - logits["stored"]).std()) < 0.05 * float(logits["stored"].std())
    assert not torch.equal(logits["int8"], logits["stored"])
    text = read_folder_spec(random_folder).text
    sizes = {kind: model.ledger.parts().weights_bytes for kind, model in loaded.items()}
    assert sizes["stored"] - sizes["int8"] == 3 * text.matrix_weights - 4 * text.matrix_rows

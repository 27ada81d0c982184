"""Comparison of the reference and of workbooks with PyTorch: float64, within 1e-12 of the largest value.

PyTorch is large, so it is an extra (``torch``); CI installs and requires it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from conftest import optional_library

from xlsxattn.builder import layout, pages, writer
from xlsxattn.builder import specification as spec
from xlsxattn.checker.reading.book import read
from xlsxattn.checker.recalculate import recalculated
from xlsxattn.checker.reference import SheetInfo, expected

if TYPE_CHECKING:
    from pathlib import Path

torch = optional_library("torch")

DRAWS = 40
WORDS = [f"w{i}" for i in range(16)]


def close(found: Any, by_torch: Any) -> None:
    by_torch = by_torch.detach().numpy()
    np.testing.assert_allclose(found, by_torch, rtol=0, atol=1e-12 * max(1.0, np.abs(by_torch).max()))


def words(rng: np.random.Generator, d_model: int) -> tuple[int, dict[str, Any]]:
    """A sentence of up to 12 words, and the inputs that every sheet has."""
    n = int(rng.integers(1, 13))
    said = [WORDS[i] for i in rng.integers(0, len(WORDS), n)]
    return n, {
        "vocab_Tokens": np.array([[word] for word in WORDS], dtype=object),
        "vocab_Dims": np.array([[f"d{j}" for j in range(d_model)]], dtype=object),
        "vocab_E": rng.normal(size=(len(WORDS), d_model)),
        "vocab_Focus": np.array([[said[0]]], dtype=object),
        "c_Tokens": np.array([[word] for word in said], dtype=object),
    }


def embedded(inputs: dict[str, Any]) -> Any:
    rows = [WORDS.index(word) for (word,) in inputs["c_Tokens"]]
    return torch.tensor(inputs["vocab_E"][rows])


@pytest.mark.parametrize("mask", ["none", "causal"])
@pytest.mark.parametrize("scale", [True, False])
def test_the_reference_agrees_with_scaled_dot_product_attention(mask, scale):
    rng = np.random.default_rng(1)
    for _ in range(DRAWS):
        d_model, d_k, d_v = (int(size) for size in rng.integers(1, 9, 3))
        _, inputs = words(rng, d_model)
        for letter, size in (("Q", d_k), ("K", d_k), ("V", d_v)):
            inputs[f"s_W_{letter}"] = rng.normal(size=(d_model, size))
        sheet = SheetInfo("s", "self-attention", {"weights": True, "scale": scale, "mask": mask})
        found = expected([sheet], ["c"], inputs)
        X = embedded(inputs)
        Q, K, V = (X @ torch.tensor(inputs[f"s_W_{letter}"]) for letter in "QKV")
        by_torch = torch.nn.functional.scaled_dot_product_attention(
            Q[None], K[None], V[None], is_causal=mask == "causal", scale=None if scale else 1.0
        )
        close(found["s_c_Output"].values, by_torch[0])


@pytest.mark.parametrize("mask", ["none", "causal"])
def test_the_reference_agrees_with_multihead_attention(mask):
    rng = np.random.default_rng(2)
    for draw in range(DRAWS):
        torch.manual_seed(draw)
        heads, d_k = (int(size) for size in rng.integers(1, 5, 2))
        layer = torch.nn.MultiheadAttention(
            heads * d_k, heads, bias=False, dtype=torch.float64, batch_first=True
        )
        n, inputs = words(rng, heads * d_k)
        inputs |= {f"s_{name}": np.array(matrix) for name, matrix in of_layer(layer).items()}
        settings = {"weights": True, "scale": True, "mask": mask, "heads": heads, "d_k": d_k, "d_v": d_k}
        found = expected([SheetInfo("s", "multi-head", settings)], ["c"], inputs)
        output, attention = layer_output(layer, embedded(inputs), n, mask)
        close(found["s_c_Output"].values, output)
        for h in range(heads):
            close(found[f"s_c_h{h + 1}_Attention"].values, attention[h])


def of_layer(layer: Any) -> dict[str, list[list[float]]]:
    """A layer's own weights as a spec has them: x W instead of W xᵀ."""
    W_Q, W_K, W_V = (part.T.tolist() for part in layer.in_proj_weight.detach().chunk(3))
    return {"W_Q": W_Q, "W_K": W_K, "W_V": W_V, "W_O": layer.out_proj.weight.detach().T.tolist()}


def layer_output(layer: Any, X: Any, n: int, mask: str) -> tuple[Any, Any]:
    later = torch.ones(n, n, dtype=torch.bool).triu(1) if mask == "causal" else None
    output, attention = layer(X[None], X[None], X[None], attn_mask=later, average_attn_weights=False)
    return output[0], attention[0]


@pytest.mark.parametrize("mask", ["none", "causal"])
def test_a_workbook_with_the_layers_own_weights_agrees_with_multihead_attention(mask, tmp_path: Path):
    torch.manual_seed(7)
    layer = torch.nn.MultiheadAttention(6, 3, bias=False, dtype=torch.float64, batch_first=True)
    E = np.random.default_rng(3).normal(size=(5, 6)).tolist()
    said = [WORDS[i] for i in (0, 3, 1, 1, 4)]
    data = {
        "vocabulary": {"tokens": dict(zip(WORDS, E, strict=False))},
        "contexts": {"c": said},
        "sheets": [{"id": "s", "kind": "multi-head", "heads": 3, "mask": mask, "weights": of_layer(layer)}],
    }
    book = pages.book(spec.parse(data, "test"))
    writer.write(tmp_path / "workbook.xlsx", book.title, layout.lay_out(book))
    values = recalculated(read(tmp_path / "workbook.xlsx"), "ironcalc")
    output, attention = layer_output(
        layer, torch.tensor([E[WORDS.index(word)] for word in said], dtype=torch.float64), 5, mask
    )
    close(values["s_c_Output"], output)
    for h in range(3):
        close(values[f"s_c_h{h + 1}_Attention"], attention[h])

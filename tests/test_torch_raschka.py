"""Two examples of Raschka's "Build a Large Language Model (From Scratch)", chapter 3, compared with PyTorch.

Both are causal, and run on his six words of three numbers each. PyTorch draws the weights and
computes the outputs in float64; the workbook's Output, as an engine computes it, is within 1e-12 of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from conftest import optional_library

import xlsxattn
from xlsxattn.contract.kinds import MultiHead

if TYPE_CHECKING:
    from pathlib import Path

torch = optional_library("torch")

EMBEDDINGS = {
    "Your": [0.43, 0.15, 0.89],
    "journey": [0.55, 0.87, 0.66],
    "starts": [0.57, 0.85, 0.64],
    "with": [0.22, 0.58, 0.33],
    "one": [0.77, 0.25, 0.10],
    "step": [0.05, 0.80, 0.55],
}
INPUTS = torch.tensor(list(EMBEDDINGS.values()), dtype=torch.float64)
"""The six words (6 × 3)."""
LATER = torch.ones(6, 6, dtype=torch.bool).triu(1)


def linear(columns: int, rows: int = 3, *, bias: bool = False) -> Any:
    return torch.nn.Linear(rows, columns, bias, dtype=torch.float64)


def matrix(*layers: Any) -> list[list[float]]:
    """The heads' matrices side by side (d_in × columns)."""
    return torch.cat([layer.weight.T for layer in layers], 1).tolist()


def attention(Q: Any, K: Any, V: Any) -> Any:
    scores = (Q @ K.T).masked_fill(LATER, -torch.inf) / K.shape[1] ** 0.5
    return scores.softmax(-1) @ V


def output(path: Path, sheet: MultiHead) -> Any:
    """The sheet's Output, in a workbook that is proved; a comparing sheet follows it."""
    after = {"id": "compare", "kind": "compare"}
    spec = xlsxattn.Spec(EMBEDDINGS, {"text": " ".join(EMBEDDINGS)}, [sheet, after])
    pressed = xlsxattn.build(spec, path)
    assert pressed.report.holds
    return xlsxattn.read(path, "ironcalc")[f"{sheet.id}_text_Output"]


def test_multi_head_attention_wrapper(tmp_path: Path):
    """Section 3.6.1: two heads of two columns each, concatenated without a projection."""
    torch.manual_seed(123)
    heads = [[linear(2) for _ in range(3)] for _ in range(2)]
    expected = torch.cat([attention(*(layer(INPUTS) for layer in head)) for head in heads], 1)
    weights = {f"W_{letter}": matrix(*layers) for letter, *layers in zip("QKV", *heads, strict=True)}
    sheet = MultiHead(id="wrapper", heads=2, mask="causal", out_proj=False, weights=weights)
    found = output(tmp_path / "wrapper.xlsx", sheet)
    assert found.shape == (6, 4)
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=0, atol=1e-12)
    names = xlsxattn.read(tmp_path / "wrapper.xlsx")
    assert not {"wrapper_W_O", "wrapper_b_O", "wrapper_text_Concat"} & names.keys()
    assert names["compare_text_wrapper_Output"].shape == (1, 4)


def test_multi_head_attention(tmp_path: Path):
    """Section 3.6.2: two heads of one column each, projected to two columns; only that adds a bias."""
    torch.manual_seed(123)
    W_Q, W_K, W_V, W_O = linear(2), linear(2), linear(2), linear(2, 2, bias=True)
    Q, K, V = (layer(INPUTS).split(1, dim=1) for layer in (W_Q, W_K, W_V))
    expected = W_O(torch.cat([attention(*head) for head in zip(Q, K, V, strict=True)], 1))
    weights = {
        f"W_{letter}": matrix(layer) for letter, layer in zip("QKVO", (W_Q, W_K, W_V, W_O), strict=True)
    }
    weights["b_O"] = W_O.bias.tolist()
    sheet = MultiHead(id="mha", heads=2, mask="causal", bias=["O"], weights=weights)
    found = output(tmp_path / "mha.xlsx", sheet)
    assert found.shape == (6, 2)
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=0, atol=1e-12)
    assert not {"mha_b_Q", "mha_b_K", "mha_b_V"} & xlsxattn.read(tmp_path / "mha.xlsx").keys()

"""Comparison of trainings with PyTorch in float64: gradients with autograd, steps with torch.optim.

Problems are drawn: sizes, heads, masks, what learns, optimizers with their constants. Rates are mild, so that
rounding does not grow over 30 steps; gradients are held within 1e-12 of the run's largest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from conftest import THOROUGH
from test_torch_models import Evaluated, close, torch

if TYPE_CHECKING:
    from pathlib import Path

STEPS = 30
PROBLEMS = 20 if THOROUGH else 4
"""Of each optimizer."""
OPTIMIZERS = {
    "sgd": lambda rng: {"lr": rng.uniform(0.005, 0.03)},
    "momentum": lambda rng: {"lr": rng.uniform(0.002, 0.01), "momentum": rng.uniform(0.3, 0.9)},
    "adam": lambda rng: {
        "lr": rng.uniform(0.005, 0.05),
        "betas": [rng.uniform(0.5, 0.9), rng.uniform(0.9, 0.999)],
        "eps": 1e-4,
    },
}


def problem(seed: int, optimizer: str) -> dict[str, Any]:
    """A spec with one sheet that is trained; every third has one head without a name."""
    rng = np.random.default_rng([seed, len(optimizer)])
    d, words = int(rng.integers(2, 5)), [f"w{i}" for i in range(6)]
    E = dict(zip(words, rng.normal(size=(6, d)).round(3).tolist(), strict=True))
    heads = int(rng.integers(1, 4)) if seed % 3 else 0
    d_k, d_v, d_out = (int(n) for n in rng.integers(1, 4, 3))
    out_proj = heads and bool(rng.integers(2))
    side = max(1, heads)
    shapes = {"W_Q": (d, side * d_k), "W_K": (d, side * d_k), "W_V": (d, side * d_v)}
    shapes |= {"W_O": (side * d_v, d_out)} if out_proj else {}
    form = {"id": "t", "kind": "multi-head" if heads else "self-attention", "d_k": d_k, "d_v": d_v}
    form |= {"heads": heads, "out_proj": bool(out_proj)} if heads else {}
    form |= {"mask": ["none", "causal"][int(rng.integers(2))], "scale": bool(rng.integers(2))}
    form["weights"] = {n: rng.normal(size=shape).round(2).tolist() for n, shape in shapes.items()}
    columns = d_out if out_proj else side * d_v
    examples = []
    for _ in range(int(rng.integers(1, 5))):
        sentence = [str(word) for word in rng.choice(words, int(rng.integers(1, 5)))]
        target = rng.normal(size=columns).round(2).tolist()
        examples.append({"sentence": sentence, "word": str(rng.choice(sentence)), "target": target})
    learns = [name for name in shapes if rng.random() < 0.7] or ["W_K"]
    sheet = {"id": "s", "kind": "training", "trains": "t", "steps": STEPS, "optimizer": optimizer}
    sheet |= {"learns": learns, "examples": examples, **OPTIMIZERS[optimizer](rng)}
    sheet |= {"weight_decay": 0.05} if rng.random() < 0.5 else {}
    return {
        "vocabulary": {"tokens": E},
        "contexts": {"one": words[:3], "two": [words[4], words[0]]},
        "focus": words[0],
        "sheets": [form, sheet],
    }


def attention(W: dict[str, Any], form: dict[str, Any], X: Any, row: int) -> tuple[Any, Any]:
    """The attention of one word (heads × words), and its output (Vaswani et al. 2017, 3.2)."""
    heads, d_k, d_v = form.get("heads", 1), form["d_k"], form["d_v"]
    Q, K = ((X @ W[name]).reshape(len(X), heads, d_k) for name in ("W_Q", "W_K"))
    V = (X @ W["W_V"]).reshape(len(X), heads, d_v)
    scores = torch.einsum("hd,jhd->hj", Q[row], K) / (d_k**0.5 if form["scale"] else 1.0)
    if form["mask"] == "causal":
        scores[:, row + 1 :] = -torch.inf
    A = torch.softmax(scores, 1)
    found = torch.einsum("hj,jhd->hd", A, V).reshape(-1)
    return A, found @ W["W_O"] if "W_O" in W else found


def optimizer_of(sheet: dict[str, Any], learned: list[Any]) -> Any:
    constants = {key: sheet[key] for key in ("lr", "momentum", "eps", "weight_decay") if key in sheet}
    if sheet["optimizer"] == "adam":
        return torch.optim.Adam(learned, betas=tuple(sheet["betas"]), **constants)
    return torch.optim.SGD(learned, **constants)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_steps_equal_those_of_pytorch(optimizer: str, tmp_path: Path):
    for seed in range(PROBLEMS):
        data = problem(seed, optimizer)
        form, sheet = data["sheets"]
        book = Evaluated(data, tmp_path / "workbook.xlsx")
        E = {
            word: torch.tensor(row, dtype=torch.float64) for word, row in data["vocabulary"]["tokens"].items()
        }
        W = {n: torch.tensor(m, dtype=torch.float64) for n, m in form["weights"].items()}
        learned = [W[name].requires_grad_() for name in sheet["learns"]]
        step = optimizer_of(sheet, learned)
        losses, weights, gradients = [], {n: [] for n in sheet["learns"]}, {n: [] for n in sheet["learns"]}
        for k in range(STEPS + 1):
            total = torch.zeros((), dtype=torch.float64)
            for one in sheet["examples"]:
                X = torch.stack([E[word] for word in one["sentence"]])
                _, output = attention(W, form, X, one["sentence"].index(one["word"]))
                total = total + ((output - torch.tensor(one["target"], dtype=torch.float64)) ** 2).sum()
            loss = total / len(sheet["examples"])
            step.zero_grad()
            loss.backward()
            losses.append(loss.detach())
            for name in sheet["learns"]:
                weights[name].append(W[name].detach().clone())
                gradients[name].append(W[name].grad.clone())
            if k < STEPS:
                step.step()
        assert torch.stack(losses).isfinite().all()
        close(book["s_Loss"][:, 0], torch.stack(losses))
        for name in sheet["learns"]:
            close(book[f"s_{name}_Steps"], torch.cat(weights[name]))
            close(book[f"s_d{name}_Steps"], torch.cat(gradients[name][:-1]))
        with torch.no_grad():
            for name in sheet["learns"]:
                W[name].copy_(weights[name][-1])
            for context, words in data["contexts"].items():
                A, _ = attention(W, form, torch.stack([E[w] for w in words]), words.index(data["focus"]))
                for h, row in enumerate(A):
                    head = f"h{h + 1}_" if "heads" in form else ""
                    close(book[f"s_{context}_{head}Attention_Steps"][-1], row)

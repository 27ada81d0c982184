"""A model from the equations of docs/contract.md, in NumPy and float64, for imported weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from xlsxattn.contract.kinds import Encoder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlsxattn.weights.model import Imported


def outputs(imported: Imported, sentence: int = 0) -> tuple[Any, Any]:
    """Output and, of a decoder, Logits of one sentence."""
    s = vars(imported.model)
    w = {name: array.astype(np.float64) for name, array in imported.weights.items()}
    E = imported.E.astype(np.float64)
    rows = [imported.tokens.index(token) for token in imported.sentences[sentence][1]]
    X = E[rows]  # (n, d_model)
    n, d = X.shape
    if s["scale_embeddings"]:
        X = X * math.sqrt(d)
    if s["position"] == "learned":
        X = X + w["P"][:n]
    if s["embedding_norm"]:
        X = norm(X, s, w, "Input")
    for k in range(1, s["layers"] + 1):
        X = layer(X, s, w, f"l{k}_")
    if s["final_norm"]:
        X = norm(X, s, w, "Output")
    if isinstance(imported.model, Encoder):
        return X, None
    return X, X @ (E.T if s["tied"] else w["W_U"])  # Logits: (n, n_vocab)


def layer(X: Any, s: Mapping[str, Any], w: Mapping[str, Any], at: str) -> Any:
    if s["residual"] == "pre-norm":
        X = X + multi_head(norm(X, s, w, f"{at}Norm1"), s, w, at)
        return X + feed_forward(norm(X, s, w, f"{at}Norm2"), s, w, at)
    X = norm(X + multi_head(X, s, w, at), s, w, f"{at}Norm1")
    return norm(X + feed_forward(X, s, w, at), s, w, f"{at}Norm2")


def norm(x: Any, s: Mapping[str, Any], w: Mapping[str, Any], name: str) -> Any:
    if s["norm"] == "rms":
        return x / np.sqrt((x**2).mean(1, keepdims=True) + s["epsilon"]) * w[f"{name}_Gamma"]
    centred = x - x.mean(1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(1, keepdims=True) + s["epsilon"])
    return scaled * w[f"{name}_Gamma"] + w[f"{name}_Beta"]


def linear(x: Any, s: Mapping[str, Any], w: Mapping[str, Any], at: str, which: str) -> Any:
    return x @ w[f"{at}W_{which}"] + (w[f"{at}b_{which}"] if s["bias"] else 0.0)


def multi_head(x: Any, s: Mapping[str, Any], w: Mapping[str, Any], at: str) -> Any:
    n, d_k, d_v = len(x), s["d_k"], s["d_v"]
    Q, K, V = (linear(x, s, w, at, which) for which in "QKV")  # (n, heads · d_k), (n, kv_heads · d_k or d_v)
    heads = []  # of (n, d_v)
    for h in range(s["heads"]):
        g = h * s["kv_heads"] // s["heads"]
        q, k = Q[:, h * d_k : (h + 1) * d_k], K[:, g * d_k : (g + 1) * d_k]
        if s.get("qk_norm"):
            rms = {**s, "norm": "rms"}
            q, k = norm(q, rms, w, f"{at}QNorm"), norm(k, rms, w, f"{at}KNorm")
        if s["position"] == "rotary":
            q, k = rotated(q, s), rotated(k, s)
        scores = q @ k.T / (math.sqrt(d_k) if s["scale"] else 1.0)  # (n, n)
        if s["mask"] == "causal":
            scores = np.where(np.tri(n, dtype=bool), scores, -np.inf)
        e = np.exp(scores - scores.max(1, keepdims=True))
        heads.append(e / e.sum(1, keepdims=True) @ V[:, g * d_v : (g + 1) * d_v])
    return linear(np.hstack(heads), s, w, at, "O")  # (n, d_model)


def rotated(x: Any, s: Mapping[str, Any]) -> Any:
    n, d = x.shape
    adjacent = s["pairs"] == "adjacent"
    pair = np.arange(d) // 2 if adjacent else np.arange(d) % (d // 2)
    frequency = s["base"] ** (-2.0 * pair / d)
    if (stretch := s["stretch"]) is not None:
        ratio = stretch.trained * frequency / (2 * np.pi)
        ramp = np.clip((ratio - stretch.low) / (stretch.high - stretch.low), 0, 1)
        frequency = (1 - ramp) * frequency / stretch.factor + ramp * frequency
    angle = np.arange(n)[:, None] * frequency  # (n, d_k)
    quarter_turn = np.zeros((d, d))
    for i in range(d // 2):
        a, b = (2 * i, 2 * i + 1) if adjacent else (i, i + d // 2)
        quarter_turn[b, a], quarter_turn[a, b] = -1.0, 1.0
    return x * np.cos(angle) + (x @ quarter_turn) * np.sin(angle)


def feed_forward(x: Any, s: Mapping[str, Any], w: Mapping[str, Any], at: str) -> Any:
    h = linear(x, s, w, at, "1")  # (n, d_ff)
    kinds = {
        "relu": lambda: np.maximum(h, 0.0),
        "gelu": lambda: h * np.vectorize(lambda v: 0.5 * math.erfc(-v / math.sqrt(2)))(h),
        "gelu-tanh": lambda: 0.5 * h * (1 + np.tanh(math.sqrt(2 / math.pi) * (h + 0.044715 * h**3))),
        "silu": lambda: h / (1 + np.exp(-h)),
        "swiglu": lambda: h / (1 + np.exp(-h)) * linear(x, s, w, at, "3"),
    }
    return linear(kinds[s["activation"]](), s, w, at, "2")

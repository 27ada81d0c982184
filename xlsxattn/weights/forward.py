"""What comes into a layer, where the layers before it are left out: the model run by NumPy, in float64.

Vaswani et al. 2017, section 3; Xiong et al. 2020 (pre-norm); Su et al. 2021, equation 34 (rotated queries);
Peng et al. 2023 (stretched rotations); Yang et al. 2025 (norms of queries and keys). A setting that is not
known here is an error: another's result would be typed into the workbook.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from xlsxattn import suggestions
from xlsxattn.contract.names import BETA, GAMMA, part_of
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxattn.contract.kinds import Stretch
    from xlsxattn.weights.parts import Array, Plan

    Weights = Mapping[str, Array]
    Settings = Mapping[str, Any]

LOG = logging.getLogger(__name__)
_ERFC = np.vectorize(math.erfc, otypes=[np.float64])


def streams(plan: Plan, outer: Weights, X: Sequence[Array], wanted: Sequence[int]) -> dict[int, list[Array]]:
    """What comes into some layers, for every sentence.

    Args:
        plan: the model; each layer's weights are read once, and let go.
        outer: the weights outside the layers, by name.
        X: the embeddings of each sentence, n × d_model.
        wanted: the layers, from 0.

    Returns:
        Layer → for each sentence what comes in, n × d_model in float64.
    """
    s, found = plan.settings, {}
    xs = [_entered(s, outer, np.asarray(x, np.float64)) for x in X]
    for k in range(max(wanted, default=-1) + 1):
        LOG.debug("", extra={"step": say("running the layers before"), "done": k, "of": max(wanted)})
        if k in wanted:
            found[k] = xs
        if k < max(wanted):
            weights = {piece.name: np.asarray(piece.read(), np.float64) for piece in plan.layers[k]}
            xs = [_layer(x, s, weights) for x in xs]
    return found


def _entered(s: Settings, w: Weights, x: Array) -> Array:
    x = x * math.sqrt(x.shape[1]) if s["scale_embeddings"] else x
    if one_of(s, "position", "learned", "rotary") == "learned":
        x = x + w["P"][: len(x)]
    return _norm(x, s, w, "Input") if s["embedding_norm"] else x


def _layer(x: Array, s: Settings, w: Weights) -> Array:
    if one_of(s, "residual", "pre-norm", "post-norm") == "pre-norm":
        x = x + _attention(_norm(x, s, w, "Norm1"), s, w)
        return x + _feed_forward(_norm(x, s, w, "Norm2"), s, w)
    x = _norm(x + _attention(x, s, w), s, w, "Norm1")
    return _norm(x + _feed_forward(x, s, w), s, w, "Norm2")


def _norm(x: Array, s: Settings, w: Weights, name: str) -> Array:
    if one_of(s, "norm", "layer", "rms") == "rms":
        return _rms_norm(x, s["epsilon"], w[part_of(name, GAMMA)])
    x = x - x.mean(axis=1, keepdims=True)
    return _rms_norm(x, s["epsilon"], w[part_of(name, GAMMA)]) + w[part_of(name, BETA)]


def _rms_norm(x: Array, epsilon: float, gamma: Array) -> Array:
    """Along the last axis."""
    found: Array = x / np.sqrt(np.square(x).mean(axis=-1, keepdims=True) + epsilon) * gamma
    return found


def _linear(x: Array, s: Settings, w: Weights, which: str) -> Array:
    return x @ w[f"W_{which}"] + (w[f"b_{which}"] if s["bias"] else 0.0)


def _attention(x: Array, s: Settings, w: Weights) -> Array:
    n, heads, groups = len(x), s["heads"], s["kv_heads"]
    Q = _linear(x, s, w, "Q").reshape(n, heads, s["d_k"])
    K = _linear(x, s, w, "K").reshape(n, groups, s["d_k"])
    V = _linear(x, s, w, "V").reshape(n, groups, s["d_v"])
    if s.get("qk_norm"):
        Q, K = (
            _rms_norm(each, s["epsilon"], w[part_of(f"{name}Norm", GAMMA)])
            for name, each in (("Q", Q), ("K", K))
        )
    if s["position"] == "rotary":
        Q, K = _rotated(Q, s), _rotated(K, s)
    K, V = (np.repeat(each, heads // groups, axis=1) for each in (K, V))
    scores = np.einsum("qhd,khd->hqk", Q, K) / (math.sqrt(s["d_k"]) if s["scale"] else 1.0)
    if one_of(s, "mask", "causal", "none") == "causal":
        scores = np.where(np.tri(n, dtype=bool), scores, -np.inf)
    A = np.exp(scores - scores.max(axis=2, keepdims=True))
    A /= A.sum(axis=2, keepdims=True)
    return _linear(np.einsum("hqk,khd->qhd", A, V).reshape(n, heads * s["d_v"]), s, w, "O")


def frequencies(s: Settings) -> Array:
    """How fast each pair turns (d_k / 2); stretched as in Peng et al. 2023, section 3.2, where it is."""
    d = s["d_k"]
    theta: Array = s["base"] ** (-2.0 * np.arange(d // 2) / d)
    stretch: Stretch | None = s["stretch"]
    if stretch is None:
        return theta
    turns = stretch.trained * theta / (2 * math.pi)
    kept = np.clip((turns - stretch.low) / (stretch.high - stretch.low), 0.0, 1.0)
    return (1 - kept) * theta / stretch.factor + kept * theta


def _rotated(x: Array, s: Settings) -> Array:
    """Every pair (a, b) of columns turned by its position's angle; x is n × heads × d_k."""
    n, d = x.shape[0], x.shape[2]
    angle = (np.arange(n)[:, None] * frequencies(s))[:, None, :]
    first, second = slice(0, d, 2), slice(1, d, 2)
    if one_of(s, "pairs", "adjacent", "halves") == "halves":
        first, second = slice(0, d // 2), slice(d // 2, d)
    turned = np.empty_like(x)
    turned[..., first] = x[..., first] * np.cos(angle) - x[..., second] * np.sin(angle)
    turned[..., second] = x[..., second] * np.cos(angle) + x[..., first] * np.sin(angle)
    return turned


def _feed_forward(x: Array, s: Settings, w: Weights) -> Array:
    h = _linear(x, s, w, "1")
    kind = one_of(s, "activation", *ACTIVATIONS, "swiglu")
    if kind == "swiglu":
        return _linear(_silu(h) * _linear(x, s, w, "3"), s, w, "2")
    return _linear(ACTIVATIONS[kind](h), s, w, "2")


def _silu(h: Array) -> Array:
    found: Array = h * (1 + np.tanh(h / 2)) / 2
    return found


def _gelu(h: Array) -> Array:
    found: Array = h * _ERFC(-h / math.sqrt(2.0)) / 2
    return found


def _gelu_tanh(h: Array) -> Array:
    found: Array = h * (1 + np.tanh(math.sqrt(2 / math.pi) * (h + 0.044715 * h**3))) / 2
    return found


def _relu(h: Array) -> Array:
    return np.maximum(h, 0.0)


ACTIVATIONS = {"relu": _relu, "gelu": _gelu, "gelu-tanh": _gelu_tanh, "silu": _silu}


def one_of(s: Settings, key: str, *known: str) -> str:
    """A setting that must be one of those that are computed here.

    Raises:
        ValueError: it is another: then nothing may be computed in its place.
    """
    found: str = s[key]
    suggestions.one_of(key, found, known)
    return found

"""What comes into a layer, where the layers before it are left out: the model run by NumPy, in float64.

Vaswani et al. 2017, section 3; Xiong et al. 2020 (pre-norm); Su et al. 2021, equation 34 (rotated queries);
Peng et al. 2023 (stretched rotations); Yang et al. 2025 (norms of queries and keys). A setting that is not
known here is an error: another's result would be typed into the workbook.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

import numpy as np

from xlsxattn import suggestions
from xlsxattn.contract.kinds import GATED
from xlsxattn.contract.names import BETA, GAMMA, part_of
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxattn.contract.kinds import Model
    from xlsxattn.weights.parts import Array, Plan

    Weights = Mapping[str, Array]

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
    model, found = plan.model, {}
    check_known(model)
    xs = [_entered(model, outer, np.asarray(x, np.float64)) for x in X]
    for k in range(max(wanted, default=-1) + 1):
        LOG.debug("", extra={"step": say("running the layers before"), "done": k, "of": max(wanted)})
        if k in wanted:
            found[k] = xs
        if k < max(wanted):
            weights = {piece.name: np.asarray(piece.read(), np.float64) for piece in plan.layers[k]}
            xs = [_layer(x, model, weights) for x in xs]
    return found


def _entered(model: Model, w: Weights, x: Array) -> Array:
    x = x * math.sqrt(x.shape[1]) if model.scale_embeddings else x
    if model.position == "learned":
        x = x + w["P"][: len(x)]
    return _norm(x, model, w, "Input") if model.embedding_norm else x


def _layer(x: Array, model: Model, w: Weights) -> Array:
    if model.residual == "pre-norm":
        x = x + _attention(_norm(x, model, w, "Norm1"), model, w)
        return x + _feed_forward(_norm(x, model, w, "Norm2"), model, w)
    x = _norm(x + _attention(x, model, w), model, w, "Norm1")
    return _norm(x + _feed_forward(x, model, w), model, w, "Norm2")


def _norm(x: Array, model: Model, w: Weights, name: str) -> Array:
    if model.norm == "rms":
        return _rms_norm(x, model.epsilon, w[part_of(name, GAMMA)])
    x = x - x.mean(axis=1, keepdims=True)
    return _rms_norm(x, model.epsilon, w[part_of(name, GAMMA)]) + w[part_of(name, BETA)]


def _rms_norm(x: Array, epsilon: float, gamma: Array) -> Array:
    """Along the last axis."""
    found: Array = x / np.sqrt(np.square(x).mean(axis=-1, keepdims=True) + epsilon) * gamma
    return found


def _linear(x: Array, model: Model, w: Weights, which: str) -> Array:
    return x @ w[f"W_{which}"] + (w[f"b_{which}"] if model.bias else 0.0)


def _attention(x: Array, model: Model, w: Weights) -> Array:
    n, heads, groups = len(x), model.heads, model.kv_heads
    Q = _linear(x, model, w, "Q").reshape(n, heads, model.d_k)
    K = _linear(x, model, w, "K").reshape(n, groups, model.d_k)
    V = _linear(x, model, w, "V").reshape(n, groups, model.d_v)
    if model.qk_norm:
        Q, K = (
            _rms_norm(each, model.epsilon, w[part_of(f"{name}Norm", GAMMA)])
            for name, each in (("Q", Q), ("K", K))
        )
    if model.position == "rotary":
        Q, K = _rotated(Q, model), _rotated(K, model)
    K, V = (np.repeat(each, heads // groups, axis=1) for each in (K, V))
    scores = np.einsum("qhd,khd->hqk", Q, K) / (math.sqrt(model.d_k) if model.scale else 1.0)
    if model.mask == "causal":
        scores = np.where(np.tri(n, dtype=bool), scores, -np.inf)
    A = np.exp(scores - scores.max(axis=2, keepdims=True))
    A /= A.sum(axis=2, keepdims=True)
    return _linear(np.einsum("hqk,khd->qhd", A, V).reshape(n, heads * model.d_v), model, w, "O")


def frequencies(model: Model) -> Array:
    """How fast each pair turns (d_k / 2); stretched as in Peng et al. 2023, section 3.2, where it is."""
    d = model.d_k
    theta: Array = model.base ** (-2.0 * np.arange(d // 2) / d)
    stretch = model.stretch
    if stretch is None:
        return theta
    turns = stretch.trained * theta / (2 * math.pi)
    kept = np.clip((turns - stretch.low) / (stretch.high - stretch.low), 0.0, 1.0)
    return (1 - kept) * theta / stretch.factor + kept * theta


def _rotated(x: Array, model: Model) -> Array:
    """Every pair (a, b) of columns turned by its position's angle; x is n × heads × d_k."""
    n, d = x.shape[0], x.shape[2]
    angle = (np.arange(n)[:, None] * frequencies(model))[:, None, :]
    first, second = slice(0, d, 2), slice(1, d, 2)
    if model.pairs == "halves":
        first, second = slice(0, d // 2), slice(d // 2, d)
    turned = np.empty_like(x)
    turned[..., first] = x[..., first] * np.cos(angle) - x[..., second] * np.sin(angle)
    turned[..., second] = x[..., second] * np.cos(angle) + x[..., first] * np.sin(angle)
    return turned


def _feed_forward(x: Array, model: Model, w: Weights) -> Array:
    through = ACTIVATIONS[GATED.get(model.activation, model.activation)]
    h = through(_linear(x, model, w, "1"))
    if model.gated:
        h = h * _linear(x, model, w, "3")
    return _linear(h, model, w, "2")


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
KNOWN = {
    "position": ("learned", "rotary"),
    "residual": ("pre-norm", "post-norm"),
    "norm": ("layer", "rms"),
    "mask": ("causal", "none"),
    "pairs": ("adjacent", "halves"),
    "activation": (*ACTIVATIONS, *(gated for gated, through in GATED.items() if through in ACTIVATIONS)),
}
"""The settings that are computed here."""


def check_known(model: Model) -> None:
    """Refuse a setting that is not computed here: nothing may be computed in its place.

    Raises:
        ValueError: one of the settings is another.
    """
    for key, known in KNOWN.items():
        suggestions.one_of(key, getattr(model, key), known)

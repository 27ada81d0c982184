"""Computes the input of a layer whose previous layers are left out: a forward pass in NumPy, in float64.

Vaswani et al. 2017, section 3; Xiong et al. 2020 (pre-norm); Su et al. 2021, equation 34 (rotary positions);
Peng et al. 2023 (RoPE scaling); Yang et al. 2025 (norms of queries and keys). An unknown setting is an error,
because the workbook would otherwise get wrong inputs.
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
    """Compute the inputs of some layers for every sentence.

    Args:
        plan: the model; one layer's weights are in memory at a time.
        outer: the weights outside the layers, by name.
        X: the embeddings of each sentence, n × d_model.
        wanted: the layers, counted from 0.

    Returns:
        Layer → its input for each sentence, n × d_model in float64.
    """
    model, inputs = plan.model, {}
    check_known(model)
    xs = [_first_input(model, outer, np.asarray(x, np.float64)) for x in X]
    for k in range(max(wanted, default=-1) + 1):
        LOG.debug("", extra={"step": say("computing the omitted layers"), "done": k, "of": max(wanted)})
        if k in wanted:
            inputs[k] = xs
        if k < max(wanted):
            weights = {part.name: np.asarray(part.read(), np.float64) for part in plan.layers[k]}
            xs = [_layer(x, model, weights) for x in xs]
    return inputs


def _first_input(model: Model, w: Weights, x: Array) -> Array:
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
    """RMSNorm along the last axis."""
    normed: Array = x / np.sqrt(np.square(x).mean(axis=-1, keepdims=True) + epsilon) * gamma
    return normed


def _linear(x: Array, model: Model, w: Weights, which: str) -> Array:
    return x @ w[f"W_{which}"] + (w[f"b_{which}"] if model.bias else 0.0)


def _attention(x: Array, model: Model, w: Weights) -> Array:
    n, heads, groups = len(x), model.heads, model.kv_heads
    Q = _linear(x, model, w, "Q").reshape(n, heads, model.d_k)  # n × heads × d_k
    K = _linear(x, model, w, "K").reshape(n, groups, model.d_k)  # n × kv_heads × d_k
    V = _linear(x, model, w, "V").reshape(n, groups, model.d_v)  # n × kv_heads × d_v
    if model.qk_norm:
        Q = _rms_norm(Q, model.epsilon, w[part_of("QNorm", GAMMA)])
        K = _rms_norm(K, model.epsilon, w[part_of("KNorm", GAMMA)])
    if model.position == "rotary":
        Q, K = _rotated(Q, model), _rotated(K, model)
    K, V = (np.repeat(each, heads // groups, axis=1) for each in (K, V))  # n × heads × d
    scores = np.einsum("qhd,khd->hqk", Q, K)  # heads × n × n
    if model.scale:
        scores = scores / math.sqrt(model.d_k)
    if model.mask == "causal":
        scores = np.where(np.tri(n, dtype=bool), scores, -np.inf)
    A = np.exp(scores - scores.max(axis=2, keepdims=True))
    A /= A.sum(axis=2, keepdims=True)
    output = np.einsum("hqk,khd->qhd", A, V).reshape(n, heads * model.d_v)  # n × heads · d_v
    return _linear(output, model, w, "O")  # n × d_model


def frequencies(model: Model) -> Array:
    """Angular frequencies, one per pair of columns (d_k / 2); scaled as in Peng et al. 2023, section 3.2."""
    d = model.d_k
    theta: Array = model.base ** (-2.0 * np.arange(d // 2) / d)
    stretch = model.stretch
    if stretch is None:
        return theta
    turns = stretch.trained * theta / (2 * math.pi)
    kept = np.clip((turns - stretch.low) / (stretch.high - stretch.low), 0.0, 1.0)
    return (1 - kept) * theta / stretch.factor + kept * theta


def _rotated(x: Array, model: Model) -> Array:
    """Rotate each pair (a, b) of columns by the angle of its position; x is n × heads × d_k."""
    n, d = x.shape[0], x.shape[2]
    angle = (np.arange(n)[:, None] * frequencies(model))[:, None, :]
    first, second = slice(0, d, 2), slice(1, d, 2)
    if model.pairs == "halves":
        first, second = slice(0, d // 2), slice(d // 2, d)
    rotated = np.empty_like(x)
    rotated[..., first] = x[..., first] * np.cos(angle) - x[..., second] * np.sin(angle)
    rotated[..., second] = x[..., second] * np.cos(angle) + x[..., first] * np.sin(angle)
    return rotated


def _feed_forward(x: Array, model: Model, w: Weights) -> Array:
    activation = ACTIVATIONS[GATED.get(model.activation, model.activation)]
    h = activation(_linear(x, model, w, "1"))  # n × d_ff
    if model.gated:
        h = h * _linear(x, model, w, "3")
    return _linear(h, model, w, "2")


def _silu(h: Array) -> Array:
    result: Array = h * (1 + np.tanh(h / 2)) / 2
    return result


def _gelu(h: Array) -> Array:
    result: Array = h * _ERFC(-h / math.sqrt(2.0)) / 2
    return result


def _gelu_tanh(h: Array) -> Array:
    result: Array = h * (1 + np.tanh(math.sqrt(2 / math.pi) * (h + 0.044715 * h**3))) / 2
    return result


def _relu(h: Array) -> Array:
    return np.maximum(h, 0.0)


ACTIVATIONS = {"relu": _relu, "gelu": _gelu, "gelu-tanh": _gelu_tanh, "silu": _silu}
KNOWN = {
    "position": ("learned", "rotary"),
    "residual": ("pre-norm", "post-norm"),
    "norm": ("layer", "rms"),
    "mask": ("causal", "none"),
    "pairs": ("adjacent", "halves"),
    "activation": (*ACTIVATIONS, *(gated for gated, gate in GATED.items() if gate in ACTIVATIONS)),
}
"""The supported settings."""


def check_known(model: Model) -> None:
    """Reject settings that are not supported here.

    Raises:
        ValueError: a setting has another value.
    """
    for key, known in KNOWN.items():
        suggestions.one_of(key, getattr(model, key), known)

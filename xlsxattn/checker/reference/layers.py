"""The sublayers of a Transformer by NumPy, with simulated rounding errors.

Sources: Vaswani et al. 2017 (attention, eq. 1 and 2); Ba et al. 2016 (layer norm, eq. 3 and 4); Zhang and
Sennrich 2019 (RMS norm, eq. 4); Hendrycks and Gimpel 2016 (GELU); Shazeer 2020 (GEGLU, SwiGLU: eq. 6).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from xlsxattn.checker.reference.attention import Sized, numbers
from xlsxattn.checker.reference.rounding import NoisyArray, exact, expect
from xlsxattn.checker.reference.words import SUMS_TO_ONE, labels, mark
from xlsxattn.contract.kinds import GATED
from xlsxattn.contract.names import RangeName, part_of
from xlsxattn.contract.values import MASK_VALUE

if TYPE_CHECKING:
    from collections.abc import Callable

    from xlsxattn.checker.reference.attention import Array, Expected, Ranges
    from xlsxattn.checker.reference.positions import Rotary
    from xlsxattn.checker.reference.projections import Linear, Projections
    from xlsxattn.checker.reference.rounding import Rounding

erfc = np.vectorize(math.erfc, otypes=[float])


class HeadNorms(NamedTuple):
    """The RMS norms of a layer's queries and keys: γ (1, d_k) by letter, Q and K, and ε."""

    gamma: dict[str, Array]
    epsilon: float


class Visibility(NamedTuple):
    """The mask (queries, keys), whether only the lower triangle is shown, and the words of both."""

    allowed: Array | None
    triangle: bool
    queries: Array
    keys: Array


def apply(r: Rounding, x: NoisyArray, layer: Linear) -> NoisyArray:
    """X W + b."""
    y = r.product(x, exact(layer.W))
    return y if layer.b is None else r.total(y, exact(layer.b))


def rotated(r: Rounding, x: NoisyArray, rotary: Rotary) -> NoisyArray:
    """Rotate every row by its position; the error of an angle is proportional to its size."""
    size = rotary.sizes(x.clean)
    return r.rounded(rotary.rotate(x.values), size, size * (1 + 2 * rotary.size[: len(size)]))


def over_rows(
    r: Rounding, q: RangeName | None, S: NoisyArray, allowed: Array | None, shown: Array | None
) -> tuple[dict[str, NoisyArray], NoisyArray]:
    """The softmax of each row, with its steps: RowMax, Exp, RowSum and the result, A = exp(S − ln Σ exp S).

    In a completely masked row, all cells have the same value −1E300, and so equal weights. With the prefix q
    of the ranges of a head, a reader's answers replace them.
    """
    row_max, exp, row_sum = (q[block] if q else "" for block in ("RowMax", "Exp", "RowSum"))
    seen = np.ones(S.clean.shape, dtype=bool) if allowed is None else allowed.copy()  # (n, m)
    if shown is not None:
        seen &= shown
    none = ~seen.any(axis=1, keepdims=True)  # (n, 1)
    masked = np.where(seen, S.values, -np.inf)  # (runs, n, m)
    largest = masked.max(axis=2, keepdims=True)  # (runs, n, 1)
    RowMax = r.rounded(np.where(none, MASK_VALUE, largest), np.zeros(largest.shape[1:]))
    typed = r.own(row_max, RowMax)
    largest = largest if typed is RowMax else typed.values
    logits = np.where(none, 0.0, np.where(seen, S.values - largest, -np.inf))  # (runs, n, m)
    Exp = r.rounded(np.exp(logits), np.exp(logits[0]))
    total = np.logaddexp.reduce(logits, axis=2, keepdims=True)  # (runs, n, 1)
    RowSum = r.rounded(np.exp(total), np.exp(total[0]))
    A = np.exp(logits - total)  # (runs, n, m)
    exps = r.own(exp, Exp)
    if exps is not Exp:
        RowSum = r.rounded(*(a.sum(axis=-1, keepdims=True) for a in exps))
    sums = r.own(row_sum, RowSum)
    if exps is not Exp or sums is not RowSum:
        A = exps.values / sums.values
    row_size = np.where(seen, S.size, 0.0).max(axis=1, keepdims=True)
    steps = {"RowMax": NoisyArray(RowMax.values, row_size), "Exp": Exp, "RowSum": RowSum.covering(exps)}
    return steps, r.rounded(A, A[0])


def attention_of(
    r: Rounding, q: RangeName, Q: NoisyArray, K: NoisyArray, V: NoisyArray, scale: float, seen: Visibility
) -> tuple[Ranges, NoisyArray, float]:
    """softmax(Q Kᵀ / scale) V: the ranges of one head, its Output, and the drift of its row sums."""
    shown = np.tri(len(Q.clean), dtype=bool) if seen.triangle else None
    allowed = None if seen.triangle else seen.allowed
    Scores = r.product(Q, NoisyArray(np.swapaxes(K.values, 1, 2), K.size.T))  # (n, m)
    Scaled = r.times(r.own(q["Scores"], Scores), 1 / scale)  # (n, m)
    scaled = r.own(q["Scaled"], Scaled)
    Masked = scaled
    if allowed is not None:
        sizes = np.where(allowed, scaled.size, 0.0)
        Masked = NoisyArray(np.where(allowed, scaled.values, MASK_VALUE), sizes)
    masked = r.own(q["Masked"], Masked)  # of a reader's numbers, none stands for −∞
    steps, A = over_rows(r, q, masked, allowed if masked is Masked else None, shown)
    attended = r.own(q["Attention"], A)
    r.maps[q] = attended
    Output = r.product(attended, V)  # (n, d_v)
    sums = attended.values.sum(axis=2, keepdims=True)  # (runs, n, 1)
    AttentionSum = r.rounded(sums, sums[0])
    found: Ranges = {q["Scores"]: expect(Scores, shown), q["Scaled"]: expect(Scaled, shown)}
    if allowed is not None:
        found[q["Masked"]] = expect(Masked)
    found |= {q[name]: expect(x, shown if name == "Exp" else None) for name, x in steps.items()}
    found |= {q["Attention"]: expect(A, shown), q["AttentionSum"]: expect(AttentionSum)}
    found[q["Output"]] = expect(Output)
    for block in ("Scores", "Scaled", "Masked", "Exp", "Attention"):
        if q[block] in found:
            found |= labels(q[block], seen.queries, seen.keys)
    return (
        found | labels(q["Output"], seen.queries),
        r.own(q["Output"], Output),
        float(np.abs(sums[0] - 1).max()),
    )


def multi_head_of(
    r: Rounding,
    q: RangeName,
    x: NoisyArray,
    memory: NoisyArray,
    w: Projections,
    scale: float,
    seen: Visibility,
    rotary: Rotary | None,
    norms: HeadNorms | None = None,
) -> tuple[Ranges, NoisyArray, float]:
    """Concat(head_1, ..., head_h) W^O (+ b^O), queries from x, keys and values from memory: §3.2.2.

    With `norms`, queries and keys of each head are normed before rotation: Yang et al. 2025, "Qwen3", §2.
    """
    found: Ranges = {}
    projected: dict[str, dict[RangeName, NoisyArray]] = {}
    for letter, source, words in (("Q", x, seen.queries), ("K", memory, seen.keys), ("V", memory, seen.keys)):
        projected[letter] = {}
        for part, layer in getattr(w, letter).items():
            y, p = apply(r, source, layer), q.under(part)
            found |= {p[letter]: expect(y)} | labels(p[letter], words)
            y = r.own(p[letter], y)
            if norms is not None and letter != "V":
                B = p[f"{letter}Norm"]
                ranges, y = norm(r, B, y, norms.gamma[letter], None, norms.epsilon)
                found |= ranges | labels(B, words)
                y = r.own(B, y)
            if rotary is not None and letter != "V":
                y = rotated(r, y, rotary)
                found |= {q.under(part)[f"{letter}Rot"]: expect(y)} | labels(
                    q.under(part)[f"{letter}Rot"], words
                )
                y = r.own(q.under(part)[f"{letter}Rot"], y)
            projected[letter][part] = y
    outputs, drift = [], 0.0
    for head, group in w.group.items():
        K, V = projected["K"][group], projected["V"][group]
        ranges, Output, apart = attention_of(r, q.under(head), projected["Q"][head], K, V, scale, seen)
        found, drift = found | ranges, float(np.maximum(drift, apart))
        outputs.append(Output)
    Concat = NoisyArray(
        np.concatenate([o.values for o in outputs], axis=2), np.hstack([o.size for o in outputs])
    )
    if w.out is None:  # only some heads are included, so they are not joined
        return found, Concat, drift
    result = apply(r, r.own(q["Concat"], Concat), w.out)
    found |= {q["Concat"]: expect(Concat), q["MultiHead"]: expect(result)}
    found |= labels(q["Concat"], seen.queries) | labels(q["MultiHead"], seen.queries)
    return found, r.own(q["MultiHead"], result), drift


def norm(
    r: Rounding, B: str, x: NoisyArray, gamma: Array, beta: Array | None, epsilon: float
) -> tuple[Ranges, NoisyArray]:
    """(x − mean) / √(variance + ε) ∘ γ + β; without β, x / √(mean square + ε) ∘ γ."""
    d, found = x.clean.shape[1], {}
    raw = (x.clean**2).mean(axis=1, keepdims=True)  # an engine may compute the mean of squares minus mean²
    if beta is not None:
        total = np.einsum("rnd->rn", x.values)[:, :, None] / d  # (runs, n, 1)
        mean = r.rounded(total, np.abs(x.clean).mean(axis=1, keepdims=True))
        found[part_of(B, "Mean")] = expect(mean)
        mean = r.own(part_of(B, "Mean"), mean)
        x = r.rounded(x.values - mean.values, np.abs(x.clean) + np.abs(mean.clean))
    squares = np.einsum("rnd,rnd->rn", x.values, x.values)[:, :, None] / d  # (runs, n, 1)
    square = r.rounded(squares, squares[0], raw)
    square_name = part_of(B, "MeanSquare" if beta is None else "Variance")
    found[square_name] = expect(square)
    square = r.own(square_name, square)
    result = r.times(NoisyArray(x.values / np.sqrt(square.values + epsilon), x.size), gamma, 3.0)
    if beta is not None:
        result = r.total(result, exact(beta))
    return found | {B: expect(result)}, result


def _sigmoid(h: Array) -> Array:
    return np.exp(-np.logaddexp(0.0, -h))


def relu(h: Array) -> Array:
    """ReLU: max(h, 0)."""
    return np.where(h > 0, h, 0.0)


def gelu(h: Array) -> Array:
    """GELU: h Φ(h)."""
    result: Array = h * erfc(-h / math.sqrt(2)) / 2
    return result


def gelu_tanh(h: Array) -> Array:
    """The tanh approximation of GELU, with (1 + tanh x) / 2 = σ(2x)."""
    result: Array = h * _sigmoid(math.sqrt(8 / math.pi) * (h + 0.044715 * h**3))
    return result


def silu(h: Array) -> Array:
    """SiLU: h σ(h)."""
    result: Array = h * _sigmoid(h)
    return result


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": relu,
    "gelu": gelu,
    "gelu-tanh": gelu_tanh,
    "silu": silu,
    "swiglu": silu,
    "geglu": gelu,
    "geglu-tanh": gelu_tanh,
}
EXACT_GELU = tuple(name for name, f in ACTIVATIONS.items() if f is gelu)
"""Activations that use Φ, which is coarse in some engines."""


def feed_forward(
    r: Rounding, q: RangeName, x: NoisyArray, layers: dict[str, Linear], activation: str, words: Array
) -> tuple[Ranges, NoisyArray]:
    """f(x W_1 + b_1) W_2 + b_2, eq. (2) with the activation f; a gated f is multiplied by x W_3 + b_3."""
    Hidden = apply(r, x, layers["1"])  # (n, d_ff)
    found: Ranges = {q["Hidden"]: expect(Hidden)} | labels(q["Hidden"], words)
    Hidden = r.own(q["Hidden"], Hidden)
    f = ACTIVATIONS[activation]
    values = f(Hidden.values)  # (runs, n, d_ff)
    size = np.abs(Hidden.clean) if f in (gelu, gelu_tanh) else np.abs(values[0])
    # σ(h) may be (1 + tanh(h/2)) / 2
    error = np.abs(Hidden.clean) if f in (gelu, gelu_tanh, silu) else None
    Activation = r.rounded(values, size, error)
    if activation in EXACT_GELU:
        Activation = r.phi(Activation, Hidden.clean)
    if activation in GATED:
        Up = apply(r, x, layers["3"])  # (n, d_ff)
        found |= {q["Up"]: expect(Up)} | labels(q["Up"], words)
        Up = r.own(q["Up"], Up)
        Activation = r.rounded(Activation.values * Up.values, np.abs(Activation.clean * Up.clean))
    result = apply(r, r.own(q["Activation"], Activation), layers["2"])  # (n, d_model)
    found |= {q["Activation"]: expect(Activation), q["FeedForward"]: expect(result)}
    found |= labels(q["Activation"], words) | labels(q["FeedForward"], words)
    return found, r.own(q["FeedForward"], result)


def drift_of(q: RangeName, drift: float) -> Ranges:
    """The largest deviation of a row sum from 1, (1, 1)."""
    return {q["Drift"]: numbers(Sized(np.array([[drift]]), np.ones((1, 1))))}


def status(drifts: list[Expected], *, outdated: bool = False) -> Expected:
    """✓ if every Drift is within 1e-9 and no typed row is outdated; not decidable after an overflow."""
    lost = np.any([np.isinf(drift.amplification) for drift in drifts], axis=0)  # (...,)
    good = np.all([drift.values[..., 0, 0] <= SUMS_TO_ONE for drift in drifts], axis=0) & (not outdated)
    return mark(good=good, amplification=np.where(lost, np.inf, 1.0)[()])

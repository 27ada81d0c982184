"""Attention by NumPy, with bounds on the rounding errors of every block.

Sources: Vaswani et al. 2017, "Attention Is All You Need": eq. (1) attention, §3.2.2 multi-head attention,
§3.2.3 masks; cosine similarity a·b / (|a||b|); Shannon entropy −Σ p ln p. No formula of a sheet is replayed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from xlsxattn.contract.values import MASK_VALUE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from xlsxattn.contract.names import RangeName

    Array: TypeAlias = NDArray[Any]
    Ranges: TypeAlias = dict[str, "Expected"]
    Own: TypeAlias = Callable[[str, "Sized"], "Sized"]

TOLERANCE, FREE = 1e-12, 100.0  # the tolerance at magnitude 1, up to this amplification
MIN_MAGNITUDE = 1e-290  # doubles lose digits near 1e-308, so smaller magnitudes count as this one
MIN_LENGTH, MAX_LENGTH = 1e-140, 1e150  # lengths whose squares neither underflow nor overflow
MIN_TEMPERATURE = 1e-6
PROJECTED = ("Q", "K", "V")  # blocks that exist only with weights


@dataclass(frozen=True, slots=True)
class Expected:
    """The expected content of a range.

    Attributes:
        values: (rows, cols): float64, or objects: str for texts and marks, float or "–" for cosines, and
            objects of `choices` for cells with several acceptable values. NaN means that the cell must be
            blank.
        kind: how to compare: as numbers, as texts, or as marks by their first character.
        magnitude: of numbers, the largest Σ|terms| of any cell of the range.
        amplification: the factor by which rounding errors grow, as in a softmax; inf: not decidable.
        blank_ok: whether cells may be blank.
        coarse: of numbers, the additional tolerance for engines with a coarse Φ; inf: not decidable for them.
        optional: whether a workbook may lack the range.
    """

    values: Array
    kind: Literal["number", "text", "mark"]
    magnitude: float = 1.0
    amplification: float = 1.0
    blank_ok: bool = False
    coarse: float = 0.0
    optional: bool = False

    @property
    def overflows(self) -> bool:
        """Whether its numbers, or the terms of their sums, overflow a 64-bit float."""
        return math.isinf(self.magnitude)


class Sized(NamedTuple):
    """Numbers, and for each the sum of the magnitudes of its terms, Σ|terms|."""

    value: Array
    size: Array

    def row(self, position: int) -> Sized:
        """The row at a position from 1, as (1, cols); zeros for position 0."""
        return Sized(*(a[position - 1 : position] if position else np.zeros((1, a.shape[1])) for a in self))


class Head(NamedTuple):
    """One head: its ranges by block, Masked and Attention (n, m), Output (n, d_v), M = max Σ|q||k| / scale.

    Q (n, d_k) and K (m, d_k) are those of the scores, after rotation. Without a mask, Masked is Scaled.
    """

    blocks: Ranges
    Q: Sized
    K: Sized
    Masked: Sized
    Attention: Sized
    Output: Sized
    M: float


class Trace(NamedTuple):
    """The result of a sheet in one context, for compare sheets: Output, M, and its heads by name.

    ``coarse`` is the additional tolerance of Output for engines with a coarse Φ.
    """

    Output: Sized
    M: float
    heads: dict[RangeName, Head]
    coarse: float = 0.0


def given(values: Array | list[list[float]]) -> Sized:
    """Given numbers, which are not sums."""
    return Sized(np.asarray(values, dtype=float), np.abs(values))


def product(subscripts: str, a: Sized, b: Sized) -> Sized:
    """`np.einsum` of the values, and of the magnitudes."""
    return Sized(np.einsum(subscripts, a.value, b.value), np.einsum(subscripts, a.size, b.size))


def numbers(x: Sized, amplification: float = 1.0, *, blank_ok: bool = False) -> Expected:
    """A range of numbers; not decidable after an overflow."""
    magnitude = float(x.size.max())
    if not (np.isfinite(x.value).all() and math.isfinite(magnitude) and math.isfinite(amplification)):
        return Expected(x.value, "number", math.inf, math.inf)
    return Expected(x.value, "number", max(MIN_MAGNITUDE, magnitude), max(1.0, amplification), blank_ok)


def causal_mask(n: int) -> Array:
    """The causal mask (n, n): 1 if the column is not after the row, else 0 (§3.2.3)."""
    position = np.arange(n)  # (n,)
    return np.where(position[None, :] <= position[:, None], 1.0, 0.0)  # (n, n)


@np.errstate(all="ignore")
def softmax(S: Array) -> Array:
    """A[i, j] = 1 / Σ_k exp(S[i, k] − S[i, j]): the softmax of eq. (1), divided by its numerator.

    S is (n, m), −inf where masked; A is (n, m), exactly 0 there. An exp that overflows gives 1 / inf = 0.
    """
    A = np.zeros_like(S)  # (n, m)
    for a, s in zip(A, S, strict=True):  # row by row, to avoid an (n, m, m) array
        seen = s != -np.inf  # (m,)
        differences = s[seen][None, :] - s[seen][:, None]  # (seen, seen)
        a[seen] = 1 / np.exp(differences).sum(axis=1)  # (seen,)
    return A


def entropy(A: Array) -> Sized:
    """−Σ a ln a of each row, 0 ln 0 = 0 (Shannon): (n, m) → (n, 1). An error δ of a adds (1 + |ln a|) δ."""
    information = -np.log(np.where(A > 0, A, 1))  # (n, m)
    H = np.einsum("ij,ij->i", A, information)[:, None]  # (n, 1)
    return Sized(H, 1 + H)


@np.errstate(all="ignore")
def attention(
    Q: Sized, K: Sized, V: Sized, *, scale: bool = True, allowed: Array | None = None,
    temperature: float = 1.0, own: Own = lambda _, x: x,
) -> Head:  # fmt: skip
    """softmax(Q Kᵀ / (√d_k T)) V: Vaswani et al. 2017, eq. (1); with the mask `allowed` of §3.2.3.

    Q is (n, d_k), K is (m, d_k), V is (m, d_v), allowed is (n, m), bool. The largest weight of a row is
    1 / Σ exp(s − max s), which gives RowSum. A completely masked row attends equally to all words. The
    temperature T also divides the unscaled scores (Hinton et al. 2015, eq. 1). `own` replaces a block by the
    answer of a reader, from which the next blocks are computed.
    """
    T = max(temperature, MIN_TEMPERATURE)
    divisor = (math.sqrt(K.value.shape[1]) if scale else 1.0) * T
    seen = np.ones((len(Q.value), len(K.value)), dtype=bool) if allowed is None else allowed  # (n, m)
    blind = ~seen.any(axis=1, keepdims=True)  # (n, 1)
    Scores = product("id,jd->ij", Q, K)  # (n, m)
    scores = own("Scores", Scores)
    Scaled = Sized(scores.value / divisor, scores.size / divisor)  # (n, m)
    scaled = own("Scaled", Scaled)
    Masked = Sized(np.where(seen, scaled.value, MASK_VALUE), np.where(seen, scaled.size, 0))  # (n, m)
    hidden = np.where(blind, 0.0, -np.inf)  # (n, 1)
    Unscaled = softmax(np.where(seen, scores.value / T, hidden))  # (n, m)
    masked = scaled if allowed is None else own("Masked", Masked)
    if allowed is not None and masked is not Masked:  # a reader's numbers, none of which stands for −∞
        seen, blind = np.ones_like(seen), np.zeros_like(blind)
    RowMax = Sized(*(a.max(axis=1, keepdims=True) for a in masked))  # (n, 1)
    exponentials = np.exp(masked.value - own("RowMax", RowMax).value)  # (n, m)
    Exp = given(np.where(seen, exponentials, np.where(blind, 1.0, 0.0)))  # (n, m)
    Attention = given(softmax(np.where(seen, masked.value, hidden)))  # (n, m)
    RowSum = given(1 / Attention.value.max(axis=1, keepdims=True))  # (n, 1)
    exps = own("Exp", Exp)
    if exps is not Exp or own("RowMax", RowMax) is not RowMax:
        RowSum = Sized(*(a.sum(axis=1, keepdims=True) for a in exps))  # (n, 1)
    sums = own("RowSum", RowSum)
    if exps is not Exp or sums is not RowSum:
        Attention = given(exps.value / sums.value)  # (n, m)
    attended = own("Attention", Attention)
    Output = product("ij,jv->iv", attended, V)  # (n, d_v)
    AttentionSum = given(attended.value.sum(axis=1, keepdims=True))  # (n, 1)
    UnscaledSum = given(1 / Unscaled.max(axis=1, keepdims=True))  # (n, 1)
    M, M_unscaled = float(Scaled.size.max()), float(Scores.size.max()) / T
    blocks = {"Q": numbers(Q), "K": numbers(K), "V": numbers(V), "Scores": numbers(Scores)}
    blocks |= {"Scaled": numbers(Scaled)} | ({} if allowed is None else {"Masked": numbers(Masked)})
    blocks |= {
        "RowMax": numbers(RowMax),
        "Exp": numbers(Exp, M),
        "RowSum": numbers(RowSum, M),
        "Attention": numbers(Attention, M),
        "AttentionSum": numbers(AttentionSum, M),
        "Entropy": numbers(entropy(attended.value), M),
        "UnscaledSum": numbers(UnscaledSum, M_unscaled),
        "EntropyUnscaled": numbers(entropy(Unscaled), M_unscaled),
        "Output": numbers(Output, M),
    }
    return Head(blocks, Q, K, Masked, attended, own("Output", Output), M)


def cosine(a: Sized, b: Sized, M_a: float = 1.0, M_b: float = 1.0) -> Expected:
    """Cosine similarity a·b / (|a||b|) of two (1, d) as (1, 1), or "–" if either is zero.

    An error δ of a rotates it by at most |δ| / |a|, and δ is tolerated up to 1e-12 max(1, M/100) |size of a|.
    So the amplification is 100 times the mean of max(1, M/100) |size| / |value| over a and b; inf if a length
    may be only rounding error, or its square is not finite.
    """
    if not (a.size.any() and b.size.any()):  # exact zeros, which are not sums
        return Expected(np.array([["–"]], dtype=object), "number")
    lengths, rotation = [], 0.0
    for v, M in ((a, M_a), (b, M_b)):
        length = math.hypot(*v.value[0])
        error = float(np.maximum(1.0, M / FREE)) * math.hypot(*v.size[0])  # in units of TOLERANCE
        known = length > TOLERANCE * error and MIN_LENGTH < length < MAX_LENGTH
        rotation += error / length if known else math.inf
        lengths.append(length)
    value: float | str = "–"
    if all(lengths):
        value = float(np.einsum("nd,nd->", a.value / lengths[0], b.value / lengths[1]))
    return Expected(np.array([[value]], dtype=object), "number", 1.0, FREE * rotation / 2)

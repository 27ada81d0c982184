"""The papers' mathematics by NumPy: every block of an attention, and how sure its numbers are.

Sources: Vaswani et al. 2017, "Attention Is All You Need": eq. (1) attention, §3.2.2 many heads, §3.2.3 the
mask; cosine similarity a·b / (|a||b|); Shannon's entropy −Σ p ln p. No sheet's formula is repeated here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from xlsxattn.contract.values import MASK_VALUE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from xlsxattn.contract.names import RangeName

    Array: TypeAlias = NDArray[Any]
    Ranges: TypeAlias = dict[str, "Expected"]

TOLERANCE, FREE = 1e-12, 100.0  # what is asked at magnitude 1, and the amplification up to which it is asked
MIN_MAGNITUDE = 1e-290  # numbers lose their digits near 1e-308: no magnitude below this is told apart from it
MIN_LENGTH, MAX_LENGTH = 1e-140, 1e150  # lengths whose squares neither vanish nor overflow
COLDEST = 1e-6  # no temperature is lower: scores are divided by it
PROJECTED = ("Q", "K", "V")  # blocks that exist with weights only


@dataclass(frozen=True, slots=True)
class Expected:
    """What one range must hold.

    Attributes:
        values: (rows, cols): float64, or objects: str for texts and marks, float or "–" for cosines, and what
            `choices` has where a cell may hold one of several.
        kind: how to compare: as numbers, as texts, or as marks by their first character.
        magnitude: numbers: the largest Σ|terms| behind any cell of the range.
        amplification: what rounding before the softmax is multiplied by; inf: nobody can decide.
        blank_ok: a cell may be empty.
        coarse: numbers: how far from it an engine may be whose Φ is coarse; inf: it may choose otherwise.

    A number that is NaN is a cell that must be blank.
    """

    values: Array
    kind: Literal["number", "text", "mark"]
    magnitude: float = 1.0
    amplification: float = 1.0
    blank_ok: bool = False
    coarse: float = 0.0

    @property
    def overflows(self) -> bool:
        """Whether its numbers, or what they are summed from, are too large for a 64-bit float."""
        return math.isinf(self.magnitude)


class Sized(NamedTuple):
    """Numbers, and cell by cell the sum of the magnitudes of the terms they were summed from."""

    value: Array
    size: Array

    def row(self, position: int) -> Sized:
        """Row number `position`, counted from 1, as (1, cols); zeros for 0."""
        return Sized(*(a[position - 1 : position] if position else np.zeros((1, a.shape[1])) for a in self))


class Head(NamedTuple):
    """One attention: its ranges by block, Masked, Attention (n, m), Output (n, d_v), M = max Σ|q||k| / scale.

    Masked is Scaled where there is no mask.
    """

    blocks: Ranges
    Masked: Sized
    Attention: Sized
    Output: Sized
    M: float


class Trace(NamedTuple):
    """What a sheet leaves to compare in one context: Output, M, the heads, ``RangeName(head=1)``.

    coarse is how far an engine with a coarse Φ may be from Output.
    """

    Output: Sized
    M: float
    heads: dict[RangeName, Head]
    coarse: float = 0.0


def given(values: Array | list[list[float]]) -> Sized:
    """Numbers as they are: nothing was summed."""
    return Sized(np.asarray(values, dtype=float), np.abs(values))


def product(subscripts: str, a: Sized, b: Sized) -> Sized:
    """Einstein's sum over values and, with the same letters, over magnitudes."""
    return Sized(np.einsum(subscripts, a.value, b.value), np.einsum(subscripts, a.size, b.size))


def numbers(x: Sized, amplification: float = 1.0, *, blank_ok: bool = False) -> Expected:
    """A range of numbers; once anything overflowed, nobody can decide."""
    magnitude = float(x.size.max())
    if not (np.isfinite(x.value).all() and math.isfinite(magnitude) and math.isfinite(amplification)):
        return Expected(x.value, "number", math.inf, math.inf)
    return Expected(x.value, "number", max(MIN_MAGNITUDE, magnitude), max(1.0, amplification), blank_ok)


def causal_mask(n: int) -> Array:
    """What each word may attend to: (n, n), 1 where the column is not after the row, else 0 (§3.2.3)."""
    place = np.arange(n)
    return np.where(place[None, :] <= place[:, None], 1.0, 0.0)


@np.errstate(all="ignore")
def softmax(S: Array) -> Array:
    """A[i, j] = 1 / Σ_k exp(S[i, k] − S[i, j]): the softmax of eq. (1), its numerator divided out.

    S is (n, n), −inf where masked; A is (n, n), exactly 0 there. An exp that overflows gives 1 / inf = 0.
    """
    A = np.zeros_like(S)  # (n, n)
    for a, s in zip(A, S, strict=True):  # row by row: at once it would be n × n × n
        seen = s != -np.inf
        a[seen] = 1 / np.exp(s[seen][None, :] - s[seen][:, None]).sum(axis=1)
    return A


def entropy(A: Array) -> Sized:
    """−Σ a ln a of each row, 0 ln 0 = 0 (Shannon): (n, n) → (n, 1). An error δ in a counts (1 + |ln a|) δ."""
    H = np.einsum("ij,ij->i", A, -np.log(np.where(A > 0, A, 1)))[:, None]
    return Sized(H, 1 + H)


@np.errstate(all="ignore")
def attention(
    Q: Sized, K: Sized, V: Sized, *, scale: bool = True, allowed: Array | None = None,
    temperature: float = 1.0,
) -> Head:  # fmt: skip
    """softmax(Q Kᵀ / (√d_k T)) V: Vaswani et al. 2017, eq. (1); with the mask `allowed` of §3.2.3.

    Q is (n, d_k), K is (m, d_k), V is (m, d_v), allowed (n, m) of truth values. The largest a of a row is
    1 / Σ exp(s − max s), which gives RowSum. A row that may look at nothing looks at everything alike. The
    temperature T divides what is not scaled as well (Hinton et al. 2015, eq. 1).
    """
    T = max(temperature, COLDEST)
    divisor = (math.sqrt(K.value.shape[1]) if scale else 1.0) * T
    seen = np.ones((len(Q.value), len(K.value)), dtype=bool) if allowed is None else allowed  # (n, m)
    blind = ~seen.any(axis=1, keepdims=True)  # (n, 1)
    Scores = product("id,jd->ij", Q, K)  # (n, n)
    Scaled = Sized(Scores.value / divisor, Scores.size / divisor)  # (n, n)
    Masked = Sized(np.where(seen, Scaled.value, MASK_VALUE), np.where(seen, Scaled.size, 0))  # (n, n)
    RowMax = Sized(*(a.max(axis=1, keepdims=True) for a in Masked))  # (n, 1)
    Exp = given(np.where(seen, np.exp(Masked.value - RowMax.value), np.where(blind, 1.0, 0.0)))  # (n, m)
    hidden = np.where(blind, 0.0, -np.inf)
    Attention = given(softmax(np.where(seen, Scaled.value, hidden)))  # (n, m)
    Unscaled = softmax(np.where(seen, Scores.value / T, hidden))  # (n, m)
    Output = product("ij,jv->iv", Attention, V)  # (n, d_v)
    M, M_scale = float(Scaled.size.max()), float(Scores.size.max()) / T
    blocks = {"Q": numbers(Q), "K": numbers(K), "V": numbers(V), "Scores": numbers(Scores)}
    blocks |= {"Scaled": numbers(Scaled)} | ({} if allowed is None else {"Masked": numbers(Masked)})
    blocks |= {
        "RowMax": numbers(RowMax),
        "Exp": numbers(Exp, M),
        "RowSum": numbers(given(1 / Attention.value.max(axis=1, keepdims=True)), M),
        "Attention": numbers(Attention, M),
        "AttentionSum": numbers(given(Attention.value.sum(axis=1, keepdims=True)), M),
        "Entropy": numbers(entropy(Attention.value), M),
        "UnscaledSum": numbers(given(1 / Unscaled.max(axis=1, keepdims=True)), M_scale),
        "EntropyUnscaled": numbers(entropy(Unscaled), M_scale),
        "Output": numbers(Output, M),
    }
    return Head(blocks, Masked, Attention, Output, M)


def cosine(a: Sized, b: Sized, M_a: float = 1.0, M_b: float = 1.0) -> Expected:
    """Cosine similarity a·b / (|a||b|) of two (1, d) as (1, 1), or "–" when either is all zeros.

    An error δ of a turns it by |δ| / |a| at most, and δ is tolerated up to 1e-12 max(1, M/100) |size of a|.
    So the amplification is 100 times the mean of max(1, M/100) |size| / |value| over a and b; inf where a
    length may be nothing but rounding, or has no square.
    """
    if not (a.size.any() and b.size.any()):  # zeros that nothing was summed for are sure
        return Expected(np.array([["–"]], dtype=object), "number")
    lengths, turns = [], 0.0
    for v, M in ((a, M_a), (b, M_b)):
        length = math.hypot(*v.value[0])
        error = float(np.maximum(1.0, M / FREE)) * math.hypot(*v.size[0])  # in units of TOLERANCE
        known = length > TOLERANCE * error and MIN_LENGTH < length < MAX_LENGTH
        turns += error / length if known else math.inf
        lengths.append(length)
    value: float | str = "–"
    if all(lengths):
        value = float(np.einsum("nd,nd->", a.value / lengths[0], b.value / lengths[1]))
    return Expected(np.array([[value]], dtype=object), "number", 1.0, FREE * turns / 2)

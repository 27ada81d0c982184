"""Attention by NumPy, with bounds on the rounding errors of every block.

Sources: Vaswani et al. 2017, "Attention Is All You Need": eq. (1) attention, §3.2.2 multi-head attention,
§3.2.3 masks; cosine similarity a·b / (|a||b|); Shannon entropy −Σ p ln p. No formula of a sheet is replayed.

A workbook is proved with many sets of inputs. They may be the leading axis of arrays, "..." in shapes and
sums, so that all sets are computed at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from xlsxattn.contract.values import MASK_VALUE, MIN_TEMPERATURE, NONE
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from xlsxattn.contract.names import RangeName

    Array: TypeAlias = NDArray[Any]
    Ranges: TypeAlias = dict[str, "Expected"]
    Own: TypeAlias = Callable[[str, "Sized"], "Sized"]

TOLERANCE, FREE = 1e-12, 100.0  # the tolerance at magnitude 1, up to this amplification
MIN_MAGNITUDE = 1e-290  # doubles lose digits near 1e-308, so smaller magnitudes count as this one
MIN_LENGTH, MAX_LENGTH = 1e-140, 1e150  # lengths whose squares neither underflow nor overflow
PROJECTED = ("Q", "K", "V")  # blocks that exist only with weights
ONE = np.ones((1, 1))


@dataclass(frozen=True, slots=True)
class Expected:
    """The expected content of a range.

    Its attributes may have a leading axis: the sets of inputs.

    Attributes:
        values: (..., rows, cols): float64, or objects: str for texts and marks, float or "–" for cosines, and
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
    magnitude: Any = 1.0
    amplification: Any = 1.0
    blank_ok: bool = False
    coarse: Any = 0.0
    optional: bool = False

    def of(self, i: int) -> Expected:
        """The content with set number i of the inputs."""
        if self.values.ndim == 2:  # noqa: PLR2004 - rows and columns: the same in all sets
            return self
        magnitude, amplification, coarse = (
            float(x[i]) if np.ndim(x) else x for x in (self.magnitude, self.amplification, self.coarse)
        )
        return Expected(
            self.values[i], self.kind, magnitude, amplification, self.blank_ok, coarse, self.optional
        )

    @property
    def overflows(self) -> bool:
        """Whether its numbers, or the terms of their sums, overflow a 64-bit float."""
        return math.isinf(self.magnitude)


class Sized(NamedTuple):
    """Numbers, (..., rows, cols), and for each the sum of the magnitudes of its terms, Σ|terms|."""

    value: Array
    size: Array

    def row(self, position: int | Array) -> Sized:
        """The row at a position from 1, as (..., 1, cols); zeros for position 0."""
        if isinstance(position, int) and position:
            return Sized(*(a[..., position - 1 : position, :] for a in self))
        chosen = np.arange(1, self.value.shape[-2] + 1) == np.asarray(position)[..., None]  # (..., rows)
        return Sized(*(np.where(chosen[..., None], a, 0.0).sum(axis=-2, keepdims=True) for a in self))

    def of(self, i: int) -> Sized:
        """The numbers with set number i of the inputs."""
        return Sized(self.value[i], self.size[i])


class Head(NamedTuple):
    """One head: its ranges by block, Masked and Attention (..., n, m), Output (..., n, d_v).

    Q (..., n, d_k) and K (..., m, d_k) are those of the scores, after rotation. Without a mask, Masked is
    Scaled. M is max Σ|q||k| / scale, (...,).
    """

    blocks: Ranges
    Q: Sized
    K: Sized
    Masked: Sized
    Attention: Sized
    Output: Sized
    M: Array

    def of(self, i: int) -> Head:
        """The head with set number i of the inputs, without its ranges."""
        Q, K, Masked, Attention, Output = (
            x.of(i) for x in (self.Q, self.K, self.Masked, self.Attention, self.Output)
        )
        return Head({}, Q, K, Masked, Attention, Output, self.M[i])


class Trace(NamedTuple):
    """The result of a sheet in one context, for compare sheets: Output, M, and its heads by name.

    ``coarse`` is the additional tolerance of Output for engines with a coarse Φ.
    """

    Output: Sized
    M: Any
    heads: dict[RangeName, Head]
    coarse: float = 0.0

    def of(self, i: int) -> Trace:
        """The result with set number i of the inputs."""
        return Trace(self.Output.of(i), self.M[i], {name: head.of(i) for name, head in self.heads.items()})


def given(values: Array | list[list[float]]) -> Sized:
    """Given numbers, which are not sums."""
    return Sized(np.asarray(values, dtype=float), np.abs(values))


def product(subscripts: str, a: Sized, b: Sized) -> Sized:
    """`np.einsum` of the values, and of the magnitudes."""
    return Sized(np.einsum(subscripts, a.value, b.value), np.einsum(subscripts, a.size, b.size))


def numbers(x: Sized, amplification: float | Array = 1.0, *, blank_ok: bool = False) -> Expected:
    """A range of numbers; not decidable after an overflow."""
    magnitude = x.size.max(axis=(-2, -1))  # (...,)
    finite = np.isfinite(x.value).all(axis=(-2, -1)) & (magnitude < np.inf) & (amplification < np.inf)
    magnitude, amplification = np.maximum(MIN_MAGNITUDE, magnitude), np.maximum(1.0, amplification)
    if not finite.all():
        magnitude, amplification = (np.where(finite, y, np.inf)[()] for y in (magnitude, amplification))
    return Expected(x.value, "number", magnitude, amplification, blank_ok)


def stacked(each: Sequence[Ranges]) -> Ranges:
    """The same ranges with several sets of inputs, with the sets as a leading axis.

    Raises:
        ValueError: the ranges or their shapes differ.
    """
    if any(found.keys() != each[0].keys() for found in each):
        raise ValueError(say("the inputs change which ranges there are"))
    whole: Ranges = {}
    for name, first in each[0].items():
        one = [found[name] for found in each]
        values = np.array([x.values for x in one]) if len(one) > 1 else first.values[None]  # maybe large
        magnitude, amplification, coarse = (
            np.array([getattr(x, of) for x in one]) for of in ("magnitude", "amplification", "coarse")
        )
        whole[name] = Expected(
            values, first.kind, magnitude, amplification, first.blank_ok, coarse, first.optional
        )
    return whole


def causal_mask(n: int) -> Array:
    """The causal mask (n, n): 1 if the column is not after the row, else 0 (§3.2.3)."""
    position = np.arange(n)  # (n,)
    return np.where(position[None, :] <= position[:, None], 1.0, 0.0)  # (n, n)


@np.errstate(all="ignore")
def softmax(S: Array) -> Array:
    """A[i, j] = 1 / Σ_k exp(S[i, k] − S[i, j]): the softmax of eq. (1), divided by its numerator.

    S is (..., n, m), −inf where masked; A is (..., n, m), exactly 0 there. An exp that overflows gives
    1 / inf = 0.
    """
    A = np.zeros_like(S)  # (..., n, m)
    for i in range(S.shape[-2]):  # row by row, to avoid an (n, m, m) array
        s = S[..., i, :]  # (..., m)
        differences = s[..., None, :] - s[..., :, None]  # (..., m, m)
        A[..., i, :] = np.where(s != -np.inf, 1 / np.exp(differences).sum(axis=-1), 0.0)
    return A


def entropy(A: Array) -> Sized:
    """−Σ a ln a of each row, 0 ln 0 = 0 (Shannon): (..., n, m) → (..., n, 1).

    An error δ of a adds (1 + |ln a|) δ.
    """
    information = -np.log(np.where(A > 0, A, 1))  # (..., n, m)
    H = np.einsum("...ij,...ij->...i", A, information)[..., None]  # (..., n, 1)
    return Sized(H, 1 + H)


@np.errstate(all="ignore")
def attention(
    Q: Sized, K: Sized, V: Sized, *, scale: bool = True, allowed: Array | None = None,
    temperature: Array = ONE, own: Own = lambda _, x: x,
) -> Head:  # fmt: skip
    """softmax(Q Kᵀ / (√d_k T)) V: Vaswani et al. 2017, eq. (1); with the mask `allowed` of §3.2.3.

    Q is (..., n, d_k), K is (..., m, d_k), V is (..., m, d_v), allowed is (..., n, m), bool, temperature is
    (..., 1, 1); the shapes below are those of one set. The largest weight of a row is 1 / Σ exp(s − max s),
    which gives RowSum. A completely masked row attends equally to all words. The temperature T also divides
    the unscaled scores (Hinton et al. 2015, eq. 1). `own` replaces a block by the answer of a reader, from
    which the next blocks are computed.
    """
    T = np.maximum(temperature, MIN_TEMPERATURE)  # (1, 1)
    divisor = (math.sqrt(K.value.shape[-1]) if scale else 1.0) * T
    Scores = product("...id,...jd->...ij", Q, K)  # (n, m)
    scores = own("Scores", Scores)
    seen = np.ones(Scores.value.shape, dtype=bool) if allowed is None else allowed  # (n, m)
    blind = ~seen.any(axis=-1, keepdims=True)  # (n, 1)
    Scaled = Sized(scores.value / divisor, scores.size / divisor)  # (n, m)
    scaled = own("Scaled", Scaled)
    Masked = Sized(np.where(seen, scaled.value, MASK_VALUE), np.where(seen, scaled.size, 0))  # (n, m)
    hidden = np.where(blind, 0.0, -np.inf)  # (n, 1)
    Unscaled = softmax(np.where(seen, scores.value / T, hidden))  # (n, m)
    masked = scaled if allowed is None else own("Masked", Masked)
    if allowed is not None and masked is not Masked:  # a reader's numbers, none of which stands for −∞
        seen, blind = np.ones_like(seen), np.zeros_like(blind)
    RowMax = Sized(*(a.max(axis=-1, keepdims=True) for a in masked))  # (n, 1)
    exponentials = np.exp(masked.value - own("RowMax", RowMax).value)  # (n, m)
    Exp = given(np.where(seen, exponentials, np.where(blind, 1.0, 0.0)))  # (n, m)
    Attention = given(softmax(np.where(seen, masked.value, hidden)))  # (n, m)
    RowSum = given(1 / Attention.value.max(axis=-1, keepdims=True))  # (n, 1)
    exps = own("Exp", Exp)
    if exps is not Exp or own("RowMax", RowMax) is not RowMax:
        RowSum = Sized(*(a.sum(axis=-1, keepdims=True) for a in exps))  # (n, 1)
    sums = own("RowSum", RowSum)
    if exps is not Exp or sums is not RowSum:
        Attention = given(exps.value / sums.value)  # (n, m)
    attended = own("Attention", Attention)
    Output = product("...ij,...jv->...iv", attended, V)  # (n, d_v)
    AttentionSum = given(attended.value.sum(axis=-1, keepdims=True))  # (n, 1)
    UnscaledSum = given(1 / Unscaled.max(axis=-1, keepdims=True))  # (n, 1)
    M, M_unscaled = Scaled.size.max(axis=(-2, -1)), (Scores.size / T).max(axis=(-2, -1))
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
        return Expected(np.array([[NONE]], dtype=object), "number")
    lengths, rotation = [], 0.0
    for v, M in ((a, M_a), (b, M_b)):
        length = math.hypot(*v.value[0])
        error = float(np.maximum(1.0, M / FREE)) * math.hypot(*v.size[0])  # in units of TOLERANCE
        known = length > TOLERANCE * error and MIN_LENGTH < length < MAX_LENGTH
        rotation += error / length if known else math.inf
        lengths.append(length)
    value: float | str = NONE
    if all(lengths):
        value = float(np.einsum("nd,nd->", a.value / lengths[0], b.value / lengths[1]))
    return Expected(np.array([[value]], dtype=object), "number", 1.0, FREE * rotation / 2)

"""The attention of the focus word: its row of Attention, and its largest weights in words.

If two weights differ by less than the rounding error, or programs treat them as equal (IronCalc does below
2e-16), either may rank first. Of two weights that are exactly equal in every program, the first ranks first.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from xlsxattn.checker.reference.attention import (
    FREE,
    TOLERANCE,
    Expected,
    Sized,
    entropy,
    given,
    numbers,
    stacked,
)
from xlsxattn.checker.reference.choices import Wording, one_of
from xlsxattn.checker.reference.words import constant, count, text
from xlsxattn.contract.values import MASK_VALUE, NONE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.checker.reference.attention import Array, Head, Ranges
    from xlsxattn.contract.names import RangeName

MAX_COUNT = 3  # number of words that are named
HUNDREDTH = 0.01


class FocusRow(NamedTuple):
    """The row of the focus word in an attention, for one set of inputs or for several, (...,).

    Attributes:
        position: the row of the focus word, from 1, or 0 if it is missing.
        words: the words of the keys, (..., n, 1).
        memory: the rows from which the keys are computed, and their positions, (..., n, d).
        seen: the number of words that the mask allows for this row; None without a mask.
    """

    position: Array
    words: Array
    memory: Array
    seen: Array | None = None

    def of(self, i: int) -> FocusRow:
        """The row with set number i of the inputs."""
        seen = None if self.seen is None else self.seen[i]
        return FocusRow(self.position[i], self.words[i], self.memory[i], seen)

    @property
    def n_named(self) -> int:
        """The number of words that may be named, in one set; 0 if the focus word is missing."""
        seen = len(self.words) if self.seen is None else int(self.seen)
        return seen if self.position else 0


class Weights(NamedTuple):
    """The row of the focus word in a head, with one set of inputs.

    Attributes:
        attention: (n,).
        masked: the masked scores, (n,).
        size: their Σ|terms|, (n,).
        K: (n, d_k).
        M: max Σ|q||k| / scale of the head.
    """

    attention: Array
    masked: Array
    size: Array
    K: Array
    M: float


def focus_of(position: Array, words: Array, memory: Array, allowed: Array | None) -> FocusRow:
    """The row of the focus word; ``allowed`` is the mask, (..., rows, n), bool."""
    if allowed is None:
        return FocusRow(position, words, memory)
    counts = given(allowed.sum(axis=-1, keepdims=True))  # (..., rows, 1)
    return FocusRow(position, words, memory, counts.row(position).value[..., 0, 0])


def rank(s: RangeName, lengths: Sequence[int]) -> Ranges:
    """1, 2, ..., up to the number of ranks of the longest of these sentences."""
    return {s["Rank"]: constant(count(min(MAX_COUNT, max(lengths))).value.T)}


def focus(t: RangeName, head: Head, focus_row: FocusRow, *, tempered: bool) -> Ranges:
    """The ranges of the focus word in one head, with its entropy if the sheet has a temperature."""
    row = head.Attention.row(focus_row.position)  # (sets, 1, n)
    M = np.where(focus_row.position > 0, head.M, 1.0)  # (sets,)
    largest = Sized(*(np.sort(x)[..., ::-1][..., :MAX_COUNT] for x in row))  # (sets, 1, 3)
    found = {t["FocusAttention"]: numbers(row, M), t["FocusWeights"]: numbers(largest, M)}
    masked, size = head.Masked.row(focus_row.position)  # (sets, 1, n)
    each = zip(row.value[:, 0], masked[:, 0], size[:, 0], head.K.value, head.M.tolist(), strict=True)
    found |= stacked(
        [
            in_words(t, Weights(*one), focus_row.of(i), largest.value[i, 0], float(M[i]))
            for i, one in enumerate(each)
        ]
    )
    if tempered:
        found[t["FocusEntropy"]] = numbers(entropy(row.value), M)
    return found


def in_words(t: RangeName, row: Weights, focus_row: FocusRow, largest: Array, M: float) -> Ranges:
    """The words with the largest weights of the focus word, with one set of inputs."""
    columns = ranked(row, focus_row.memory)
    words = [tuple(dict.fromkeys(focus_row.words[j, 0] for j in may)) for may in columns]
    lost = 1.0 if math.isfinite(M) else math.inf
    found: Ranges = {
        t["FocusPlaces"]: Expected(
            _cells([one_of(tuple(j + 1.0 for j in may)) for may in columns]),
            "number",
            float(len(focus_row.words)),
            lost,
        ),
        t["FocusWords"]: Expected(np.full((1, len(columns)), NONE, dtype=object), "text"),
        t["FocusSaid"]: text(NONE),
    }
    if count_named := min(focus_row.n_named, len(columns)):
        named = [*(one_of(may) for may in words[:count_named]), *[NONE] * (len(columns) - count_named)]
        found[t["FocusWords"]] = Expected(_cells(named), "text", amplification=lost)
        more = focus_row.n_named > count_named
        sentence = wording(largest[:count_named], words[:count_named], slack(M), more=more)
        found[t["FocusSaid"]] = Expected(_cells([sentence]), "text", amplification=M if M >= 1 else lost)
    return found


def _cells(values: Sequence[object]) -> Array:
    """A row of arbitrary objects, (1, cols)."""
    row = np.empty((1, len(values)), dtype=object)
    row[0, :] = values
    return row


def ranked(row: Weights, memory: Array) -> list[tuple[int, ...]]:
    """For each of the first ranks, the columns (from 0) that may have it; the one of the reference first.

    `memory` contains the rows from which the keys are computed, (n, d_model).
    """
    # exact in every program: equal keys have equal scores, and a sum of zeros is 0
    summed = (row.size != 0)[:, None]  # (n, 1)
    hidden = (row.masked == MASK_VALUE)[:, None]
    rows = np.hstack([memory * summed, row.K * summed, summed, hidden])
    firsts: dict[bytes, int] = {}
    alike = np.array([firsts.setdefault(one.tobytes(), j) for j, one in enumerate(rows + 0.0)])  # −0 is 0
    weights, scores, size = row.attention[alike], row.masked[alike], row.size[alike]
    order = [int(j) for j in np.argsort(-weights, kind="stable")]
    found: list[tuple[int, ...]] = []
    for j in order[:MAX_COUNT]:
        apart = np.abs(weights - weights[j])
        near = apart <= slack(row.M)
        near |= np.abs(scores - scores[j]) <= TOLERANCE / FREE * (size + size[j])  # huge scores may be equal
        if found:  # the first may take the whole weight of huge scores that may be equal
            near |= apart <= rounding_error(size.max())
        sure = bool((alike[near] == alike[j]).all())
        found.append((j,) if sure else (j, *(i for i in order if near[i] and i != j)))
    return found


def rounding_error(M: float) -> float:
    """The rounding error of a weight for scores of this size; from 1 on, a weight may be any number."""
    return TOLERANCE * max(1.0, M / FREE) if math.isfinite(M) else 0.0


def slack(M: float) -> float:
    """The same, but at most 0.01, as two decimals are shown."""
    return min(HUNDREDTH, rounding_error(M))


def wording(weights: Array, words: Sequence[tuple[str, ...]], slack: float, *, more: bool) -> Wording:
    """`0.62 × mouse + 0.25 × cat + ...`: each weight to two decimals, times its word."""
    parts: list[tuple[float | str, ...]] = []
    for weight, may in zip(weights, words, strict=True):
        parts += [(" + ",)] if parts else []
        parts += [rounded(float(weight), slack), (" × ",), may]
    return Wording((*parts, *([(" + ...",)] if more else [])))


def rounded(weight: float, slack: float) -> tuple[float, ...]:
    """A weight rounded to two decimals; near a midpoint, both roundings, the nearest first."""
    if not math.isfinite(weight):
        return (0.0,)
    low, high = math.ceil((weight - slack) * 100 - 0.5), math.floor((weight + slack) * 100 + 0.5)
    nearest = sorted(range(low, high + 1), key=lambda hundredths: abs(hundredths - 100 * weight))
    return tuple(hundredths / 100 for hundredths in nearest)

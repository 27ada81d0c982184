"""What the focus word looks at: its row of an Attention, and in words the largest weights of it.

Of two weights that are nearer than rounding keeps apart either may come first, and so may it where programs
call them equal: to IronCalc all below 2e-16 are. Of two that are the same in every program, the first does.
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
    numbers,
)
from xlsxattn.checker.reference.choices import Wording, one_of
from xlsxattn.checker.reference.words import constant, count, text
from xlsxattn.contract.values import MASK_VALUE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.checker.reference.attention import Array, Head, Ranges
    from xlsxattn.contract.names import RangeName

MAX_COUNT = 3  # so many words are said
NOBODY = "–"  # what is said where the sentence lacks the focus word
HUNDREDTH = 0.01


class Gaze(NamedTuple):
    """Who looks at whom.

    Attributes:
        position: the focus word's row, counted from 1, or 0 for nobody's.
        words: what is looked at, (n, 1).
        memory: what the keys are made from, (n, d_model).
        seen: how many of the words a mask lets that row look at; None without a mask.
    """

    position: int
    words: Array
    memory: Array
    seen: int | None = None

    @property
    def told(self) -> int:
        """How many words may be said: nobody's row has none."""
        seen = len(self.words) if self.seen is None else self.seen
        return seen if self.position else 0


def gazing(position: int, words: Array, memory: Array, allowed: Array | None) -> Gaze:
    """Who looks at whom; allowed: which keys a mask lets each row look at, (rows, n)."""
    seen = None if allowed is None else int(allowed[position - 1].sum()) if position else 0
    return Gaze(position, words, memory, seen)


def rank(s: RangeName, lengths: Sequence[int]) -> Ranges:
    """1, 2, ..., as many as the longest of these sentences shows."""
    return {s["Rank"]: constant(count(min(MAX_COUNT, max(lengths))).value.T)}


def focus(t: RangeName, head: Head, gaze: Gaze, *, tempered: bool) -> Ranges:
    """The ranges of one head's focus row; its entropy where the sheet has a temperature."""
    row, M = head.Attention.row(gaze.position), head.M if gaze.position else 1.0
    n = row.value.shape[1]
    columns = ranked(head, gaze)[: min(MAX_COUNT, n)]
    largest = Sized(*(np.sort(x)[:, ::-1][:, : len(columns)] for x in row))
    words = [tuple(dict.fromkeys(gaze.words[j, 0] for j in may)) for may in columns]
    lost = 1.0 if math.isfinite(M) else math.inf
    found: Ranges = {
        t["FocusAttention"]: numbers(row, M),
        t["FocusWeights"]: numbers(largest, M),
        t["FocusPlaces"]: Expected(
            _cells([one_of(tuple(j + 1.0 for j in may)) for may in columns]), "number", float(n), lost
        ),
        t["FocusWords"]: Expected(np.full((1, len(columns)), NOBODY, dtype=object), "text"),
        t["FocusSaid"]: text(NOBODY),
    }
    if told := min(gaze.told, len(columns)):
        named = [*(one_of(may) for may in words[:told]), *[NOBODY] * (len(columns) - told)]
        found[t["FocusWords"]] = Expected(_cells(named), "text", amplification=lost)
        said = wording(largest.value[0, :told], words[:told], slack(M), more=gaze.told > told)
        found[t["FocusSaid"]] = Expected(_cells([said]), "text", amplification=M if M >= 1 else lost)
    if tempered:
        found[t["FocusEntropy"]] = numbers(entropy(row.value), M)
    return found


def _cells(values: Sequence[object]) -> Array:
    """One row of anything, (1, cols)."""
    row = np.empty((1, len(values)), dtype=object)
    row[0, :] = values
    return row


def ranked(head: Head, gaze: Gaze) -> list[tuple[int, ...]]:
    """Rank by rank the columns, counted from 0, that may stand there; the reference's own first."""
    weights, masked, size = (
        x[0] for x in (head.Attention.row(gaze.position).value, *head.Masked.row(gaze.position))
    )
    # to the last digit in every program: equal keys have equal scores, and 0 is the sum of zeros
    summed = (size != 0)[:, None]  # (n, 1)
    K, hidden = head.blocks["K"].values, (masked == MASK_VALUE)[:, None]
    rows = np.hstack([gaze.memory * summed, K * summed, summed, hidden])
    firsts: dict[bytes, int] = {}
    alike = np.array([firsts.setdefault(row.tobytes(), j) for j, row in enumerate(rows + 0.0)])  # −0 is 0
    weights = weights[alike]
    order = [int(j) for j in np.argsort(-weights, kind="stable")]
    found: list[tuple[int, ...]] = []
    for j in order[:MAX_COUNT]:
        near = np.abs(weights - weights[j]) <= slack(head.M)
        sure = bool((alike[near] == alike[j]).all())
        found.append((j,) if sure else (j, *(i for i in order if near[i] and i != j)))
    return found


def slack(M: float) -> float:
    """How far rounding may carry a weight, whose scores are of this size; at most what two decimals show."""
    return min(HUNDREDTH, TOLERANCE * max(1.0, M / FREE)) if math.isfinite(M) else 0.0


def wording(weights: Array, words: Sequence[tuple[str, ...]], slack: float, *, more: bool) -> Wording:
    """`0.62 × mouse + 0.25 × cat + ...`: each weight to two decimals, times its word."""
    parts: list[tuple[float | str, ...]] = []
    for weight, may in zip(weights, words, strict=True):
        parts += [(" + ",)] if parts else []
        parts += [rounded(float(weight), slack), (" × ",), may]
    return Wording((*parts, *([(" + ...",)] if more else [])))


def rounded(weight: float, slack: float) -> tuple[float, ...]:
    """A weight to two decimals; near the middle of two hundredths either, the nearest first."""
    if not math.isfinite(weight):
        return (0.0,)
    low, high = math.ceil((weight - slack) * 100 - 0.5), math.floor((weight + slack) * 100 + 0.5)
    nearest = sorted(range(low, high + 1), key=lambda hundredths: abs(hundredths - 100 * weight))
    return tuple(hundredths / 100 for hundredths in nearest)

"""What a model says: logits, their softmax, the largest ones, and whether rounding could choose others."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from xlsxattn.checker.reference.attention import Expected
from xlsxattn.checker.reference.layers import over_rows
from xlsxattn.checker.reference.rounding import COARSE_SAFETY, DRAWS, NOISE, SAFETY, UNIT, NoisyArray, expect

if TYPE_CHECKING:
    from xlsxattn.checker.reference.attention import Array, Ranges
    from xlsxattn.checker.reference.rounding import Rounding
    from xlsxattn.contract.names import RangeName


class Doubt(NamedTuple):
    """Whether rounding could choose otherwise, and whether a coarse Φ could."""

    rounding: bool = False
    coarse: bool = False

    def __or__(self, other: object) -> Doubt:
        """Doubt of either kind in either."""
        if not isinstance(other, Doubt):
            return NotImplemented
        return Doubt(self.rounding or other.rounding, self.coarse or other.coarse)

    def over(self, x: Expected) -> Expected:
        """A range that hangs on the choice."""
        amplification = math.inf if self.rounding else x.amplification
        return replace(x, amplification=amplification, coarse=math.inf if self.coarse else x.coarse)


def tied_alike(logits: NoisyArray, columns: Array) -> NoisyArray:
    """Equal columns of the matrix (d, m) have equal logits, to the last digit, in every engine."""
    _, first, which = np.unique(columns, axis=1, return_index=True, return_inverse=True)
    same = first[which.reshape(-1)]
    return NoisyArray(logits.values[:, :, same], logits.size[:, same])


def falling(logits: NoisyArray, k: int) -> tuple[Array, list[Doubt]]:
    """The places of the k largest in each row, (rows, k), equal ones in order; and the doubt in each row."""
    order = np.argsort(-logits.clean, axis=1, kind="stable")
    doubts = []
    for row, ranked in enumerate(order):
        doubt = Doubt()
        for at in range(min(k, len(ranked) - 1)):
            runs = logits.values[:, row]
            gaps = runs[:, ranked[at], None] - runs[:, ranked[at + 1 :]]
            apart = np.abs(gaps - gaps[0])
            could = [
                bool(((far > 0) & ~(gaps[0] > far)).any() or not np.isfinite(far).all())
                for far in (
                    apart[1 : 1 + DRAWS].max(axis=0, initial=0.0) * (SAFETY * UNIT / NOISE),
                    apart[1 + DRAWS :].max(axis=0, initial=0.0) * COARSE_SAFETY,
                )
            ]
            doubt |= Doubt(*could)
        doubts.append(doubt)
    return order[:, :k], doubts


def any_doubt(doubts: list[Doubt]) -> Doubt:
    """Doubt in any of them."""
    return Doubt(any(d.rounding for d in doubts), any(d.coarse for d in doubts))


def distribution(
    r: Rounding, p: RangeName, logits: NoisyArray, block: str = "Logit"
) -> tuple[Ranges, NoisyArray]:
    """The softmax of each row, in steps: LogitMax, LogitExp, LogitSum, Probability."""
    steps, Probability = over_rows(r, logits, None, None)
    names = {"RowMax": f"{block}Max", "Exp": f"{block}Exp", "RowSum": f"{block}Sum"}
    found = {p[names[name]]: expect(x) for name, x in steps.items()}
    return found | {p["Probability"]: expect(Probability)}, Probability


def top(
    p: RangeName, logits: NoisyArray, probability: NoisyArray, words: Array, k: int
) -> tuple[Ranges, list[Doubt]]:
    """The k largest logits of each row: values, places, words (n_vocab,) and probabilities; and Next."""
    order, doubts = falling(logits, k)
    doubt = any_doubt(doubts)
    sort = [np.sort(x.values, axis=2)[:, :, ::-1][:, :, :k] for x in (logits, probability)]
    sizes = [np.take_along_axis(x.size, order, axis=1) for x in (logits, probability)]
    found: Ranges = {
        p["TopLogits"]: expect(NoisyArray(sort[0], sizes[0])),
        p["TopProbabilities"]: expect(NoisyArray(sort[1], sizes[1])),
        p["TopIds"]: doubt.over(Expected(order + 1.0, "number", float(order.max() + 1))),
        p["TopTokens"]: doubt.over(Expected(words[order].astype(object), "text")),
    }
    first, unsure = falling(logits, 1)
    found[p["Next"]] = any_doubt(unsure).over(Expected(words[first].astype(object), "text"))
    return found, unsure

"""Logits, their softmax, the largest ones, and whether rounding could change their order."""

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


class RankDoubt(NamedTuple):
    """Whether rounding could change a choice, and whether a coarse Φ could."""

    rounding: bool = False
    coarse: bool = False

    def __or__(self, other: object) -> RankDoubt:
        """The union of both doubts."""
        if not isinstance(other, RankDoubt):
            return NotImplemented
        return RankDoubt(self.rounding or other.rounding, self.coarse or other.coarse)

    def over(self, x: Expected) -> Expected:
        """A range that depends on the choice."""
        amplification = math.inf if self.rounding else x.amplification
        return replace(x, amplification=amplification, coarse=math.inf if self.coarse else x.coarse)


def tied_alike(logits: NoisyArray, columns: Array) -> NoisyArray:
    """Make logits of equal columns of the matrix (d, m) exactly equal, as they are in every engine."""
    _, first, which = np.unique(columns, axis=1, return_index=True, return_inverse=True)
    same = first[which.reshape(-1)]
    return NoisyArray(logits.values[:, :, same], logits.size[:, same])


def falling(logits: NoisyArray, k: int) -> tuple[Array, list[RankDoubt]]:
    """The positions of the k largest in each row, (rows, k), ties in order; and the doubt of each row."""
    order = np.argsort(-logits.clean, axis=1, kind="stable")  # (rows, n_vocab)
    doubts = []
    for row, ranked in enumerate(order):
        doubt = RankDoubt()
        for at in range(min(k, len(ranked) - 1)):
            runs = logits.values[:, row]  # (runs, n_vocab)
            gaps = runs[:, ranked[at], None] - runs[:, ranked[at + 1 :]]  # (runs, later ranks)
            spread = np.abs(gaps - gaps[0])  # (runs, later ranks)
            rounding = spread[1 : 1 + DRAWS].max(axis=0, initial=0.0) * (SAFETY * UNIT / NOISE)
            coarse = spread[1 + DRAWS :].max(axis=0, initial=0.0) * COARSE_SAFETY
            doubt |= RankDoubt(_could_swap(gaps[0], rounding), _could_swap(gaps[0], coarse))
        doubts.append(doubt)
    return order[:, :k], doubts


def _could_swap(gaps: Array, errors: Array) -> bool:
    """Whether errors could change the sign of any gap."""
    close = (errors > 0) & ~(gaps > errors)
    return bool(close.any() or not np.isfinite(errors).all())


def any_doubt(doubts: list[RankDoubt]) -> RankDoubt:
    """The union of several doubts."""
    return RankDoubt(any(d.rounding for d in doubts), any(d.coarse for d in doubts))


def distribution(
    r: Rounding, p: RangeName, logits: NoisyArray, block: str = "Logit"
) -> tuple[Ranges, NoisyArray]:
    """The softmax of each row: LogitMax, LogitExp, LogitSum, Probability."""
    steps, Probability = over_rows(r, None, logits, None, None)
    names = {"RowMax": f"{block}Max", "Exp": f"{block}Exp", "RowSum": f"{block}Sum"}
    ranges = {p[names[name]]: expect(x) for name, x in steps.items()}
    return ranges | {p["Probability"]: expect(Probability)}, Probability


def top(
    p: RangeName, logits: NoisyArray, probability: NoisyArray, words: Array, k: int
) -> tuple[Ranges, list[RankDoubt]]:
    """The k largest logits of each row: values, ids, words and probabilities; and Next."""
    order, doubts = falling(logits, k)
    doubt = any_doubt(doubts)
    largest = [
        np.sort(x.values, axis=2)[:, :, ::-1][:, :, :k] for x in (logits, probability)
    ]  # (runs, rows, k)
    sizes = [np.take_along_axis(x.size, order, axis=1) for x in (logits, probability)]
    ranges: Ranges = {
        p["TopLogits"]: expect(NoisyArray(largest[0], sizes[0])),
        p["TopProbabilities"]: expect(NoisyArray(largest[1], sizes[1]).covering(probability)),
        p["TopIds"]: doubt.over(Expected(order + 1.0, "number", float(order.max() + 1))),
        p["TopTokens"]: doubt.over(Expected(words[order].astype(object), "text")),
    }
    first, next_doubts = falling(logits, 1)
    ranges[p["Next"]] = any_doubt(next_doubts).over(Expected(words[first].astype(object), "text"))
    return ranges, next_doubts

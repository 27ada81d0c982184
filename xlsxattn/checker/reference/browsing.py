"""The head browser with the strongest pairs of the chosen head, and summaries of large matrices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from xlsxattn.checker.reference.attention import Expected, Sized, numbers
from xlsxattn.checker.reference.rounding import NoisyArray, expect
from xlsxattn.checker.reference.vocabulary_head import any_doubt, falling
from xlsxattn.checker.reference.words import constant, count, labels, sentence, shaped
from xlsxattn.contract.names import FEW_COLUMNS, FEW_ROWS, RangeName, parse, part_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxattn.checker.reference.attention import Array, Ranges
    from xlsxattn.checker.reference.transformer import Tower
    from xlsxattn.checker.reference.words import ContextWords

STRONGEST, WIDE = 5, 8


def chosen_head(tower: Tower, own: Sequence[ContextWords]) -> tuple[Ranges, RangeName]:
    """The ranges that the head browser has once, and the chosen head, ``RangeName(layer=6, head=12)``."""
    s, heads, layers = RangeName(tower.sheet.id), int(tower.sheet.heads), tower.numbers
    layer = shaped(tower.inputs, s["Layer"], 1, 1)[0, 0]
    head = shaped(tower.inputs, s["Head"], 1, 1)[0, 0]
    index = max(1, sum(k <= layer for k in layers))
    h = max(1, min(heads, math.floor(head)))
    pairs = min(STRONGEST, *(len(c.tokens) ** 2 for c in own))
    ranges = {
        s["Layers"]: constant([[float(k)] for k in layers]),
        s["Heads"]: numbers(count(heads)),
        s["PairRank"]: numbers(count(pairs)),
        s["Chosen"]: constant([[float((index - 1) * heads + h)]]),
    }
    ranges |= {s.at(page="heads", context=c.id)["Heading"]: sentence(c) for c in own}
    return ranges, RangeName(layer=layers[index - 1], head=h)


def browsed(
    p: RangeName, head: RangeName, maps: Mapping[RangeName, NoisyArray], tokens: Array, pairs: int
) -> Ranges:
    """The attention map of the chosen head, (n, n), and its strongest pairs, ties in reading order."""
    A, n = maps[p.at(layer=head.layer, head=head.head)], len(tokens)
    flat = NoisyArray(A.values.reshape(len(A.values), 1, n * n), A.size.reshape(1, n * n))
    order, doubts = falling(flat, pairs)
    doubt, places = any_doubt(doubts), order[0]
    top = np.sort(flat.values, axis=2)[:, 0, ::-1][:, :pairs, None]  # (runs, pairs, 1)
    ranges = {
        p["Map"]: expect(A),
        p["PairWeights"]: expect(NoisyArray(top, flat.size[0, places][:, None]).covering(flat)),
        p["PairPlaces"]: doubt.over(constant(places[:, None] + 1.0)),
        p["PairFrom"]: doubt.over(Expected(tokens[places // n], "text")),
        p["PairTo"]: doubt.over(Expected(tokens[places % n], "text")),
    }
    return ranges | labels(p["Map"], tokens, tokens)


def matrix_summaries(tower: Tower) -> Ranges:
    """The first and last columns of the first rows of every wide matrix, and its Frobenius norm."""
    ranges: Ranges = {}
    for k in tower.numbers:
        w = tower.w.at(layer=k)
        only = tower.sheet.only
        for name, W in tower.inputs.items():
            at = parse(name)
            if not at.is_matrix or at.at(cross=False).under(w).place != w or len(W) == 1 or W.shape[1] < WIDE:
                continue
            if at.group or (at.head and not only):
                continue  # names of columns of a matrix that is summarized already
            numbered = np.arange(1.0, W.shape[1] + 1)[None, :]
            ranges[part_of(name, "First")] = constant(W[:FEW_ROWS, :FEW_COLUMNS])
            ranges[part_of(name, "Last")] = constant(W[:FEW_ROWS, -FEW_COLUMNS:])
            ranges[part_of(name, "First_Rows")] = numbers(count(min(FEW_ROWS, len(W))))
            ranges[part_of(name, "First_Cols")] = constant(numbered[:, :FEW_COLUMNS])
            ranges[part_of(name, "Last_Cols")] = constant(numbered[:, -FEW_COLUMNS:])
            largest = np.abs(W).max() or 1.0  # so that no square vanishes or overflows
            length = np.array([[largest * np.sqrt(np.square(W / largest).sum())]])
            ranges[part_of(name, "Frobenius")] = numbers(Sized(length, length))
    return ranges

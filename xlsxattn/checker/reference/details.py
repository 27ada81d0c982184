"""The details of attention sheets: the focus word before and after attention, and one score in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xlsxattn.checker.reference.attention import numbers, product
from xlsxattn.checker.reference.projections import ALONE
from xlsxattn.checker.reference.words import labels, shaped
from xlsxattn.contract.kinds import InSentence, MultiHead
from xlsxattn.contract.names import RangeName

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from xlsxattn.checker.reference.attention import Array, Head, Ranges, Trace
    from xlsxattn.checker.reference.attention_sheets import Trail
    from xlsxattn.checker.reference.words import ContextWords, Inputs, SheetInfo


def details(
    chosen: Collection[str],
    sheets: Sequence[SheetInfo],
    contexts: Sequence[ContextWords],
    inputs: Inputs,
    trail: Trail,
) -> Ranges:
    """The details of the chosen attention sheets, and the labels of every sheet's unscaled sums.

    Raises:
        KeyError: a chosen sheet is not an attention sheet.
        ShapesDisagree: the position of a word has more than one cell.
    """
    attending = {sheet.id: sheet for sheet in sheets if sheet.is_a(InSentence)}
    ranges: Ranges = {}
    for name in attending:
        for c in contexts:
            for h in trail[name][c.id].heads:
                p = RangeName(name, context=c.id).under(h)
                ranges |= labels(p["UnscaledSum"], c.tokens)
    for name in chosen:
        sheet = attending[name]
        for c in contexts:
            result = trail[name][c.id]
            ranges |= before_and_after(RangeName(name, context=c.id), c, result, inputs)
            if not sheet.is_a(MultiHead):
                ranges |= one_score(sheet, c, result.heads[ALONE], inputs)
    return ranges


def before_and_after(p: RangeName, c: ContextWords, result: Trace, inputs: Inputs) -> Ranges:
    """The focus word's rows of X and of Output, (sets, 1, columns); zeros without the word."""
    focus = inputs["vocab_Focus"]
    before = {p["FocusBefore"]: numbers(c.X.row(c.focus))}
    before |= labels(p["FocusBefore"], focus, inputs["vocab_Dims"])
    M = np.where(c.focus > 0, result.M, 1.0)  # (sets,)
    after = {p["FocusAfter"]: numbers(result.Output.row(c.focus), M)}
    return before | after | labels(p["FocusAfter"], focus)


def one_score(sheet: SheetInfo, c: ContextWords, head: Head, inputs: Inputs) -> Ranges:
    """One score as the dot product of a query and a key, term by term: q · k = Σ_i q_i k_i.

    This is the sum in footnote 4 of Vaswani et al. 2017, §3.2.1.
    """
    p, n = RangeName(sheet.id, context=c.id), c.tokens.shape[-2]
    row, col = (position(inputs, p[block], n) for block in ("CellRow", "CellCol"))
    q, k = head.Q.row(row), head.K.row(col)  # (sets, 1, d_k)
    ranges = {
        p["CellQuery"]: numbers(q),
        p["CellKey"]: numbers(k),
        p["CellProducts"]: numbers(product("...nd,...nd->...nd", q, k)),
        p["CellScore"]: numbers(product("...nd,...md->...nm", q, k)),
    }
    dims = None if sheet.weights else inputs["vocab_Dims"]
    word, other = (np.take_along_axis(c.tokens, at[:, None, None] - 1, axis=1) for at in (row, col))
    return ranges | labels(p["CellQuery"], word, dims) | labels(p["CellKey"], other)


def position(inputs: Inputs, name: str, n: int) -> Array:
    """The integer part of a typed position, (sets,), limited to 1 ... n; a blank is 0 and counts as 1."""
    whole: Array = np.clip(shaped(inputs, name, 1, 1)[:, 0, 0], 1, n).astype(int)
    return whole

"""The ranges of compare sheets, which follow the focus word through the sheets before them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from xlsxattn.checker.reference.attention import Expected, Trace, cosine, given, numbers
from xlsxattn.checker.reference.choices import OneOf
from xlsxattn.checker.reference.models import encoded
from xlsxattn.checker.reference.transformer import followed
from xlsxattn.checker.reference.words import constant, embedded, labels, mark, numbered, sentence, shaped
from xlsxattn.contract.names import RangeName
from xlsxattn.contract.values import GOOD, NONE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxattn.checker.reference.attention import Ranges
    from xlsxattn.checker.reference.attention_sheets import Trail
    from xlsxattn.checker.reference.words import ContextWords, Inputs, SheetInfo


def doubted(x: Expected, coarse: float) -> Expected:
    """A range with an additional tolerance for engines with a coarse Φ."""
    return replace(x, coarse=float(coarse))


def encoder_sheet(sheet: SheetInfo, contexts: Sequence[ContextWords], inputs: Inputs, trail: Trail) -> Ranges:
    """The ranges of an encoder; compare sheets follow it if it runs on every context."""
    ranges, left = encoded(sheet, contexts, inputs)
    if all(c.id in left for c in contexts) and not sheet.only:
        trail[sheet.id] = {}
        for c in contexts:
            M = ranges[RangeName(sheet.id, context=c.id)["Output"]].amplification
            trail[sheet.id][c.id] = Trace(followed(left[c.id], M), M, {}, left[c.id].coarse().max())
    return ranges


def near_words(sheet: SheetInfo, c: ContextWords, left: Mapping[str, Trace], inputs: Inputs) -> Ranges:
    """The words to compare with, their embeddings, and their cosines with the rows of one context."""
    s, p = RangeName(sheet.id), RangeName(sheet.id, context=c.id)
    words = shaped(inputs, s["Tokens"], None, 1)
    ids = numbered(list(words[:, 0]), inputs)
    E = given(embedded(ids, inputs))
    ranges = {s["Ids"]: constant([[float(i)] for i in ids]), s["X"]: numbers(E)}
    ranges |= labels(s["X"], None, inputs["vocab_Dims"]) | labels(p["Near"], words)
    for name, trace in left.items():
        if trace.Output.value.shape[1] != E.value.shape[1]:
            continue
        row = trace.Output.row(c.focus)
        length = max(math.hypot(*row.value[0]), 1e-300)
        apart = trace.coarse * math.sqrt(row.value.size) / length if trace.coarse else 0.0
        each = [cosine(row, E.row(i + 1), trace.M) for i in range(len(ids))]
        ranges[p.at(of="" if name == "X" else name)["Near"]] = Expected(
            np.vstack([one.values for one in each]),
            "number",
            1.0,
            max(one.amplification for one in each),
            coarse=float(apart),
        )
    return ranges


def compare_sheet(sheet: SheetInfo, contexts: Sequence[ContextWords], inputs: Inputs, trail: Trail) -> Ranges:
    """The focus word's rows of X and of every Output and Attention before this sheet, and cosines."""
    first = contexts[0]
    ranges: Ranges = {}
    X = {c.id: Trace(c.X, 1.0, {}) for c in contexts}
    for c in contexts:
        p = RangeName(sheet.id, context=c.id)
        ranges |= {p["Heading"]: sentence(c)}
        ranges |= labels(p["X"], None, inputs["vocab_Dims"])
        if any(left[c.id].heads for left in trail.values()):
            ranges |= labels(p["Attention"], None, c.tokens)
        for name, left in {"X": X, **trail}.items():
            own, start = left[c.id], left[first.id]
            q = p if left is X else p.at(of=name)
            row, other = own.Output.row(c.focus), start.Output.row(first.focus)
            shown = numbers(row, own.M if c.focus else 1.0)
            ranges[q["X"] if left is X else q["Output"]] = doubted(shown, own.coarse)
            apart = sum(
                trace.coarse * math.sqrt(a.value.size) / max(math.hypot(*a.value[0]), 1e-300)
                for trace, a in ((own, row), (start, other))
                if trace.coarse
            )
            ranges[q["Cosine"]] = doubted(cosine(row, other, own.M, start.M), apart)
            for h, head in own.heads.items():
                ranges[q.under(h)["Attention"]] = numbers(
                    head.Attention.row(c.focus), head.M if c.focus else 1.0
                )
        if sheet.near:
            ranges |= near_words(
                sheet, c, {"X": X[c.id], **{n: left[c.id] for n, left in trail.items()}}, inputs
            )
    return ranges | {RangeName(sheet.id)["Status"]: sameness(contexts)}


def sameness(contexts: Sequence[ContextWords]) -> Expected:
    """✓ if the focus word has the same input row in all contexts; – if fewer than two contexts have it.

    Workbooks of earlier versions show ✓ if only one context has the word.
    """
    rows = [c.X.row(c.focus).value for c in contexts if c.focus]
    if len(rows) == 1:
        return Expected(np.array([[OneOf((NONE, GOOD))]], dtype=object), "mark")
    same = all(np.array_equal(row, rows[0]) for row in rows)
    return mark(good=same, noted=not rows)

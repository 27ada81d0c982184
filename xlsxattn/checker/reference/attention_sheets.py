"""The ranges of attention sheets: single-head, multi-head and cross-attention, with masks and positions.

All sets of inputs are computed at once: they are the leading axis of arrays, "..." in shapes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from xlsxattn.checker.reference.answers import own
from xlsxattn.checker.reference.attention import (
    ONE,
    PROJECTED,
    Head,
    Sized,
    Trace,
    attention,
    given,
    numbers,
    product,
)
from xlsxattn.checker.reference.focus import focus, focus_of, rank
from xlsxattn.checker.reference.layers import status
from xlsxattn.checker.reference.masks import index, mask_ranges, mask_value, padding, visible
from xlsxattn.checker.reference.models import chosen
from xlsxattn.checker.reference.positions import Positions, positions
from xlsxattn.checker.reference.projections import ALONE, BIASED, Linear, Projections, projections
from xlsxattn.checker.reference.words import constant, labels, sentence, shaped, unknown
from xlsxattn.contract.kinds import CrossAttention, MultiHead
from xlsxattn.contract.names import RangeName

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from xlsxattn.checker.reference.attention import Array, Ranges
    from xlsxattn.checker.reference.focus import FocusRow
    from xlsxattn.checker.reference.words import ContextWords, Inputs, SheetInfo

    Trail: TypeAlias = dict[str, dict[str, Trace]]  # sheet → context → its result

SQUARE = ("Scores", "Scaled", "Masked", "Exp", "Attention")  # blocks that also have column labels
UNSCALED = ("UnscaledSum", "EntropyUnscaled")


def weights(sheet: SheetInfo, inputs: Inputs) -> Projections | None:
    """The learned weights of a sheet by head, or None if Q = K = V = X."""
    many = sheet.is_a(MultiHead) or (sheet.is_a(CrossAttention) and sheet.heads > 0)
    if not many and not sheet.weights:
        return None
    heads = sheet.heads if many else None
    return projections(
        RangeName(sheet.id),
        heads,
        inputs,
        kv_heads=sheet.kv_heads or None,
        bias=biased(sheet),
        out_proj=sheet.settings.get("out_proj", True),
        any_width=sheet.is_a(MultiHead),
    )


def biased(sheet: SheetInfo) -> str:
    """The letters of the projections that have a bias.

    Raises:
        ValueError: an unknown letter.
    """
    bias = sheet.bias
    if isinstance(bias, bool):
        return BIASED if bias else ""
    if others := [letter for letter in bias if letter not in (*PROJECTED, "O")]:
        raise unknown(sheet.id, "bias", others[0])
    return "".join(bias)


def frame(sheet: SheetInfo, w: Projections | None, inputs: Inputs) -> Ranges:
    """The ranges that a sheet has once: Scale, labels of weights, slices of heads."""
    s, dims = RangeName(sheet.id), inputs["vocab_Dims"]
    d_k = dims.shape[-1] if w is None else w.d_k
    found = {s["Scale"]: numbers(given([[math.sqrt(d_k) if sheet.scale else 1.0]]))}
    if w is None:
        return found
    for letter in PROJECTED:
        found |= labels(s[f"W_{letter}"], dims)
    joins = w.out is not None and w.out.W.shape[-1] == dims.shape[-1]
    return found | w.parts(s) | (labels(s["W_O"], None, dims) if joins else {})


def temperature(sheet: SheetInfo, inputs: Inputs) -> Array:
    """The temperature that divides a sheet's scores, (..., 1, 1); 1 without the setting."""
    return shaped(inputs, RangeName(sheet.id)["Temperature"], 1, 1) if sheet.temperature else ONE


def applied(x: Sized, layer: Linear) -> Sized:
    """X W + b, with Σ|terms|."""
    y = product("...nd,...dk->...nk", x, given(layer.W))  # (..., n, d_k)
    return y if layer.b is None else Sized(y.value + layer.b, y.size + np.abs(layer.b))


def heads_of(
    at: tuple[RangeName, RangeName], x: Sized, memory: Sized, w: Projections | None, places: Positions,
    words: tuple[Array, Array], inputs: Inputs, *, scale: bool, allowed: Array | None, temperature: Array,
) -> tuple[Ranges, dict[RangeName, Head]]:  # fmt: skip
    """The heads, and the ranges of their projections: queries from x, keys and values from memory.

    `at` contains the prefixes of the queries' and the keys' ranges, `words` the words of both.
    """
    if w is None:
        answers = own(inputs, at[0])
        alone = attention(
            x, memory, memory, scale=scale, allowed=allowed, temperature=temperature, own=answers
        )
        return {}, {ALONE: alone}
    found: Ranges = {}
    made: dict[str, dict[RangeName, Sized]] = {letter: {} for letter in PROJECTED}
    for letter in PROJECTED:
        side = 0 if letter == "Q" else 1
        for part, layer in getattr(w, letter).items():
            y, p = applied((x, memory)[side], layer), at[side].under(part)
            found |= {p[letter]: numbers(y)} | labels(p[letter], words[side])
            y = own(inputs, p)(letter, y)
            if places.rotary is not None and letter != "V":
                y = places.rotary.sized(y)
                found |= {p[f"{letter}Rot"]: numbers(y)} | labels(p[f"{letter}Rot"], words[side])
                y = own(inputs, p)(f"{letter}Rot", y)
            made[letter][part] = y
    done: dict[RangeName, Head] = {}
    for h, g in w.group.items():
        answers = own(inputs, at[0].under(h))
        three = made["Q"][h], made["K"][g], made["V"][g]
        done[h] = attention(*three, scale=scale, allowed=allowed, temperature=temperature, own=answers)
    return found, done


def focus_rows(p: RangeName, sheet: SheetInfo, done: dict[RangeName, Head], focus_row: FocusRow) -> Ranges:
    """The attention of the focus word in every head, and the labels, once for all heads."""
    found = labels(p["FocusAttention"], None, focus_row.words)
    if focus_row.seen is not None:
        found[p["FocusSeen"]] = constant(focus_row.seen[..., None, None])
    for h, head in done.items():
        found |= focus(p.under(h), head, focus_row, tempered=bool(sheet.temperature))
    return found


def outcome(
    p: RangeName, done: dict[RangeName, Head], w: Projections | None, words: tuple[Array, Array],
    inputs: Inputs, leave_out: tuple[str, ...] = (),
) -> tuple[Ranges, Trace]:  # fmt: skip
    """The ranges of the heads, and Output = Concat(head_1, ..., head_h) W^O (+ b^O): §3.2.2.

    Without W^O, the concatenated outputs of the heads are the Output.
    """
    found: Ranges = {}
    answers, dims = own(inputs, p), inputs["vocab_Dims"]
    for h, head in done.items():
        for block, values in head.blocks.items():
            if block not in (*PROJECTED, *leave_out):
                rows = words[0] if block in (*SQUARE, "Output") else None
                found |= labels(p.under(h)[block], rows, words[1] if block in SQUARE else None)
                found[p.under(h)[block]] = values
    each = list(done.values())
    M = np.max([head.M for head in each], axis=0)  # (...,)
    Output = Concat = Sized(
        np.concatenate([head.Output.value for head in each], axis=-1),  # (..., n, h d_v)
        np.concatenate([head.Output.size for head in each], axis=-1),
    )
    if w is not None and w.out is not None:
        Output = applied(answers("Concat", Concat), w.out)  # (..., n, d_out)
        found |= {p["Concat"]: numbers(Concat, M)} | labels(p["Concat"], words[0])
    if p["Output"] not in found:  # otherwise it is the Output of the only head
        found |= {p["Output"]: numbers(Output, M)}
        Output = answers("Output", Output)
    found |= labels(p["Output"], words[0], dims if Output.value.shape[-1] == dims.shape[-1] else None)
    drift = np.max([np.abs(head.Attention.value.sum(axis=-1) - 1).max(axis=-1) for head in each], axis=0)
    found[p["Drift"]] = numbers(Sized(drift[..., None, None], ONE), M)
    return found, Trace(Output, M, done)


def one_context(
    sheet: SheetInfo, c: ContextWords, w: Projections | None, places: Positions, inputs: Inputs
) -> tuple[Ranges, Trace]:
    """The ranges of a sheet in one sentence."""
    p, dims, n = RangeName(sheet.id, context=c.id), inputs["vocab_Dims"], c.ids.shape[-2]
    answers = own(inputs, p)
    seen = visible(sheet.mask, c, answers)
    found = {p["Heading"]: sentence(c), p["X"]: numbers(c.X)} | labels(p["X"], c.tokens, dims)
    found |= places.of_context(p, n) | mask_ranges(p, sheet.mask, c, seen)
    x = answers("X", c.X)
    if places.P is not None:
        P = places.first(n)
        x = Sized(x.value + P.value, x.size + P.size)
        found |= {p["Input"]: numbers(x)} | labels(p["Input"], c.tokens, dims)
        x = answers("Input", x)
    words = (c.tokens, c.tokens)
    allowed = None if seen is None else answers("Mask", given(seen)).value == 1
    scale, T = sheet.scale, temperature(sheet, inputs)
    parts, done = heads_of(
        (p, p), x, x, w, places, words, inputs, scale=scale, allowed=allowed, temperature=T
    )
    ranges, left = outcome(p, done, w, words, inputs)
    found |= parts | ranges
    row = focus_of(c.focus, c.tokens, places.beside(x.value), allowed)
    return found | focus_rows(p, sheet, done, row), left


def attention_sheet(
    sheet: SheetInfo, contexts: Sequence[ContextWords], inputs: Inputs, trail: Trail
) -> Ranges:
    """The ranges of a sheet with one head or several; adds its results to the trail for compare sheets."""
    w = weights(sheet, inputs)
    places = positions(sheet, contexts, inputs["vocab_E"].shape[-1] if w is None else w.d_k, inputs)
    found, trail[sheet.id] = frame(sheet, w, inputs) | places.ranges, {}
    lengths = [c.ids.shape[-2] for c in contexts]
    found |= rank(RangeName(sheet.id), lengths)
    if sheet.mask != "none":
        found |= mask_value(RangeName(sheet.id)) | index(RangeName(sheet.id), max(lengths))
    for c in contexts:
        ranges, trail[sheet.id][c.id] = one_context(sheet, c, w, places, inputs)
        found |= ranges
    drifts = [found[RangeName(sheet.id, context=c.id)["Drift"]] for c in contexts]
    return found | {RangeName(sheet.id)["Status"]: status(drifts)}


def cross_sheet(sheet: SheetInfo, contexts: Sequence[ContextWords], inputs: Inputs, _: Trail) -> Ranges:
    """The ranges of a cross-attention sheet: §3.2.3, encoder-decoder attention."""
    s, dims, mask = RangeName(sheet.id), inputs["vocab_Dims"], sheet.mask
    if mask not in ("none", "padding"):
        raise unknown(sheet.id, "mask", mask)
    w = weights(sheet, inputs)
    querying, keyed = chosen(sheet, contexts, (sheet.queries, sheet.keys))
    q, m, n = s.at(context=querying.id), s.at(context=keyed.id), querying.ids.shape[-2]
    found = frame(sheet, w, inputs) | rank(s, [keyed.ids.shape[-2]])
    for c in (querying, keyed):
        p = s.at(context=c.id)
        found |= {p["Heading"]: sentence(c), p["X"]: numbers(c.X)} | labels(p["X"], c.tokens, dims)
    allowed = None
    if mask == "padding":
        exists = own(inputs, m)("PaddingMask", given(keyed.exists[..., None].astype(float)))
        seen = np.repeat(np.swapaxes(exists.value, -1, -2), n, axis=-2)  # (..., n, m)
        found |= padding(m, keyed) | {q["Mask"]: constant(seen)}
        allowed = own(inputs, q)("Mask", given(seen)).value == 1
        found |= index(q, n, cols=False) | mask_value(s)
    words, scale, T = (querying.tokens, keyed.tokens), sheet.scale, temperature(sheet, inputs)
    x, memory = own(inputs, q)("X", querying.X), own(inputs, m)("X", keyed.X)
    parts, done = heads_of(
        (q, m), x, memory, w, Positions({}), words, inputs, scale=scale, allowed=allowed, temperature=T
    )
    ranges, _trace = outcome(q, done, w, words, inputs, UNSCALED)
    found |= parts | ranges
    found |= focus_rows(q, sheet, done, focus_of(querying.focus, keyed.tokens, keyed.X.value, allowed))
    return found | {s["Status"]: status([ranges[q["Drift"]]])}

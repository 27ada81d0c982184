"""The ranges of encoders, decoders, encoder-decoders and classifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xlsxattn.checker.reference.attention import Expected
from xlsxattn.checker.reference.browsing import browsed, chosen_head, matrix_summaries
from xlsxattn.checker.reference.layers import apply, status
from xlsxattn.checker.reference.masks import index, mask_value
from xlsxattn.checker.reference.positions import Positions, positions
from xlsxattn.checker.reference.projections import Linear
from xlsxattn.checker.reference.rounding import NoisyArray, expect
from xlsxattn.checker.reference.sentences import pooled, shares, similar
from xlsxattn.checker.reference.transformer import Memory, Tower, checked, checked_top_k, run, scale_of
from xlsxattn.checker.reference.vocabulary_head import any_doubt, distribution, falling, tied_alike
from xlsxattn.checker.reference.words import (
    constant,
    count,
    labels,
    mark,
    output_labels,
    sentence,
    shaped,
    text,
)
from xlsxattn.checker.reference.writing import decoded, own_mask, rounding
from xlsxattn.contract.names import RangeName
from xlsxattn.contract.values import NONE
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.checker.reference.attention import Ranges
    from xlsxattn.checker.reference.words import ContextWords, Inputs, SheetInfo


def once(sheet: SheetInfo, tower: Tower, places: Positions) -> Ranges:
    """The ranges that a model has once: sizes, scale and positions."""
    s, d_model = RangeName(sheet.id), tower.inputs["vocab_E"].shape[1]
    first = tower.attention(tower.first)
    sizes = {
        "DModel": d_model,
        "DK": first.d_k,
        "DV": first.d_v,
        "NLayers": len(tower.numbers),
        "NHeads": sheet.heads,
        "NKVHeads": sheet.kv_heads,
        "Scale": scale_of(tower),
    }
    if not sheet.only:
        sizes["DFF"] = tower.feed_forward(tower.first)["1"].W.shape[1]
    return {s[name]: constant([[float(size)]]) for name, size in sizes.items()} | places.ranges


def statuses(
    sheet: SheetInfo, towers: Sequence[tuple[Tower, Sequence[ContextWords]]], found: Ranges
) -> Ranges:
    """The statuses of the layers and of the model, and the headings of each page and context."""
    drifts: list[Expected] = []
    marks: Ranges = {}
    outdated = False
    for tower, contexts in towers:
        old = any(tower.is_outdated(c) for c in contexts)
        for k in tower.numbers:
            of_layer = [found[RangeName(sheet.id, context=c.id, layer=k)["Drift"]] for c in contexts]
            marks[tower.w.at(layer=k)["Status"]] = status(of_layer, outdated=old and tower.is_typed(k))
            marks |= {tower.w.at(layer=k, context=c.id)["Heading"]: sentence(c) for c in contexts}
            drifts += of_layer
        outdated |= old
    return marks | {RangeName(sheet.id)["Status"]: status(drifts, outdated=outdated)}


def headings(s: RangeName, into: Sequence[ContextWords], out: Sequence[ContextWords]) -> Ranges:
    """The headings of the input and output pages."""
    ranges = {s.at(page="in", context=c.id)["Heading"]: sentence(c) for c in into}
    return ranges | {s.at(page="out", context=c.id)["Heading"]: sentence(c) for c in out}


def chosen(sheet: SheetInfo, contexts: Sequence[ContextWords], keys: Sequence[str]) -> list[ContextWords]:
    """The contexts that a model runs on.

    Raises:
        ValueError: an unknown context.
    """
    by_id = {c.id: c for c in contexts}
    if missing := [key for key in keys if key not in by_id]:
        sentence = "the sheet {sheet} runs on {context}, which is not a context"
        raise ValueError(say(sentence, sheet=sheet.id, context=missing[0]))
    return [by_id[key] for key in keys]


def prepared(
    sheet: SheetInfo, contexts: Sequence[ContextWords], inputs: Inputs, w: RangeName
) -> tuple[Tower, Ranges]:
    """A tower with its positions for these contexts, and the ranges that the model has once."""
    checked(sheet)
    bare = Tower(sheet, w, inputs, Positions({}))
    places = positions(sheet, contexts, bare.attention(bare.first).d_k, inputs)
    tower = bare._replace(places=places)
    ranges = once(sheet, tower, places)
    for c in contexts:
        ranges |= places.of_context(RangeName(sheet.id, context=c.id), len(c.tokens))
    return tower, ranges


def longest(contexts: Sequence[ContextWords]) -> int:
    """The number of token cells of the longest context."""
    return max(len(c.tokens) for c in contexts)


def encoded(
    sheet: SheetInfo, contexts: Sequence[ContextWords], inputs: Inputs
) -> tuple[Ranges, dict[str, NoisyArray]]:
    """An encoder over its contexts: its ranges, and the Output of each context."""
    own, mask = chosen(sheet, contexts, sheet.contexts), sheet.mask
    tower, found = prepared(sheet, own, inputs, RangeName(sheet.id))
    if mask != "none":
        found |= mask_value(RangeName(sheet.id)) | index(RangeName(sheet.id), longest(own))
    outputs, passes = {}, {}
    ranges, head, pairs = other_pages(tower, own)
    found |= ranges
    for c in own:
        p, r = RangeName(sheet.id, context=c.id), rounding(sheet, inputs)
        ranges, seen = own_mask(p, mask, c)
        result = run(tower, r, p, c.tokens, seen)
        found |= ranges | result.ranges
        found |= browsed(p, head, r.maps, c.tokens, pairs) if head else {}
        outputs[c.id], passes[c.id] = result.Output, result
    if sheet.similarity:
        found |= similar(tower, own, passes)
    found |= headings(RangeName(sheet.id), own, [] if sheet.only else own)
    found |= statuses(sheet, [(tower, own)], found)
    return found, outputs


def other_pages(tower: Tower, own: Sequence[ContextWords]) -> tuple[Ranges, RangeName | None, int]:
    """The ranges of a large model's other pages, the browsed head, and its number of pairs."""
    found = matrix_summaries(tower) if tower.sheet.apart else {}
    if not tower.sheet.browse:
        return found, None, 0
    ranges, head = chosen_head(tower, own)
    return found | ranges, head, len(ranges[RangeName(tower.sheet.id)["PairRank"]].values)


def classifier(sheet: SheetInfo, contexts: Sequence[ContextWords], inputs: Inputs, _: object) -> Ranges:
    """An encoder with a classification head: softmax(Pooled W_C + b_C)."""
    found, outputs = encoded(sheet, contexts, inputs)
    s, dims = RangeName(sheet.id), inputs["vocab_Dims"]
    classes = shaped(inputs, s["Classes"], 1, None)
    W = shaped(inputs, s["W_C"], dims.shape[1], classes.shape[1], s["Classes"])
    b = shaped(inputs, s["b_C"], 1, classes.shape[1], s["Classes"])
    for c in chosen(sheet, contexts, sheet.contexts):
        p, r, Output = s.at(context=c.id), rounding(sheet, inputs), outputs[c.id]
        Pooled = pooled(r, shares(sheet, c), Output)
        Logits = tied_alike(apply(r, Pooled, Linear(W, b)), np.vstack([W, b]))
        ranges, _ = distribution(r, p, Logits)
        first, doubts = falling(Logits, 1)
        found |= {p["Pooled"]: expect(Pooled), p["Logits"]: expect(Logits)} | ranges
        answer = any_doubt(doubts).over(Expected(classes[0][first], "text"))
        found[p["Class"]] = answer if answered(sheet, c) else text(NONE)
        found |= output_labels(sheet, p["Pooled"], None, dims)
        for block in ("Logits", "LogitExp", "Probability"):
            found |= labels(p[block], None, classes)
    if not all(answered(sheet, c) for c in chosen(sheet, contexts, sheet.contexts)):
        before = found[s["Status"]]
        good = before.values.item() == "✓"
        found[s["Status"]] = mark(good=good, noted=True, amplification=before.amplification)
    return found


def answered(sheet: SheetInfo, c: ContextWords) -> bool:
    """Whether a sentence has the words that are classified: the first one; or, with padding, any."""
    if sheet.pool == "first":
        return bool(c.exists[0])
    return bool(c.exists.any()) or "padding" not in sheet.mask


def rank(sheet: SheetInfo, inputs: Inputs) -> Ranges:
    """1, 2, ..., top_k: the labels of the largest logits."""
    return {
        RangeName(sheet.id)["Rank"]: constant(count(checked_top_k(sheet, len(inputs["vocab_E"]))).value.T)
    }


def decoder(sheet: SheetInfo, contexts: Sequence[ContextWords], inputs: Inputs, _: object) -> Ranges:
    """A decoder over its contexts."""
    own = chosen(sheet, contexts, sheet.contexts)
    tower, found = prepared(sheet, own, inputs, RangeName(sheet.id))
    found |= rank(sheet, inputs) | headings(RangeName(sheet.id), own, own)
    if not sheet.generate:
        found |= mask_value(RangeName(sheet.id)) | index(RangeName(sheet.id), longest(own))
    ranges, head, pairs = other_pages(tower, own)
    found |= ranges
    for c in own:
        said = decoded(tower, c, None)
        found |= said.ranges
        if head:
            p = RangeName(sheet.id, context=c.id)
            ranges = browsed(p, head, said.maps, said.tokens, pairs)
            found |= {name: said.doubt.over(x) for name, x in ranges.items()}
    return found | statuses(sheet, [(tower, own)], found)


def encoder_decoder(sheet: SheetInfo, contexts: Sequence[ContextWords], inputs: Inputs, _: object) -> Ranges:
    """An encoder of the source, and a decoder of the target with cross-attention to it."""
    s = RangeName(sheet.id)
    source, target = chosen(sheet, contexts, (sheet.source, sheet.target))
    encoder, ranges = prepared(sheet, [source, target], inputs, s.at(side="enc"))
    decoder_tower = encoder._replace(w=s.at(side="dec"), cross=True)
    masks, seen = own_mask(s.at(context=source.id), sheet.mask, source)
    result = run(encoder, rounding(sheet, inputs), s.at(context=source.id), source.tokens, seen)
    exists = source.exists if "padding" in sheet.mask else None
    said = decoded(decoder_tower, target, Memory(result.Output, source.tokens, exists))
    ranges |= rank(sheet, inputs) | masks | result.ranges | said.ranges
    if exists is not None:
        q, n = s.at(context=target.id), len(target.tokens)
        ranges |= {q["CrossMask"]: constant(np.tile(exists.astype(float), (n, 1)))} | index(q, n, cols=False)
    if exists is not None or not sheet.generate:
        ranges |= mask_value(s)
    ranges |= headings(s, [source, target], [target]) | {
        s.at(side="enc", page="out", context=source.id)["Heading"]: sentence(source)
    }
    return ranges | statuses(sheet, [(encoder, [source]), (decoder_tower, [target])], ranges)

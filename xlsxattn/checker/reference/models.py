"""Every range of the kinds encoder, decoder, encoder-decoder and classifier, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xlsxattn.checker.reference.attention import Expected
from xlsxattn.checker.reference.browsing import browsed, chosen_head, shelved
from xlsxattn.checker.reference.layers import apply, status
from xlsxattn.checker.reference.masks import index, mask_value
from xlsxattn.checker.reference.positions import Positions, positions
from xlsxattn.checker.reference.projections import Linear
from xlsxattn.checker.reference.rounding import NoisyArray, expect
from xlsxattn.checker.reference.sentences import pooled, shares, similar
from xlsxattn.checker.reference.transformer import Memory, Tower, checked, run, scale_of, sure_top_k
from xlsxattn.checker.reference.vocabulary_head import any_doubt, distribution, falling, tied_alike
from xlsxattn.checker.reference.words import constant, count, labels, mark, sentence, shaped, text, unknown
from xlsxattn.checker.reference.writing import decoded, own_mask, rounding
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.checker.reference.attention import Ranges
    from xlsxattn.checker.reference.words import ContextWords, Inputs, SheetInfo


NO_CLASS = "–"
"""What is said of a sentence without the words that its class is read from."""


def once(sheet: SheetInfo, tower: Tower, places: Positions) -> Ranges:
    """Sizes, the scale, and positions: what a model holds once."""
    s, d_model = sheet.id, tower.inputs["vocab_E"].shape[1]
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
    return {f"{s}_{name}": constant([[float(size)]]) for name, size in sizes.items()} | places.ranges


def statuses(
    sheet: SheetInfo, towers: Sequence[tuple[Tower, Sequence[ContextWords]]], found: Ranges
) -> Ranges:
    """The marks of the layers and of the model, and each page's heading for each context."""
    drifts: list[Expected] = []
    marks: Ranges = {}
    for tower, contexts in towers:
        for k in tower.numbers:
            own = [found[f"{sheet.id}_{c.id}_l{k}_Drift"] for c in contexts]
            marks[f"{tower.w}_l{k}_Status"] = status(own)
            marks |= {f"{tower.w}_l{k}_{c.id}_Heading": sentence(c) for c in contexts}
            drifts += own
    return marks | {f"{sheet.id}_Status": status(drifts)}


def headings(s: str, into: Sequence[ContextWords], out: Sequence[ContextWords]) -> Ranges:
    """The headings of the pages for what goes in and what comes out."""
    found = {f"{s}_in_{c.id}_Heading": sentence(c) for c in into}
    return found | {f"{s}_out_{c.id}_Heading": sentence(c) for c in out}


def chosen(sheet: SheetInfo, contexts: Sequence[ContextWords], keys: Sequence[str]) -> list[ContextWords]:
    """The contexts that a model runs on.

    Raises:
        ValueError: it names one that is not there.
    """
    by_id = {c.id: c for c in contexts}
    if missing := [key for key in keys if key not in by_id]:
        said = "the sheet {sheet} runs on {context}, which is no context"
        raise ValueError(say(said, sheet=sheet.id, context=missing[0]))
    return [by_id[key] for key in keys]


def prepared(
    sheet: SheetInfo, contexts: Sequence[ContextWords], inputs: Inputs, w: str
) -> tuple[Tower, Ranges]:
    """A tower with its positions for these contexts, and what the model holds once."""
    checked(sheet)
    bare = Tower(sheet, w, inputs, Positions({}))
    places = positions(sheet, contexts, bare.attention(bare.first).d_k, inputs)
    tower = bare._replace(places=places)
    found = once(sheet, tower, places)
    for c in contexts:
        found |= places.of_context(f"{sheet.id}_{c.id}", len(c.tokens))
    return tower, found


def longest(contexts: Sequence[ContextWords]) -> int:
    """The number of cells of the longest context."""
    return max(len(c.tokens) for c in contexts)


def encoded(
    sheet: SheetInfo, contexts: Sequence[ContextWords], inputs: Inputs
) -> tuple[Ranges, dict[str, NoisyArray]]:
    """An encoder over its contexts: its ranges, and the Output of each context."""
    own, mask = chosen(sheet, contexts, sheet.contexts), sheet.mask
    tower, found = prepared(sheet, own, inputs, sheet.id)
    if mask != "none":
        found |= mask_value(sheet.id) | index(sheet.id, longest(own))
    left, made_of = {}, {}
    once_more, head, pairs = beside(tower, own)
    found |= once_more
    for c in own:
        p, r = f"{sheet.id}_{c.id}", rounding(sheet)
        ranges, seen = own_mask(p, mask, c)
        made = run(tower, r, p, c.tokens, seen)
        found |= browsed(p, head, r.maps, c.tokens, pairs) if head else {}
        found, left[c.id], made_of[c.id] = found | ranges | made.ranges, made.Output, made
    if sheet.similarity:
        found |= similar(tower, own, made_of)
    found |= headings(sheet.id, own, [] if sheet.only else own) | statuses(sheet, [(tower, own)], found)
    return found, left


def beside(tower: Tower, own: Sequence[ContextWords]) -> tuple[Ranges, str, int]:
    """What a large model's other pages hold once; the head that is looked at, and how many pairs."""
    found = shelved(tower) if tower.sheet.apart else {}
    if not tower.sheet.browse:
        return found, "", 0
    ranges, head = chosen_head(tower, own)
    return found | ranges, head, len(ranges[f"{tower.sheet.id}_PairRank"].values)


def classifier(sheet: SheetInfo, contexts: Sequence[ContextWords], inputs: Inputs) -> Ranges:
    """An encoder, then the classes: softmax(Pooled W_C + b_C)."""
    found, left = encoded(sheet, contexts, inputs)
    s, dims, pool = sheet.id, inputs["vocab_Dims"], sheet.pool
    if pool not in ("mean", "first"):
        raise unknown(s, "pool", pool)
    classes = shaped(inputs, f"{s}_Classes", 1, None)
    W = shaped(inputs, f"{s}_W_C", dims.shape[1], classes.shape[1], f"{s}_Classes")
    b = shaped(inputs, f"{s}_b_C", 1, classes.shape[1], f"{s}_Classes")
    for c in chosen(sheet, contexts, sheet.contexts):
        p, r, Output = f"{s}_{c.id}", rounding(sheet), left[c.id]
        share = shares(sheet.mask, c) if pool == "mean" else np.eye(1, len(c.tokens))[0]
        Pooled = pooled(r, share, Output)
        Logits = tied_alike(apply(r, Pooled, Linear(W, b)), np.vstack([W, b]))
        ranges, _ = distribution(r, p, Logits)
        first, doubts = falling(Logits, 1)
        found |= {f"{p}_Pooled": expect(Pooled), f"{p}_Logits": expect(Logits)} | ranges
        said = any_doubt(doubts).over(Expected(classes[0][first], "text"))
        found[f"{p}_Class"] = said if answered(sheet, c) else text(NO_CLASS)
        found |= labels(f"{p}_Pooled", None, dims)
        for block in ("Logits", "LogitExp", "Probability"):
            found |= labels(f"{p}_{block}", None, classes)
    if not all(answered(sheet, c) for c in chosen(sheet, contexts, sheet.contexts)):
        own = found[f"{s}_Status"]
        found[f"{s}_Status"] = mark(
            good=own.values.item() == "✓", noted=True, amplification=own.amplification
        )
    return found


def answered(sheet: SheetInfo, c: ContextWords) -> bool:
    """Whether a sentence has the words that its class is read from: the first one; or, with padding, any."""
    if sheet.pool == "first":
        return bool(c.exists[0])
    return bool(c.exists.any()) or "padding" not in sheet.mask


def rank(sheet: SheetInfo, inputs: Inputs) -> Ranges:
    """1, 2, ..., top_k above the largest logits."""
    return {f"{sheet.id}_Rank": constant(count(sure_top_k(sheet, len(inputs["vocab_E"]))).value.T)}


def decoder(sheet: SheetInfo, contexts: Sequence[ContextWords], inputs: Inputs) -> Ranges:
    """A decoder over its contexts."""
    own = chosen(sheet, contexts, sheet.contexts)
    tower, found = prepared(sheet, own, inputs, sheet.id)
    found |= rank(sheet, inputs) | headings(sheet.id, own, own)
    if not sheet.generate:
        found |= mask_value(sheet.id) | index(sheet.id, longest(own))
    once_more, head, pairs = beside(tower, own)
    found |= once_more
    for c in own:
        said = decoded(tower, c, None)
        found |= said.ranges
        if head:
            p = f"{sheet.id}_{c.id}"
            ranges = browsed(p, head, said.maps, said.tokens, pairs)
            found |= {name: said.doubt.over(x) for name, x in ranges.items()}
    return found | statuses(sheet, [(tower, own)], found)


def encoder_decoder(sheet: SheetInfo, contexts: Sequence[ContextWords], inputs: Inputs) -> Ranges:
    """An encoder over the source, and a decoder over the target that looks across at it."""
    s = sheet.id
    source, target = chosen(sheet, contexts, (sheet.source, sheet.target))
    encoder, found = prepared(sheet, [source, target], inputs, f"{s}_enc")
    decoding = encoder._replace(w=f"{s}_dec", cross=True)
    masks, seen = own_mask(f"{s}_{source.id}", sheet.mask, source)
    left = run(encoder, rounding(sheet), f"{s}_{source.id}", source.tokens, seen)
    exists = source.exists if "padding" in sheet.mask else None
    said = decoded(decoding, target, Memory(left.Output, source.tokens, exists))
    found |= rank(sheet, inputs) | masks | left.ranges | said.ranges
    if exists is not None:
        q, n = f"{s}_{target.id}", len(target.tokens)
        found |= {f"{q}_CrossMask": constant(np.tile(exists.astype(float), (n, 1)))} | index(q, n, cols=False)
    if exists is not None or not sheet.generate:
        found |= mask_value(s)
    found |= headings(s, [source, target], [target]) | {f"{s}_enc_out_{source.id}_Heading": sentence(source)}
    return found | statuses(sheet, [(encoder, [source]), (decoding, [target])], found)

"""Every range of the kinds encoder, decoder, encoder-decoder and classifier, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from xlsxattn.checker.attention import Expected
from xlsxattn.checker.layers import Seen, apply, status
from xlsxattn.checker.masks import index, mask_ranges, mask_value, padding, visible
from xlsxattn.checker.positions import positions
from xlsxattn.checker.projections import Linear
from xlsxattn.checker.rounding import Rounding, Runs, exact, expect
from xlsxattn.checker.transformer import Memory, Pass, Tower, checked, run, scale_of, sure_top_k
from xlsxattn.checker.vocabulary_head import (
    Doubt,
    any_doubt,
    distribution,
    falling,
    tied_alike,
    top,
)
from xlsxattn.checker.words import constant, count, joined, labels, numbered, sentence, shaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.checker.attention import Array, Ranges
    from xlsxattn.checker.positions import Positions
    from xlsxattn.checker.words import Context, Inputs, SheetInfo

ALWAYS_ONE = ("_Drift", "_AttentionSum")  # whatever the tokens are


class Said(NamedTuple):
    """What a decoder made of a context: its tokens (n, 1), its ranges, and the doubt in its written tokens."""

    tokens: Array
    ranges: Ranges
    doubt: Doubt


def rounding(sheet: SheetInfo) -> Rounding:
    """The noise of one model."""
    return Rounding(coarse=sheet.settings["activation"] == "gelu")


def once(sheet: SheetInfo, tower: Tower, places: Positions) -> Ranges:
    """Sizes, the scale, and positions: what a model holds once."""
    s, set_, d_model = sheet.id, sheet.settings, tower.inputs["vocab_E"].shape[1]
    first = tower.attention(f"{tower.w}_l1")
    sizes = {
        "DModel": d_model,
        "DK": first.d_k,
        "DV": first.d_v,
        "DFF": tower.feed_forward(f"{tower.w}_l1")["1"].W.shape[1],
        "NLayers": set_["layers"],
        "NHeads": set_["heads"],
        "NKVHeads": set_["kv_heads"],
        "Scale": scale_of(tower),
    }
    return {f"{s}_{name}": constant([[float(size)]]) for name, size in sizes.items()} | places.ranges


def statuses(sheet: SheetInfo, towers: Sequence[tuple[Tower, Sequence[Context]]], found: Ranges) -> Ranges:
    """The marks of the layers and of the model, and each page's heading for each context."""
    drifts: list[Expected] = []
    marks: Ranges = {}
    for tower, contexts in towers:
        for k in range(1, sheet.settings["layers"] + 1):
            own = [found[f"{sheet.id}_{c.id}_l{k}_Drift"] for c in contexts]
            marks[f"{tower.w}_l{k}_Status"] = status(own)
            marks |= {f"{tower.w}_l{k}_{c.id}_Heading": sentence(c) for c in contexts}
            drifts += own
    return marks | {f"{sheet.id}_Status": status(drifts)}


def headings(s: str, into: Sequence[Context], out: Sequence[Context]) -> Ranges:
    """The headings of the pages for what goes in and what comes out."""
    found = {f"{s}_in_{c.id}_Heading": sentence(c) for c in into}
    return found | {f"{s}_out_{c.id}_Heading": sentence(c) for c in out}


def chosen(sheet: SheetInfo, contexts: Sequence[Context], keys: Sequence[str]) -> list[Context]:
    """The contexts that a model runs on.

    Raises:
        ValueError: it names one that is not there.
    """
    by_id = {c.id: c for c in contexts}
    if missing := [key for key in keys if key not in by_id]:
        raise ValueError(f"The sheet {sheet.id} runs on {missing[0]}, which is no context.")
    return [by_id[key] for key in keys]


def own_mask(p: str, mask: str, c: Context) -> tuple[Ranges, Seen]:
    """A model's mask of one context: its ranges, and who may look at whom."""
    return mask_ranges(p, mask, c), Seen(visible(mask, c), triangle=False, queries=c.tokens, keys=c.tokens)


def prepared(sheet: SheetInfo, contexts: Sequence[Context], inputs: Inputs, w: str) -> tuple[Tower, Ranges]:
    """A tower with its positions for these contexts, and what the model holds once."""
    checked(sheet)
    bare = Tower(sheet, w, inputs, positions_none())
    places = positions(sheet, contexts, bare.attention(f"{w}_l1").d_k, inputs)
    tower = bare._replace(places=places)
    found = once(sheet, tower, places)
    for c in contexts:
        found |= places.of_context(f"{sheet.id}_{c.id}", len(c.tokens))
    return tower, found


def positions_none() -> Positions:
    """No positions yet."""
    from xlsxattn.checker.positions import Positions

    return Positions({})


def longest(contexts: Sequence[Context]) -> int:
    """The number of cells of the longest context."""
    return max(len(c.tokens) for c in contexts)


def encoded(sheet: SheetInfo, contexts: Sequence[Context], inputs: Inputs) -> tuple[Ranges, dict[str, Runs]]:
    """An encoder over its contexts: its ranges, and the Output of each context."""
    own, mask = chosen(sheet, contexts, sheet.settings["contexts"]), sheet.settings["mask"]
    tower, found = prepared(sheet, own, inputs, sheet.id)
    if mask != "none":
        found |= mask_value(sheet.id) | index(sheet.id, longest(own))
    left = {}
    for c in own:
        p = f"{sheet.id}_{c.id}"
        ranges, seen = own_mask(p, mask, c)
        made = run(tower, rounding(sheet), p, c.tokens, seen)
        found, left[c.id] = found | ranges | made.ranges, made.Output
    found |= headings(sheet.id, own, own) | statuses(sheet, [(tower, own)], found)
    return found, left


def classifier(sheet: SheetInfo, contexts: Sequence[Context], inputs: Inputs) -> Ranges:
    """An encoder, then the classes: softmax(Pooled W_C + b_C)."""
    found, left = encoded(sheet, contexts, inputs)
    s, dims, pool = sheet.id, inputs["vocab_Dims"], sheet.settings["pool"]
    if pool not in ("mean", "first"):
        raise ValueError(f"There is no reference for the pool {pool} of the sheet {s}.")
    classes = shaped(inputs, f"{s}_Classes", 1, None)
    W = Linear(
        shaped(inputs, f"{s}_W_C", dims.shape[1], classes.shape[1], f"{s}_Classes"),
        shaped(inputs, f"{s}_b_C", 1, classes.shape[1], f"{s}_Classes"),
    )
    found |= {} if f"{s}_Classes" not in inputs else {}
    for c in chosen(sheet, contexts, sheet.settings["contexts"]):
        p, r, Output = f"{s}_{c.id}", rounding(sheet), left[c.id]
        counts = c.exists if "padding" in sheet.settings["mask"] else np.ones(len(c.tokens), dtype=bool)
        share = counts / max(1, counts.sum()) if pool == "mean" else np.eye(1, len(counts))[0]
        values = np.einsum("n,rnd->rd", share, Output.values)[:, None, :]
        Pooled = r.rounded(values, np.einsum("n,nd->d", share, np.abs(Output.clean))[None, :])
        Logits = tied_alike(apply(r, Pooled, W), np.vstack([W.W, W.b]))
        ranges, _ = distribution(r, p, Logits)
        first, doubts = falling(Logits, 1)
        found |= {f"{p}_Pooled": expect(Pooled), f"{p}_Logits": expect(Logits)} | ranges
        found[f"{p}_Class"] = any_doubt(doubts).over(Expected(classes[0][first], "text"))
        found |= labels(f"{p}_Pooled", None, dims)
        for block in ("Logits", "LogitExp", "Probability"):
            found |= labels(f"{p}_{block}", None, classes)
    return found


def spoken(tower: Tower, r: Rounding, p: str, said: Pass, tokens: Array) -> tuple[Ranges, list[Doubt]]:
    """Logits over the vocabulary, their softmax, the largest ones; and the doubt in each row's Next."""
    sheet, inputs = tower.sheet, tower.inputs
    words, d_model = inputs["vocab_Tokens"], inputs["vocab_E"].shape[1]
    E, tied = inputs["vocab_E"], sheet.settings["tied"]
    U = E.T if tied else shaped(inputs, f"{sheet.id}_W_U", d_model, len(E), "")
    Logits = tied_alike(r.product(said.Output, exact(U)), U)
    temperature = max(float(shaped(inputs, f"{sheet.id}_Temperature", 1, 1)[0, 0]), 1e-6)
    Tempered = r.times(Logits, 1 / temperature)
    found: Ranges = {f"{p}_Logits": expect(Logits), f"{p}_Tempered": expect(Tempered)}
    ranges, Probability = distribution(r, p, Tempered)
    largest, doubts = top(p, Logits, Probability, words[:, 0], sure_top_k(sheet, len(E)))
    found |= ranges | largest | labels(f"{p}_TopTokens", tokens)
    for block in ("Logits", "Tempered", "LogitExp", "Probability"):
        found |= labels(f"{p}_{block}", tokens, words)
    return found, doubts


def written(tower: Tower, c: Context, memory: Memory | None) -> tuple[Array, Doubt]:
    """The tokens, (n, 1), each blank cell filled with what the model says after all before it; and the doubt.

    Nothing is said before the first token: a blank first cell stays the empty text.
    """
    tokens, doubt = c.tokens.copy(), Doubt()
    for i in range(1, len(tokens)):
        if c.tokens[i, 0] != "":
            continue
        so_far = tokens[:i]
        seen = Seen(None, triangle=True, queries=so_far, keys=so_far)
        r = rounding(tower.sheet)
        said = run(tower, r, "p", so_far, seen, memory)
        found, doubts = spoken(tower, r, "p", Pass({}, said.Output), so_far)
        tokens[i, 0] = found["p_Next"].values[-1, 0]
        doubt |= doubts[-1]
    return tokens, doubt


def decoded(tower: Tower, c: Context, memory: Memory | None) -> Said:
    """A decoder over one context: its mask or its written tokens, its layers, and what it says."""
    sheet, p, generate = tower.sheet, f"{tower.sheet.id}_{c.id}", tower.sheet.settings["generate"]
    found: Ranges = {}
    if generate:
        tokens, doubt = written(tower, c, memory)
        seen = Seen(None, triangle=True, queries=tokens, keys=tokens)
        ids = np.array(numbered(list(tokens[:, 0]), tower.inputs), dtype=float)[:, None]
        found |= {f"{p}_Tokens": Expected(tokens, "text"), f"{p}_Ids": constant(ids)}
    else:
        tokens, doubt = c.tokens, Doubt()
        mask = "causal" if tower.cross else sheet.settings["mask"]
        masks, seen = own_mask(p, mask, c)
    r = rounding(sheet)
    said = run(tower, r, p, tokens, seen, memory)
    ranges, _ = spoken(tower, r, p, said, tokens)
    found |= said.ranges | ranges | {f"{p}_Text": joined(tokens)}
    found = {name: x if name.endswith(ALWAYS_ONE) else doubt.over(x) for name, x in found.items()}
    return Said(tokens, found if generate else found | masks, doubt)


def rank(sheet: SheetInfo, inputs: Inputs) -> Ranges:
    """1, 2, ..., top_k above the largest logits."""
    return {f"{sheet.id}_Rank": constant(count(sure_top_k(sheet, len(inputs["vocab_E"]))).value.T)}


def decoder(sheet: SheetInfo, contexts: Sequence[Context], inputs: Inputs) -> Ranges:
    """A decoder over its contexts."""
    own = chosen(sheet, contexts, sheet.settings["contexts"])
    tower, found = prepared(sheet, own, inputs, sheet.id)
    found |= rank(sheet, inputs) | headings(sheet.id, own, own)
    if not sheet.settings["generate"]:
        found |= mask_value(sheet.id) | index(sheet.id, longest(own))
    for c in own:
        found |= decoded(tower, c, None).ranges
    return found | statuses(sheet, [(tower, own)], found)


def encoder_decoder(sheet: SheetInfo, contexts: Sequence[Context], inputs: Inputs) -> Ranges:
    """An encoder over the source, and a decoder over the target that looks across at it."""
    set_, s = sheet.settings, sheet.id
    source, target = chosen(sheet, contexts, (set_["source"], set_["target"]))
    encoder, found = prepared(sheet, [source, target], inputs, f"{s}_enc")
    decoding = encoder._replace(w=f"{s}_dec", cross=True)
    masks, seen = own_mask(f"{s}_{source.id}", set_["mask"], source)
    left = run(encoder, rounding(sheet), f"{s}_{source.id}", source.tokens, seen)
    exists = source.exists if "padding" in set_["mask"] else None
    said = decoded(decoding, target, Memory(left.Output, source.tokens, exists))
    found |= rank(sheet, inputs) | masks | left.ranges | said.ranges
    if exists is not None:
        q, n = f"{s}_{target.id}", len(target.tokens)
        found |= {f"{q}_CrossMask": constant(np.tile(exists.astype(float), (n, 1)))} | index(q, n, cols=False)
    if exists is not None or not set_["generate"]:
        found |= mask_value(s)
    found |= headings(s, [source, target], [target]) | {f"{s}_enc_out_{source.id}_Heading": sentence(source)}
    return found | statuses(sheet, [(encoder, [source]), (decoding, [target])], found)


__all__ = ["classifier", "decoder", "encoded", "encoder_decoder", "padding"]

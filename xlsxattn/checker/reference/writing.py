"""What a decoder says and writes: its logits, and the tokens it puts into blank cells, one after another.

A model that writes runs again on every longer prefix, as a plain loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from xlsxattn.checker.reference.attention import COLDEST, Expected
from xlsxattn.checker.reference.layers import EXACT_GELU, Visibility
from xlsxattn.checker.reference.masks import mask_ranges, visible
from xlsxattn.checker.reference.rounding import Rounding, exact, expect
from xlsxattn.checker.reference.transformer import Memory, Pass, Tower, run, sure_top_k
from xlsxattn.checker.reference.vocabulary_head import Doubt, distribution, tied_alike, top
from xlsxattn.checker.reference.words import constant, joined, labels, numbered, shaped
from xlsxattn.contract.names import RangeName, last

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlsxattn.checker.reference.attention import Array, Ranges
    from xlsxattn.checker.reference.rounding import NoisyArray
    from xlsxattn.checker.reference.words import ContextWords, SheetInfo

ALWAYS_ONE = ("Drift", "AttentionSum")  # whatever the tokens are


class Said(NamedTuple):
    """What a decoder made of a context: tokens (n, 1), ranges, doubt in what it wrote, its heads' maps."""

    tokens: Array
    ranges: Ranges
    doubt: Doubt
    maps: Mapping[RangeName, NoisyArray]


def rounding(sheet: SheetInfo) -> Rounding:
    """The noise of one model."""
    return Rounding(coarse=sheet.activation in EXACT_GELU)


def own_mask(p: RangeName, mask: str, c: ContextWords) -> tuple[Ranges, Visibility]:
    """A model's mask of one context: its ranges, and who may look at whom."""
    return mask_ranges(p, mask, c), Visibility(
        visible(mask, c), triangle=False, queries=c.tokens, keys=c.tokens
    )


def spoken(tower: Tower, r: Rounding, p: RangeName, said: Pass, tokens: Array) -> tuple[Ranges, list[Doubt]]:
    """Logits over the vocabulary, their softmax, the largest ones; and the doubt in each row's Next."""
    sheet, inputs = tower.sheet, tower.inputs
    words, d_model = inputs["vocab_Tokens"], inputs["vocab_E"].shape[1]
    E, tied = inputs["vocab_E"], sheet.tied
    U = E.T if tied else shaped(inputs, RangeName(sheet.id)["W_U"], d_model, len(E), "")
    Logits = tied_alike(r.product(said.Output, exact(U)), U)
    temperature = max(float(shaped(inputs, RangeName(sheet.id)["Temperature"], 1, 1)[0, 0]), COLDEST)
    Tempered = r.times(Logits, 1 / temperature)
    found: Ranges = {p["Logits"]: expect(Logits), p["Tempered"]: expect(Tempered)}
    ranges, Probability = distribution(r, p, Tempered)
    largest, doubts = top(p, Logits, Probability, words[:, 0], sure_top_k(sheet, len(E)))
    found |= ranges | largest | labels(p["TopTokens"], tokens)
    for block in ("Logits", "Tempered", "LogitExp", "Probability"):
        found |= labels(p[block], tokens, words)
    return found, doubts


def written(tower: Tower, c: ContextWords, memory: Memory | None) -> tuple[Array, Doubt]:
    """The tokens, (n, 1), each blank cell filled with what the model says after all before it; and the doubt.

    Nothing is said before the first token: a blank first cell stays the empty text.
    """
    p, tokens, doubt = RangeName(tower.sheet.id, context=c.id), c.tokens.copy(), Doubt()
    for i in range(1, len(tokens)):
        if c.tokens[i, 0] != "":
            continue
        so_far = tokens[:i]
        seen = Visibility(None, triangle=True, queries=so_far, keys=so_far)
        r = rounding(tower.sheet)
        said = run(tower, r, p, so_far, seen, memory)
        found, doubts = spoken(tower, r, p, Pass({}, said.Output), so_far)
        tokens[i, 0] = found[p["Next"]].values[-1, 0]
        doubt |= doubts[-1]
    return tokens, doubt


def decoded(tower: Tower, c: ContextWords, memory: Memory | None) -> Said:
    """A decoder over one context: its mask or its written tokens, its layers, and what it says."""
    sheet, p, generate = (
        tower.sheet,
        RangeName(tower.sheet.id, context=c.id),
        tower.sheet.generate,
    )
    found: Ranges = {}
    if generate:
        tokens, doubt = written(tower, c, memory)
        seen = Visibility(None, triangle=True, queries=tokens, keys=tokens)
        ids = np.array(numbered(list(tokens[:, 0]), tower.inputs), dtype=float)[:, None]
        found |= {p["Tokens"]: Expected(tokens, "text"), p["Ids"]: constant(ids)}
    else:
        tokens, doubt = c.tokens, Doubt()
        mask = "causal" if tower.cross else sheet.mask
        masks, seen = own_mask(p, mask, c)
    r = rounding(sheet)
    said = run(tower, r, p, tokens, seen, memory)
    ranges, _ = spoken(tower, r, p, said, tokens)
    found |= said.ranges | ranges | {p["Text"]: joined(tokens)}
    found = {name: x if last(name) in ALWAYS_ONE else doubt.over(x) for name, x in found.items()}
    return Said(tokens, found if generate else found | masks, doubt, r.maps)

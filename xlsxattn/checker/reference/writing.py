"""The output of a decoder: its logits, and the tokens that it generates into blank cells.

Generation is a plain loop that runs the model on every longer prefix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from xlsxattn.checker.reference.attention import Expected
from xlsxattn.checker.reference.layers import EXACT_GELU, Visibility
from xlsxattn.checker.reference.masks import mask_ranges, visible
from xlsxattn.checker.reference.rounding import Rounding, exact, expect
from xlsxattn.checker.reference.transformer import Memory, Tower, TowerResult, checked_top_k, run
from xlsxattn.checker.reference.vocabulary_head import RankDoubt, distribution, tied_alike, top
from xlsxattn.checker.reference.words import constant, joined, labels, numbered, shaped
from xlsxattn.contract.names import RangeName, last
from xlsxattn.contract.values import MIN_TEMPERATURE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlsxattn.checker.reference.attention import Array, Ranges
    from xlsxattn.checker.reference.rounding import NoisyArray
    from xlsxattn.checker.reference.words import ContextWords, Inputs, SheetInfo

ALWAYS_ONE = ("Drift", "AttentionSum")  # the same for all tokens


class Decoded(NamedTuple):
    """The result of a decoder: tokens (n, 1), ranges, doubt of the generated tokens, attention maps."""

    tokens: Array
    ranges: Ranges
    doubt: RankDoubt
    maps: Mapping[RangeName, NoisyArray]


def rounding(sheet: SheetInfo, inputs: Inputs | None = None) -> Rounding:
    """The noise generator of a model."""
    return Rounding(coarse=sheet.activation in EXACT_GELU, inputs=inputs)


def own_mask(p: RangeName, mask: str, c: ContextWords) -> tuple[Ranges, Visibility]:
    """The mask of a model in a context: its ranges and its visibility."""
    seen = visible(mask, c)
    return mask_ranges(p, mask, c, seen), Visibility(
        None if seen is None else seen == 1, triangle=False, queries=c.tokens, keys=c.tokens
    )


def logits_of(
    tower: Tower, r: Rounding, p: RangeName, result: TowerResult, tokens: Array
) -> tuple[Ranges, list[RankDoubt]]:
    """Logits over the vocabulary, their softmax and the largest ones; and the doubt of each row's Next."""
    sheet, inputs = tower.sheet, tower.inputs
    words, d_model = inputs["vocab_Tokens"], inputs["vocab_E"].shape[1]
    E, tied = inputs["vocab_E"], sheet.tied
    U = E.T if tied else shaped(inputs, RangeName(sheet.id)["W_U"], d_model, len(E), "")
    Logits = tied_alike(r.product(result.Output, exact(U)), U)
    temperature = max(float(shaped(inputs, RangeName(sheet.id)["Temperature"], 1, 1)[0, 0]), MIN_TEMPERATURE)
    Tempered = r.times(Logits, 1 / temperature)
    found: Ranges = {p["Logits"]: expect(Logits), p["Tempered"]: expect(Tempered)}
    ranges, Probability = distribution(r, p, Tempered)
    largest, doubts = top(p, Logits, Probability, words[:, 0], checked_top_k(sheet, len(E)))
    found |= ranges | largest | labels(p["TopTokens"], tokens)
    for block in ("Logits", "Tempered", "LogitExp", "Probability"):
        found |= labels(p[block], tokens, words)
    return found, doubts


def generated(tower: Tower, c: ContextWords, memory: Memory | None) -> tuple[Array, RankDoubt]:
    """The tokens, (n, 1), with each blank cell filled with the model's next word; and the doubt.

    A blank first cell stays blank, as nothing precedes it.
    """
    p, tokens, doubt = RangeName(tower.sheet.id, context=c.id), c.tokens.copy(), RankDoubt()
    for i in range(1, len(tokens)):
        if c.tokens[i, 0] != "":
            continue
        prefix = tokens[:i]  # (i, 1)
        seen = Visibility(None, triangle=True, queries=prefix, keys=prefix)
        r = rounding(tower.sheet, tower.inputs)
        result = run(tower, r, p, prefix, seen, memory)
        ranges, doubts = logits_of(tower, r, p, TowerResult({}, result.Output), prefix)
        tokens[i, 0] = ranges[p["Next"]].values[-1, 0]
        doubt |= doubts[-1]
    return tokens, doubt


def decoded(tower: Tower, c: ContextWords, memory: Memory | None) -> Decoded:
    """A decoder in a context: its mask or generated tokens, its layers, and its logits."""
    sheet, p, generate = tower.sheet, RangeName(tower.sheet.id, context=c.id), tower.sheet.generate
    found: Ranges = {}
    if generate:
        tokens, doubt = generated(tower, c, memory)
        seen = Visibility(None, triangle=True, queries=tokens, keys=tokens)
        ids = np.array(numbered(list(tokens[:, 0]), tower.inputs), dtype=float)[:, None]
        found |= {p["Tokens"]: Expected(tokens, "text"), p["Ids"]: constant(ids)}
    else:
        tokens, doubt = c.tokens, RankDoubt()
        mask = "causal" if tower.cross else sheet.mask
        masks, seen = own_mask(p, mask, c)
    r = rounding(sheet, tower.inputs)
    result = run(tower, r, p, tokens, seen, memory)
    ranges, _ = logits_of(tower, r, p, result, tokens)
    found |= result.ranges | ranges | {p["Text"]: joined(tokens)}
    found = {name: x if last(name) in ALWAYS_ONE else doubt.over(x) for name, x in found.items()}
    return Decoded(tokens, found if generate else found | masks, doubt, r.maps)

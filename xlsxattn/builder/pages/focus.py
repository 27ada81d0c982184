"""The focus word on an attention sheet: where it looks, and what it is made of, in words and bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Chart, Group, Series, Side
from xlsxattn.builder.pages.parts import Step, computed, typed
from xlsxattn.contract.names import RangeName, cols_of
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxattn.builder.graph import Block, Labels
    from xlsxattn.builder.pages.parts import Lane, Steps
    from xlsxattn.contract.kinds import WithAttention

MAX_TERMS, MAX_BARS = 3, 6
STRONGEST = "Its strongest words first: the word, its weight, and where it stands in the sentence."
LOOKED_AT, HOW_MUCH = "word that the focus word looks at", "attention (0 to 1)"
MADE_OF = "What the output of the focus word is made of: each word's value, times its weight."


def focus_steps(sheet: WithAttention, queries: Lane, keys: Lane, *, ranks: bool) -> Steps:
    """The focus word's row of each attention matrix (1 × n), its strongest words, and its output in words.

    ``ranks``: the numbers above its strongest words, 1, 2, ..., are those that the sheet's formulas read.
    """
    p, heads = queries.prefix, head_prefixes(sheet, queries)
    rows = tuple(_row(queries, keys, t) for t in heads)
    entropies = tuple(focus_entropy(t) for t in heads)
    sides: tuple[Side, ...] = (Side("entropy", entropies),) if sheet.tempered and sheet.headed else ()
    if masked := sheet.mask != "none":
        read = {
            "index": queries.own["Index"],
            "focus": queries.own["Focus"],
            "mask": p["Mask"],
        }
        sides += (
            Side("words it may look at", (computed(p["FocusSeen"], (1, 1), ops.SEEN, "count", **read),)),
        )
    over = keys.words_above(p["FocusAttention"])
    looks = Group(rows, _labels(sheet, "attention"), over, sides)
    terms = said_words(keys)
    hidden = {"seen": p["FocusSeen"]} if masked else {"focus": queries.own["Focus"]}
    strongest = [block for t in heads for block in _strongest(sheet, hidden, keys, t, terms)]
    names = ("word", "weight", "place")
    labels = tuple(
        label for labels in zip(*(_labels(sheet, n) for n in names), strict=True) for label in labels
    )
    ranked: Labels = tuple(say("no. {j}", j=j + 1) for j in range(terms))
    if ranks:
        ranked = typed(
            RangeName(sheet.id)["Rank"], "rank", [[float(j + 1) for j in range(terms)]], "constant"
        )
    said = tuple(_said(hidden, keys, t, terms) for t in heads)
    return {
        "FocusAttention": Step("The focus word: where it looks", ops.PICK.why, {queries.id: looks}),
        "FocusWords": Step(
            "The focus word: its strongest words",
            STRONGEST,
            {queries.id: Group(tuple(strongest), labels, ranked)},
            show_formula=False,
        ),
        "FocusSaid": Step(
            "The focus word: what its output is made of",
            MADE_OF,
            {queries.id: Group(said, _labels(sheet, "output ="))},
            show_formula=False,
        ),
    }


def head_prefixes(sheet: WithAttention, lane: Lane) -> tuple[RangeName, ...]:
    """What the names of each head's ranges begin with; the lane's own prefix where there are no heads."""
    if not sheet.headed:
        return (lane.prefix,)
    return tuple(lane.prefix.at(head=h + 1) for h in range(sheet.heads))


def _labels(sheet: WithAttention, text: str) -> tuple[tuple[str, ...], ...]:
    if not sheet.headed:
        return ((text,),)
    return tuple((say("head {h}: {what}", h=h + 1, what=say(text)),) for h in range(sheet.heads))


def _row(queries: Lane, keys: Lane, t: RangeName) -> Block:
    names = {
        "index": queries.own["Index"],
        "focus": queries.own["Focus"],
        "of": t["Attention"],
    }
    return computed(t["FocusAttention"], (1, keys.n), ops.PICK, "attention", **names)


def focus_entropy(t: RangeName) -> Block:
    """The entropy of the focus word's row (1 × 1)."""
    return computed(t["FocusEntropy"], (1, 1), ops.FOCUS_ENTROPY, "weight", attention=t["FocusAttention"])


def _strongest(
    sheet: WithAttention, hidden: Mapping[str, str], keys: Lane, t: RangeName, terms: int
) -> tuple[Block, Block, Block]:
    """The words with the largest weights, these weights, and their places (1 × terms)."""
    row, largest, places = t["FocusAttention"], t["FocusWeights"], t["FocusPlaces"]
    shape, names, rank = (
        (1, terms),
        {"words": keys.tokens, "ids": places, **hidden},
        RangeName(sheet.id)["Rank"],
    )
    pick = ops.FOCUS_WORDS if keys.n > 1 else ops.FOCUS_WORD
    if "seen" in hidden:
        pick, names = ops.SEEN_WORDS if keys.n > 1 else ops.SEEN_WORD, {**names, "rank": rank}
    return (
        computed(t["FocusWords"], shape, pick, "word result", **names),
        computed(largest, shape, ops.TOP_LOGITS, "attention", logits=row, rank=rank),
        computed(places, shape, ops.TOP_IDS, "count", logits=row, rank=rank),
    )


def _said(hidden: Mapping[str, str], keys: Lane, t: RangeName, terms: int) -> Block:
    names = {"weights": t["FocusWeights"], "words": t["FocusWords"], **hidden}
    made = ops.seen_mixture if "seen" in hidden else ops.mixture
    return computed(t["FocusSaid"], (1, 1), made(terms, more=keys.n > terms), "said", **names)


def said_words(lane: Lane) -> int:
    """How many of a sentence's words are said."""
    return min(MAX_TERMS, lane.n)


def bars(sheet: WithAttention, lanes: Sequence[Lane]) -> tuple[Chart, ...]:
    """For each sentence, where the focus word looks, a series a head."""
    charts = []
    for i, lane in enumerate(lanes):
        heads = head_prefixes(sheet, lane)[:MAX_BARS]
        named = [say("head {h}", h=h + 1) for h in range(len(heads))]
        told = named if sheet.headed else [lane.in_legend(RangeName(sheet.id), say("attention"))]
        series = tuple(Series(words, (t["FocusAttention"],)) for t, words in zip(heads, told, strict=True))
        labels = cols_of(lane.prefix["FocusAttention"])
        title = say("Where the focus word of {context} looks", context=lane.named)
        charts.append(Chart("bar", i, title, LOOKED_AT, HOW_MUCH, series, labels))
    return tuple(charts)

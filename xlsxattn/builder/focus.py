"""The focus word on an attention sheet: where it looks, and what it is made of, in words and bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Chart, Group, Series, Side
from xlsxattn.builder.parts import Step, computed, typed
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.builder.graph import Block
    from xlsxattn.builder.parts import Lane, Steps
    from xlsxattn.builder.settings import SheetSpec

MOST_TERMS, MOST_BARS = 3, 6
STRONGEST = "Its strongest words first: the word, its weight, and where it stands in the sentence."
LOOKED_AT, HOW_MUCH = "word that the focus word looks at", "attention (0 to 1)"
MADE_OF = "What the output of the focus word is made of: each word's value, times its weight."


def focus_steps(sheet: SheetSpec, queries: Lane, keys: Lane) -> Steps:
    """The focus word's row of each attention matrix (1 × n), its strongest words, and its output in words."""
    p, heads = queries.prefix, head_prefixes(sheet, queries)
    rows = tuple(_row(queries, keys, t) for t in heads)
    entropies = tuple(focus_entropy(t) for t in heads)
    sides = (Side("entropy", entropies),) if sheet.tempered and sheet.headed else ()
    over = keys.words_above(f"{p}_FocusAttention")
    looks = Group(rows, _labels(sheet, "attention"), over, sides)
    terms = min(MOST_TERMS, keys.n)
    strongest = [block for t in heads for block in _strongest(sheet, queries, keys, t, terms)]
    names = ("word", "weight", "place")
    labels = tuple(
        label for labels in zip(*(_labels(sheet, n) for n in names), strict=True) for label in labels
    )
    ranked = tuple(say("no. {j}", j=j + 1) for j in range(terms))
    said = tuple(_said(queries, keys, t, terms) for t in heads)
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


def head_prefixes(sheet: SheetSpec, lane: Lane) -> tuple[str, ...]:
    """What the names of each head's ranges begin with; the lane's own prefix where there are no heads."""
    if not sheet.headed:
        return (lane.prefix,)
    return tuple(f"{lane.prefix}_h{h + 1}" for h in range(sheet.heads))


def _labels(sheet: SheetSpec, text: str) -> tuple[tuple[str, ...], ...]:
    if not sheet.headed:
        return ((text,),)
    return tuple((say("head {h}: {what}", h=h + 1, what=say(text)),) for h in range(sheet.heads))


def _row(queries: Lane, keys: Lane, t: str) -> Block:
    names = {"index": f"{queries.id}_Index", "focus": f"{queries.id}_Focus", "of": f"{t}_Attention"}
    return computed(f"{t}_FocusAttention", (1, keys.n), ops.PICK, "attention", **names)


def focus_entropy(t: str) -> Block:
    """The entropy of the focus word's row (1 × 1)."""
    return computed(f"{t}_FocusEntropy", (1, 1), ops.FOCUS_ENTROPY, "weight", attention=f"{t}_FocusAttention")


def _strongest(sheet: SheetSpec, queries: Lane, keys: Lane, t: str, terms: int) -> tuple[Block, Block, Block]:
    """The words with the largest weights, these weights, and their places (1 × terms)."""
    row, largest, places = f"{t}_FocusAttention", f"{t}_FocusWeights", f"{t}_FocusPlaces"
    shape, pick = (1, terms), ops.FOCUS_WORDS if keys.n > 1 else ops.FOCUS_WORD
    focus = f"{queries.id}_Focus"
    return (
        computed(f"{t}_FocusWords", shape, pick, "word result", focus=focus, words=keys.tokens, ids=places),
        computed(largest, shape, ops.TOP_LOGITS, "attention", logits=row, rank=f"{sheet.id}_Rank"),
        computed(places, shape, ops.TOP_IDS, "count", logits=row, rank=f"{sheet.id}_Rank"),
    )


def _said(queries: Lane, keys: Lane, t: str, terms: int) -> Block:
    names = {"weights": f"{t}_FocusWeights", "words": f"{t}_FocusWords", "focus": f"{queries.id}_Focus"}
    return computed(f"{t}_FocusSaid", (1, 1), ops.mixture(terms, more=keys.n > terms), "said", **names)


def ranks(sheet: SheetSpec, keys: Sequence[Lane]) -> Block:
    """1, 2, ...: which of the strongest words a column holds (1 × the longest list)."""
    most = max(min(MOST_TERMS, lane.n) for lane in keys)
    return typed(f"{sheet.id}_Rank", "count", [[float(i + 1) for i in range(most)]], "constant")


def bars(sheet: SheetSpec, lanes: Sequence[Lane]) -> tuple[Chart, ...]:
    """For each sentence, where the focus word looks, a series a head."""
    charts = []
    for i, lane in enumerate(lanes):
        heads = head_prefixes(sheet, lane)[:MOST_BARS]
        named = [say("head {h}", h=h + 1) for h in range(len(heads))]
        told = named if sheet.headed else [lane.in_legend(sheet.id, say("attention"))]
        series = tuple(Series(words, (f"{t}_FocusAttention",)) for t, words in zip(heads, told, strict=True))
        labels = f"{lane.prefix}_FocusAttention_Cols"
        title = say("Where the focus word looks in {context}", context=lane.named)
        charts.append(Chart("bar", i, title, LOOKED_AT, HOW_MUCH, series, labels))
    return tuple(charts)

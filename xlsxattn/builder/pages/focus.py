"""The focus word on an attention sheet: its attention, strongest words and output, and bar charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Chart, Group, Series, Side
from xlsxattn.builder.pages.parts import Step, computed, typed
from xlsxattn.builder.theme import LANES
from xlsxattn.contract.names import RangeName, cols_of
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxattn.builder.graph import Block, Labels
    from xlsxattn.builder.pages.parts import Lane, Steps
    from xlsxattn.contract.kinds import WithAttention

MAX_TERMS, MAX_BARS = 3, 6
STRONGEST = "Its strongest words in order: word, weight, and position in the sentence."
LOOKED_AT, HOW_MUCH = "word that the focus word looks at", "attention (0 to 1)"
MADE_OF = "What the output of the focus word is made of: each word's value, times its weight."


def focus_steps(sheet: WithAttention, queries: Lane, keys: Lane, *, ranks: bool) -> Steps:
    """The focus word's row of each attention matrix (1 × n), its strongest words, and its output as text.

    ``ranks``: the ranks above its strongest words, 1, 2, ..., are the range that the sheet's formulas read.
    """
    masked = sheet.mask != "none"
    limit = {"seen": queries.prefix["FocusSeen"]} if masked else {"focus": queries.own["Focus"]}
    return {
        "FocusAttention": Step(
            "The focus word: where it looks",
            ops.focus.PICK.why,
            {queries.id: _attention_group(sheet, queries, keys)},
        ),
        "FocusWords": Step(
            "The focus word: its strongest words",
            STRONGEST,
            {queries.id: _strongest_group(sheet, queries, keys, limit, ranks=ranks)},
            show_formula=False,
        ),
        "FocusSaid": Step(
            "The focus word: what its output is made of",
            MADE_OF,
            {queries.id: _mixture_group(sheet, queries, keys, limit)},
            show_formula=False,
        ),
    }


def _attention_group(sheet: WithAttention, queries: Lane, keys: Lane) -> Group:
    """The focus word's row of each head (1 × n), with its entropy, and the number of words it may look at."""
    p, heads = queries.prefix, head_prefixes(sheet, queries)
    rows = tuple(_row(queries, keys, head) for head in heads)
    sides: list[Side] = []
    if sheet.tempered and sheet.headed:
        sides.append(Side("entropy", tuple(focus_entropy(head) for head in heads)))
    if sheet.mask != "none":
        names = {"index": queries.own["Index"], "focus": queries.own["Focus"], "mask": p["Mask"]}
        count = computed(p["FocusSeen"], (1, 1), ops.focus.SEEN, "count", **names)
        sides.append(Side("words it may look at", (count,)))
    words = keys.words_above(p["FocusAttention"])
    return Group(rows, _labels(sheet, "attention"), words, tuple(sides))


def _strongest_group(
    sheet: WithAttention, queries: Lane, keys: Lane, limit: Mapping[str, str], *, ranks: bool
) -> Group:
    """Of each head the strongest words, their weights and positions (1 × terms each)."""
    terms = max_terms(keys)
    blocks: list[Block] = []
    labels: list[Labels] = []
    texts = [_labels(sheet, text) for text in ("word", "weight", "position")]
    for head, head_labels in zip(head_prefixes(sheet, queries), zip(*texts, strict=True), strict=True):
        blocks += _strongest(sheet, limit, keys, head, terms)
        labels += head_labels
    rank: Labels = tuple(say("no. {j}", j=j + 1) for j in range(terms))
    if ranks:
        numbers = [[float(j + 1) for j in range(terms)]]
        rank = typed(RangeName(sheet.id)["Rank"], "rank", numbers, "constant")
    return Group(tuple(blocks), tuple(labels), rank)


def _mixture_group(sheet: WithAttention, queries: Lane, keys: Lane, limit: Mapping[str, str]) -> Group:
    """Of each head, the output as text: weights times words (1 × 1)."""
    terms = max_terms(keys)
    texts = tuple(_mixture(limit, keys, head, terms) for head in head_prefixes(sheet, queries))
    return Group(texts, _labels(sheet, "output ="))


def head_prefixes(sheet: WithAttention, lane: Lane) -> tuple[RangeName, ...]:
    """Prefix of the names of each head's ranges; the lane's prefix without heads."""
    if not sheet.headed:
        return (lane.prefix,)
    return tuple(lane.prefix.at(head=h + 1) for h in range(sheet.heads))


def _labels(sheet: WithAttention, text: str) -> tuple[tuple[str, ...], ...]:
    if not sheet.headed:
        return ((text,),)
    return tuple((say("h{h} {what}", h=h + 1, what=say(text)),) for h in range(sheet.heads))


def _row(queries: Lane, keys: Lane, head: RangeName) -> Block:
    """The focus word's row of the attention (1 × n)."""
    names = {"index": queries.own["Index"], "focus": queries.own["Focus"], "of": head["Attention"]}
    return computed(head["FocusAttention"], (1, keys.n), ops.focus.PICK, "attention", **names)


def focus_entropy(head: RangeName) -> Block:
    """The entropy of the focus word's row (1 × 1)."""
    names = {"attention": head["FocusAttention"]}
    return computed(head["FocusEntropy"], (1, 1), ops.focus.FOCUS_ENTROPY, "weight", **names)


def _strongest(
    sheet: WithAttention, limit: Mapping[str, str], keys: Lane, head: RangeName, terms: int
) -> tuple[Block, Block, Block]:
    """The words with the largest weights, these weights, and their positions (1 × terms each)."""
    row, largest, places = head["FocusAttention"], head["FocusWeights"], head["FocusPlaces"]
    shape, rank = (1, terms), RangeName(sheet.id)["Rank"]
    names = {"words": keys.tokens, "ids": places, **limit}
    if "seen" in limit:
        op = ops.focus.SEEN_WORDS if keys.n > 1 else ops.focus.SEEN_WORD
        names["rank"] = rank
    else:
        op = ops.focus.FOCUS_WORDS if keys.n > 1 else ops.focus.FOCUS_WORD
    return (
        computed(head["FocusWords"], shape, op, "word result", **names),
        computed(largest, shape, ops.next_word.TOP_LOGITS, "attention", logits=row, rank=rank),
        computed(places, shape, ops.next_word.TOP_IDS, "count", logits=row, rank=rank),
    )


def _mixture(limit: Mapping[str, str], keys: Lane, head: RangeName, terms: int) -> Block:
    """The composition of a head's output, as text (1 × 1)."""
    names = {"weights": head["FocusWeights"], "words": head["FocusWords"], **limit}
    mixture = ops.focus.seen_mixture if "seen" in limit else ops.focus.mixture
    return computed(head["FocusSaid"], (1, 1), mixture(terms, more=keys.n > terms), "made of", **names)


def max_terms(lane: Lane) -> int:
    """Number of a sentence's words shown as the strongest ones."""
    return min(MAX_TERMS, lane.n)


def bars(sheet: WithAttention, lanes: Sequence[Lane]) -> tuple[Chart, ...]:
    """A bar chart for each sentence: the focus word's attention, a series per head."""
    charts = []
    for i, lane in enumerate(lanes):
        heads = head_prefixes(sheet, lane)[:MAX_BARS]
        legend: list[str | tuple[str, int]] = [say("head {h}", h=h + 1) for h in range(len(heads))]
        if not sheet.headed:
            legend = [lane.in_legend(RangeName(sheet.id), say("attention"))]
        pairs = zip(legend, heads, strict=True)
        own = None if sheet.headed else i % len(LANES) + 1  # its sentence's colour
        series = tuple(Series(text, (head["FocusAttention"],), colour=own) for text, head in pairs)
        labels = cols_of(lane.prefix["FocusAttention"])
        title = say("Where the focus word of {context} looks", context=lane.named)
        charts.append(Chart("bar", i, title, LOOKED_AT, HOW_MUCH, series, labels))
    return tuple(charts)

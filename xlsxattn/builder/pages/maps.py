"""All heads at a glance: small maps of all attention matrices of a sheet or model, side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Band, Page
from xlsxattn.builder.pages.parts import typed
from xlsxattn.contract.kinds import Model, WithAttention
from xlsxattn.contract.names import RangeName
from xlsxattn.language import is_wide, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.builder.graph import Group
    from xlsxattn.builder.pages.parts import Lane

LEAD = "All heads on the same words: which heads look at the same words, which differ?"
MODEL_LEAD = "All heads of all layers on the same words: which heads look at the same words, which differ?"
WHY = (
    "Row: the word that looks. Column: the word looked at. Darker cells have larger weights; every row "
    "sums to 1."
)


@dataclass(frozen=True, slots=True)
class HeadsOfSentence:
    """The heads of a sentence in a layer.

    Attributes:
        title: name of the sentence and the layer.
        queries: the sentence of the queries.
        keys: the sentence of the keys, usually the same.
        p: prefix of the heads' names, ``<sheet>_<context>_l1``; ``_h<k>`` follows.
    """

    title: str
    queries: Lane
    keys: Lane
    p: RangeName


def maps_page(sheet: WithAttention, rows: Sequence[HeadsOfSentence]) -> Page:
    """A page with a band for each sentence and layer, and a lane for each head (n × n each)."""
    s = RangeName(sheet.id)
    heads = range(1, sheet.heads + 1)
    lanes = tuple(
        typed(s.at(page="maps", head=h)["Heading"], "lane", ((say("Head {h}", h=h),),), "constant")
        for h in heads
    )
    bands = [
        Band(row.title, WHY if i == 0 else "", tuple(_map(row, h) for h in heads), show_formula=False)
        for i, row in enumerate(rows)
    ]
    return Page(
        str(s.at(page="maps")),
        say("{title}, all heads", title=say(sheet.title)),
        MODEL_LEAD if isinstance(sheet, Model) else LEAD,
        lanes=lanes,
        bands=tuple(bands),
        subtitle="all heads at a glance",
        compact=True,
        box="All heads",
    )


def _map(row: HeadsOfSentence, h: int) -> Group:
    """A small copy of a head's attention (n × n_keys)."""
    head = row.p.at(head=h)
    keys = "own" if row.queries.id == row.keys.id else "other"
    block = row.queries.block(
        head["Map"], row.keys.n, ops.focus.MAP, "map", keys, attention=head["Attention"]
    )
    words = "".join(row.keys.context.words)
    look = "map label wide" if 2 * sum(map(is_wide, words)) > len(words) else "map label"
    if max(map(len, row.keys.context.words)) == 1:  # a letter needs no rotation
        look = "map letter"
    return row.queries.group(block, replace(row.keys.words_above(block.name), look=look))

"""All heads at a glance: every attention matrix of a sheet or a model as a small picture, side by side."""

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

LEAD = "Every head, the same words in each: which heads look at the same, which differ?"
MODEL_LEAD = "Every head of every layer, the same words in each: which heads look at the same, which differ?"
WHY = "Row: the word that looks. Column: the word looked at. The darker, the more; every row sums to 1."


@dataclass(frozen=True, slots=True)
class Looking:
    """The heads that one sentence has at one place.

    Attributes:
        title: words for the place: the sentence and the layer.
        queries: the sentence that looks.
        keys: the sentence looked at, nearly always the same.
        p: what the names of the heads begin with, ``<sheet>_<context>_l1``; ``_h<k>`` follows.
    """

    title: str
    queries: Lane
    keys: Lane
    p: RangeName


def maps_page(sheet: WithAttention, places: Sequence[Looking]) -> Page:
    """A page with a band for each place and a lane for each head (n × n each)."""
    s = RangeName(sheet.id)
    heads = range(1, sheet.heads + 1)
    lanes = tuple(
        typed(s.at(page="maps", head=h)["Heading"], "lane", ((say("Head {h}", h=h),),), "constant")
        for h in heads
    )
    bands = [
        Band(at.title, WHY if i == 0 else "", tuple(_map(at, h) for h in heads), show_formula=False)
        for i, at in enumerate(places)
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


def _map(at: Looking, h: int) -> Group:
    """A head's attention once more, small (n × n)."""
    name, own = at.p.at(head=h)["Map"], "own" if at.queries.id == at.keys.id else "other"
    block = at.queries.block(name, at.keys.n, ops.MAP, "map", own, attention=at.p.at(head=h)["Attention"])
    words = "".join(at.keys.context.words)
    look = "map label wide" if 2 * sum(map(is_wide, words)) > len(words) else "map label"
    return at.queries.group(block, replace(at.keys.words_above(name), look=look))

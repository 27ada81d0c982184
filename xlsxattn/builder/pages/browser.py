"""A page that shows a head of a model chosen by the user: its attention map and strongest pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Band, Group, Page, Side
from xlsxattn.builder.pages.parts import bands, computed, step, typed
from xlsxattn.contract.names import RangeName
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.builder.pages.parts import Lane, Steps
    from xlsxattn.contract.kinds import Model

STRONGEST = 5
MAX_CHOICES = 30
"""Maximum number of values of CHOOSE in all spreadsheets; with more maps, CHOOSE is nested."""
LEAD = "Choose a layer and a head in the yellow cells to see their attention map and the strongest pairs."


def browser_page(sheet: Model, lanes: Sequence[Lane]) -> Page:
    """Make the page; the number of heads must not exceed the limit of a formula."""
    places = [RangeName(layer=k, head=h) for k in sheet.numbers for h in range(1, sheet.heads + 1)]
    size = sheet.heads if max(sheet.heads, len(sheet.numbers)) <= MAX_CHOICES else MAX_CHOICES
    s, page = RangeName(sheet.id), RangeName(sheet.id, page="heads")
    layer, head = sheet.browse
    layers = typed(s["Layers"], "count", [[float(k)] for k in sheet.numbers], "constant")
    heads = typed(s["Heads"], "count", [[float(h + 1)] for h in range(sheet.heads)], "constant")
    operands = {"layers": layers.name, "layer": s["Layer"], "heads": heads.name, "head": s["Head"]}
    chosen = computed(s["Chosen"], (1, 1), ops.large_models.CHOSEN_HEAD, "count", **operands)
    pairs = min(STRONGEST, *(lane.n * lane.n for lane in lanes))
    rank = typed(s["PairRank"], "count", [[float(i + 1)] for i in range(pairs)], "constant")
    choice = Group(
        (
            typed(s["Layer"], "setting", ((float(layer),),)),
            typed(s["Head"], "setting", ((float(head),),)),
            chosen,
        ),
        (("layer",), ("head",), ("number of the map",)),
    )
    why = "Layers and heads count from 1."
    sides = Side("heads", (heads,)), Side("strongest pairs", (rank,))
    lists = Group((layers,), ((),), ("layers",), sides)
    return Page(
        str(page),
        say("{title}, heads", title=say(sheet.title)),
        LEAD,
        (),
        tuple(lane.heading(page) for lane in lanes),
        (
            Band("Which head?", why, (choice,), shared=True, show_formula=False),
            *bands(lanes, [_chosen(lane, s, places, size) for lane in lanes]),
            *[_strongest(s, lanes, rank.rows)],
            Band("The lists to choose from", "", (lists,), shared=True, show_formula=False),
        ),
        drop_downs={s["Layer"]: layers.name, s["Head"]: heads.name},
        subtitle="any attention map",
    )


def _chosen(lane: Lane, s: RangeName, places: Sequence[RangeName], size: int) -> Steps:
    """The chosen map (n × n); with many maps, by nested CHOOSE of groups of ``size``."""
    prefixes = [lane.prefix.at(layer=place.layer, head=place.head) for place in places]
    chosen, maps = s["Chosen"], [prefix["Attention"] for prefix in prefixes]
    op = ops.large_models.CHOSEN_MAP
    if len(maps) > MAX_CHOICES:
        op = ops.large_models.CHOSEN_MAP_OF_MANY
        maps = [
            f"CHOOSE({chosen}{-k or ''},{','.join(maps[k : k + size])})" for k in range(0, len(maps), size)
        ]
    names = {"maps": ",".join(maps), "chosen": chosen, "size": str(size)}
    block = computed(lane.prefix["Map"], (lane.n, lane.n), op, "attention", **names)
    group = Group((block,), (lane.words_beside(block.name),), lane.words_above(block.name))
    return {"Map": step(op, lane, group)._replace(show_formula=False)}


def _strongest(s: RangeName, lanes: Sequence[Lane], k: int) -> Band:
    """The k largest weights of the chosen map, with their words and cells (k × 1 each)."""
    groups = []
    ranked = tuple(say("no. {j}", j=i + 1) for i in range(k))
    for lane in lanes:
        p = lane.prefix
        of = {"map": p["Map"], "rank": s["PairRank"]}
        weights = computed(p["PairWeights"], (k, 1), ops.large_models.PAIR_WEIGHTS, "attention", **of)
        places = computed(p["PairPlaces"], (k, 1), ops.large_models.PAIR_PLACES, "count", **of)
        names = {"words": lane.tokens, "places": places.name, **of}
        pair_from, pair_to = ops.large_models.PAIR_FROM, ops.large_models.PAIR_TO
        if lane.n == 1:
            pair_from = pair_to = ops.large_models.ONLY_WORD
        query = computed(p["PairFrom"], (k, 1), pair_from, "word result", **names)
        key = computed(p["PairTo"], (k, 1), pair_to, "word result", **names)
        sides = (Side("from", (query,)), Side("to", (key,)), Side("cell of the map", (places,)))
        groups.append(Group((weights,), (ranked,), ("weight",), sides))
    why = "Which words look most at which, in this head?"
    return Band("The strongest pairs", why, tuple(groups), show_formula=False)

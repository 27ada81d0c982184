"""Sentences held against each other: their embeddings, and the focus word's way through the layers.

Sentence embeddings as the mean of the tokens' rows, brought to length 1: Reimers and Gurevych 2019.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Band, Chart, Group, Page, Series, Side
from xlsxattn.builder.pages.parts import computed, dims_above, typed, worded
from xlsxattn.builder.specification.settings import PADDING
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxattn.builder.graph import Block
    from xlsxattn.builder.pages.parts import Lane
    from xlsxattn.builder.specification.settings import SheetSpec

LEAD = (
    "Each sentence becomes one row of numbers; the cosine says how alike two of them are. Below, the focus "
    "word is followed through the layers."
)
WAY = (
    "Cosine of the focus word's row with its row in the first sentence. The embedding is the same: 1. Then "
    "places are added, and each layer takes in more of the other words."
)


def similar_page(
    sheet: SheetSpec, lanes: Sequence[Lane], d_model: int, left: Mapping[str, list[str]]
) -> Page:
    """The page of an encoder's sentences, one below the other: rows are too wide to stand side by side.

    Args:
        sheet: the encoder.
        lanes: its sentences.
        d_model: columns of its rows.
        left: for each lane's id the range that each layer leaves.
    """
    page, s, first = f"{sheet.id}_similar", sheet.id, lanes[0]
    depths = ["X", "Input", *(f"l{k}" for k in sheet.numbers)]
    words = (say("word"), say("input"), *(say("layer {k}", k=k) for k in sheet.numbers))
    labels = replace(
        typed(f"{s}_Depths", "row label", [(word,) for word in words], "constant"), widths=(12.0,)
    )
    headings = tuple(replace(lane.heading(page), look="sentence") for lane in lanes)
    short = tuple((lane.named,) for lane in lanes)
    pooled = tuple(_pooled(sheet, lane, d_model) for lane in lanes)
    normed = tuple(
        computed(f"{lane.prefix}_Normed", (1, d_model), ops.NORMED, "output", x=f"{lane.prefix}_Pooled")
        for lane in lanes
    )
    alike = tuple(
        computed(
            f"{lane.prefix}_Similarity",
            (1, 1),
            ops.SIMILARITY,
            "weight",
            a=f"{lane.prefix}_Normed",
            b=f"{first.prefix}_Normed",
        )
        for lane in lanes
    )
    ways = [tuple(_cosine(lane, first, depth) for depth in depths) for lane in lanes]
    sides = tuple(Side(lane.named, way) for lane, way in zip(lanes[1:], ways[1:], strict=True))
    rows = [_rows(lane, depths, words, d_model, left[lane.id]) for lane in lanes]
    series = tuple(
        Series(lane.named, tuple(b.name for b in way)) for lane, way in zip(lanes, ways, strict=True)
    )
    title = "The focus word, layer by layer: its cosine with the first sentence's"

    def band(op: ops.Op, group: Group) -> Band:
        why = say("{why}  {formula}", why=say(op.why), formula=_formula(group.blocks[-1]))
        maths = worded(op.maths, group.blocks[0], first)
        return Band(maths, why, (group,), shared=True, show_formula=False)

    return Page(
        page,
        say("{title}, sentences", title=say(sheet.title)),
        LEAD,
        bands=(
            band(ops.SIMILARITY, Group(alike, short, ("cosine",), (Side("sentence", headings),))),
            Band(
                "The focus word, layer by layer",
                WAY,
                (Group(ways[0], (labels,), (first.named,), sides),),
                shared=True,
                show_formula=False,
            ),
            band(pooled[0].parts[0].op, Group(pooled, short, dims_above(pooled[0].name, d_model))),
            band(ops.NORMED, Group(normed, short)),
            Band(
                "Its rows",
                "The focus word's row at each depth.",
                tuple(rows),
                shared=True,
                show_formula=False,
            ),
        ),
        charts=(Chart("line", 0, title, "depth", "cosine", series, labels.name, after=1),),
        subtitle="how alike they are",
    )


def _formula(block: Block) -> str:
    return f"{{{block.parts[0].formula}}}"


def _pooled(sheet: SheetSpec, lane: Lane, d_model: int) -> Block:
    """The mean of a sentence's rows, or its first row (1 × d_model)."""
    op, names = ops.POOL_MEAN, {"index": f"{lane.id}_Index"}
    if sheet.pool == "first":
        op = ops.POOL_FIRST
    elif sheet.mask in PADDING:
        op, names = ops.POOL_MASKED, {"padding": f"{lane.prefix}_PaddingMask"}
    return computed(f"{lane.prefix}_Pooled", (1, d_model), op, "output", x=f"{lane.prefix}_Output", **names)


def _cosine(lane: Lane, first: Lane, depth: str) -> Block:
    names = {"a": f"{first.prefix}_Track_{depth}", "b": f"{lane.prefix}_Track_{depth}"}
    return computed(f"{lane.prefix}_Cosine_{depth}", (1, 1), ops.COSINE, "weight", **names)


def _rows(
    lane: Lane, depths: Sequence[str], words: tuple[str, ...], d_model: int, left: Sequence[str]
) -> Group:
    sources = [f"{lane.prefix}_X", f"{lane.prefix}_Input", *left]
    names = {"index": f"{lane.id}_Index", "focus": f"{lane.id}_Focus"}
    made = tuple(
        computed(f"{lane.prefix}_Track_{depth}", (1, d_model), ops.PICK, "embedding", of=source, **names)
        for depth, source in zip(depths, sources, strict=True)
    )
    return Group(made, tuple((word,) for word in words), dims_above(made[0].name, d_model), title=lane.named)

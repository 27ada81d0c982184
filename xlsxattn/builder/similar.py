"""Sentences held against each other: their embeddings, and the focus word's way through the layers.

Sentence embeddings as the mean of the tokens' rows, brought to length 1: Reimers and Gurevych 2019.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Band, Chart, Group, Page, Series
from xlsxattn.builder.parts import bands, computed, dims_above, step, typed
from xlsxattn.builder.settings import PADDING
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxattn.builder.parts import Lane, Steps
    from xlsxattn.builder.settings import SheetSpec

LEAD = (
    "Each sentence becomes one row of numbers; the cosine says how alike two of them are. Below, the focus "
    "word is followed through the layers: the same numbers at first, in every sentence, and then?"
)


def similar_page(
    sheet: SheetSpec, lanes: Sequence[Lane], d_model: int, left: Mapping[str, list[str]]
) -> Page:
    """The page of an encoder's sentences.

    Args:
        sheet: the encoder.
        lanes: its sentences.
        d_model: columns of its rows.
        left: for each lane's id the range that each layer leaves.
    """
    page, s = f"{sheet.id}_similar", sheet.id
    depths = ["X", "Input", *(f"l{k}" for k in sheet.numbers)]
    words = [say("word"), say("input"), *(say("layer {k}", k=k) for k in sheet.numbers)]
    labels = typed(f"{s}_Depths", "row label", [(word,) for word in words], "constant")
    first = lanes[0]
    ways = [_way(lane, first, depths, labels if lane is first else tuple(words)) for lane in lanes]
    rows = [_rows(lane, depths, tuple(words), d_model, left[lane.id]) for lane in lanes]
    embeddings = bands(lanes, [_embedding(sheet, lane, first, d_model) for lane in lanes])
    why = (
        "Cosine of the focus word's row with its row in the first sentence. The embedding is the same: 1. "
        "Then places are added, and each layer takes in more of the other words."
    )
    series = tuple(
        Series(lane.id, tuple(f"{lane.prefix}_Cosine_{depth}" for depth in depths)) for lane in lanes
    )
    title = "The focus word, layer by layer: its cosine with the first sentence's"
    return Page(
        page,
        say("{title}, sentences", title=say(sheet.title)),
        LEAD,
        (),
        tuple(lane.heading(page) for lane in lanes),
        (
            embeddings[0],
            Band("The focus word, layer by layer", why, tuple(ways), show_formula=False),
            *embeddings[1:],
            Band("Its rows", "The focus word's row at each depth.", tuple(rows), show_formula=False),
        ),
        (Chart("line", 0, title, "depth", "cosine", series, labels.name),),
        subtitle="how alike they are",
    )


def _embedding(sheet: SheetSpec, lane: Lane, first: Lane, d_model: int) -> Steps:
    p, index = lane.prefix, f"{lane.id}_Index"
    op, names = ops.POOL_MEAN, {"index": index}
    if sheet.mask in PADDING:
        op, names = ops.POOL_MASKED, {"padding": f"{p}_PaddingMask"}
    pooled = computed(f"{p}_Pooled", (1, d_model), op, "output", x=f"{p}_Output", **names)
    normed = computed(f"{p}_Normed", (1, d_model), ops.NORMED, "output", x=pooled.name)
    names = {"a": normed.name, "b": f"{first.prefix}_Normed"}
    alike = computed(f"{p}_Similarity", (1, 1), ops.SIMILARITY, "weight", **names)
    sentence = (("sentence",),)
    return {
        "Similarity": step(ops.SIMILARITY, lane, Group((alike,), (("cosine with the first",),))),
        "Pooled": step(op, lane, Group((pooled,), sentence, dims_above(pooled.name, d_model))),
        "Normed": step(ops.NORMED, lane, Group((normed,), sentence)),
    }


def _way(lane: Lane, first: Lane, depths: Sequence[str], labels: object) -> Group:
    made = tuple(
        computed(
            f"{lane.prefix}_Cosine_{depth}",
            (1, 1),
            ops.COSINE,
            "weight",
            a=f"{first.prefix}_Track_{depth}",
            b=f"{lane.prefix}_Track_{depth}",
        )
        for depth in depths
    )
    rows = (labels,) if not isinstance(labels, tuple) else tuple((word,) for word in labels)
    return Group(made, rows, ("cosine",))  # type: ignore[arg-type]


def _rows(
    lane: Lane, depths: Sequence[str], words: tuple[str, ...], d_model: int, left: Sequence[str]
) -> Group:
    sources = [f"{lane.prefix}_X", f"{lane.prefix}_Input", *left]
    names = {"index": f"{lane.id}_Index", "focus": f"{lane.id}_Focus"}
    made = tuple(
        computed(f"{lane.prefix}_Track_{depth}", (1, d_model), ops.PICK, "embedding", of=source, **names)
        for depth, source in zip(depths, sources, strict=True)
    )
    return Group(made, tuple((word,) for word in words), dims_above(made[0].name, d_model))

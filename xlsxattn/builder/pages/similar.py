"""Compares the sentences of an encoder: their embeddings, and the focus word in each layer.

Sentence embeddings are the normalized mean of the tokens' rows: Reimers and Gurevych 2019.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Band, Chart, Group, Page, Series, Side
from xlsxattn.builder.pages.parts import computed, dims_above, model_columns, numbered, typed, with_operands
from xlsxattn.builder.theme import LANES
from xlsxattn.contract.kinds import PADDING, Encoder, Model
from xlsxattn.contract.names import RangeName
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxattn.builder.graph import Block, Labels
    from xlsxattn.builder.pages.parts import Lane

LEAD = (
    "Each sentence becomes one row of numbers; the cosine says how similar two of them are. Below, "
    "the focus word is followed through the layers."
)
WAY = (
    "Cosine of the focus word's row with its row in the first sentence. The embeddings are equal: 1. "
    "Then positions are added, and each layer mixes in more of the other words."
)


def similar_page(sheet: Model, lanes: Sequence[Lane], d_model: int, outputs: Mapping[str, list[str]]) -> Page:
    """The page that compares an encoder's sentences, one below the other, as rows are wide.

    Args:
        sheet: the encoder.
        lanes: its sentences.
        d_model: columns of its rows.
        outputs: lane's id → output range of each layer.
    """
    page = RangeName(sheet.id, page="similar")
    similarity, *details = _embeddings(page, sheet, lanes, d_model)
    tracks = _Tracks(sheet, lanes, d_model, outputs)
    return Page(
        str(page),
        say("{title}, sentences", title=say(sheet.title)),
        LEAD,
        bands=(similarity, tracks.cosines(), *details, tracks.rows()),
        charts=(tracks.chart(),),
        subtitle="how similar they are",
    )


def _embeddings(
    page: RangeName, sheet: Model, lanes: Sequence[Lane], d_model: int
) -> tuple[Band, Band, Band]:
    """Similarity of the sentences: cosines (1 × 1), pooled rows and normalized rows (1 × d_model)."""
    first = lanes[0]
    pooled, normed, cosines, headings = [], [], [], []
    for lane in lanes:
        p = lane.prefix
        pooled.append(_pooled(sheet, lane, d_model))
        normed.append(computed(p["Normed"], (1, d_model), ops.sentences.NORMED, "output", x=p["Pooled"]))
        rows = {"a": p["Normed"], "b": first.prefix["Normed"]}
        cosines.append(computed(p["Similarity"], (1, 1), ops.sentences.SIMILARITY, "weight", **rows))
        headings.append(replace(lane.heading(page), look="sentence"))

    def band(blocks: Sequence[Block], cols: Labels | None, *sides: Side) -> Band:
        op = blocks[0].parts[0].op
        why = say("{why}  {formula}", why=say(op.why), formula=_formula(blocks[-1]))
        group = Group(tuple(blocks), tuple((lane.named,) for lane in lanes), cols, sides)
        return Band(with_operands(op.maths, blocks[0], first), why, (group,), shared=True, show_formula=False)

    return (
        band(cosines, ("cosine",), Side("sentence", tuple(headings))),
        band(pooled, model_columns(pooled[0].name, d_model, normed=sheet.ends_with_norm)),
        band(normed, numbered("x", d_model)),
    )


class _Tracks:
    """The focus word in each layer of each sentence, compared with the first sentence."""

    def __init__(
        self, sheet: Model, lanes: Sequence[Lane], d_model: int, outputs: Mapping[str, list[str]]
    ) -> None:
        self.sheet, self.lanes, self.d_model, self.outputs = sheet, lanes, d_model, outputs
        self.depths = ["X", "Input", *(f"l{k}" for k in sheet.numbers)]
        self.words = (say("word"), say("input"), *(say("layer {k}", k=k) for k in sheet.numbers))
        self.labels = replace(
            typed(RangeName(sheet.id)["Depths"], "row label", [(word,) for word in self.words], "constant"),
            widths=(12.0,),
        )
        self.tracks = [tuple(_cosine(lane, lanes[0], depth) for depth in self.depths) for lane in lanes]

    def cosines(self) -> Band:
        """The cosine at each depth (depths × 1), with a column for each sentence."""
        others = zip(self.lanes[1:], self.tracks[1:], strict=True)
        sides = tuple(Side(lane.named, track, look="col label wrapped") for lane, track in others)
        group = Group(self.tracks[0], (self.labels,), (self.lanes[0].named,), sides)
        title = "The focus word, layer by layer"
        return Band(title, WAY, (group,), shared=True, show_formula=False)

    def rows(self) -> Band:
        """The compared rows (1 × d_model each), a group for each sentence."""
        groups = tuple(
            _rows(lane, self.depths, self.words, self.d_model, self.outputs[lane.id]) for lane in self.lanes
        )
        why = "The focus word's row after each layer."
        return Band("Rows of the focus word", why, groups, shared=True, show_formula=False)

    def chart(self) -> Chart:
        """A line for each sentence."""
        title = "The focus word, layer by layer: its cosine with the first sentence's"
        series = tuple(
            Series(lane.named, tuple(block.name for block in track), colour=i % len(LANES) + 1)
            for i, (lane, track) in enumerate(zip(self.lanes, self.tracks, strict=True))
        )
        return Chart("line", 0, title, "depth", "cosine", series, self.labels.name, after=1)


def _formula(block: Block) -> str:
    return f"{{{block.parts[0].formula}}}"


def _pooled(sheet: Model, lane: Lane, d_model: int) -> Block:
    """The mean of a sentence's rows, or the first row (1 × d_model)."""
    op, names = ops.sentences.POOL_MEAN, {"index": lane.own["Index"]}
    if isinstance(sheet, Encoder) and sheet.pool == "first":
        op = ops.sentences.POOL_FIRST
    elif sheet.mask in PADDING:
        op, names = ops.sentences.POOL_MASKED, {"padding": lane.prefix["PaddingMask"]}
    return computed(lane.prefix["Pooled"], (1, d_model), op, "output", x=lane.prefix["Output"], **names)


def _cosine(lane: Lane, first: Lane, depth: str) -> Block:
    names = {"a": first.prefix[f"Track_{depth}"], "b": lane.prefix[f"Track_{depth}"]}
    return computed(lane.prefix[f"Cosine_{depth}"], (1, 1), ops.focus.COSINE, "weight", **names)


def _rows(
    lane: Lane, depths: Sequence[str], words: tuple[str, ...], d_model: int, outputs: Sequence[str]
) -> Group:
    sources = [lane.prefix["X"], lane.prefix["Input"], *outputs]
    names = {"index": lane.own["Index"], "focus": lane.own["Focus"]}
    blocks = tuple(
        computed(lane.prefix[f"Track_{depth}"], (1, d_model), ops.focus.PICK, "embedding", of=source, **names)
        for depth, source in zip(depths, sources, strict=True)
    )
    labels = tuple((word,) for word in words)
    return Group(blocks, labels, dims_above(blocks[0].name, d_model), title=lane.named)

"""Building blocks of pages: blocks with labels, lanes, and steps over all lanes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from string import Formatter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Band, Block, Group, Part
from xlsxattn.builder.theme import cell_width
from xlsxattn.contract.names import HEADING, RangeName, cols_of, of_context, parse, rows_of
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from xlsxattn.builder.graph import Kind, Labels, Side
    from xlsxattn.builder.ops import Op
    from xlsxattn.builder.specification.table import Matrix
    from xlsxattn.builder.specification.words import Context
    from xlsxattn.contract.kinds import WithAttention
    from xlsxattn.language import Phrase

OF_BOTH = ("X", "Output")
"""Ranges that both sentences of a cross-attention have."""

OWN = {
    *("x", "q", "h", "up", "stream", "found", "p", "cos", "sin"),
    *("concat", "head", "logits", "numerator", "mask", "angle"),
}
BESIDE = {"ids", "row_max", "row_sum", "mean", "variance", "mean_square", "position", "row"}
PAST = {"k", "v"}
LOWER = {"scores", "scaled", "exp", "attention"}
"""How operands are read when rows are computed one by one: OWN, the same row; BESIDE, the cell in that row;
PAST, all rows so far; LOWER, the same row up to the diagonal; others as a whole."""


def computed(name: str, shape: tuple[int, int], op: Op, look: str, **names: str) -> Block:
    """A block computed by one operation; ``names`` are its operands."""
    rows, cols = shape
    return Block(name, rows, cols, "formula", look, parts=(Part(op, names, cols),))


def typed(
    name: str, look: str, values: Sequence[Sequence[float | str]] | Matrix, kind: Kind = "input"
) -> Block:
    """A block of given values, an input or a constant; arrays of numbers are kept as arrays.

    Raises:
        ValueError: an array is not a finite matrix.
    """
    if isinstance(values, np.ndarray):
        array = _finite(name, values)
        return Block(name, *array.shape, kind, look, values=array)
    rows = tuple(tuple(row) for row in values)
    return Block(name, len(rows), len(rows[0]), kind, look, values=rows)


def _finite(name: str, values: NDArray[np.floating[Any]]) -> np.ndarray[tuple[int, int], np.dtype[Any]]:
    if values.ndim != 2 or not values.size:  # noqa: PLR2004 - rows and columns
        sentence = "{name} has the shape {shape}, expected rows and columns"
        raise ValueError(say(sentence, name=name, shape=values.shape))
    if not np.isfinite(values).all():
        row, col = np.argwhere(~np.isfinite(values))[0]
        sentence = "{name} holds {value} in row {row}, column {col}"
        raise ValueError(say(sentence, name=name, value=values[row, col], row=row + 1, col=col + 1))
    return values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)


def learned(sheet: WithAttention, name: RangeName) -> Block:
    """A learned weight as an input block."""
    return typed(str(name), "input", sheet.weights[name.key])


def dims_above(name: str, d_model: int) -> Block:
    """The names of the dimensions as labels of a block's columns."""
    return computed(cols_of(name), (1, d_model), ops.words.ROW_LABELS, "col label", texts="vocab_Dims")


def model_columns(name: str, d_model: int, *, normed: bool) -> Block | tuple[str, ...]:
    """Labels of columns of a model: the dimensions, or x1, x2, ... after a norm, which mixes them."""
    return numbered("x", d_model) if normed else dims_above(name, d_model)


def numbered(letter: str, count: int) -> tuple[str, ...]:
    """Numbered labels of columns: q1, q2, ..."""
    return tuple(f"{letter}{j + 1}" for j in range(count))


@dataclass(frozen=True, slots=True)
class Lane:
    """One sentence on a sheet.

    Attributes:
        context: the sentence.
        prefix: prefix of the names of its ranges, ``<sheet>_<context>``.
        tokens: range of its words.
        growing: True if its rows are computed one by one, each from the rows so far, as in generation.
    """

    context: Context
    prefix: RangeName
    tokens: str
    growing: bool = False

    @property
    def id(self) -> str:
        """The context's id."""
        return self.context.id

    @property
    def named(self) -> Phrase:
        """The sentence's name on pages: "sentence 1"."""
        return self.context.named

    @property
    def n(self) -> int:
        """Number of its tokens."""
        return len(self.context.words)

    def block(self, name: str, cols: int, op: Op, look: str, keys: str = "", **names: str) -> Block:
        """A block with a row for each token, n × cols.

        ``keys``, for a block with a column for each key, or whose operands have: "own" (in a growing lane,
        only the lower triangle is computed) or "other" (keys of another sentence, which is complete).
        ``names``: the operands.
        """
        op, operands = self.reading(op, names, keys)
        return computed(name, (self.n, cols), op, look, **operands)

    def reading(self, op: Op, names: Mapping[str, str], keys: str = "") -> tuple[Op, dict[str, str]]:
        """An operation and its operands for this lane: on whole blocks, or row by row."""
        if not self.growing or op.entered != "block":
            return op, dict(names)
        part = dict.fromkeys(OWN, "row") | dict.fromkeys(BESIDE, "cell")
        if keys == "other":
            part |= dict.fromkeys(LOWER, "row")
        else:
            part |= dict.fromkeys(LOWER, "..diagonal") | dict.fromkeys(PAST, "..rows")
        operands = {key: f"{name}[{part[key]}]" if key in part else name for key, name in names.items()}
        return replace(op, entered="lower rows" if keys == "own" else "rows"), operands

    def column(self, name: str, op: Op, look: str = "weight", **names: str) -> tuple[Block]:
        """A column with one value for each token, n × 1."""
        return (computed(name, (self.n, 1), op, look, **names),)

    def words_beside(self, name: str) -> Block:
        """The words as labels of a block's rows."""
        block = computed(rows_of(name), (self.n, 1), ops.words.ROW_LABELS, "word label", texts=self.tokens)
        return replace(block, widths=(max(cell_width(word) for word in self.context.words) + 1.0,))

    def words_above(self, name: str) -> Block:
        """The words as labels of a block's columns."""
        return computed(cols_of(name), (1, self.n), ops.words.COL_LABELS, "col label", texts=self.tokens)

    def group(self, block: Block, cols: Labels | None = None, sides: Iterable[Side] = ()) -> Group:
        """A block labelled with the words; its columns are numbered if they have no names."""
        cols = numbered("x", block.cols) if cols is None else cols
        return Group((block,), (self.words_beside(block.name),), cols, tuple(sides))

    @property
    def own(self) -> RangeName:
        """Prefix of the names of the sentence's ranges on Inputs."""
        return of_context(self.id)

    def in_legend(self, page: RangeName, else_: str) -> str | tuple[str, int]:
        """The sentence's name in a chart's legend: its words, or ``else_`` if they are too long."""
        return (self._heading(page), 0) if self.context.is_short else else_

    def heading(self, page: RangeName) -> Block:
        """The sentence as the lane's heading on a page."""
        return computed(self._heading(page), (1, 1), ops.words.SAME_TEXT, "lane", source=self.own["Sentence"])

    def _heading(self, page: RangeName) -> str:
        return page.at(context=self.id)[HEADING]


@dataclass(frozen=True, slots=True)
class Stack:
    """An encoder's or a decoder's stack of layers (Vaswani et al. 2017, 3.1).

    Attributes:
        title: title of its pages.
        w: prefix of the names of its weights, ``<sheet>``, ``<sheet>_enc`` or ``<sheet>_dec``.
        lanes: its sentences.
        memory: the encoder's sentence and output, for cross-attention.
    """

    title: str
    w: RangeName
    lanes: tuple[Lane, ...]
    memory: tuple[Lane, str] | None = None


class Step(NamedTuple):
    """A step: title, explanation, group of cells for each lane, outline level."""

    title: str
    why: str
    groups: Mapping[str, Group]
    level: int = 0
    show_formula: bool = True
    paper: str = ""
    more: str = ""
    closed: bool = False


Steps = dict[str, Step]
"""Steps by key; the same step has the same key in every lane."""


def step(op: Op, lane: Lane, group: Group, *, title: str = "") -> Step:
    """The step of an operation in one lane; its texts name the operands of its formula."""
    maths, why, more = (with_operands(text, group.blocks[0], lane) for text in (op.maths, op.why, op.more))
    return Step(title or maths, why, {lane.id: group}, paper=op.paper, more=more)


def with_operands(text: str, block: Block, lane: Lane) -> str:
    """Insert the names of a block and its operands into a text of its operation."""
    keys = [key for _, key, _, _ in Formatter().parse(text) if key]
    names = {**block.parts[0].names, "name": block.name}
    return say(text, **{key: _operand(names[key], block.name, lane) for key in keys}) if keys else text


def _operand(name: str, block: str, lane: Lane) -> str:
    """The short name of an operand of a block: the last part of its name.

    It is preceded by the layer if it is another one, or by the sentence if both have such a range.
    """
    parsed = parse(name.partition("[")[0])
    if parsed.layer and parsed.layer != parse(block).layer:
        return RangeName(layer=parsed.layer)[parsed.last]
    if parsed.last in OF_BOTH and parsed.lane != lane.prefix:
        return of_context(parsed.context)[parsed.last]
    return parsed.last


def bands(lanes: Sequence[Lane], steps: Iterable[Steps]) -> list[Band]:
    """Join the steps of several lanes into bands, in the order of their first occurrence."""
    joined: Steps = {}
    for lane_steps in steps:
        for key, new in lane_steps.items():
            if key in joined:
                joined[key] = new._replace(groups={**joined[key].groups, **new.groups})
            else:
                joined[key] = new
    return [
        Band(
            s.title,
            s.why,
            tuple(s.groups.get(lane.id) for lane in lanes),
            level=s.level,
            show_formula=s.show_formula,
            paper=s.paper,
            more=s.more,
            closed=s.closed,
        )
        for s in joined.values()
    ]


def names_in(steps: Steps) -> list[str]:
    """The names of all blocks in some steps."""
    return [b.name for s in steps.values() for group in s.groups.values() for b in group.every_block()]

"""What every page is made of: blocks with their labels, lanes that hold them, and steps that join lanes."""

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
"""What both sentences have, where one looks at the other."""

OWN = {
    *("x", "q", "h", "up", "stream", "found", "p", "cos", "sin"),
    *("concat", "head", "logits", "numerator", "mask", "angle"),
}
BESIDE = {"ids", "row_max", "row_sum", "mean", "variance", "mean_square", "position", "row"}
PAST = {"k", "v"}
LOWER = {"scores", "scaled", "exp", "attention"}
"""How a formula reads its operands where rows are made one after another: their own row, the cell beside, all
rows so far, the own row as far as the diagonal. All others are read whole."""


def computed(name: str, shape: tuple[int, int], op: Op, look: str, **names: str) -> Block:
    """A block of one operation; ``names`` says which ranges it is applied to."""
    rows, cols = shape
    return Block(name, rows, cols, "formula", look, parts=(Part(op, names, cols),))


def typed(
    name: str, look: str, values: Sequence[Sequence[float | str]] | Matrix, kind: Kind = "input"
) -> Block:
    """A block of typed values, an input or a constant; an array of numbers stays an array.

    Raises:
        ValueError: an array that no sheet can show.
    """
    if isinstance(values, np.ndarray):
        array = _finite(name, values)
        return Block(name, *array.shape, kind, look, values=array)
    rows = tuple(tuple(row) for row in values)
    return Block(name, len(rows), len(rows[0]), kind, look, values=rows)


def _finite(name: str, values: NDArray[np.floating[Any]]) -> np.ndarray[tuple[int, int], np.dtype[Any]]:
    if values.ndim != 2 or not values.size:  # noqa: PLR2004 - rows and columns
        sentence = "{name} has the shape {shape}, rows and columns are needed"
        raise ValueError(say(sentence, name=name, shape=values.shape))
    if not np.isfinite(values).all():
        row, col = np.argwhere(~np.isfinite(values))[0]
        sentence = "{name} holds {value} in row {row}, column {col}"
        raise ValueError(say(sentence, name=name, value=values[row, col], row=row + 1, col=col + 1))
    return values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)


def learned(sheet: WithAttention, at: RangeName) -> Block:
    """A learned weight as an input, where ``at`` is its name."""
    return typed(str(at), "input", sheet.weights[at.key])


def dims_above(name: str, d_model: int) -> Block:
    """The names of the dimensions as labels of a block's columns."""
    return computed(cols_of(name), (1, d_model), ops.ROW_LABELS, "col label", texts="vocab_Dims")


def numbered(letter: str, count: int) -> tuple[str, ...]:
    """Labels of columns that have no name of their own: q1, q2, ..."""
    return tuple(f"{letter}{j + 1}" for j in range(count))


@dataclass(frozen=True, slots=True)
class Lane:
    """One sentence on a sheet.

    Attributes:
        context: the sentence.
        prefix: what the names of its ranges begin with, ``<sheet>_<context>``.
        tokens: the range that holds its words.
        growing: whether its rows are made one after another, each from the rows so far, as in generation.
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
        """What a page calls the sentence: "sentence 1"."""
        return self.context.named

    @property
    def n(self) -> int:
        """Number of its tokens."""
        return len(self.context.words)

    def block(self, name: str, cols: int, op: Op, look: str, keys: str = "", **names: str) -> Block:
        """A block with a row for each token.

        ``keys``: for what has a column a key, or reads such, whose they are: "own" (in a growing lane only
        the lower triangle is made) or "other" (another sentence's, which stands there whole). ``names``:
        which ranges the operation is applied to.
        """
        op, read = self.reading(op, names, keys)
        return computed(name, (self.n, cols), op, look, **read)

    def reading(self, op: Op, names: Mapping[str, str], keys: str = "") -> tuple[Op, dict[str, str]]:
        """An operation and its operands as this lane enters them: whole, or row after row."""
        if not self.growing or op.entered != "block":
            return op, dict(names)
        part = dict.fromkeys(OWN, "row") | dict.fromkeys(BESIDE, "cell")
        if keys == "other":
            part |= dict.fromkeys(LOWER, "row")
        else:
            part |= dict.fromkeys(LOWER, "..diagonal") | dict.fromkeys(PAST, "..rows")
        read = {key: f"{name}[{part[key]}]" if key in part else name for key, name in names.items()}
        return replace(op, entered="lower rows" if keys == "own" else "rows"), read

    def column(self, name: str, op: Op, look: str = "weight", **names: str) -> tuple[Block]:
        """A column of single values, one a token."""
        return (computed(name, (self.n, 1), op, look, **names),)

    def words_beside(self, name: str) -> Block:
        """The words as labels of a block's rows."""
        block = computed(rows_of(name), (self.n, 1), ops.ROW_LABELS, "word label", texts=self.tokens)
        return replace(block, widths=(max(cell_width(word) for word in self.context.words) + 1.0,))

    def words_above(self, name: str) -> Block:
        """The words as labels of a block's columns."""
        return computed(cols_of(name), (1, self.n), ops.COL_LABELS, "col label", texts=self.tokens)

    def group(self, block: Block, cols: Labels | None = None, sides: Iterable[Side] = ()) -> Group:
        """A block with the words beside it."""
        return Group((block,), (self.words_beside(block.name),), cols, tuple(sides))

    @property
    def own(self) -> RangeName:
        """What the names of the sentence's own ranges begin with, whatever the sheet."""
        return of_context(self.id)

    def in_legend(self, page: RangeName, else_: str) -> str | tuple[str, int]:
        """A series in a page's chart: the sentence's own words, as its heading shows them; others if long."""
        return (self._heading(page), 0) if self.context.is_short else else_

    def heading(self, page: RangeName) -> Block:
        """The sentence as the lane's heading on a page."""
        return computed(self._heading(page), (1, 1), ops.SAME_TEXT, "lane", source=self.own["Sentence"])

    def _heading(self, page: RangeName) -> str:
        return page.at(context=self.id)[HEADING]


@dataclass(frozen=True, slots=True)
class Stack:
    """An encoder's or a decoder's stack of layers (Vaswani et al. 2017, 3.1).

    Attributes:
        title: what its pages are called.
        w: what its weights' names begin with, ``<sheet>``, ``<sheet>_enc`` or ``<sheet>_dec``.
        lanes: the sentences it runs on.
        memory: the encoder's sentence and output, where there is cross-attention.
    """

    title: str
    w: RangeName
    lanes: tuple[Lane, ...]
    memory: tuple[Lane, str] | None = None


class Step(NamedTuple):
    """One step: title, what it answers, the cells by lane, and how deep it is folded."""

    title: str
    why: str
    groups: Mapping[str, Group]
    level: int = 0
    show_formula: bool = True
    paper: str = ""
    more: str = ""


Steps = dict[str, Step]
"""Steps by a key that is the same in every lane."""


def step(op: Op, lane: Lane, group: Group, *, title: str = "") -> Step:
    """The step of one operation in one lane; what it says names the ranges that its block's formula reads."""
    maths, why, more = (worded(text, group.blocks[0], lane) for text in (op.maths, op.why, op.more))
    return Step(title or maths, why, {lane.id: group}, paper=op.paper, more=more)


def worded(text: str, block: Block, lane: Lane) -> str:
    """An operation's words, with what they call the ranges that a block's formula reads, and the block."""
    keys = [key for _, key, _, _ in Formatter().parse(text) if key]
    names = {**block.parts[0].names, "name": block.name}
    return say(text, **{key: _operand(names[key], block.name, lane) for key in keys}) if keys else text


def _operand(name: str, by: str, lane: Lane) -> str:
    """What a step calls a range that the formula of a block ``by`` reads: its name's last part.

    Before it stands the layer, where that is another one, or the sentence, where both have such a range.
    """
    at = parse(name.partition("[")[0])
    if at.layer and at.layer != parse(by).layer:
        return RangeName(layer=at.layer)[at.last]
    if at.last in OF_BOTH and at.lane != lane.prefix:
        return of_context(at.context)[at.last]
    return at.last


def bands(lanes: Sequence[Lane], steps: Iterable[Steps]) -> list[Band]:
    """The steps of several lanes side by side, in the order of their first appearance."""
    joined: Steps = {}
    for one in steps:
        for key, found in one.items():
            before = joined.get(key)
            joined[key] = found._replace(groups={**before.groups, **found.groups}) if before else found
    return [
        Band(
            s.title,
            s.why,
            tuple(s.groups.get(lane.id) for lane in lanes),
            level=s.level,
            show_formula=s.show_formula,
            paper=s.paper,
            more=s.more,
        )
        for s in joined.values()
    ]


def names_in(steps: Steps) -> list[str]:
    """The names of all blocks of some steps."""
    return [b.name for s in steps.values() for group in s.groups.values() for b in group.every_block()]

"""Faults of one formula: each function yields the kind of fault and the faulty formula."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from dev.campaign.formulas import address, calls, moved, put, within
from dev.campaign.model_faults import MODEL_FAULTS
from dev.campaign.partners import home, partners, place
from dev.campaign.site import Fault
from dev.campaign.training_faults import TRAINING_FAULTS
from xlsxattn.contract.names import WORDS, last

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dev.campaign.formulas import Operand
    from dev.campaign.site import Faults, Site


def another_range(s: Site) -> Faults:
    """Another range of the same shape: Q for K, K for V, that of another context, head or sheet."""
    for chosen in _chosen(s):
        op = chosen[0]
        where = op.name or home(s.book, op.area)
        if not where:
            continue
        shift = s.book.names[where]
        for kind, partner in partners(s.book, where):
            source, to = (where, partner), s.book.names[partner]
            there = moved(replace(op.area, sheet=to.sheet), to.row - shift.row, to.col - shift.col)
            text = partner if op.name else address(there, s.area.sheet)
            role = "cross-attention" if kind == "cross" else kind
            yield Fault(f"another {role}'s range", put(s.text, chosen, text), source)


def _chosen(s: Site) -> Iterator[list[Operand]]:
    """Operands to replace together: each name separately, all occurrences of an address."""
    addresses = dict.fromkeys(op.text for op in s.reads if not op.name)
    yield from ([op] for op in s.reads if op.name)
    yield from ([op for op in s.reads if op.text == text] for text in addresses)


def transposed(s: Site) -> Faults:
    """A missing transpose, or an extra one if the shapes allow it."""
    for start, opening, end in calls(s.text, "TRANSPOSE"):
        without = s.text[:start] + s.text[opening : end + 1] + s.text[end + 1 :]
        yield Fault("transpose dropped", without)
    if not s.formula.array:
        return
    for op in s.reads:
        if op.area.rows == op.area.cols > 1 and not within(op, s.text, "TRANSPOSE"):
            yield Fault("transpose added", put(s.text, [op], lambda op: f"TRANSPOSE({op.text})"))
    if s.area.rows == s.area.cols > 1:
        yield Fault("transpose added", f"=TRANSPOSE({s.text.removeprefix('=')})")


def scaled(s: Site) -> Faults:
    """The scale left out, or replaced by d or by the fourth root of d."""
    for op in s.reads:
        if last(op.name) != "Scale":
            continue
        before, after = s.text[op.start - 1], s.text[op.end : op.end + 1]
        if before in "/^":
            yield Fault("scale left out", s.text[: op.start - 1] + s.text[op.end :])
        elif after == "*":
            yield Fault("scale left out", s.text[: op.start] + s.text[op.end + 1 :])
        yield Fault("wrong d", put(s.text, [op], lambda op: f"({op.text}^2)"))
        yield Fault("wrong d", put(s.text, [op], lambda op: f"SQRT({op.text})"))


def wrong_d(s: Site) -> Faults:
    """A wrong scale: d for √d, √d_model or √d_v for √d_k, rows for columns."""
    at = place(s.book, s.range)
    if at.block != "Scale":
        return
    yield Fault("scale left out", "=1")
    yield Fault("wrong d", s.text.replace("SQRT(", "("))
    yield Fault("wrong d", s.text.replace("COLUMNS(", "ROWS("))
    for op in s.reads:
        for other in (WORDS["E"], *(at[weight] for weight in ("W_V", "W_O", "W_K"))):
            if other in s.book.names and other != op.name:
                yield Fault("wrong d", put(s.text, [op], other), (op.name, other))


def over_columns(s: Site) -> Faults:
    """The softmax of each column: maximum and sum of columns, or transposed maximum and sum of rows."""
    for op in s.reads:
        square = s.area.rows == s.area.cols > 1
        if square and op.name and op.area.cols == 1 and op.area.rows == s.area.rows:
            yield Fault("softmax over columns", put(s.text, [op], lambda op: f"TRANSPOSE({op.text})"))
    for chosen in _chosen(s):
        op = chosen[0]
        outer = s.book.names.get(home(s.book, op.area)) if not op.name and op.area.rows == 1 else None
        if outer and outer.rows == outer.cols == op.area.cols > 1:
            down = replace(outer, col=outer.col + op.area.row - outer.row, cols=1)
            text = address(down, s.area.sheet)
            yield Fault("softmax over columns", put(s.text, chosen, text))


def masked(s: Site) -> Faults:
    """A mask that is off by one, the wrong triangle, or missing."""
    if "_ColIdx<=" in s.text:
        for other in ("<", ">", ">="):
            yield Fault("wrong mask", s.text.replace("<=", other))
        for more in ("+1", "-2", "+1000000"):
            yield Fault("wrong mask", s.text.replace("_RowIdx", f"_RowIdx{more}"))
    hidden = re.fullmatch(r"=IF\((\w+_Mask)=1,(\w+),(\w+)\)", s.text)
    if hidden:
        mask, seen, value = hidden.groups()
        yield Fault("wrong mask", f"={seen}")
        yield Fault("wrong mask", f"=IF({mask}=0,{seen},{value})")
        yield Fault("wrong mask", f"=IF(TRANSPOSE({mask})=1,{seen},{value})")
        yield Fault("wrong mask", f"=IF({mask}=1,{seen},0)")
        yield Fault("wrong mask", f"=IF({mask}=1,{seen},-1E9)")
    by_row = re.fullmatch(r"=IF\(([^,()=]+)=1,([^,()]+),([^,()]+)\)", s.text)
    if by_row and not hidden and last(s.range) == "Masked":
        mask, seen, value = by_row.groups()
        for wrong in (
            f"={seen}",
            f"=IF({mask}=0,{seen},{value})",
            f"=IF({mask}=1,{seen},0)",
            f"=IF({mask}=1,{seen},-1E9)",
        ):
            yield Fault("wrong mask", wrong)


def another_row(s: Site) -> Faults:
    """The row of another word: the row above or below in the same range."""
    for chosen in _chosen(s):
        op = chosen[0]
        outer = s.book.names.get(home(s.book, op.area)) if not op.name and op.area.rows == 1 else None
        for step in (-1, 1):
            there = moved(op.area, step)
            if outer and outer.row <= there.row < outer.row + outer.rows:
                text = address(there, s.area.sheet)
                yield Fault("another row", put(s.text, chosen, text))


def misses_last(s: Site) -> Faults:
    """A sum, a maximum or a look-up without the last column or row."""
    if s.area.rows * s.area.cols == 1:
        for text in dict.fromkeys(op.text for op in s.reads if op.area.rows * op.area.cols > 1):
            shape = next((op.area.rows, op.area.cols) for op in s.reads if op.text == text)
            same = [op for op in s.reads if (op.area.rows, op.area.cols) == shape]
            across = {op.start: op.area.cols > 1 for op in same}
            yield Fault("misses the last", put(s.text, same, partial(_shorter, s, across)))
    for _, opening, end in calls(s.text, "MMULT"):
        comma = _comma(s.text, opening)
        left = [op for op in s.reads if opening < op.start < comma]
        right = [op for op in s.reads if comma < op.start < end]
        if not right:
            continue
        crossed = within(right[0], s.text, "TRANSPOSE")
        inner = right[0].area.cols if crossed else right[0].area.rows
        summed = {op.start: within(op, s.text, "TRANSPOSE") for op in left}
        lost = [op for op in left if (op.area.rows if summed[op.start] else op.area.cols) == inner]
        if inner > 1:
            wide = {op.start: not summed[op.start] for op in lost} | {op.start: crossed for op in right}
            text = put(s.text, [*lost, *right], partial(_shorter, s, wide))
            yield Fault("misses the last", text)


def _shorter(s: Site, across: Mapping[int, bool], op: Operand) -> str:
    """The operand without its last column or row."""
    one = int(across[op.start])
    less = replace(op.area, cols=op.area.cols - one, rows=op.area.rows - (1 - one))
    return address(less, s.area.sheet)


def _comma(text: str, opening: int) -> int:
    depth = 0
    for i in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        if text[i] == "," and depth == 1:
            return i
    return len(text)


def first_word(s: Site) -> Faults:
    """In a block, every word uses the row of the first word instead of its own."""
    if not s.formula.array or s.area.rows < 2:
        return
    for op in s.reads:
        if op.name and op.area.rows == s.area.rows:
            first = address(replace(op.area, rows=1), s.area.sheet)
            many = op.area.cols > 1
            text = f"(0*{op.text}+{first})" if many else first
            yield Fault("every word reads the first", put(s.text, [op], text))


def by_chance(s: Site) -> Faults:
    """The right value from a function that depends on chance; no value reveals it."""
    yield Fault("depends on chance", f"=IF(RAND()<2,{s.text.removeprefix('=')},0)")


FAULTS: tuple[Callable[[Site], Faults], ...] = (
    *MODEL_FAULTS,
    *TRAINING_FAULTS,
    another_range,
    transposed,
    scaled,
    wrong_d,
    over_columns,
    masked,
    another_row,
    misses_last,
    first_word,
    by_chance,
)
"""All faults of one formula."""

"""What a sheet may say in one way only: cells that another program would read otherwise are refused."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from openpyxl.utils import range_boundaries
from openpyxl.worksheet._reader import CELL_TAG, FORMULA_TAG, INLINE_STRING, ROW_TAG, VALUE_TAG
from openpyxl.xml.constants import SHEET_MAIN_NS

from xlsxattn.checker.cells import MAX_COLUMNS, Area
from xlsxattn.checker.reading.limits import AmbiguousError
from xlsxattn.checker.reading.strings import doubt_of, text_of
from xlsxattn.language import say

if TYPE_CHECKING:
    from xlsxattn.checker.reading.strings import Doubt
    from xlsxattn.language import Phrase

    Bounds = tuple[int, int, int, int]

MAX_ROWS = 1_048_576
NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
"""How a number is spelled: Python would also read 1_000, and digits of other scripts."""
_ADDRESS = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_WORKSHEET, _DATA, _EXTENSIONS, _PROPERTIES = (
    f"{{{SHEET_MAIN_NS}}}{name}" for name in ("worksheet", "sheetData", "extLst", "sheetPr")
)
_TYPES = ("n", "s", "str", "b", "e", "d", "inlineStr")
_FORMULAS = (None, "normal", "array", "shared", "dataTable")


def judge_sheet(root: Any, rows: int) -> None:
    """Refuse a sheet whose rows do not all stand in its data.

    Args:
        root: the sheet, after its rows were read.
        rows: how many rows were read, wherever they stood.

    Raises:
        AmbiguousError: some stand elsewhere, or there is more than one list of them.
    """
    data = [one for one in root if one.tag == _DATA] if root is not None else []
    if root is None or root.tag != _WORKSHEET:
        raise AmbiguousError(say("this is no worksheet"))
    if len(data) != 1:
        raise AmbiguousError(say("it has {n} lists of rows (sheetData), one is needed", n=len(data)))
    properties = [one for one in root if one.tag == _PROPERTIES]
    if any(one.get("transitionEvaluation") not in (None, "0", "false") for one in properties):
        raise AmbiguousError(say("it is calculated as Lotus 1-2-3 did (transitionEvaluation)"))
    if len(data[0]) != rows or any(one.tag != ROW_TAG for one in data[0]):
        raise AmbiguousError(say("its rows stand among something else, or outside its data (sheetData)"))


def judge_cell(cell: Any, row: int, after: int) -> Doubt | None:
    """Refuse a cell that can be read in two ways.

    Args:
        cell: the cell.
        row: the row that it stands in, from 1.
        after: the column of the cell before it.

    Raises:
        AmbiguousError: it can be.

    Returns:
        What programs make of its value in different ways, where they do.
    """
    if cell.tag != CELL_TAG:
        raise AmbiguousError(say("row {row} holds something else than cells", row=row))
    where = _place(cell, row, after)
    _judge_address(where, row, after)
    parts = Counter(one.tag for one in cell)
    kind = cell.get("t", "n")
    inline, valued = parts[INLINE_STRING], parts[VALUE_TAG]
    if max(parts.values(), default=0) > 1:
        raise AmbiguousError(say("{cell} holds two values or two formulas", cell=where))
    if {*parts} - {VALUE_TAG, FORMULA_TAG, INLINE_STRING, _EXTENSIONS} or _nested(cell):
        raise AmbiguousError(say("{cell} holds something else than a value and a formula", cell=where))
    known = kind in _TYPES and (kind == "inlineStr" or not inline)
    if not known or (kind == "inlineStr" and (valued or parts[FORMULA_TAG])):
        raise AmbiguousError(say("{cell} holds another kind of value than it says", cell=where))
    _judge_formula(cell.find(FORMULA_TAG), where)
    return _doubt(cell, kind, where)


def _place(cell: Any, row: int, after: int) -> str:
    """Where a cell says that it stands; without an address, right of the cell before it."""
    return str(cell.get("r", Area("", row - 1, after, 1, 1).address().removeprefix("!")))


def _judge_address(where: str, row: int, after: int) -> None:
    spelled = _ADDRESS.fullmatch(where)
    if spelled is None:
        raise AmbiguousError(say("{cell} is the address of no cell", cell=where))
    left, top, _, _ = range_boundaries(where)
    if top != row:
        raise AmbiguousError(say("{cell} stands in row {row}", cell=where, row=row))
    if left is None or not after < left <= MAX_COLUMNS:
        raise AmbiguousError(say("{cell} stands twice, or after a cell to its right", cell=where))


def _nested(cell: Any) -> bool:
    """Whether there are elements inside a value or a formula."""
    return any(len(one) for one in cell if one.tag in (VALUE_TAG, FORMULA_TAG))


def _judge_formula(formula: Any, where: str) -> None:
    if formula is None:
        return
    kind = formula.get("t")
    if kind not in _FORMULAS or (kind in (None, "normal") and formula.get("ref")):
        raise AmbiguousError(say("{cell} holds another kind of formula than it says", cell=where))


def _doubt(cell: Any, kind: str, where: str) -> Doubt | None:
    """What is doubtful of a cell's value."""
    value = cell.findtext(VALUE_TAG) or ""
    if kind == "inlineStr":
        text = cell.find(INLINE_STRING)
        return None if text is None else text_of(text)[1]
    right = {
        "n": not value or bool(NUMBER.fullmatch(value)),
        "s": not value or whole(value, zero=True),
        "b": value in ("", "0", "1"),
    }
    if not right.get(kind, True):
        raise AmbiguousError(_misread(where, value))
    if cell.get("vm") is not None:
        return "rich value"
    if kind == "n" and value and not math.isfinite(float(value)):
        return "infinite"
    if kind == "d":
        return "date"
    return doubt_of(value) if kind == "str" else None


def _misread(where: str, value: str) -> Phrase:
    return say("{cell} holds {value!r}, which programs read in different ways", cell=where, value=value[:40])


def whole(text: str, *, zero: bool = False) -> bool:
    """Whether a text is a whole number above 0, or at least 0, in plain digits."""
    return text.isascii() and text.isdigit() and (zero or text[0] != "0")


class SharedFormulas:
    """The formulas that cells of a sheet share: each is spelled out once, in the first cell that has it."""

    def __init__(self) -> None:
        self._areas: dict[str, Bounds] = {}

    def judge(self, cell: Any, row: int, after: int) -> None:
        """Refuse a cell with a shared formula that is spelled out twice, not at all, or for other cells.

        Raises:
            AmbiguousError: it is.
        """
        formula = cell.find(FORMULA_TAG)
        if formula is None or formula.get("t") != "shared":
            return
        where = _place(cell, row, after)
        number, ref = str(formula.get("si")), formula.get("ref")
        first = bool(formula.text)
        if not whole(number, zero=True) or first == (number in self._areas) or (first and not ref):
            sentence = "{cell} shares formula {number}, which is spelled out twice or nowhere before"
            raise AmbiguousError(say(sentence, cell=where, number=number))
        if first:
            self._areas[number] = _bounds(ref, where)
        left, top, right, bottom = self._areas[number]
        col, line, _, _ = _bounds(where, where)
        if not (left <= col <= right and top <= line <= bottom):
            sentence = "{cell} shares formula {number}, which is that of other cells"
            raise AmbiguousError(say(sentence, cell=where, number=number))


def _bounds(ref: str, where: str) -> Bounds:
    """The columns and rows that a reference covers: left, top, right, bottom."""
    left, top, right, bottom = range_boundaries(ref)
    if left is None or top is None or right is None or bottom is None:
        raise AmbiguousError(say("{cell} shares its formula with no range", cell=where))
    return left, top, right, bottom

"""Conditional formats that show cells as blank: contract, "Values that are not shown"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from openpyxl.utils import column_index_from_string

from xlsxattn.checker.cells import Area
from xlsxattn.checker.reference.words import uses_blanks
from xlsxattn.contract.names import COLS, FRONT, ROWS, RangeName, of_context, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxattn.checker.appearance.own_ranges import OwnRanges
    from xlsxattn.checker.reading.manifest import Manifest
    from xlsxattn.checker.reading.sheet_view import Rule

RESULTS = ("Before", "Output", "Answer", "Similarity")
"""Blocks of the first screen that are blank as a whole if their sentence has no result."""
BEFORE_AND_AFTER = ("FocusBefore", "FocusAfter")
"""The same in the frozen rows of attention sheets."""
_REFERENCE = re.compile(r"(\$?)([A-Z]{1,3})(\$?)(\d{1,7})", re.ASCII)
_HAS_NO_WORD = re.compile(r"LEN\(([$\w]+)\)=0", re.ASCII)
_IS_UNKNOWN = re.compile(r"([$\w]+)=0", re.ASCII)
_IN_WORDS = re.compile(r"AND\(LEN\([$\w]+\)>0,(.+)\)", re.ASCII)
"""A condition that only holds where there is a word."""


def hides_nothing(rule: Rule, name: str, cells: Area, ranges: OwnRanges, manifest: Manifest) -> bool:
    """Whether a rule only hides values that mean nothing, of those cells of a range that it applies to."""
    place, formula = parse(name), "".join(rule.formulas[:1]).replace(" ", "")
    if match := _HAS_NO_WORD.fullmatch(formula):
        labels = [parse(other) for other in _tested(rule, match[1], cells, ranges)]
        return any(
            one.label in (ROWS, COLS) and (one.sheet, one.context) == (place.sheet, place.context)
            for one in labels
        )
    if place.block in (RESULTS if place.sheet == FRONT else BEFORE_AND_AFTER):
        return formula in _without_result(place.context, manifest)
    match = _IS_UNKNOWN.fullmatch(_IN_WORDS.sub(r"\1", formula))
    if match is None or place.sheet != FRONT or place.block == "Says":
        return False
    return of_context(place.context)["Ids"] in _tested(rule, match[1], cells, ranges)


def _tested(rule: Rule, reference: str, cells: Area, ranges: OwnRanges) -> Iterator[str]:
    """The ranges that contain all cells that a rule tests for these cells.

    It tests one cell of a column for each row, or one cell of a row for each column. Its reference is
    relative to its first cell.
    """
    match, first = _REFERENCE.fullmatch(reference), rule.areas[0]
    if match is None:
        return
    col, row = column_index_from_string(match[2]) - 1, int(match[4]) - 1
    in_column, in_row = match[1] and not match[3], match[3] and not match[1]
    if in_column and row == first.row == min(area.row for area in rule.areas):
        tested = Area(cells.sheet, cells.row, col, cells.rows, 1)
    elif in_row and col == first.col == min(area.col for area in rule.areas):
        tested = Area(cells.sheet, row, cells.col, 1, cells.cols)
    else:
        return
    yield from (name for name, common in ranges.touched(tested) if common == tested)


def _without_result(context: str, manifest: Manifest) -> Iterator[str]:
    """The conditions that a sentence has no result."""
    c = of_context(context)
    has_unknown = f'SUMPRODUCT(({c["Ids"]}=0)*({c["Tokens"]}<>""))>0'
    yield from (f"{c['Focus']}=0", f"OR({c['Focus']}=0,{has_unknown})")
    if not uses_blanks(manifest.sheets):
        yield f"MIN({c['Focus']},{c['Ids']})=0"
    for sheet in manifest.front.get("sheets", ()):
        yield f'OR({RangeName(sheet, context=context)["Class"]}="–",{has_unknown})'

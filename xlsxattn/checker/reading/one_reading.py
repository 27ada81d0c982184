"""Refuses sheets and cells that other programs would read differently."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from openpyxl.utils import range_boundaries
from openpyxl.worksheet._reader import CELL_TAG, FORMULA_TAG, INLINE_STRING, ROW_TAG, VALUE_TAG
from openpyxl.xml.constants import SHEET_MAIN_NS

from xlsxattn.checker.cells import MAX_COLUMNS, cell_name
from xlsxattn.checker.reading.limits import AmbiguousError
from xlsxattn.checker.reading.package import tag_of
from xlsxattn.checker.reading.strings import doubt_of, text_of
from xlsxattn.language import say

if TYPE_CHECKING:
    from xlsxattn.checker.reading.strings import Doubt
    from xlsxattn.language import Phrase

    Bounds = tuple[int, int, int, int]

MAX_ROWS = 1_048_576
NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
"""The syntax of a number: Python would also accept 1_000 and digits of other scripts."""
AREA = re.compile(r"[A-Z]{1,3}[1-9][0-9]{0,6}(?::[A-Z]{1,3}[1-9][0-9]{0,6})?")
"""The cells of an array formula: LibreOffice does not fill ``$A$1:$B$2``."""
_ERROR = re.compile(r"#[A-Z0-9/_]+[!?]?")
_ADDRESS = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_WORKSHEET, _DATA, _EXTENSIONS, _PROPERTIES = (
    f"{{{SHEET_MAIN_NS}}}{name}" for name in ("worksheet", "sheetData", "extLst", "sheetPr")
)
_REPEATED = ("cols", "conditionalFormatting", "AlternateContent")
"""Elements of which a sheet may have several; of all others it has one."""
_SETTINGS = {
    *("sheetPr", "sheetViews", "sheetView", "sheetFormatPr", "cols", "col", "sheetData", "sheetProtection"),
    *("autoFilter", "mergeCells", "mergeCell", "conditionalFormatting", "cfRule", "dataValidations"),
    *("dataValidation", "hyperlinks", "drawing", "tableParts"),
}
"""Elements that must not be alternatives, of which each program chooses its own."""
_URIS = {
    "conditionalFormatting": "{78C0D931-6437-407D-A8EE-F0AAD7539E65}",
    "dataValidation": "{CCE6A557-97BC-4B89-ADB6-D9C93CAAB3DF}",
    "sparkline": "{05C60535-1F16-4FD2-B633-F4F36F0B64E0}",
}
"""The names of the extensions that may contain an element; programs ignore others."""
_UNKNOWN = say("{name} is in an XML namespace, an alternative or an extension that only some programs read")
_TYPES = ("n", "s", "str", "b", "e", "d", "inlineStr")
_FORMULAS = (None, "normal", "array", "shared", "dataTable")


def check_sheet(root: Any, rows: int) -> None:
    """Refuse a sheet with rows outside its ``sheetData``, or elements that only some programs read.

    Args:
        root: the sheet, after its rows were read.
        rows: the number of rows that were read anywhere in the sheet.

    Raises:
        AmbiguousError: rows are elsewhere, there is not exactly one ``sheetData``, or an element is
            duplicated or where only some programs find it.
    """
    data = [one for one in root if one.tag == _DATA] if root is not None else []
    if root is None or root.tag != _WORKSHEET:
        raise AmbiguousError(say("this is not a worksheet"))
    if len(data) != 1:
        raise AmbiguousError(say("it has {n} sheetData elements, but needs exactly one", n=len(data)))
    properties = [one for one in root if one.tag == _PROPERTIES]
    if any(one.get("transitionEvaluation") not in (None, "0", "false") for one in properties):
        raise AmbiguousError(say("it uses Lotus 1-2-3 evaluation rules (transitionEvaluation)"))
    if len(data[0]) != rows or any(one.tag != ROW_TAG for one in data[0]):
        raise AmbiguousError(say("its rows are mixed with other elements or outside sheetData"))
    counts = Counter(one.tag for one in root if tag_of(one) not in _REPEATED)
    if (repeated := next((tag for tag, times in counts.items() if times > 1), None)) is not None:
        sentence = "{name} appears twice or inside another element"
        raise AmbiguousError(say(sentence, name=repeated.rpartition("}")[2]))
    for one in root:
        _check_part(one)


def _check_part(element: Any) -> None:
    """Refuse elements of other namespaces, or extensions, that only some programs read."""
    name = tag_of(element)
    if element.tag == _EXTENSIONS:
        for extension in element:
            held = {tag_of(one) for one in extension.iter()}
            wanted = next((uri for key, uri in _URIS.items() if key in held), None)
            if wanted and str(extension.get("uri")).upper() != wanted:
                raise AmbiguousError(say(_UNKNOWN, name=", ".join(sorted(held & _URIS.keys()))))
    elif name == "AlternateContent":  # form controls and embedded objects
        known = sorted({tag_of(one) for one in element.iter()} & _SETTINGS)
        if known:
            raise AmbiguousError(say(_UNKNOWN, name=known[0]))
    elif element.tag != f"{{{SHEET_MAIN_NS}}}{name}":
        raise AmbiguousError(say(_UNKNOWN, name=name))
    elif element.tag != _DATA:
        for child in element:
            _check_part(child)


def check_cell(cell: Any, row: int, after: int) -> Doubt | None:
    """Refuse a cell that is ambiguous.

    Args:
        cell: the cell.
        row: the row that contains it, from 1.
        after: the column of the previous cell.

    Raises:
        AmbiguousError: the cell is ambiguous.

    Returns:
        Why programs read its value in different ways, if they do.
    """
    if cell.tag != CELL_TAG:
        raise AmbiguousError(say("row {row} contains elements that are not cells", row=row))
    where = _place(cell, row, after)
    _check_address(where, row, after)
    parts = Counter(one.tag for one in cell)
    kind = cell.get("t", "n")
    inline, valued = parts[INLINE_STRING], parts[VALUE_TAG]
    if max(parts.values(), default=0) > 1:
        raise AmbiguousError(say("{cell} has two values or two formulas", cell=where))
    if {*parts} - {VALUE_TAG, FORMULA_TAG, INLINE_STRING, _EXTENSIONS} or _nested(cell):
        raise AmbiguousError(say("{cell} contains elements other than a value and a formula", cell=where))
    known = kind in _TYPES and (kind == "inlineStr" or not inline)
    if not known or (kind == "inlineStr" and (valued or parts[FORMULA_TAG])):
        raise AmbiguousError(say("the value in {cell} is not of its declared type", cell=where))
    _check_formula(cell.find(FORMULA_TAG), where)
    return _doubt(cell, kind, where)


def _place(cell: Any, row: int, after: int) -> str:
    """The address of a cell; without one, it follows the previous cell."""
    return str(cell.get("r", cell_name(row - 1, after)))


def _check_address(where: str, row: int, after: int) -> None:
    spelled = _ADDRESS.fullmatch(where)
    if spelled is None:
        raise AmbiguousError(say("{cell} is not a cell address", cell=where))
    left, top, _, _ = range_boundaries(where)
    if top != row:
        raise AmbiguousError(say("{cell} is in row {row}", cell=where, row=row))
    if left is None or not after < left <= MAX_COLUMNS:
        raise AmbiguousError(say("{cell} is a duplicate or out of order", cell=where))


def _nested(cell: Any) -> bool:
    """Whether a value or a formula contains elements."""
    return any(len(one) for one in cell if one.tag in (VALUE_TAG, FORMULA_TAG))


def _check_formula(formula: Any, where: str) -> None:
    if formula is None:
        return
    kind, ref = formula.get("t"), formula.get("ref")
    if kind not in _FORMULAS or (kind in (None, "normal") and ref) or (ref and not AREA.fullmatch(ref)):
        raise AmbiguousError(say("the formula in {cell} is not of its declared type", cell=where))


def _doubt(cell: Any, kind: str, where: str) -> Doubt | None:
    """Why programs read the value of a cell in different ways, if they do."""
    value = cell.findtext(VALUE_TAG) or ""
    if kind == "inlineStr":
        text = cell.find(INLINE_STRING)
        return None if text is None else text_of(text)[1]
    valid = {
        "n": not value or bool(NUMBER.fullmatch(value)),
        "s": not value or whole(value, zero=True),
        "b": value in ("", "0", "1"),
        "e": not value or bool(_ERROR.fullmatch(value)),
    }
    if not valid.get(kind, True):
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
    """Whether a text is a positive (or non-negative) integer in ASCII digits."""
    return text.isascii() and text.isdigit() and (zero or text[0] != "0")


class SharedFormulas:
    """The shared formulas of a sheet: each is defined once, in its first cell."""

    def __init__(self) -> None:
        self._areas: dict[str, Bounds] = {}

    def check(self, cell: Any, row: int, after: int) -> None:
        """Refuse a shared formula that is defined twice, not at all, or for other cells.

        Raises:
            AmbiguousError: the formula is ambiguous.
        """
        formula = cell.find(FORMULA_TAG)
        if formula is None or formula.get("t") != "shared":
            return
        where = _place(cell, row, after)
        number, ref = str(formula.get("si")), formula.get("ref")
        first = bool(formula.text)
        if not whole(number, zero=True) or first == (number in self._areas) or (first and not ref):
            sentence = "{cell} uses the shared formula {number}, which is defined twice or not before it"
            raise AmbiguousError(say(sentence, cell=where, number=number))
        if first:
            self._areas[number] = _bounds(ref, where)
        left, top, right, bottom = self._areas[number]
        col, cell_row, _, _ = _bounds(where, where)
        if not (left <= col <= right and top <= cell_row <= bottom):
            sentence = "{cell} uses the shared formula {number}, which does not cover it"
            raise AmbiguousError(say(sentence, cell=where, number=number))


def _bounds(ref: str, where: str) -> Bounds:
    """The bounds of a reference: left, top, right, bottom."""
    left, top, right, bottom = range_boundaries(ref)
    if left is None or top is None or right is None or bottom is None:
        raise AmbiguousError(say("the shared formula in {cell} has no range", cell=where))
    return left, top, right, bottom


def is_on(flag: str | None) -> bool:
    """A flag of the file; LibreOffice accepts further spellings than the format has."""
    if flag not in (None, "1", "true", "0", "false"):
        raise AmbiguousError(say("a setting is {said}, but must be 1 or 0", said=flag))
    return flag in ("1", "true")

"""Reads the contents and saved values of a sheet's cells in one pass."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from openpyxl.cell import Cell
from openpyxl.worksheet._reader import (
    CELL_TAG,
    FORMULA_TAG,
    ROW_TAG,
    VALUE_TAG,
    WorkSheetParser,
    WorksheetReader,
)
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.xml.functions import iterparse

from xlsxattn.checker.cells import CellError, column_of
from xlsxattn.checker.reading.limits import AmbiguousError
from xlsxattn.checker.reading.one_reading import (
    AREA,
    MAX_ROWS,
    NUMBER,
    SharedFormulas,
    check_cell,
    check_sheet,
    whole,
)
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from xlsxattn.checker.cells import Value
    from xlsxattn.checker.reading.strings import Doubt


def _is_number(text: str) -> bool:
    return NUMBER.fullmatch(text) is not None and isfinite(float(text))


def _is_entered_plainly(formula: Any) -> bool:
    """Whether a formula is ordinary, or an array formula with the plain address of its cells."""
    kind, ref = formula.get("t"), formula.get("ref")
    return not ref if kind is None else kind == "array" and ref is not None and bool(AREA.fullmatch(ref))


_UNAMBIGUOUS: dict[str, Callable[[str], bool]] = {
    "n": _is_number,
    "s": lambda text: whole(text, zero=True),
    "str": lambda text: "_x" not in text,
}
"""The common cell types, with tests for values that all programs read alike."""


class RowParser(WorkSheetParser):
    """Parses only rows: conditional formats and page settings would take half of the time."""

    def parse(self) -> Generator[Any, None, None]:
        """Yield the number and cells of each row."""
        for _, element in iterparse(self.source):
            if element.tag == ROW_TAG:
                row = self.parse_row(element)
                element.clear()
                yield row


class BothValues(RowParser):
    """Parses contents and saved values of cells, and refuses ambiguous ones.

    Attributes:
        saved: (tab, row, column) → the saved value of the cell.
        doubts: likewise → why programs read the cell in different ways.
        root: the sheet without its rows, after reading.
    """

    def __init__(
        self,
        tab: str,
        source: Any,
        shared_strings: list[str],
        doubtful_strings: Mapping[int, Doubt],
        styles: int,
        **options: Any,
    ) -> None:
        """Like the parser of openpyxl, with the tab, the doubtful shared strings and the number of styles."""
        super().__init__(source, shared_strings, **options)
        self.saved: dict[tuple[str, int, int], Value] = {}
        self.doubts: dict[tuple[str, int, int], Doubt] = {}
        self._tab, self._row = tab, ""
        self.root: Any = None
        self._doubtful_strings = doubtful_strings
        # without date formats, as converting a date back to a number would lose digits
        self._plain = WorkSheetParser(source, shared_strings, data_only=True)
        self._styles = {str(style): style for style in range(styles)}
        self._shared = SharedFormulas()

    def parse(self) -> Generator[Any, None, None]:
        """Yield the number and cells of each row.

        Raises:
            AmbiguousError: rows are outside ``sheetData``, or there is not exactly one.
        """
        rows, root = 0, None
        for _, root in iterparse(self.source):
            if root.tag == ROW_TAG:
                row = self.parse_row(root)
                root.clear()
                rows += 1
                yield row
        check_sheet(root, rows)
        self.root = root

    def parse_row(self, row: Any) -> Any:
        """Parse a row, which must be below the previous one."""
        number = row.get("r")
        if number is None:
            self.row_counter += 1
        elif whole(number) and self.row_counter < int(number) <= MAX_ROWS:
            self.row_counter = int(number)
        else:
            raise AmbiguousError(say("row {row} is a duplicate or out of order", row=number))
        self._row, self.col_counter = str(self.row_counter), 0
        if row.attrib.keys() - {"r", "spans"}:
            self.row_dimensions[self._row] = dict(row.attrib)
        return self.row_counter, [self.parse_cell(cell) for cell in row]

    def parse_cell(self, element: Any) -> dict[str, Any]:
        """Parse a cell like openpyxl, and record its saved value and doubts."""
        style = self._styles.get(element.get("s", "0"))
        if style is None:
            sentence = "the style {style!r} of {cell} does not exist"
            raise AmbiguousError(say(sentence, style=element.get("s", "0"), cell=element.get("r", "–")))
        cell = self._common(element, style)
        if cell is None:
            doubt = check_cell(element, self.row_counter, self.col_counter)
            self._shared.check(element, self.row_counter, self.col_counter)
            if doubt == "infinite":  # openpyxl would fail on a long integer
                value = element.find(VALUE_TAG)
                value.text = f"{'-' * value.text.startswith('-')}1E999"
            cell = super().parse_cell(element)
            differs = cell["data_type"] == "f" or cell["style_id"] in self.date_formats
            plain = self._plain.parse_cell(element) if differs else cell
            # without an address, the other parser would count cells incorrectly
            at = self._tab, cell["row"] - 1, cell["column"] - 1
            self.saved[at] = value_of(plain)
            if doubt or (self.saved[at] == "" and cell["data_type"] != "f"):
                self.doubts[at] = doubt or "empty"
            if element.get("t") == "s":
                self._doubt_string(at, element.findtext(VALUE_TAG))
        return cell

    def _common(self, element: Any, style: int) -> dict[str, Any] | None:
        """A fast path for numbers, texts and formulas that all programs read alike; None for other cells."""
        col = column_of(element.get("r", "").removesuffix(self._row))
        if col is None or col <= self.col_counter or element.tag != CELL_TAG or style in self.date_formats:
            return None
        children, formula, text = list(element), None, None
        unusual = any(map(len, children)) or element.get("vm") is not None
        if children and children[0].tag == FORMULA_TAG:
            formula = children.pop(0)
        if children and children[0].tag == VALUE_TAG:
            text = children.pop(0).text
        kind, at = element.get("t", "n"), (self._tab, self.row_counter - 1, col - 1)
        is_plain = _UNAMBIGUOUS.get(kind)
        if unusual or children or is_plain is None or not (text is None or is_plain(text)):
            return None
        if formula is not None and not _is_entered_plainly(formula):
            return None
        value: Any = text
        if text:
            value = float(text) if kind == "n" else self._text(at, kind, text)
        self.saved[at] = "" if value is None and kind == "str" else value  # an empty text is still text
        if self.saved[at] == "" and formula is None:
            self.doubts[at] = "empty"
        self.col_counter = col
        kind = "s" if text and kind == "str" else kind
        if formula is not None:
            kind, value = "f", f"={formula.text or ''}"
            if formula.get("t") == "array":
                value = ArrayFormula(ref=formula.get("ref"), text=value)
        return {"row": self.row_counter, "column": col, "value": value, "data_type": kind, "style_id": style}

    def _text(self, at: tuple[str, int, int], kind: str, text: str) -> str:
        """A text, which may be the index of a shared string."""
        if kind == "str":
            return text
        self._doubt_string(at, text)
        return self.shared_strings[int(text)]

    def _doubt_string(self, at: tuple[str, int, int], index: str | None) -> None:
        """Record that a shared string is doubtful."""
        doubt = self._doubtful_strings.get(int(index)) if index and self._doubtful_strings else None
        if doubt:
            self.doubts[at] = doubt


class SheetReader(WorksheetReader):
    """Fills a worksheet, and keeps the saved values."""

    parser: BothValues

    def __init__(
        self, worksheet: Any, source: Any, shared_strings: list[str], doubtful_strings: Mapping[int, Doubt]
    ) -> None:
        """Read the part of a sheet into a worksheet."""
        super().__init__(worksheet, source, shared_strings, data_only=False, rich_text=False)
        parent = worksheet.parent
        self.parser = BothValues(
            str(worksheet.title),
            source,
            shared_strings,
            doubtful_strings,
            len(parent._cell_styles),
            epoch=parent.epoch,
            date_formats=parent._date_formats,
            timedelta_formats=parent._timedelta_formats,
        )

    def bind_cells(self) -> None:
        """Fill the worksheet like openpyxl, except that cells share their style arrays."""
        ws: Any = self.ws
        styles, cells = ws.parent._cell_styles, ws._cells
        for _, row in self.parser.parse():
            for parsed in row:
                cell: Any = Cell(ws, parsed["row"], parsed["column"])
                cell._value, cell.data_type = parsed["value"], parsed["data_type"]
                cell._style = styles[parsed["style_id"]]
                cells[parsed["row"], parsed["column"]] = cell


def value_of(cell: dict[str, Any]) -> Value:
    """The value of a cell parsed by openpyxl."""
    value, kind = cell["value"], cell["data_type"]
    if value is None:
        return "" if kind in {"str", "inlineStr"} else None  # an empty text is still text
    if kind == "e":
        return CellError(value)
    if isinstance(value, bool):
        return value
    return float(value) if isinstance(value, int | float) else str(value)

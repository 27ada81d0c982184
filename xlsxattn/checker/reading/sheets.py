"""The cells of a sheet in one pass: what is entered in them, and the values that are saved beside."""

from __future__ import annotations

from math import isfinite
from string import digits
from typing import TYPE_CHECKING, Any

from openpyxl.cell import Cell
from openpyxl.worksheet._reader import (  # type: ignore[attr-defined]
    CELL_TAG,
    FORMULA_TAG,
    ROW_TAG,
    VALUE_TAG,
    WorkSheetParser,
    WorksheetReader,
    _cast_number,
)
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.xml.functions import iterparse

from xlsxattn.checker.cells import CellError, column_of
from xlsxattn.checker.reading.limits import AmbiguousError
from xlsxattn.checker.reading.one_reading import (
    MAX_ROWS,
    NUMBER,
    SharedFormulas,
    judge_cell,
    judge_sheet,
    whole,
)
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from xlsxattn.checker.cells import Value
    from xlsxattn.checker.reading.strings import Doubt


def _is_number(text: str) -> bool:
    return NUMBER.fullmatch(text) is not None and ("e" not in text.lower() or isfinite(float(text)))


_SURE: dict[str, Callable[[str], bool]] = {
    "n": _is_number,
    "s": lambda text: text.isascii() and text.isdigit(),
    "str": lambda text: "_x" not in text,
}
"""What cells hold, but for a few: numbers, and texts beside or among others; and which are in no doubt."""


class RowParser(WorkSheetParser):
    """Parses rows alone: heat maps and page settings compute nothing, and take half of the time."""

    def parse(self) -> Generator[Any, None, None]:
        """Every row's number and cells."""
        for _, element in iterparse(self.source):
            if element.tag == ROW_TAG:
                row = self.parse_row(element)
                element.clear()
                yield row


class BothValues(RowParser):
    """Parses what is entered, and puts down what is saved; what can be read in two ways is refused.

    Attributes:
        saved: (row, column), counted from 1 → the value that the file has for the cell.
        doubts: likewise → what in the cell programs read in different ways.
        root: the sheet without its rows, after they were read.
    """

    def __init__(
        self,
        source: Any,
        shared_strings: list[str],
        doubtful_strings: Mapping[int, Doubt],
        **options: Any,
    ) -> None:
        """As openpyxl's own parser is made, but for the shared texts that are in doubt."""
        super().__init__(source, shared_strings, **options)
        self.saved: dict[tuple[int, int], Value] = {}
        self.doubts: dict[tuple[int, int], Doubt] = {}
        self.root: Any = None
        self._doubtful_strings = doubtful_strings
        # without formats for dates, as a date would lose digits on the way back to a number
        self._plain = WorkSheetParser(source, shared_strings, data_only=True)
        self._shared = SharedFormulas()

    def parse(self) -> Generator[Any, None, None]:
        """Every row's number and cells.

        Raises:
            AmbiguousError: rows stand outside the sheet's data, which there must be once.
        """
        rows, root = 0, None
        for _, root in iterparse(self.source):
            if root.tag == ROW_TAG:
                row = self.parse_row(root)
                root.clear()
                rows += 1
                yield row
        judge_sheet(root, rows)
        self.root = root

    def parse_row(self, row: Any) -> Any:
        """A row, which comes after those above it."""
        number = row.get("r")
        if number is not None and not (whole(number) and self.row_counter < int(number) <= MAX_ROWS):
            raise AmbiguousError(say("row {row} stands twice, or after one below it", row=number))
        return super().parse_row(row)

    def parse_cell(self, element: Any) -> dict[str, Any]:
        """A cell as openpyxl has it."""
        cell = self._common(element)
        if cell is None:
            doubt = judge_cell(element, self.row_counter, self.col_counter)
            self._shared.judge(element, self.row_counter, self.col_counter)
            cell = super().parse_cell(element)
            other = cell["data_type"] == "f" or cell["style_id"] in self.date_formats
            plain = self._plain.parse_cell(element) if other else cell
            # without an address, openpyxl counts cells in the other parser too, and gets it wrong
            at = cell["row"], cell["column"]
            self.saved[at] = value_of(plain)
            if doubt:
                self.doubts[at] = doubt
            if element.get("t") == "s":
                self._doubt_string(at, element.findtext(VALUE_TAG))
        return cell

    def _common(self, element: Any) -> dict[str, Any] | None:
        """A number, a text or a formula with one of them, as openpyxl has it, in a third of the time."""
        kind, address, look = element.get("t", "n"), element.get("r", ""), int(element.get("s", 0))
        letters = address.rstrip(digits)
        row, col = address[len(letters) :], column_of(letters)
        if kind not in _SURE or col is None or row != str(self.row_counter) or look in self.date_formats:
            return None
        parts, nested = {}, 0
        for child in element:
            parts[child.tag] = child
            nested += len(child)
        several = len(parts) < len(element) or nested or element.tag != CELL_TAG
        text, formula = getattr(parts.pop(VALUE_TAG, None), "text", None), parts.pop(FORMULA_TAG, None)
        entered_otherwise = formula is not None and formula.get("t") not in (None, "array")
        misplaced = col <= self.col_counter or element.get("vm") is not None
        if several or parts or entered_otherwise or misplaced or not (text is None or _SURE[kind](text)):
            return None
        value: Any = text
        if value and kind == "n":
            value = _cast_number(value)
        elif value and kind == "s":
            self._doubt_string((self.row_counter, col), value)
            value = self.shared_strings[int(value)]
        kind = "s" if value and kind == "str" else kind
        cell = {"row": self.row_counter, "column": col, "value": value, "data_type": kind, "style_id": look}
        self.saved[self.row_counter, col] = value_of(cell)
        self.col_counter = col
        if formula is not None:
            entered = f"={formula.text or ''}"
            array = formula.get("t") == "array"
            cell["value"] = ArrayFormula(ref=formula.get("ref"), text=entered) if array else entered
            cell["data_type"] = "f"
        return cell

    def _doubt_string(self, at: tuple[int, int], index: str | None) -> None:
        """Put down that a shared text is in doubt."""
        doubt = self._doubtful_strings.get(int(index)) if index and self._doubtful_strings else None
        if doubt:
            self.doubts[at] = doubt


class SheetReader(WorksheetReader):
    """Fills a worksheet, and keeps the values that are saved."""

    parser: BothValues

    def __init__(
        self,
        worksheet: Any,
        source: Any,
        shared_strings: list[str],
        doubtful_strings: Mapping[int, Doubt],
    ) -> None:
        """Read one sheet's part into a worksheet."""
        super().__init__(worksheet, source, shared_strings, data_only=False, rich_text=False)
        parent = worksheet.parent
        self.parser = BothValues(
            source,
            shared_strings,
            doubtful_strings,
            epoch=parent.epoch,
            date_formats=parent._date_formats,
            timedelta_formats=parent._timedelta_formats,
        )

    def bind_cells(self) -> None:
        """Fill the worksheet as openpyxl does, but that cells which look alike share their look."""
        ws: Any = self.ws
        looks, cells = ws.parent._cell_styles, ws._cells
        for _, row in self.parser.parse():
            for found in row:
                cell: Any = Cell(ws, found["row"], found["column"])
                cell._value, cell.data_type = found["value"], found["data_type"]
                cell._style = looks[found["style_id"]]
                cells[found["row"], found["column"]] = cell


def value_of(cell: dict[str, Any]) -> Value:
    """What one cell holds, as openpyxl parsed it."""
    value, kind = cell["value"], cell["data_type"]
    if value is None:
        return "" if kind in {"str", "inlineStr"} else None  # text of no length is still text
    if kind == "e":
        return CellError(value)
    if isinstance(value, bool):
        return value
    return float(value) if isinstance(value, int | float) else str(value)

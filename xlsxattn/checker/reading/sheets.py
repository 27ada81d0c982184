"""The cells of a sheet in one pass: what is entered in them, and the values that are saved beside."""

from __future__ import annotations

from string import digits
from typing import TYPE_CHECKING, Any

from openpyxl.cell import Cell
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._reader import (  # type: ignore[attr-defined]
    FORMULA_TAG,
    ROW_TAG,
    VALUE_TAG,
    WorkSheetParser,
    WorksheetReader,
    _cast_number,
)
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.xml.functions import iterparse

from xlsxattn.checker.cells import CellError

if TYPE_CHECKING:
    from collections.abc import Generator

    from xlsxattn.checker.cells import Value


_COMMON = ("n", "s", "str")
"""What cells hold, but for a few: numbers, and texts beside or among others."""
_FIRST = tuple("123456789")
_COLUMN = {get_column_letter(col): col for col in range(1, 16_385)}


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
    """Parses what is entered, and puts down what is saved.

    Attributes:
        saved: (row, column), counted from 1 → the value that the file has for the cell.
    """

    def __init__(self, source: Any, shared_strings: list[str], *args: Any, **options: Any) -> None:
        """As openpyxl's own parser is made."""
        super().__init__(source, shared_strings, *args, **options)
        self.saved: dict[tuple[int, int], Value] = {}
        # without formats for dates, as a date would lose digits on the way back to a number
        self._plain = WorkSheetParser(source, shared_strings, data_only=True)

    def parse_cell(self, element: Any) -> dict[str, Any]:
        """A cell as openpyxl has it."""
        cell = self._common(element)
        if cell is None:
            cell = super().parse_cell(element)
            other = cell["data_type"] == "f" or cell["style_id"] in self.date_formats
            plain = self._plain.parse_cell(element) if other else cell
            self.saved[cell["row"], cell["column"]] = value_of(plain)
        return cell

    def _common(self, element: Any) -> dict[str, Any] | None:
        """A number, a text or a formula with one of them, as openpyxl has it, in a third of the time."""
        kind, address, look = element.get("t", "n"), element.get("r", ""), int(element.get("s", 0))
        letters = address.rstrip(digits)
        row, col = address[len(letters) :], _COLUMN.get(letters)
        if kind not in _COMMON or col is None or row[:1] not in _FIRST or look in self.date_formats:
            return None
        parts = {child.tag: child for child in element}
        several = len(parts) < len(element)
        text, formula = getattr(parts.pop(VALUE_TAG, None), "text", None), parts.pop(FORMULA_TAG, None)
        if several or parts or (formula is not None and formula.get("t") not in (None, "array")):
            return None
        value: Any = text
        if value and kind == "n":
            value = _cast_number(value)
        elif value and kind == "s":
            value = self.shared_strings[int(value)]
        kind = "s" if value and kind == "str" else kind
        cell = {"row": int(row), "column": col, "value": value, "data_type": kind, "style_id": look}
        self.saved[cell["row"], col] = value_of(cell)
        self.col_counter = col
        if formula is not None:
            entered = f"={formula.text or ''}"
            array = formula.get("t") == "array"
            cell["value"] = ArrayFormula(ref=formula.get("ref"), text=entered) if array else entered
            cell["data_type"] = "f"
        return cell


class SheetReader(WorksheetReader):
    """Fills a worksheet, and keeps the values that are saved."""

    parser: BothValues

    def __init__(self, worksheet: Any, source: Any, shared_strings: list[str]) -> None:
        """Read one sheet's part into a worksheet."""
        super().__init__(worksheet, source, shared_strings, data_only=False, rich_text=False)
        parent = worksheet.parent
        self.parser = BothValues(
            source,
            shared_strings,
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

"""The cells of a sheet in one pass: what is entered in them, and the values that are saved beside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openpyxl.worksheet._reader import ROW_TAG, WorkSheetParser, WorksheetReader
from openpyxl.xml.functions import iterparse

from xlsxattn.checker.cells import CellError

if TYPE_CHECKING:
    from collections.abc import Generator

    from xlsxattn.checker.cells import Value


class Rows(WorkSheetParser):
    """Parses rows alone: heat maps and page settings compute nothing, and take half of the time."""

    def parse(self) -> Generator[Any, None, None]:
        """Every row's number and cells."""
        for _, element in iterparse(self.source):
            if element.tag == ROW_TAG:
                row = self.parse_row(element)
                element.clear()
                yield row


class BothValues(Rows):
    """Parses what is entered, and puts down what is saved.

    Attributes:
        saved: (row, column), counted from 1 → the value that the file has for the cell.
    """

    def __init__(self, source: Any, shared_strings: list[str], *args: Any, **options: Any) -> None:  # noqa: ANN401
        """As openpyxl's own parser is made."""
        super().__init__(source, shared_strings, *args, **options)
        self.saved: dict[tuple[int, int], Value] = {}
        # without formats for dates, as a date would lose digits on the way back to a number
        self._plain = WorkSheetParser(source, shared_strings, data_only=True)

    def parse_cell(self, element: Any) -> dict[str, Any]:  # noqa: ANN401 - of one XML library or the other
        """A cell as openpyxl has it."""
        cell: dict[str, Any] = super().parse_cell(element)
        other = cell["data_type"] == "f" or cell["style_id"] in self.date_formats
        self.saved[cell["row"], cell["column"]] = value_of(self._plain.parse_cell(element) if other else cell)
        return cell


class SheetReader(WorksheetReader):
    """Fills a worksheet, and keeps the values that are saved."""

    parser: BothValues

    def __init__(self, worksheet: Any, source: Any, shared_strings: list[str]) -> None:  # noqa: ANN401
        """Read one sheet's part into a worksheet."""
        super().__init__(worksheet, source, shared_strings, data_only=False, rich_text=False)
        parent = worksheet.parent
        self.parser = BothValues(
            source,
            shared_strings,
            epoch=parent.epoch,
            date_formats=parent._date_formats,  # noqa: SLF001 - as openpyxl passes them
            timedelta_formats=parent._timedelta_formats,  # noqa: SLF001
        )


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

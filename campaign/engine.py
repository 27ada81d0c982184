"""IronCalc in this process, one workbook at a time: thousands of children would cost more than all the rest.

The command keeps it in a child, because it may take its process down; a mutant that does so ends the
campaign.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ironcalc

from xlsxattn.checker.cells import CellError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from xlsxattn.checker.cells import Grid, Value
    from xlsxattn.checker.engines import Edits
    from xlsxattn.checker.reader import Book


class Calculation:
    """A workbook that IronCalc has loaded."""

    def __init__(self, path: Path, book: Book) -> None:
        self.book = book
        self.model: Any = ironcalc.load_from_xlsx(str(path))
        sheets = self.model.get_worksheets_properties()
        self.tabs = {sheet["name"]: place for place, sheet in enumerate(sheets)}

    def type(self, edits: Edits) -> None:
        """Type numbers and texts into cells, and calculate."""
        for (sheet, row, col), value in edits.items():
            text = isinstance(value, str)
            write = self.model.update_cell_with_text if text else self.model.update_cell_with_number
            write(self.tabs[sheet], row + 1, col + 1, value)
        self.model.evaluate()

    def read(self, names: Iterable[str]) -> dict[str, Grid]:
        """What the cells of named ranges show."""
        return {name: self._grid(name) for name in names}

    def _grid(self, name: str) -> Grid:
        a, get = self.book.names[name], self.model.get_cell_value
        tab, across = self.tabs[a.sheet], range(a.col + 1, a.col + a.cols + 1)
        return [
            [v if type(v := get(tab, row, col)) is float else self._value(tab, row, col, v) for col in across]
            for row in range(a.row + 1, a.row + a.rows + 1)
        ]

    def _value(self, tab: int, row: int, col: int, shown: object) -> Value:
        if isinstance(shown, str) and shown.startswith("#"):
            error = self.model.get_cell_type(tab, row, col) == ironcalc.CellType.ErrorValue
            return CellError(shown) if error else shown
        if isinstance(shown, bool) or shown is None or isinstance(shown, str):
            return shown
        assert isinstance(shown, int), shown
        return float(shown)

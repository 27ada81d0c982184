"""IronCalc in this process, one workbook at a time, as starting thousands of processes would take too long.

The check runs it in a child process, because it may crash; a mutant that crashes it ends the campaign.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ironcalc

from xlsxattn.checker.cells import CellError
from xlsxattn.checker.reading.book import Formula

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path
    from typing import TypeAlias

    from xlsxattn.checker.cells import Area, Grid, Value
    from xlsxattn.checker.reading.book import Book

    At: TypeAlias = tuple[str, int, int]

PASSES = 8
"""Maximum number of recalculations until the values are stable; circular references may never settle."""


class Calculation:
    """A workbook in IronCalc whose cells can be overwritten and restored."""

    def __init__(self, model: Any, book: Book) -> None:  # noqa: ANN401 - IronCalc has no type hints
        self.book = book
        self.model = model
        self._settled = False
        sheets = self.model.get_worksheets_properties()
        self.tabs = {sheet["name"]: place for place, sheet in enumerate(sheets)}

    @classmethod
    def load(cls, path: Path, book: Book) -> Calculation:
        """Load the workbook of a file."""
        return cls(ironcalc.load_from_xlsx(str(path)), book)

    def frozen(self, values: Mapping[str, Grid]) -> Calculation:
        """A copy in which formulas are replaced by their values; only cells entered later are calculated.

        Args:
            values: the values of every computed range.
        """
        copy = Calculation(ironcalc.load_from_bytes(self.model.to_bytes()), self.book)
        for formula in self.book.formulas.values():
            copy.clear(formula.area)
        for name in self.book.manifest.formulas:
            copy.fill(self.book.names[name], values[name])
        return copy

    def put(self, at: At, new: Formula | Value) -> None:
        """Enter a formula, a number or a text, or clear a cell."""
        place = self.tabs[at[0]], at[1] + 1, at[2] + 1
        if isinstance(new, Formula) and new.array:
            self.model.set_user_array_formula(*place, new.area.cols, new.area.rows, new.text)
        elif isinstance(new, Formula):
            self.model.update_cell_with_formula(*place, new.text)
        elif new is None or new == "":  # as the check enters it
            self.model.clear_cell_contents(*place)
        elif isinstance(new, str):
            self.model.update_cell_with_text(*place, new)
        else:
            self.model.update_cell_with_number(*place, float(new))

    def clear(self, area: Area) -> None:
        """Clear the cells of an area."""
        last = area.row + area.rows, area.col + area.cols
        self.model.range_clear_contents(self.tabs[area.sheet], area.row + 1, area.col + 1, *last)

    def fill(self, area: Area, grid: Grid) -> None:
        """Enter values into the cells of an area."""
        for at, value in zip(area.cells(), (value for row in grid for value in row), strict=True):
            if value is not None:
                self.put(at, value)

    def type(self, cells: Mapping[At, Formula | Value]) -> None:
        """Enter several cells."""
        for at, value in cells.items():
            self.put(at, value)

    @contextmanager
    def broken(self, cells: Mapping[At, Formula | Value], over: Mapping[At, Formula]) -> Iterator[None]:
        """Temporarily replace some formulas.

        Args:
            cells: the new cells.
            over: the formulas that they overwrite, which are restored at the end.
        """
        for formula in over.values():
            self.clear(formula.area)
        self.type({at: new for at, new in cells.items() if new is not None})
        try:
            yield
        finally:
            self._empty(cells)
            self.type(over)

    @contextmanager
    def alone(
        self, cells: Mapping[At, Formula | Value], over: Collection[Area], outer: Area, right: Grid
    ) -> Iterator[None]:
        """In a frozen copy, temporarily calculate only these cells.

        Args:
            cells: the new cells.
            over: the blocks that they overwrite.
            outer: the named range that contains them.
            right: the values of that range otherwise.
        """
        for area in over:
            self.clear(area)
        self.type({at: new for at, new in cells.items() if new is not None})
        try:
            yield
        finally:
            self._empty(cells)
            for at in {*cells, *(at for area in over for at in area.cells())}:
                self.put(at, right[at[1] - outer.row][at[2] - outer.col])

    def _empty(self, cells: Mapping[At, Formula | Value]) -> None:
        for at, new in cells.items():
            if isinstance(new, Formula):
                self.clear(new.area)
            else:
                self.put(at, None)

    def settled(self, names: Mapping[str, Area]) -> dict[str, Grid]:
        """Calculate, the first time until the values of named ranges are stable, and return these.

        In a workbook that was just loaded, IronCalc reads old values of cells of a block other than the
        first, until it has computed the block.
        """
        self.model.evaluate()
        shown = self.read(names)
        if self._settled:
            return shown
        self._settled = True
        for _ in range(PASSES):
            self.model.evaluate()
            before, shown = shown, self.read(names)
            if before == shown:
                break
        return shown

    def read(self, names: Mapping[str, Area]) -> dict[str, Grid]:
        """The values of named ranges."""
        return {name: self.grid(area) for name, area in names.items()}

    def grid(self, a: Area) -> Grid:
        """The values of an area."""
        get, tab, across = self.model.get_cell_value, self.tabs[a.sheet], range(a.col + 1, a.col + a.cols + 1)
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

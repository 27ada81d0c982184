"""Where cells stand and what they can hold: the words that the checker's modules share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray


class CellError(str):
    """An error value of a cell, such as ``#VALUE!``, kept apart from text that merely looks like one."""

    __slots__ = ()


Value: TypeAlias = float | str | bool | CellError | None
"""What a cell shows: a number, text, TRUE or FALSE, an error, or nothing."""

Grid: TypeAlias = "list[list[Value]] | NDArray[np.float64]"
"""The cells of one area, row by row; an array where they are numbers and blanks, which are NaN."""

Edits: TypeAlias = "Mapping[tuple[str, int, int], float | str]"


def listed(grid: Grid) -> list[list[Value]]:
    """The cells of an area as rows of single values."""
    if isinstance(grid, list):
        return grid
    rows: list[list[Value]] = grid.tolist()
    return [[None if value != value else value for value in row] for row in rows]  # noqa: PLR0124 - NaN


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of cells on one sheet.

    Attributes:
        sheet: the sheet's tab.
        row: first row, counted from 0.
        col: first column, counted from 0.
        rows: height in cells.
        cols: width in cells.
    """

    sheet: str
    row: int
    col: int
    rows: int
    cols: int

    def cells(self) -> Iterator[tuple[str, int, int]]:
        """Every cell as (sheet, row, column), row by row."""
        for row in range(self.row, self.row + self.rows):
            for col in range(self.col, self.col + self.cols):
                yield self.sheet, row, col

    def address(self, row: int = 0, col: int = 0) -> str:
        """Address of one cell, counted from the area's corner, as a reader writes it: ``Inputs!B7``."""
        letters, number = "", self.col + col + 1
        while number:
            number, digit = divmod(number - 1, 26)
            letters = chr(65 + digit) + letters
        return f"{self.sheet}!{letters}{self.row + row + 1}"

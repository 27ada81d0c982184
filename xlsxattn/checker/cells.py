"""Areas and values of cells: types shared by the modules of the checker."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray


MAX_COLUMNS = 16_384


class CellError(str):
    """An error value such as ``#VALUE!``, as opposed to a text that looks like one."""

    __slots__ = ()


Value: TypeAlias = float | str | bool | CellError | None
"""The value of a cell: a number, text, TRUE or FALSE, an error, or blank."""

Grid: TypeAlias = "list[list[Value]] | NDArray[np.float64]"
"""The values of an area, row by row; an array if all are numbers or blanks (NaN)."""

Values: TypeAlias = "Mapping[str, Grid]"
"""The values of ranges by name."""

At: TypeAlias = tuple[str, int, int]
"""A cell: its sheet's tab, and its row and column from 0."""

Edits: TypeAlias = "Mapping[At, float | str]"
"""New contents of cells, a number or text; "" clears a cell."""


def listed(grid: Grid) -> list[list[Value]]:
    """The values of an area as lists."""
    if isinstance(grid, list):
        return grid
    rows: list[list[Value]] = grid.tolist()
    if not np.isnan(grid).any():
        return rows
    return [[None if is_nan(value) else value for value in row] for row in rows]


def is_nan(value: object) -> bool:
    """Whether a value is NaN, which stands for a blank cell in an array of numbers."""
    return isinstance(value, float) and math.isnan(value)


@lru_cache(maxsize=MAX_COLUMNS)
def letters_of(column: int) -> str:
    """The letters of a column, from 1."""
    letters = ""
    while column:
        column, digit = divmod(column - 1, 26)
        letters = chr(65 + digit) + letters
    return letters


@lru_cache(maxsize=MAX_COLUMNS)
def column_of(letters: str) -> int | None:
    """The number of a column, from 1; None if it does not exist."""
    column = 0
    for letter in letters if len(letters) <= len("XFD") else "":
        if not "A" <= letter <= "Z":
            return None
        column = 26 * column + ord(letter) - 64
    return column if 0 < column <= MAX_COLUMNS else None


def cell_name(row: int, col: int) -> str:
    """The address of a cell on its sheet, from row and column 0: ``B7``."""
    return f"{letters_of(col + 1)}{row + 1}"


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of cells on one sheet.

    Attributes:
        sheet: the sheet's tab.
        row: first row, from 0.
        col: first column, from 0.
        rows: number of rows.
        cols: number of columns.
    """

    sheet: str
    row: int
    col: int
    rows: int
    cols: int

    def cells(self) -> Iterator[tuple[str, int, int]]:
        """All cells as (sheet, row, column), row by row."""
        for row in range(self.row, self.row + self.rows):
            for col in range(self.col, self.col + self.cols):
                yield self.sheet, row, col

    def holds(self, at: tuple[str, int, int]) -> bool:
        """Whether a cell is in it."""
        sheet, row, col = at
        return sheet == self.sheet and 0 <= row - self.row < self.rows and 0 <= col - self.col < self.cols

    def common(self, other: Area) -> Area:
        """The cells that are also in another area; 0 rows or 0 columns if there are none."""
        row, col = max(self.row, other.row), max(self.col, other.col)
        rows = min(self.row + self.rows, other.row + other.rows) - row
        cols = min(self.col + self.cols, other.col + other.cols) - col
        rows = rows if self.sheet == other.sheet else 0
        return Area(self.sheet, row, col, max(rows, 0), max(cols, 0))

    def meets(self, other: Area) -> bool:
        """Whether it has cells in common with another area."""
        common = self.common(other)
        return common.rows > 0 and common.cols > 0

    def covers(self, other: Area) -> bool:
        """Whether it has all cells of another area."""
        across = self.col <= other.col and other.col + other.cols <= self.col + self.cols
        down = self.row <= other.row and other.row + other.rows <= self.row + self.rows
        return self.sheet == other.sheet and across and down

    def address(self, row: int = 0, col: int = 0) -> str:
        """The address of a cell, relative to the top left corner of the area: ``Inputs!B7``."""
        return f"{self.sheet}!{cell_name(self.row + row, self.col + col)}"

"""The named ranges of a workbook, and which of them an area intersects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xlsxattn.checker.cells import Area
from xlsxattn.contract.names import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxattn.checker.reading.book import Book


class OwnRanges:
    """The named ranges of a workbook by sheet, without the tables of the manifest.

    Attributes:
        areas: name → cells.
        sheets: tab → names.
    """

    def __init__(self, book: Book) -> None:
        """Collect the ranges of a workbook."""
        self.areas = {n: area for n, area in book.own_names.items() if not parse(n).is_manifest}
        self.sheets: dict[str, list[str]] = {}
        for name, area in self.areas.items():
            self.sheets.setdefault(area.sheet, []).append(name)
        self._bounds = {
            tab: np.array([_bounds(self.areas[name]) for name in names]) for tab, names in self.sheets.items()
        }

    def touched(self, area: Area) -> Iterator[tuple[str, Area]]:
        """The ranges that intersect an area, each with the common cells."""
        bounds = self._bounds.get(area.sheet)
        if bounds is None:
            return
        top, left, bottom, right = _bounds(area)
        hit = (
            (bounds[:, 0] <= bottom)
            & (bounds[:, 2] >= top)
            & (bounds[:, 1] <= right)
            & (bounds[:, 3] >= left)
        )
        for i in np.flatnonzero(hit):
            name = self.sheets[area.sheet][i]
            yield name, self.areas[name].common(area)

    def at(self, tab: str, row: int, col: int) -> str:
        """The first range that contains a cell; "" if none does."""
        return next((name for name, _ in self.touched(Area(tab, row, col, 1, 1))), "")


def _bounds(area: Area) -> tuple[int, int, int, int]:
    return area.row, area.col, area.row + area.rows - 1, area.col + area.cols - 1

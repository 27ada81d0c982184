"""Ranges that hold plain numbers alone, too many to be cells: arrays, and views of arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from xlsxattn.checker.cells import Area, Value
    from xlsxattn.checker.reading.runs import NumberRuns

    Numbers = NDArray[np.float64]
    At = tuple[str, int, int]

SAMPLE = 50
MIN_COUNT = 1024
"""Cells of a range that becomes an array."""
MAX_COUNT, MAX_ROWS = 2_000, 4_000_000
"""Arrays, and rows that are looked at for them: names that overlap could ask for very many."""


class Blocks:
    """The ranges of a workbook that hold nothing but plain numbers.

    A range inside another one is a view of it: what is typed into the one shows in the other.
    """

    def __init__(
        self, names: Mapping[str, Area], others: Iterable[Area], runs: Mapping[str, NumberRuns]
    ) -> None:
        """Find them among names, given the runs of each sheet that has some.

        Args:
            names: ranges that may be blocks.
            others: those of ranges that may not; what lies across one of them is looked at cell by cell.
            runs: the runs of each sheet that has some.
        """
        self.areas: dict[str, Area] = {}
        self._arrays: dict[str, Numbers] = {}
        self._inside: dict[str, str] = {}
        rows_left = MAX_ROWS
        across = list(others)
        for name, area in sorted(names.items(), key=lambda item: -item[1].rows * item[1].cols):
            around = next((n for n in self._arrays if _inside(area, self.areas[n])), "")
            own = runs.get(area.sheet)
            if (
                not around
                and own
                and MIN_COUNT <= area.rows * area.cols <= own.cells
                and rows_left >= area.rows
            ):
                rows_left -= area.rows
                array = own.block(area.row, area.col, area.rows, area.cols)
                if array is not None and len(self._arrays) < MAX_COUNT:
                    self._arrays[name], around = array, name
                    own.share(array, area.row, area.col)
            if around:
                self.areas[name], self._inside[name] = area, around
            else:
                across.append(area)
        for name in [n for n in self._arrays if any(_meet(self.areas[n], other) for other in across)]:
            del self._arrays[name]
        self._inside = {name: around for name, around in self._inside.items() if around in self._arrays}
        self.areas = {name: self.areas[name] for name in self._inside}

    def __contains__(self, name: str) -> bool:
        """Whether a range is one of them."""
        return name in self.areas

    def __len__(self) -> int:
        """How many there are."""
        return len(self.areas)

    def sample(self, name: str) -> Iterator[At]:
        """Some cells of one of them, from all over it, the first and the last among them."""
        area = self.areas[name]
        last = area.rows * area.cols - 1
        for i in range(SAMPLE):
            row, col = divmod(i * last // (SAMPLE - 1), area.cols)
            yield area.sheet, area.row + row, area.col + col

    def cells(self) -> Iterable[Area]:
        """The areas that cover them all."""
        return [self.areas[name] for name in self._arrays]

    def values(self, edits: Iterable[Mapping[At, Value]] = ()) -> dict[str, Numbers]:
        """All of them by name, after some sets of edits, one after the other; what is blank is 0."""
        arrays = dict(self._arrays)
        typed: dict[str, list[tuple[At, float]]] = {}  # by tab
        for at, value in (item for one in edits for item in one.items() if arrays):
            if isinstance(value, float):
                typed.setdefault(at[0], []).append((at, value))
        for name, array in arrays.items():
            area = self.areas[name]
            changed = [(at, value) for at, value in typed.get(area.sheet, ()) if _at(at, area)]
            if changed:
                arrays[name] = array.copy()
            for (_, row, col), value in changed:
                arrays[name][row - area.row, col - area.col] = value
        found = {}
        for name, around in self._inside.items():
            area, by = self.areas[name], self.areas[around]
            top, left = area.row - by.row, area.col - by.col
            found[name] = arrays[around][top : top + area.rows, left : left + area.cols]
        return found


def _inside(area: Area, by: Area) -> bool:
    within = by.row <= area.row and area.row + area.rows <= by.row + by.rows
    return (
        area.sheet == by.sheet and within and by.col <= area.col and area.col + area.cols <= by.col + by.cols
    )


def _meet(a: Area, b: Area) -> bool:
    rows = a.row < b.row + b.rows and b.row < a.row + a.rows
    return a.sheet == b.sheet and rows and a.col < b.col + b.cols and b.col < a.col + a.cols


def _at(at: At, area: Area) -> bool:
    sheet, row, col = at
    return sheet == area.sheet and 0 <= row - area.row < area.rows and 0 <= col - area.col < area.cols

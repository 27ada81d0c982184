"""Ranges of only plain numbers, stored as arrays and views of arrays instead of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from xlsxattn.checker.cells import Area, At, Value
    from xlsxattn.checker.reading.runs import NumberRuns

    Numbers = NDArray[np.float64]

SAMPLE = 50
MIN_COUNT = 1024
"""Minimum number of cells of a range that becomes an array."""
MAX_COUNT, MAX_ROWS = 2_000, 4_000_000
"""Maximum number of arrays, and of rows scanned for them, in case of many overlapping names."""


class Blocks:
    """The ranges of a workbook that contain only plain numbers.

    A range inside another one is a view of it, so that edits apply to both.
    """

    def __init__(
        self, names: Mapping[str, Area], others: Iterable[Area], runs: Mapping[str, NumberRuns]
    ) -> None:
        """Find the blocks.

        Args:
            names: ranges that may be blocks.
            others: other ranges; a range that overlaps one of them is no block.
            runs: the runs of each sheet that has any.
        """
        self.areas: dict[str, Area] = {}
        self._arrays: dict[str, Numbers] = {}
        self._inside: dict[str, str] = {}
        rows_left = MAX_ROWS
        across = list(others)
        for name, area in sorted(names.items(), key=lambda item: -item[1].rows * item[1].cols):
            around = next((n for n in self._arrays if self.areas[n].covers(area)), "")
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
        for name in [n for n in self._arrays if any(self.areas[n].meets(other) for other in across)]:
            del self._arrays[name]
        self._inside = {name: around for name, around in self._inside.items() if around in self._arrays}
        self.areas = {name: self.areas[name] for name in self._inside}

    def __contains__(self, name: str) -> bool:
        """Whether a range is a block."""
        return name in self.areas

    def __len__(self) -> int:
        """The number of blocks."""
        return len(self.areas)

    def sample(self, name: str) -> Iterator[At]:
        """A sample of evenly spaced cells of a block, including the first and the last."""
        area = self.areas[name]
        last = area.rows * area.cols - 1
        for i in range(SAMPLE):
            row, col = divmod(i * last // (SAMPLE - 1), area.cols)
            yield area.sheet, area.row + row, area.col + col

    def cells(self) -> Iterable[Area]:
        """Areas that cover all blocks."""
        return [self.areas[name] for name in self._arrays]

    def values(self, edits: Iterable[Mapping[At, Value]] = ()) -> dict[str, Numbers]:
        """The values of all blocks by name, after sets of edits in order."""
        arrays = dict(self._arrays)
        typed: dict[str, list[tuple[At, float]]] = {}  # by tab
        for at, value in (item for one in edits for item in one.items() if arrays):
            if isinstance(value, float):
                typed.setdefault(at[0], []).append((at, value))
        for name, array in arrays.items():
            area = self.areas[name]
            changed = [(at, value) for at, value in typed.get(area.sheet, ()) if area.holds(at)]
            if changed:
                arrays[name] = array.copy()
            for (_, row, col), value in changed:
                arrays[name][row - area.row, col - area.col] = value
        views = {}
        for name, around in self._inside.items():
            area, by = self.areas[name], self.areas[around]
            top, left = area.row - by.row, area.col - by.col
            views[name] = arrays[around][top : top + area.rows, left : left + area.cols]
        return views

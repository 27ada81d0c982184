"""Sets of cells as spans of columns per row, for millions of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from xlsxattn.checker.cells import Area, At

    Span = tuple[int, int]


class Cover:
    """The union of areas.

    Attributes:
        rows: (tab, row) → disjoint spans (first column, column after the last), from left to right.
    """

    def __init__(self, areas: Iterable[Area]) -> None:
        """Compute the union."""
        spans: dict[tuple[str, int], list[Span]] = {}
        for area in areas:
            span = area.col, area.col + area.cols
            for row in range(area.row, area.row + area.rows):
                spans.setdefault((area.sheet, row), []).append(span)
        self.rows = {at: _merged(own) for at, own in spans.items()}

    def __contains__(self, at: At) -> bool:
        """Whether a cell is in the set."""
        tab, row, col = at
        return any(left <= col < right for left, right in self.rows.get((tab, row), ()))

    def meets(self, area: Area) -> bool:
        """Whether any cell of an area is in the set."""
        return any(
            left < area.col + area.cols and area.col < right
            for row in range(area.row, area.row + area.rows)
            for left, right in self.rows.get((area.sheet, row), ())
        )

    @property
    def size(self) -> int:
        """The number of cells."""
        return sum(right - left for spans in self.rows.values() for left, right in spans)

    def without(self, other: Cover) -> Iterator[At]:
        """The cells that are not in another set, by tab and row."""
        for tab, row in sorted(self.rows):
            for left, right in _difference(self.rows[tab, row], other.rows.get((tab, row), [])):
                for col in range(left, right):
                    yield tab, row, col


class Single:
    """Single cells that can be looked up by area."""

    def __init__(self, cells: Iterable[At]) -> None:
        """Index the cells."""
        self.columns: dict[tuple[str, int], list[int]] = {}
        for tab, row, col in cells:
            self.columns.setdefault((tab, row), []).append(col)

    def within(self, area: Area) -> Iterator[At]:
        """The cells in an area, row by row."""
        for row in range(area.row, area.row + area.rows):
            for col in sorted(self.columns.get((area.sheet, row), ())):
                if area.col <= col < area.col + area.cols:
                    yield area.sheet, row, col


def _merged(spans: list[Span]) -> list[Span]:
    if len(spans) == 1:
        return spans
    merged: list[Span] = []
    for left, right in sorted(spans):
        if merged and left <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(right, merged[-1][1])
        else:
            merged.append((left, right))
    return merged


def _difference(spans: list[Span], others: list[Span]) -> Iterator[Span]:
    """The difference of two lists of spans."""
    if spans == others:
        return
    for left, right in spans:
        at = left
        for first, last in others:
            if at < right and first < right and last > at:
                if at < first:
                    yield at, first
                at = last
        if at < right:
            yield at, right

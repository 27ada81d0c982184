"""Which cells areas cover, row by row: millions of cells one by one would take much time and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from xlsxattn.checker.cells import Area

    At = tuple[str, int, int]
    Span = tuple[int, int]


class Cover:
    """The cells of some areas.

    Attributes:
        rows: (tab, row) → from which column to before which one, from left to right and never touching.
    """

    def __init__(self, areas: Iterable[Area]) -> None:
        """Cover them all."""
        found: dict[tuple[str, int], list[Span]] = {}
        for area in areas:
            span = area.col, area.col + area.cols
            for row in range(area.row, area.row + area.rows):
                found.setdefault((area.sheet, row), []).append(span)
        self.rows = {at: _joined(spans) for at, spans in found.items()}

    def __contains__(self, at: At) -> bool:
        """Whether a cell is among them."""
        tab, row, col = at
        return any(left <= col < right for left, right in self.rows.get((tab, row), ()))

    @property
    def size(self) -> int:
        """How many they are."""
        return sum(right - left for spans in self.rows.values() for left, right in spans)

    def without(self, other: Cover) -> Iterator[At]:
        """Its cells that another does not cover, tab by tab from top to bottom."""
        for tab, row in sorted(self.rows):
            for left, right in _less(self.rows[tab, row], other.rows.get((tab, row), [])):
                for col in range(left, right):
                    yield tab, row, col


class Single:
    """Single cells, found by the areas that they lie in."""

    def __init__(self, cells: Iterable[At]) -> None:
        """Remember where they are."""
        self.columns: dict[tuple[str, int], list[int]] = {}
        for tab, row, col in cells:
            self.columns.setdefault((tab, row), []).append(col)

    def within(self, area: Area) -> Iterator[At]:
        """Those in an area, row by row."""
        for row in range(area.row, area.row + area.rows):
            for col in sorted(self.columns.get((area.sheet, row), ())):
                if area.col <= col < area.col + area.cols:
                    yield area.sheet, row, col


def _joined(spans: list[Span]) -> list[Span]:
    if len(spans) == 1:
        return spans
    joined: list[Span] = []
    for left, right in sorted(spans):
        if joined and left <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(right, joined[-1][1])
        else:
            joined.append((left, right))
    return joined


def _less(spans: list[Span], others: list[Span]) -> Iterator[Span]:
    """What is left of spans where others are taken away."""
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

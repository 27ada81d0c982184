"""Dependencies between formulas: which ranges a fault can affect."""

from __future__ import annotations

from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from dev.campaign.formulas import operands

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from xlsxattn.checker.cells import Area
    from xlsxattn.checker.reading.book import Book, Formula


class Graph:
    """The formulas of the original workbook, by number, and their dependencies.

    Attributes:
        owner: the number of the formula of a cell.
        read_by: the numbers of the formulas that use a name.
        first: for each formula, the first position in the order of the check of a range that depends on it.
        after: for each formula, itself and all that depend on it, as the bits of a number.
    """

    def __init__(self, book: Book, order: Sequence[str]) -> None:
        self.book = book
        self.all: list[Formula] = list(book.formulas.values())
        self.owner = {at: i for i, f in enumerate(self.all) for at in f.area.cells()}
        self._inside: dict[Area, frozenset[int]] = {}
        self.read_by: dict[str, list[int]] = {}
        self.reads = [self._of(f, i) for i, f in enumerate(self.all)]
        sorted_ = list(TopologicalSorter(dict(enumerate(self.reads))).static_order())
        self.place = {i: place for place, i in enumerate(sorted_)}
        self.first = self._first(order, sorted_)
        self.after = self._after(sorted_)
        self._shown = {name: self._bits(self.inside(book.names[name])) for name in order}

    def _of(self, formula: Formula, number: int) -> frozenset[int]:
        found = operands(self.book, formula.text, formula.area.sheet)
        for name in {op.name for op in found if op.name}:
            self.read_by.setdefault(name, []).append(number)
        return frozenset().union(*(self.inside(op.area) for op in found)) - {number}

    def inside(self, area: Area) -> frozenset[int]:
        """The formulas that fill cells of an area."""
        if area not in self._inside:
            self._inside[area] = frozenset(self.owner[at] for at in area.cells() if at in self.owner)
        return self._inside[area]

    def _first(self, order: Sequence[str], sorted_: Sequence[int]) -> list[int]:
        first = [len(order)] * len(self.all)
        for place, name in enumerate(order):
            for i in self.inside(self.book.names[name]):
                first[i] = min(first[i], place)
        for i in reversed(sorted_):  # its dependents are done
            for source in self.reads[i]:
                first[source] = min(first[source], first[i])
        return first

    def _after(self, sorted_: Sequence[int]) -> list[int]:
        after = [1 << i for i in range(len(self.all))]
        for i in reversed(sorted_):  # its dependents are done
            for source in self.reads[i]:
                after[source] |= after[i]
        return after

    @staticmethod
    def _bits(numbers: Iterable[int]) -> int:
        bits = 0
        for i in numbers:
            bits |= 1 << i
        return bits

    def reached(self, broken: Iterable[int]) -> list[str]:
        """The ranges that depend on one of these formulas, in the order of the check."""
        bits = 0
        for i in broken:
            bits |= self.after[i]
        return [name for name, shown in self._shown.items() if shown & bits]

    def circular(self, broken: Collection[int], new: Iterable[Formula]) -> bool:
        """Whether new formulas depend on the formulas that they replace."""
        lowest = min(self.place[i] for i in broken)
        waiting = [
            i for f in new for op in operands(self.book, f.text, f.area.sheet) for i in self.inside(op.area)
        ]
        seen: set[int] = set()
        while waiting:
            i = waiting.pop()
            if i in broken:
                return True
            if i not in seen and self.place[i] > lowest:
                seen.add(i)
                waiting += self.reads[i]
        return False

"""Locates the formulas of a range whose name is missing or refers to other cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.checker.cell_formulas import SIDE_BY_SIDE, level, span, tokens
from xlsxattn.checker.cells import Area

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xlsxattn.checker.reading.book import Book, Formula


class Unnamed:
    """Formulas outside all computed ranges, whose names may be missing."""

    def __init__(self, book: Book, strays: Sequence[tuple[str, int, int]]) -> None:
        self._book = book
        self._strays = {at: book.formulas[at] for at in strays if at in book.formulas}
        self._spelled: dict[tuple[str, ...], list[Formula]] = {}
        for formula in self._strays.values():
            self._spelled.setdefault(tokens(formula.text), []).append(formula)

    def place(self, name: str) -> Area | None:
        """The cells with the formulas of a range, if there is exactly one such place."""
        entered, text = self._book.manifest.formulas[name]
        first, *others = text.split(SIDE_BY_SIDE)
        if entered == "block":
            matches = self._spelled.get(tokens(first), []) if not others else []
            return matches[0].area if len(matches) == 1 else None
        starts = [area for area in self._starts(first) if not others]
        return starts[0] if len(starts) == 1 else None

    def _starts(self, text: str) -> Iterator[Area]:
        """All areas that start with the first formula of a range and continue with its other formulas."""

        def fits(at: tuple[str, int, int], i: int, j: int) -> bool:
            formula = self._strays.get(at)
            return formula is not None and tokens(formula.text) == tokens(
                level(self._book, text, at[0], i, j)
            )

        for (tab, row, col), formula in self._strays.items():
            if not fits((tab, row, col), 0, 0):
                continue
            rows = cols = 1
            if "[" in text:  # otherwise all cells have the same formula, and the end of the range is unknown
                while fits((tab, row + rows, col), rows, 0):
                    rows += 1
                while fits((tab, row, col + cols), 0, cols):
                    cols += 1
            yield Area(tab, row, col, rows, max(cols, formula.area.cols))


def names_of(place: Area) -> str:
    """Cells in A1 notation with their sheet: ``Inputs!B7:C8``."""
    return f"{place.sheet}!{span(place)}"

"""A formula in its place, and a formula with a fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from dev.campaign.formulas import operands

if TYPE_CHECKING:
    from dev.campaign.formulas import Operand
    from xlsxattn.checker.cells import Area
    from xlsxattn.checker.reading.book import Book, Formula


@dataclass(frozen=True, slots=True)
class Site:
    """A formula in its place.

    Attributes:
        book: the workbook.
        range: the name of the computed range it fills, wholly or in part.
        formula: the formula.
        reads: the ranges that it reads.
    """

    book: Book
    range: str
    formula: Formula
    reads: tuple[Operand, ...]

    @property
    def text(self) -> str:
        """The formula's text."""
        return self.formula.text

    @property
    def area(self) -> Area:
        """The cells it fills."""
        return self.formula.area

    @property
    def whole(self) -> Area:
        """All cells of the computed range."""
        return self.book.names[self.range]


@dataclass(frozen=True, slots=True)
class Fault:
    """A faulty formula: the kind, the text, and what was read and is read now where that is a range."""

    kind: str
    text: str
    source: tuple[str, str] = ("", "")


Faults: TypeAlias = Iterator[Fault]


def site(book: Book, name: str, formula: Formula) -> Site:
    """A formula in its place."""
    return Site(book, name, formula, tuple(operands(book, formula.text, formula.area.sheet)))

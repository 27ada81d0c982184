"""A formula and its position, and a faulty formula."""

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
    """A formula and its position.

    Attributes:
        book: the workbook.
        range: the name of the computed range of which it fills all or a part.
        formula: the formula.
        reads: the ranges that it reads.
    """

    book: Book
    range: str
    formula: Formula
    reads: tuple[Operand, ...]

    @property
    def text(self) -> str:
        """The text of the formula."""
        return self.formula.text

    @property
    def area(self) -> Area:
        """The cells that it fills."""
        return self.formula.area

    @property
    def whole(self) -> Area:
        """All cells of the computed range."""
        return self.book.names[self.range]


@dataclass(frozen=True, slots=True)
class Fault:
    """A faulty formula: kind, text, and, if it reads another range, the right and the wrong name."""

    kind: str
    text: str
    source: tuple[str, str] = ("", "")


Faults: TypeAlias = Iterator[Fault]


def site(book: Book, name: str, formula: Formula) -> Site:
    """Find the operands of a formula."""
    return Site(book, name, formula, tuple(operands(book, formula.text, formula.area.sheet)))

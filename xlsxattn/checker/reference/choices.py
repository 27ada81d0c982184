"""Cells that may rightly hold one of several values: rounding may choose either, or versions differ."""

from __future__ import annotations

import re
from dataclasses import dataclass

NUMERAL = re.compile(r"\d+(?:[.,]\d+)?", re.ASCII)
"""A number in a text: some languages have a decimal comma, and Gnumeric 0.0099999999999999999998 for 0.01."""
SAME = 1e-12


@dataclass(frozen=True, slots=True)
class OneOf:
    """A number, word or mark of which several are right.

    Attributes:
        values: all that are right, the reference's own first.
    """

    values: tuple[float | str, ...]


@dataclass(frozen=True, slots=True)
class Wording:
    """A text in parts, words and numerals, some of which may be written in several ways.

    Attributes:
        parts: for each part all that is right, the reference's own first; a number is any numeral for it.
    """

    parts: tuple[tuple[float | str, ...], ...]

    def __str__(self) -> str:
        """The reference's own wording."""
        return "".join(way if isinstance(way := ways[0], str) else f"{way:g}" for ways in self.parts)

    def fits(self, text: str) -> bool:
        """Whether a text is these parts, one after another, and nothing else."""
        left = {text}
        for ways in self.parts:
            left = {rest[end:] for rest in left for way in ways if (end := _reads(rest, way)) is not None}
        return "" in left


@dataclass(frozen=True, slots=True)
class Counted:
    """A label that counts, in any language: its only numeral is this number; without a number it has none."""

    number: int | None = None

    def __str__(self) -> str:
        """The number alone, or what stands for words without one."""
        return "..." if self.number is None else str(self.number)

    def fits(self, text: str) -> bool:
        """Whether a text has this numeral, and no other; or words and no numeral."""
        wanted = [] if self.number is None else [str(self.number)]
        return NUMERAL.findall(text) == wanted and text.strip() != ""


def _reads(text: str, way: float | str) -> int | None:
    """Where a text that begins with this word or number goes on; None where it does not begin so."""
    if isinstance(way, str):
        return len(way) if text.startswith(way) else None
    numeral = NUMERAL.match(text)
    if numeral is None or abs(float(numeral[0].replace(",", ".")) - way) > SAME:
        return None
    return numeral.end()


def one_of(values: tuple[float | str, ...]) -> float | str | OneOf:
    """A choice, or the only value where there is no other."""
    return values[0] if len(values) == 1 else OneOf(values)


def own(right: object) -> object:
    """What the reference itself has for a cell."""
    if isinstance(right, OneOf):
        return right.values[0]
    return str(right) if isinstance(right, Wording | Counted) else right

"""Cells with several acceptable values, because of rounding or of different versions."""

from __future__ import annotations

import re
from dataclasses import dataclass

NUMERAL = re.compile(r"\d+(?:[.,]\d+)?", re.ASCII)
"""A number in a text: decimals may have a comma, and Gnumeric writes 0.0099999999999999999998 for 0.01."""
SAME = 1e-12


@dataclass(frozen=True, slots=True)
class OneOf:
    """A cell with several acceptable numbers, words or marks.

    Attributes:
        values: all acceptable values, the one of the reference first.
    """

    values: tuple[float | str, ...]


@dataclass(frozen=True, slots=True)
class Wording:
    """A text of words and numbers, some with several acceptable forms.

    Attributes:
        parts: the acceptable forms of each part, the one of the reference first; numbers in any notation.
    """

    parts: tuple[tuple[float | str, ...], ...]

    def __str__(self) -> str:
        """The text of the reference."""
        return "".join(first if isinstance(first := forms[0], str) else f"{first:g}" for forms in self.parts)

    def fits(self, text: str) -> bool:
        """Whether a text consists of exactly these parts."""
        rests = {text}
        for forms in self.parts:
            ends = [(rest, _end_of(rest, form)) for rest in rests for form in forms]
            rests = {rest[end:] for rest, end in ends if end is not None}
        return "" in rests


@dataclass(frozen=True, slots=True)
class Counted:
    """A label in any language that contains this number and no other; or no number at all."""

    number: int | None = None

    def __str__(self) -> str:
        """The number, or a placeholder for a text without one."""
        return "..." if self.number is None else str(self.number)

    def fits(self, text: str) -> bool:
        """Whether a text contains exactly this number; or is not empty and contains none."""
        wanted = [] if self.number is None else [str(self.number)]
        return NUMERAL.findall(text) == wanted and text.strip() != ""


@dataclass(frozen=True, slots=True)
class Anything:
    """A cell whose value is not compared, such as a reader's answer."""

    def __str__(self) -> str:
        """A placeholder."""
        return "..."


ANYTHING = Anything()


def _end_of(text: str, form: float | str) -> int | None:
    """The end of this word or number at the start of a text; None if it does not start with it."""
    if isinstance(form, str):
        return len(form) if text.startswith(form) else None
    numeral = NUMERAL.match(text)
    if numeral is None or abs(float(numeral[0].replace(",", ".")) - form) > SAME:
        return None
    return numeral.end()


def one_of(values: tuple[float | str, ...]) -> float | str | OneOf:
    """A choice, or the value itself if there is only one."""
    return values[0] if len(values) == 1 else OneOf(values)


def own(right: object) -> object:
    """The value of the reference for a cell."""
    if isinstance(right, OneOf):
        return right.values[0]
    return str(right) if isinstance(right, Wording | Counted) else right

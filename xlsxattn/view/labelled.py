"""A named range as it is displayed: values, labels, formula, heat map."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Literal

from xlsxattn.contract.names import last
from xlsxattn.view.heat import MINUS_INFINITY, NO_SCALE, Scale

if TYPE_CHECKING:
    from xlsxattn.checker.cells import Area, Value

Role = Literal["input", "constant", "computed"]
LABEL_ENDS = " =:："
"""Characters at the end of a label in a cell, which are not shown elsewhere."""
LARGE = 1e5
"""Larger numbers are shown with an exponent, as in the workbook."""
PERCENT = "@%"
"""The pattern of numbers that are shown as percentages."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A named range of a workbook, with everything that a table or heat map shows.

    Attributes:
        name: the range's name.
        area: its cells.
        grid: its values, row by row.
        rows: a label for each row, or empty.
        cols: a label for each column, or empty.
        role: input, constant or computed.
        formula: its formula, as entered; "" for an input.
        scale: its heat map.
        digits: number of decimals shown.
        scientific: True if numbers are shown with an exponent.
        lang: language code of the workbook.
        label: of a single cell: the text on its left, or "".
        rows_from: the range that holds the row labels, or "".
        cols_from: the range that holds the column labels, or "".
        pattern: what is shown around a value, with @ for the value: ``“@” before``; "" for nothing.
    """

    name: str
    area: Area
    grid: tuple[tuple[Value, ...], ...]
    rows: tuple[str, ...] = ()
    cols: tuple[str, ...] = ()
    role: Role = "computed"
    formula: str = ""
    scale: Scale = NO_SCALE
    digits: int = 2
    scientific: bool = False
    lang: str = "en"
    label: str = ""
    rows_from: str = ""
    cols_from: str = ""
    pattern: str = ""

    @property
    def step(self) -> str:
        """The last part of the name: what the range holds."""
        return last(self.name)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.area.rows, self.area.cols

    def text(self, value: Value) -> str:
        """A value as displayed in a cell."""
        shown = self._plain(value)
        return self.pattern.replace("@", shown) if self.pattern and shown else shown

    def _plain(self, value: Value) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return str(value).upper()
        if not isinstance(value, float):
            return printable(str(value))
        if value <= MINUS_INFINITY:
            return "−∞"
        if math.isfinite(value) and (abs(value) >= LARGE or (self.scientific and value)):
            return f"{value:.1E}".replace("-", "−")
        return _fixed(100 * value if self.pattern == PERCENT else value, self.digits)


def _fixed(value: float, digits: int) -> str:
    """A number with fixed decimals, rounded as in spreadsheets: half up, from 15 significant digits."""
    if not math.isfinite(value):
        return str(value)
    text = str(Decimal(f"{value:.15g}").quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))
    return text.replace("-", "−") if text.strip("-0.") else text.lstrip("-")


def printable(text: str) -> str:
    """A text with control characters replaced, so that a terminal does not execute them."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)

"""One named range as it is displayed: its numbers or texts, its labels, its formula, its heat map."""

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
LARGE = 1e5
"""From here on a number is written with an exponent, as the workbook writes it."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A named range of a workbook, with all that a table or a heat map of it shows.

    Attributes:
        name: the range's name.
        area: where it stands.
        grid: its cells, row by row.
        rows: a label for each row, or nothing.
        cols: a label for each column, or nothing.
        role: input, constant or computed.
        formula: what computes it, as it is entered; "" for an input.
        scale: its heat map.
        digits: decimals that are shown.
        scientific: whether its numbers are shown with an exponent.
        lang: the language of its workbook, by its code.
        label: of a single cell: the words on its left; "" for none.
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

    @property
    def step(self) -> str:
        """The last part of the name: what the range holds."""
        return last(self.name)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.area.rows, self.area.cols

    def text(self, value: Value) -> str:
        """A cell as a person reads it."""
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
        return _fixed(value, self.digits)


def _fixed(value: float, digits: int) -> str:
    """A number with so many decimals, rounded as spreadsheets do: halves up, of 15 significant digits."""
    if not math.isfinite(value):
        return str(value)
    text = str(Decimal(f"{value:.15g}").quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))
    return text.replace("-", "−") if text.strip("-0.") else text.lstrip("-")


def printable(text: str) -> str:
    """A text without what a terminal would obey instead of showing it."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)

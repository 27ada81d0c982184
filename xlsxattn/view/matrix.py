"""One named range as it is seen: its numbers or texts, its labels, its formula, its heat map."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Literal

from xlsxattn.contract.names import last
from xlsxattn.language import language, say
from xlsxattn.view.heat import MINUS_INFINITY, NO_SCALE, Scale

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from rich.console import Group

    from xlsxattn.checker.cells import Area, Value

Role = Literal["input", "constant", "computed"]
LARGE = 1e5
"""From here on a number is written with an exponent, as the workbook writes it."""


class PandasMissing(ImportError):  # noqa: N818 - said of the machine; nothing went wrong
    """Results as tables were asked for, and pandas is not installed."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """A named range of a workbook.

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

    def array(self) -> np.ndarray[Any, Any]:
        """The values as an array: of floats, blanks being NaN, or of objects where there is any text."""
        import numpy as np  # noqa: PLC0415 - the terminal needs no arrays

        texts = any(isinstance(value, str) for row in self.grid for value in row)
        return np.array(self.grid, dtype=object if texts else float).reshape(self.shape)

    def frame(self) -> pd.DataFrame:
        """The values with words as index, and words, dimensions or numbers from 1 as columns.

        Raises:
            PandasMissing: pandas is not installed.
        """
        try:
            import pandas as pd  # noqa: PLC0415 - an extra
        except ImportError:
            raise PandasMissing(
                say("tables need pandas, which is not installed; get it with: pip install 'xlsxattn[pandas]'")
            ) from None
        rows, cols = self.shape
        return pd.DataFrame(
            self.array(),
            index=list(self.rows) or pd.RangeIndex(1, rows + 1),
            columns=list(self.cols) or pd.RangeIndex(1, cols + 1),
        )

    def __rich__(self) -> Group:
        """The coloured table that a terminal shows."""
        from xlsxattn.view.show import table  # noqa: PLC0415 - only where there is a terminal

        return table(self, language=language(self.lang))

    def _repr_html_(self) -> str:
        """The heat map that a notebook shows."""
        from xlsxattn.view.notebook import figure  # noqa: PLC0415 - only where there is a notebook

        return figure(self)


def _fixed(value: float, digits: int) -> str:
    """A number with so many decimals, rounded as spreadsheets do: halves up, of 15 significant digits."""
    if not math.isfinite(value):
        return str(value)
    text = str(Decimal(f"{value:.15g}").quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))
    return text.replace("-", "−") if text.strip("-0.") else text.lstrip("-")


def printable(text: str) -> str:
    """A text without what a terminal would obey instead of showing it."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)

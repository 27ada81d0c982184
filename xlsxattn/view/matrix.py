"""A named range as returned to programs: an array, a table, or rich output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from xlsxattn.language import language, say
from xlsxattn.view.labelled import Labelled
from xlsxattn.view.notebook import figure

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Group


class PandasMissing(ImportError):
    """A table was requested, but pandas is not installed."""


@dataclass(frozen=True, slots=True)
class Matrix(Labelled):
    """A named range of a workbook, as an array, a DataFrame, or rich output."""

    def __repr__(self) -> str:
        rows, cols = self.shape
        return f"<Matrix {self.name}: {rows} × {cols}, {self.area.address()}>"

    def array(self) -> np.ndarray[Any, Any]:
        """The values as an array of floats, with NaN for blanks; of objects if there is any text."""
        texts = any(isinstance(value, str) for row in self.grid for value in row)
        return np.array(self.grid, dtype=object if texts else float).reshape(self.shape)

    def frame(self) -> pd.DataFrame:
        """The values as a DataFrame, labelled by words and dimensions, or by numbers from 1.

        Raises:
            PandasMissing: pandas is not installed.
        """
        try:
            import pandas as pd  # noqa: PLC0415 - an extra
        except ImportError:
            sentence = (
                "tables need pandas, which is not installed; install it with: pip install 'xlsxattn[pandas]'"
            )
            raise PandasMissing(say(sentence)) from None
        rows, cols = self.shape
        return pd.DataFrame(
            self.array(),
            index=list(self.rows) or pd.RangeIndex(1, rows + 1),
            columns=list(self.cols) or pd.RangeIndex(1, cols + 1),
        )

    def __rich__(self) -> Group:
        """The coloured table shown in a terminal."""
        from xlsxattn.view.show import table  # noqa: PLC0415 - only needed in a terminal

        return table(self, language=language(self.lang))

    def _repr_html_(self) -> str:
        """The heat map shown in a notebook."""
        return figure(self)

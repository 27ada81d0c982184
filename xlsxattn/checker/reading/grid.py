"""The heights of rows and widths of columns of a sheet, in English metric units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xlsxattn.checker.reading.limits import AmbiguousError
from xlsxattn.checker.reading.one_reading import NUMBER
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PER_POINT, PER_PIXEL = 12_700, 9_525
"""English metric units, in which drawings state lengths."""
_POINTS, _CHARACTERS = 15.0, 8.43
"""The default height of rows and width of columns."""


class Grid:
    """The sizes of the rows and columns of a sheet, by their number from 0."""

    def __init__(self, parts: Mapping[str, Sequence[Any]], rows: Mapping[str, Mapping[str, str]]) -> None:
        """Read the sizes from the elements of a sheet by name, and the attributes of its rows by number."""
        defaults: Any = next(iter(parts.get("sheetFormatPr", ())), {})
        self._height = size(defaults.get("defaultRowHeight"), _POINTS)
        self._heights = {int(row) - 1: size(said["ht"], 0.0) for row, said in rows.items() if said.get("ht")}
        self._width = size(defaults.get("defaultColWidth") or defaults.get("baseColWidth"), _CHARACTERS)
        self._columns = [
            (int(one.get("min")) - 1, int(one.get("max")), size(one.get("width"), 0.0))
            for one in parts.get("col", ())
            if one.get("width")
        ]

    def height(self, row: int) -> float:
        """The height of a row."""
        return self._heights.get(row, self._height) * PER_POINT

    def is_fixed(self, row: int) -> bool:
        """Whether the file states the height of a row; programs fit other rows to their text."""
        return row in self._heights

    def width(self, col: int) -> float:
        """The width of a column."""
        characters = next((w for first, end, w in self._columns if first <= col < end), self._width)
        return (7 * characters + 5) * PER_PIXEL


def size(text: str | None, default: float) -> float:
    """A size in the file, or the default if it is not given.

    Raises:
        AmbiguousError: the text is no number that all programs read.
    """
    if text and not NUMBER.fullmatch(text):
        raise AmbiguousError(say("a setting is {said}, but must be a number", said=text))
    return float(text) if text else default

"""Plain-text tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

if TYPE_CHECKING:
    from collections.abc import Sequence


def text_table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Format rows below their headers; CJK characters are two columns wide, integers are right-aligned.

    >>> print(text_table(["词", "n"], [["猫", 1], ["cats", 12]]))
    词     n
    ----  --
    猫     1
    cats  12
    """
    lines = [[*heads], *([str(value) for value in row] for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    right = [all(isinstance(value, int) for value in column) for column in zip(*rows, strict=True)]

    def line(texts: Sequence[str]) -> str:
        cells = [
            " " * (width - cell_len(text)) + text if to_right else set_cell_size(text, width)
            for text, width, to_right in zip(texts, widths, right or [False] * len(heads), strict=True)
        ]
        return "  ".join(cells).rstrip()

    rule = "  ".join("-" * width for width in widths)
    return "\n".join([line(lines[0]), rule, *map(line, lines[1:])])

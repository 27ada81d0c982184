"""Matrices as coloured tables in the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Group
from rich.style import Style
from rich.table import Table
from rich.text import Text

from xlsxattn.language import ENGLISH, say
from xlsxattn.view.heat import INK
from xlsxattn.view.labelled import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from xlsxattn.language import Language
    from xlsxattn.view.labelled import Labelled

GAP = 3
"""Spaces between columns."""
HEADS = say("range"), say("shape"), say("first cell"), say("holds")
LOSS, BAR = "Loss", 40
"""The range that is drawn as bars, and how many characters the longest has."""
MAX_ROWS = 60
"""Maximum number of rows of a matrix shown in a terminal."""


def table(matrix: Labelled, width: int | None = None, language: Language = ENGLISH) -> Group:
    """Render a matrix for rich: name, formula, labels, and values on the colours of the heat map.

    Args:
        matrix: the matrix.
        width: width of a line in characters; columns that do not fit are omitted, as a last line states.
            None shows all rows and columns.
        language: language of the labels.
    """
    rows, cols = matrix.shape
    heads, labels = _heads(matrix), _labels(matrix)
    texts = [[matrix.text(value) for value in row] for row in matrix.grid]
    n_cols, n_rows = cols, rows
    if width is not None:
        n_cols = _fitting(texts, heads, width - max(map(cell_len, labels)) - GAP)
        n_rows = min(rows, MAX_ROWS)
    grid = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, show_header=heads != ("",))
    grid.add_column(no_wrap=True)
    for j, head in enumerate(heads[:n_cols]):
        number = any(isinstance(row[j], float) for row in matrix.grid)
        grid.add_column(Text(head), justify="right" if number else "left", no_wrap=True)
    if n_cols < cols:
        grid.add_column(Text("…"))
    bars = _bars(matrix)
    for i in range(n_rows):
        line = [_cell(matrix, i, j, texts[i][j]) for j in range(n_cols)] + bars[i : i + 1]
        grid.add_row(Text(labels[i], style="bold"), *line, *(["…"] if n_cols < cols else []))
    parts: list[RenderableType] = [_title(matrix, language)]
    if matrix.formula:
        parts.append(Text(printable(matrix.formula), style="dim"))
    parts.append(grid)
    if n_cols < cols or n_rows < rows:
        sentence = "{tall} of {rows} rows, {fit} of {cols} columns; pipe the output to see all: | less -S"
        parts.append(Text(language.tell(say(sentence, tall=n_rows, rows=rows, fit=n_cols, cols=cols))))
    return Group(*parts)


def _bars(matrix: Labelled) -> list[Text]:
    """The loss of a training as bars, one per step; nothing for other ranges."""
    losses = [value for (value, *_) in matrix.grid if isinstance(value, float) and math.isfinite(value)]
    if matrix.step != LOSS or len(losses) != matrix.shape[0] or not max(losses) > 0:
        return []
    return [Text("█" * round(BAR * loss / max(losses))) for loss in losses]


def _heads(matrix: Labelled) -> tuple[str, ...]:
    """The column labels; empty for a single cell labelled by its own step."""
    if matrix.shape == (1, 1) and matrix.cols == (matrix.step,):
        return ("",)
    return matrix.cols or tuple(str(j + 1) for j in range(matrix.shape[1]))


def _labels(matrix: Labelled) -> tuple[str, ...]:
    """The row labels; empty for a single cell without a label."""
    if matrix.label:
        return (matrix.label,)
    single = matrix.shape == (1, 1)
    if matrix.step == LOSS and not single:  # after 0, 1, ... steps
        return tuple(str(i) for i in range(matrix.shape[0]))
    return matrix.rows or tuple("" if single else str(i + 1) for i in range(matrix.shape[0]))


def _title(matrix: Labelled, language: Language) -> Text:
    """Name, shape and address of a matrix."""
    rows, cols = matrix.shape
    where = say("{rows} × {cols}, {place}", rows=rows, cols=cols, place=printable(matrix.area.address()))
    return Text.assemble((matrix.name, "bold"), f"  {language.tell(where)}")


def _cell(matrix: Labelled, i: int, j: int, text: str) -> Text:
    colour = matrix.scale.colour(matrix.grid[i][j])
    return Text(text, style=Style(color=INK, bgcolor=colour) if colour else Style.null())


def _fitting(texts: list[list[str]], heads: tuple[str, ...], room: int) -> int:
    """Number of columns that fit in a line, at least one."""
    used = 0
    for j, head in enumerate(heads):
        wide = max(cell_len(head), *(cell_len(row[j]) for row in texts)) + GAP
        last = j + 1 == len(heads)
        if used + wide + (0 if last else GAP + 1) > room:
            return max(j, 1)
        used += wide
    return len(heads)


def listing(matrices: Iterable[Labelled], language: Language = ENGLISH) -> Table:
    """A table of ranges: name, shape, address, and formula or role."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for head in HEADS:
        table.add_column(language.tell(head), no_wrap=head != "holds")
    for matrix in matrices:
        rows, cols = matrix.shape
        holds = printable(matrix.formula or language.tell(say(matrix.role)))
        table.add_row(*map(Text, (matrix.name, f"{rows} × {cols}", printable(matrix.area.address()), holds)))
    return table

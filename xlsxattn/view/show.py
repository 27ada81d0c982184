"""Matrices as coloured tables in the terminal."""

from __future__ import annotations

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
"""Blanks between columns."""
HEADS = say("range"), say("shape"), say("first cell"), say("holds")
MAX_ROWS = 60
"""So many rows of a matrix a terminal shows."""


def table(matrix: Labelled, width: int | None = None, language: Language = ENGLISH) -> Group:
    """A matrix for rich: its name, its formula, and its words and numbers, each on its heat map's colour.

    Args:
        matrix: what to show.
        width: characters that a line has; the columns that do not fit are left out, and a last line says so.
            None shows all rows and columns.
        language: of that line, and of the marks in the first.
    """
    rows, cols = matrix.shape
    heads, labels = _heads(matrix), _labels(matrix)
    texts = [[matrix.text(value) for value in row] for row in matrix.grid]
    fit, tall = cols, rows
    if width is not None:
        fit = _fitting(texts, heads, width - max(map(cell_len, labels)) - GAP)
        tall = min(rows, MAX_ROWS)
    made = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, show_header=heads != ("",))
    made.add_column(no_wrap=True)
    for j, head in enumerate(heads[:fit]):
        number = any(isinstance(row[j], float) for row in matrix.grid)
        made.add_column(Text(head), justify="right" if number else "left", no_wrap=True)
    if fit < cols:
        made.add_column(Text("…"))
    for i in range(tall):
        line = [_cell(matrix, i, j, texts[i][j]) for j in range(fit)]
        made.add_row(Text(labels[i], style="bold"), *line, *(["…"] if fit < cols else []))
    parts: list[RenderableType] = [_title(matrix, language)]
    if matrix.formula:
        parts.append(Text(printable(matrix.formula), style="dim"))
    parts.append(made)
    if fit < cols or tall < rows:
        sentence = "{tall} of {rows} rows, {fit} of {cols} columns; a pipe has all: | less -S"
        parts.append(Text(language.tell(say(sentence, tall=tall, rows=rows, fit=fit, cols=cols))))
    return Group(*parts)


def _heads(matrix: Labelled) -> tuple[str, ...]:
    """What stands above the columns: nothing above a single cell that is called by its step."""
    if matrix.shape == (1, 1) and matrix.cols == (matrix.step,):
        return ("",)
    return matrix.cols or tuple(str(j + 1) for j in range(matrix.shape[1]))


def _labels(matrix: Labelled) -> tuple[str, ...]:
    """What stands on the left of the rows: nothing beside a single cell without a label."""
    if matrix.label:
        return (matrix.label,)
    single = matrix.shape == (1, 1)
    return matrix.rows or tuple("" if single else str(i + 1) for i in range(matrix.shape[0]))


def _title(matrix: Labelled, language: Language) -> Text:
    """A matrix's name, its shape, and where it stands."""
    rows, cols = matrix.shape
    where = say("{rows} × {cols}, {place}", rows=rows, cols=cols, place=printable(matrix.area.address()))
    return Text.assemble((matrix.name, "bold"), f"  {language.tell(where)}")


def _cell(matrix: Labelled, i: int, j: int, text: str) -> Text:
    colour = matrix.scale.colour(matrix.grid[i][j])
    return Text(text, style=Style(color=INK, bgcolor=colour) if colour else Style.null())


def _fitting(texts: list[list[str]], heads: tuple[str, ...], room: int) -> int:
    """How many columns fit into a line, one at least."""
    used = 0
    for j, head in enumerate(heads):
        wide = max(cell_len(head), *(cell_len(row[j]) for row in texts)) + GAP
        last = j + 1 == len(heads)
        if used + wide + (0 if last else GAP + 1) > room:
            return max(j, 1)
        used += wide
    return len(heads)


def listing(matrices: Iterable[Labelled], language: Language = ENGLISH) -> Table:
    """Ranges, one a row: name, shape, place, and formula or kind."""
    made = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for head in HEADS:
        made.add_column(language.tell(head), no_wrap=head != "holds")
    for matrix in matrices:
        rows, cols = matrix.shape
        holds = printable(matrix.formula or language.tell(say(matrix.role)))
        made.add_row(*map(Text, (matrix.name, f"{rows} × {cols}", printable(matrix.area.address()), holds)))
    return made

"""Matrices as heat maps in a notebook: HTML that needs neither scripts nor style sheets."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from xlsxattn.language import language, say
from xlsxattn.view.heat import INK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.view.labelled import Labelled

MAX_CELLS = 4096
"""Maximum number of cells shown, since notebooks save their outputs."""
MAX_NAMES, MAX_TITLE = 12, 80
"""Ranges that an overview of a workbook names, and characters of its title."""


def overview(title: str, file: str, names: Sequence[str], n_ranges: int) -> str:
    """A workbook in a few lines: its title, its file, and the names of the first ranges to look at."""
    shown = ", ".join(f"<code>{escape(name)}</code>" for name in names[:MAX_NAMES])
    head = f"<b>{escape(title[:MAX_TITLE])}</b> ({escape(file)}, {n_ranges} ranges)"
    return f"<p>{head}</p><p>{shown} ...</p>"


def figure(matrix: Labelled) -> str:
    """A matrix as a captioned HTML table, with its numbers on the colours of the heat map."""
    rows, cols = matrix.shape
    tall = max(1, min(rows, MAX_CELLS // cols))
    heads = matrix.cols or tuple(str(j + 1) for j in range(cols))
    labels = matrix.rows or tuple(str(i + 1) for i in range(rows))
    top = "".join(f'<th scope="col" style="text-align:right">{escape(head)}</th>' for head in heads)
    body = "".join(
        f'<tr><th scope="row" style="text-align:right">{escape(labels[i])}</th>'
        + "".join(_cell(matrix, i, j) for j in range(cols))
        + "</tr>"
        for i in range(tall)
    )
    formula = f"<br><code>{escape(matrix.formula)}</code>" if matrix.formula else ""
    rest = language(matrix.lang).tell(say("{n} more rows", n=rows - tall))
    more = f"<br>{rest}" if tall < rows else ""
    return (
        f'<table><caption style="text-align:left"><b>{escape(matrix.name)}</b> {rows} × {cols}{formula}{more}'
        f'</caption><thead><tr><td aria-hidden="true"></td>{top}</tr></thead><tbody>{body}</tbody></table>'
    )


def _cell(matrix: Labelled, i: int, j: int) -> str:
    value = matrix.grid[i][j]
    colour = matrix.scale.colour(value)
    style = f";background-color:{colour};color:{INK}" if colour else ""
    exact = f' title="{value!r}"' if isinstance(value, float) else ""
    return f'<td style="text-align:right{style}"{exact}>{escape(matrix.text(value))}</td>'

"""Writes the rows of a sheet with formulas, typed values and long runs of plain numbers, but no saved values.

openpyxl takes twenty times as long, and writes only 16 digits, which changes some numbers.
"""

from __future__ import annotations

import math
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

import orjson
from openpyxl.utils.datetime import to_excel
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

from xlsxattn.checker.cells import letters_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from xlsxattn.checker.reading.runs import NumberRuns

    Cells = Mapping[tuple[int, int], Any]

_HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
_TAIL = b"</sheetData></worksheet>"


def styles_of(sheets: Iterable[Cells]) -> dict[bytes, int]:
    """The style index of every openpyxl style array of the cells."""
    indices: dict[bytes, int] = {}
    for cells in sheets:
        for cell in cells.values():
            key = bytes(cell._style or b"")
            if key not in indices:
                indices[key] = cell.style_id if key else 0
    return indices


def sheet(cells: Cells, runs: NumberRuns, styles: Mapping[bytes, int]) -> Iterator[bytes]:
    """The XML of a sheet that has only rows.

    Args:
        cells: (row, column), from 1 → openpyxl cell.
        runs: long runs of numbers, which are not in ``cells``.
        styles: the style indices of the cells.
    """
    by_row: dict[int, list[tuple[int, bytes]]] = {}
    for (row, col), cell in cells.items():
        xml = _cell(f"{letters_of(col)}{row}", cell, styles[bytes(cell._style or b"")])
        by_row.setdefault(row, []).append((col, xml.encode()))
    yield _HEAD
    for row in sorted(by_row.keys() | {row + 1 for row in runs.rows}):
        xml_cells = by_row.pop(row, [])
        xml_cells += [
            (first + 1, _run(row, first + 1, values)) for first, values in runs.rows.get(row - 1, ())
        ]
        yield b'<row r="%d">%s</row>' % (row, b"".join([xml for _, xml in sorted(xml_cells)]))
    yield _TAIL


def _cell(address: str, cell: Any, style: int) -> str:
    """The XML of a cell; text is never interpreted."""
    value, kind = cell.value, cell.data_type
    start = f'<c r="{address}"' + (f' s="{style}"' if style else "")
    if kind == "f":
        return f"{start}>{_formula(value)}<v></v></c>"
    if kind == "s":
        text = f'<is><t xml:space="preserve">{_escaped(value)}</t></is>' if value else ""
        return f'{start} t="inlineStr">{text}</c>'
    if kind == "d":
        kind, value = "n", to_excel(value, cell.parent.parent.epoch)  # type: ignore[no-untyped-call]
    if kind == "n":
        return f"{start}><v>{float(value)!r}</v></c>" if math.isfinite(value) else f"{start}><v></v></c>"
    return f'{start} t="{kind}"><v>{_escaped(int(value) if kind == "b" else value)}</v></c>'


def _formula(value: Any) -> str:
    if isinstance(value, DataTableFormula):
        given = "".join([f' {name}="{escape(str(said))}"' for name, said in value])
        return f"<f{given}/>"
    if isinstance(value, ArrayFormula):
        return f'<f t="array" ref="{escape(value.ref)}">{_escaped((value.text or "=")[1:])}</f>'
    return f"<f>{_escaped(value[1:])}</f>"


def _escaped(text: object) -> str:
    """Escape text for XML, including carriage returns, which XML would normalize."""
    return escape(str(text), quote=False).replace("\r", "&#13;")


@cache
def _template(col: int, count: int) -> bytes:
    """A template for the cells of a run, with # for their row and %b for their numbers."""
    return b"".join([b'<c r="%s#"><v>%%b</v></c>' % letters_of(c).encode() for c in range(col, col + count)])


def _run(row: int, col: int, values: NDArray[np.float64]) -> bytes:
    """The cells of a run, each number in its shortest exact representation."""
    texts = orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
    return _template(col, len(values)).replace(b"#", b"%d" % row) % tuple(texts)

"""Writes the rows of a sheet: formulas, typed values and long runs of plain numbers, and no saved value.

openpyxl takes twenty times as long, and writes numbers with 16 digits, which not all can do with.
"""

from __future__ import annotations

import math
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

import orjson
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from xlsxattn.checker.reading.runs import NumberRuns

    Cells = Mapping[tuple[int, int], Any]

_HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
_TAIL = b"</sheetData></worksheet>"

letters = cache(get_column_letter)


def looks_of(sheets: Iterable[Cells]) -> dict[bytes, int]:
    """The numbers of all looks that cells have, by what openpyxl calls a style; new ones are given theirs."""
    found: dict[bytes, int] = {}
    for cells in sheets:
        for cell in cells.values():
            key = bytes(cell._style or b"")
            if key not in found:
                found[key] = cell.style_id if key else 0
    return found


def sheet(cells: Cells, runs: NumberRuns, looks: Mapping[bytes, int]) -> Iterator[bytes]:
    """A sheet of rows and nothing else.

    Args:
        cells: (row, column), counted from 1 → a cell as openpyxl has it.
        runs: long runs of numbers; what stands in one stands in no cell.
        looks: the numbers of the cells' looks.
    """
    found: dict[int, list[tuple[int, bytes]]] = {}
    for (row, col), cell in cells.items():
        look = looks[bytes(cell._style or b"")]
        xml = _cell(f"{letters(col)}{row}", cell, look)
        found.setdefault(row, []).append((col, xml.encode()))
    yield _HEAD
    for row in sorted(found.keys() | {row + 1 for row in runs.rows}):
        own = found.pop(row, [])
        own += [(first + 1, _run(row, first + 1, values)) for first, values in runs.rows.get(row - 1, ())]
        yield b'<row r="%d">%s</row>' % (row, b"".join([xml for _, xml in sorted(own)]))
    yield _TAIL


def _cell(address: str, cell: Any, look: int) -> str:
    """One cell; a text is a text, whatever it looks like."""
    value, kind = cell.value, cell.data_type
    begins = f'<c r="{address}"' + (f' s="{look}"' if look else "")
    if kind == "f":
        return f"{begins}>{_formula(value)}<v></v></c>"
    if kind == "s":
        text = f'<is><t xml:space="preserve">{_escaped(value)}</t></is>' if value else ""
        return f'{begins} t="inlineStr">{text}</c>'
    if kind == "d":
        kind, value = "n", to_excel(value, cell.parent.parent.epoch)  # type: ignore[no-untyped-call]
    if kind == "n":
        return f"{begins}><v>{float(value)!r}</v></c>" if math.isfinite(value) else f"{begins}><v></v></c>"
    return f'{begins} t="{kind}"><v>{_escaped(int(value) if kind == "b" else value)}</v></c>'


def _formula(value: Any) -> str:
    if isinstance(value, DataTableFormula):
        given = "".join([f' {name}="{escape(str(said))}"' for name, said in value])
        return f"<f{given}/>"
    if isinstance(value, ArrayFormula):
        return f'<f t="array" ref="{escape(value.ref)}">{_escaped((value.text or "=")[1:])}</f>'
    return f"<f>{_escaped(value[1:])}</f>"


def _escaped(text: object) -> str:
    """Text between tags; what XML would read as another line's end is spelled by its number."""
    return escape(str(text), quote=False).replace("\r", "&#13;")


@cache
def _template(col: int, count: int) -> bytes:
    """A run's cells, # standing for their row and %b for their numbers."""
    return b"".join([b'<c r="%s#"><v>%%b</v></c>' % letters(c).encode() for c in range(col, col + count)])


def _run(row: int, col: int, values: NDArray[np.float64]) -> bytes:
    """The cells of a run, each number the shortest text that gives it back."""
    texts = orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
    return _template(col, len(values)).replace(b"#", b"%d" % row) % tuple(texts)

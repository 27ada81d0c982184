"""Cells in all forms are read like openpyxl reads them."""

from __future__ import annotations

import io

import pytest
from openpyxl.worksheet._reader import WorkSheetParser
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

from xlsxattn.checker.reading.limits import AmbiguousError
from xlsxattn.checker.reading.sheets import BothValues, value_of

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
TAB = "Sheet"
STRINGS = ["zero", "one", "", "1e5"]
DATES = {7}
STYLES = 8
CELLS = [
    '<c r="B7"><v>0.25</v></c>',
    '<c r="B7" t="n"><v>-3</v></c>',
    '<c r="XFD7" s="3"><v>1E-300</v></c>',
    "<c><v>1</v></c>",
    '<c r="B7"/>',
    '<c r="B7" s="3"/>',
    '<c r="B7"><v/></c>',
    '<c r="B7"><v></v></c>',
    '<c r="B7" t="s"><v>1</v></c>',
    '<c r="B7" t="s"><v>2</v></c>',
    '<c r="B7" t="s"/>',
    '<c r="B7" t="s" s="7"><v>3</v></c>',
    '<c r="B7" s="7"><v>45000.123456789012</v></c>',
    '<c r="B7" t="str"><v>5</v></c>',
    '<c r="B7" t="str"><v/></c>',
    '<c r="B7" t="b"><v>1</v></c>',
    '<c r="B7" t="e"><v>#N/A</v></c>',
    '<c r="B7" t="d"><v>2026-11-01</v></c>',
    '<c r="B7" t="inlineStr"><is><t>inline</t></is></c>',
    '<c r="B7" t="inlineStr"><is><r><t>in</t></r><r><t>line</t></r></is></c>',
    '<c r="B7"><f>SUM(A1:A3)</f><v>6.5</v></c>',
    '<c r="B7"><f/><v>6.5</v></c>',
    '<c r="B7"><f>SUM(A1:A3)</f></c>',
    '<c r="B7" t="str"><f>A1</f><v>text</v></c>',
    '<c r="B7" t="str"><f>A1</f><v></v></c>',
    '<c r="B7" t="b"><f>A1</f><v>0</v></c>',
    '<c r="B7" t="e"><f>A1</f><v>#DIV/0!</v></c>',
    '<c r="B7" s="7"><f>A1</f><v>45000.5</v></c>',
    '<c r="B7"><f t="normal">A1</f><v>2</v></c>',
    '<c r="B7"><f t="array" ref="B7:C8">MMULT(A1:B2,A1:B2)</f><v>2</v></c>',
    '<c r="B7" t="str"><f t="array" ref="B7">A1</f><v>word</v></c>',
    '<c r="B7"><f t="array" ref="B7"/><v>2</v></c>',
    '<c r="B7"><f t="shared" ref="B7:C7" si="0">A7</f><v>2</v></c><c r="C7"><f t="shared" si="0"/></c>',
    '<c r="B7"><f t="dataTable" ref="B7:B9" dt2D="0" dtr="0" r1="A1"/><v>2</v></c>',
    '<c r="B7"><v>1</v><extLst/></c>',
    '<c r="D7"><v>1</v></c><c><v>2</v></c>',
]
REFUSED = [
    '<c r="B7"><v> 12 </v></c>',
    '<c r="b7"><v>1</v></c>',
    '<c r=""><v>1</v></c>',
    '<c r="B7"><x:v xmlns:x="urn:x">1</x:v></c>',
    '<c r="B7"><v>1</v><v>2</v></c>',
    '<c r="B7"><f>A1</f><f>A2</f><v>2</v></c>',
    '<c r="XFE7"><v>1</v></c>',
    '<c r="B8"><v>1</v></c>',
]


def row(cells: str) -> io.BytesIO:
    xml = f'<worksheet xmlns="{MAIN}"><sheetData><row r="7">{cells}</row></sheetData></worksheet>'
    return io.BytesIO(xml.encode())


def plainly(cell: dict[str, object]) -> dict[str, object]:
    """A cell with floats for integers, and a comparable formula: openpyxl's formulas have no equality."""
    value = float(cell["value"]) if type(cell["value"]) is int else cell["value"]
    told = dict(value) if isinstance(value, ArrayFormula | DataTableFormula) else value
    text = value.text if isinstance(value, ArrayFormula) else ""
    return {**cell, "value": told, "text": text, "style_id": int(cell["style_id"] or 0), "is": type(value)}


@pytest.mark.parametrize("cells", CELLS)
def test_a_cell_is_read_as_openpyxl_reads_it(cells: str) -> None:
    ((_, wanted),) = WorkSheetParser(row(cells), STRINGS, date_formats=DATES).parse()
    ((_, values),) = WorkSheetParser(row(cells), STRINGS, data_only=True).parse()
    ours = BothValues(TAB, row(cells), STRINGS, {}, STYLES, date_formats=DATES)
    ((_, found),) = ours.parse()
    assert [plainly(cell) for cell in found] == [plainly(cell) for cell in wanted]
    saved = {(TAB, cell["row"] - 1, cell["column"] - 1): value_of(cell) for cell in values}
    assert {at: (value, type(value)) for at, value in ours.saved.items()} == {
        at: (value, type(value)) for at, value in saved.items()
    }


@pytest.mark.parametrize("cells", REFUSED)
def test_a_cell_that_can_be_read_in_two_ways_is_refused(cells: str) -> None:
    with pytest.raises(AmbiguousError):
        list(BothValues(TAB, row(cells), STRINGS, {}, STYLES, date_formats=DATES).parse())

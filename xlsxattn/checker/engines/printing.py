"""Prints workbooks to PDF with LibreOffice, one page per sheet."""

from __future__ import annotations

import html
import json
import re
import shutil
import zipfile
from itertools import islice
from typing import TYPE_CHECKING

from xlsxattn.checker.engines.calls import convert, write_profile
from xlsxattn.checker.engines.processes import failure
from xlsxattn.checker.engines.values import part_of
from xlsxattn.tempdirs import temporary_folder

if TYPE_CHECKING:
    from pathlib import Path

    from xlsxattn.checker.engines.processes import EngineFailed, Limits

_PDF = {"SinglePageSheets": {"type": "boolean", "value": "true"}}
_ROW, _END = re.compile(rb"<(?:\w+:)?row[\s>]"), re.compile(rb"</(?:\w+:)?sheetData>")
_HEAD = 50
"""Number of rows that are printed of a cut sheet."""
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s[^>]*/>")
_NAME = re.compile(rb"""\sname=(?:"([^"]*)"|'([^']*)')""")
_LOCAL = re.compile(rb"""(\slocalSheetId=["'])(\d+)""")
_AREA = re.compile(
    rb"""<(?:\w+:)?definedName(?=[^>]*_xlnm\.Print_Area")(?=[^>]*\slocalSheetId="(\d+)")[^>]*>[^<]*\$([A-Z]+)\$\d+<"""
)
_FIRST_ROW = re.compile(rb"""(<(\w+:)?row\s[^>]*\br="1"[^>]*>)(.*?)(</(?:\w+:)?row>)""", re.DOTALL)
_WORKBOOK = "xl/workbook.xml"


def printed(
    path: Path, target: Path, limits: Limits, *, cut: str = "", first: str = ""
) -> EngineFailed | None:
    """Recalculate a workbook and print it to PDF with LibreOffice, one page per sheet.

    Args:
        path: the workbook.
        target: the path of the PDF.
        limits: the limits for LibreOffice.
        cut: the tab of a sheet that is printed only up to its first rows.
        first: the tab that is printed first. LibreOffice scales down a sheet that is too wide for a PDF
            page, and also the sheets after it. The page of this tab is as wide as its print area, so that
            text that overflows the last cell is not cut off.

    Returns:
        The failure, or None.
    """
    with temporary_folder() as folder:
        write_profile(folder / "profile")
        _copy(path, folder / "0.xlsx", cut, first)
        code = convert([folder / "0.xlsx"], folder, limits, f"pdf:calc_pdf_Export:{json.dumps(_PDF)}")
        pdf = folder / "out/0.pdf"
        if not pdf.is_file():
            return failure("libreoffice", code, limits)
        shutil.copyfile(pdf, target)
    return None


def _copy(path: Path, copy: Path, cut: str, first: str) -> None:
    """Copy a workbook with one sheet cut to its first rows, and another moved to the front."""
    if not cut and not first:
        shutil.copyfile(path, copy)
        return
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as target:
        long = part_of(path, cut) if cut else ""
        shown, last = (
            (part_of(path, first), _last_column(source.read(_WORKBOOK), first)) if first else ("", "")
        )
        for part in source.namelist():
            content = source.read(part)
            if part == long:
                content = _head(content)
            elif part == _WORKBOOK and first:
                content = _moved_first(content, first)
            elif part == shown and last:
                content = _as_wide_as(content, last)
            target.writestr(part, content)


def _head(sheet: bytes) -> bytes:
    """The first rows of a sheet; unchanged if its XML is unusual."""
    after = next((row.start() for row in islice(_ROW.finditer(sheet), _HEAD, None)), None)
    end = _END.search(sheet)
    return sheet if after is None or end is None else sheet[:after] + sheet[end.start() :]


def _moved_first(workbook: bytes, tab: str) -> bytes:
    """Move a sheet to the front of the list of sheets, and update ``localSheetId`` of names."""
    sheets = list(_SHEET.finditer(workbook))
    at = next((i for i, sheet in enumerate(sheets) if _tab(sheet[0]) == tab), 0)
    if at == 0:
        return workbook

    def moved(match: re.Match[bytes]) -> bytes:
        index = int(match[2])
        return match[1] + str(0 if index == at else index + (index < at)).encode()

    begin, its, end = sheets[0].start(), sheets[at], workbook[sheets[at].end() :]
    ordered = workbook[:begin] + its[0] + workbook[begin : its.start()] + end
    return _LOCAL.sub(moved, ordered)


def _last_column(workbook: bytes, tab: str) -> str:
    """The last column of a sheet's print area, or ""."""
    tabs = [_tab(sheet[0]) for sheet in _SHEET.finditer(workbook)]
    areas = {int(index): column.decode() for index, column in _AREA.findall(workbook)}
    return areas.get(tabs.index(tab), "") if tab in tabs else ""


def _as_wide_as(sheet: bytes, column: str) -> bytes:
    """Add a cell with a space to the first row in this column, if the row is shorter."""
    row = _FIRST_ROW.search(sheet)
    if row is None:
        return sheet
    prefix, end = (row[2] or b"").decode(), f"{column}1"
    cells = re.findall(rb"""\br="([A-Z]+)1\"""", row[3])
    if any((len(own), own.decode()) >= (len(column), column) for own in cells):
        return sheet
    blank = f'<{prefix}c r="{end}" t="str"><{prefix}v xml:space="preserve"> </{prefix}v></{prefix}c>'
    return sheet[: row.start(4)] + blank.encode() + sheet[row.start(4) :]


def _tab(sheet: bytes) -> str:
    name = _NAME.search(sheet)
    return html.unescape((name[1] or name[2] or b"").decode()) if name else ""

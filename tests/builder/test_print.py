"""Printed pages: numbers large enough to read, and page breaks between steps."""

from __future__ import annotations

import re
import shutil
import zipfile
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from conftest import require
from layouts import (
    COMPARE,
    HEADS,
    LEARNED,
    PLAIN,
    bounds,
    file_of,
    lanes_of,
    placed_by_name,
)
from openpyxl.utils.cell import get_column_letter
from specs import plain

from xlsxattn import templates
from xlsxattn.builder import pages
from xlsxattn.builder.layout import sheet as layout
from xlsxattn.builder.layout.printing import page_height, pixels, repeated, row_heights
from xlsxattn.builder.specification import load
from xlsxattn.checker.engines import processes
from xlsxattn.checker.reading.book import read

if TYPE_CHECKING:
    from xlsxattn.builder.graph import Page
    from xlsxattn.builder.layout.placed import PlacedSheet


@pytest.mark.parametrize("template", templates.names())
def test_printed_numbers_are_large_enough_to_read(template):
    for sheet in layout.lay_out(pages.book(load(templates.path(template)))):
        points = 0.75 * pixels(sheet, range(sheet.last[1] + 1))
        across = (595 if sheet.portrait else 842) - 18 - 72 * sheet.margin_right
        assert 11 * across / points >= 6, sheet.tab  # the height of numbers


def test_of_a_wide_sheet_the_columns_that_can_be_read_are_printed_and_the_footer_says_so(tmp_path):
    sheets, path = file_of(plain([3, 2], 50, PLAIN), tmp_path)
    number, sheet = next((i, sheet) for i, sheet in enumerate(sheets, 1) if sheet.id == "attn")
    wide = max(placed.area.right for placed in sheet.placed)
    one_more = 0.75 * pixels(sheet, range(sheet.last[1] + 2))
    assert sheet.last[1] < wide
    assert 11 * (842 - 36) / one_more < 6
    left_out = get_column_letter(sheet.last[1] + 2)
    with zipfile.ZipFile(path) as archive:
        assert f"columns {left_out} to " in archive.read(f"xl/worksheets/sheet{number}.xml").decode()
    assert 'fitToWidth="' not in page_setup(path, number)[1]
    assert read(path).workbook["Inputs"].print_title_cols is None


def page_setup(path, number: int) -> tuple[str, str]:
    with zipfile.ZipFile(path) as archive:
        xml = archive.read(f"xl/worksheets/sheet{number}.xml").decode()
    return re.search(r"<sheetPr>.*?</sheetPr>", xml)[0], re.search(r"<pageSetup[^>]*>", xml)[0]


def test_twelve_words_in_two_lanes_print_on_one_pages_width(tmp_path):
    sheets, path = file_of(plain([12, 12], 4, PLAIN, LEARNED, HEADS, COMPARE), tmp_path)
    workbook = read(path).workbook
    for number, sheet in enumerate(sheets, 1):
        properties, setup = page_setup(path, number)
        assert 'fitToPage="1"' in properties
        portrait = 'orientation="portrait"' in setup
        assert portrait is sheet.portrait
        assert portrait or 'orientation="landscape"' in setup
        assert 'fitToWidth="' not in setup  # 1 by default
        assert ('fitToHeight="0"' in setup) is not sheet.one_page
        assert workbook[sheet.tab].print_area.startswith(f"'{sheet.tab}'!$A$1:")
        points = 0.75 * pixels(sheet, range(sheet.last[1] + 1))
        across = 595 if portrait else 842  # A4's width
        assert 11 * (across - 2 * 0.25 * 72) / points > 6, sheet.tab  # the height of numbers


def printed_pages(sheet: PlacedSheet) -> list[range]:
    """The rows of each printed page, without the repeated head and the empty row at the end."""
    return [range(first, after - 1) for first, after in pairwise([0, *sheet.breaks, sheet.last[0]])]


def steps_of(page: Page, sheet: PlacedSheet) -> list[range]:
    """The rows of each band with lanes, from its title to the last row of its blocks."""
    placed, titles = placed_by_name(sheet), {t.text: t.row for t in sheet.texts if t.look == "step"}
    found = []
    for band in lanes_of(page):
        last = max(bounds(group, placed).bottom for group in band.groups if group)
        found.append(range(titles[band.title], last + 1))
    return found


@pytest.mark.parametrize("template", templates.names())
def test_no_page_break_splits_a_step_that_fits_on_a_page(template):
    book = pages.book(load(templates.path(template)))
    for page, sheet in zip(book.pages, layout.lay_out(book), strict=True):
        if sheet.one_page:
            assert sheet.breaks == []
            continue
        head, room = row_heights(sheet, repeated(sheet), repeated(sheet) + 1), page_height(sheet)
        for rows in steps_of(page, sheet):
            assert not any(rows.start < at < rows.stop for at in sheet.breaks), (sheet.tab, rows)
        for rows in printed_pages(sheet):
            used = row_heights(sheet, rows.start, rows.stop) + (head if rows.start else 0)
            assert used <= room, (sheet.tab, rows)
        for rows, after in pairwise(printed_pages(sheet)):  # a page ends where one more step would be cut
            step = next((step for step in steps_of(page, sheet) if step.start == after.start), None)
            if step is not None:
                used = row_heights(sheet, rows.start, step.stop + 1) + (head if rows.start else 0)
                assert used > room, (sheet.tab, rows)


@pytest.mark.parametrize("template", templates.names())
def test_one_page_of_the_manifest_is_printed(template):
    sheet = layout.lay_out(pages.book(load(templates.path(template))))[-1]
    assert (sheet.id, sheet.breaks, sheet.one_page) == (layout.MANIFEST, [], True)
    at = placed_by_name(sheet)
    first, last = at["xlsxattn_Version"], at["xlsxattn_Formulas"]
    assert first.row <= sheet.last[0] < last.row
    assert sheet.last[1] >= last.area.right
    assert row_heights(sheet, 0, sheet.last[0] + 1) <= page_height(sheet)


def test_headings_of_lanes_are_repeated_on_every_page(tmp_path):
    sheets, path = file_of(plain([12, 12], 4, HEADS, {"id": "gpt", "kind": "decoder"}, COMPARE), tmp_path)
    workbook = read(path).workbook
    for sheet in sheets[1:]:
        row = 4 if sheet.bars else 1
        assert workbook[sheet.tab].print_title_rows == f"${row}:${row}"
    assert {bool(sheet.bars) for sheet in sheets} == {True, False}


def test_the_walkthrough_prints_on_as_many_pages_as_the_layout_says(walkthrough, tmp_path):
    require("libreoffice")
    command = [shutil.which("soffice"), f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"]
    command += ["--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(walkthrough)]
    assert processes.run(command, tmp_path, 120) == 0
    printed = len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "walkthrough.pdf").read_bytes()))
    whole = load(templates.path("walkthrough"))
    spec = replace(whole, sheets=tuple(sheet for sheet in whole.sheets if sheet.kind != "training"))
    sheets = layout.lay_out(pages.book(spec))
    assert printed == sum(1 + len(sheet.breaks) for sheet in sheets) == 18


def test_page_breaks_are_those_of_the_layout(tmp_path):
    sheets, path = file_of(plain([12], 4, PLAIN, HEADS), tmp_path)
    breaks = [sheet.breaks for sheet in sheets]
    assert any(breaks)
    with zipfile.ZipFile(path) as archive:
        pages_of_xml = [archive.read(f"xl/worksheets/sheet{i + 1}.xml").decode() for i in range(len(sheets))]
    assert [[int(row) for row in re.findall(r'<brk id="(\d+)"', xml)] for xml in pages_of_xml] == breaks


def test_the_print_area_is_that_of_the_layout(tmp_path):
    sheets, path = file_of(plain([3, 2], 2, PLAIN, COMPARE), tmp_path)
    workbook = read(path).workbook
    for sheet in sheets:
        last = workbook[sheet.tab].cell(sheet.last[0] + 1, sheet.last[1] + 1)
        column, row = last.column_letter, last.row
        assert workbook[sheet.tab].print_area == f"'{sheet.tab}'!$A$1:${column}${row}"


@pytest.mark.parametrize(("template", "id_", "most"), [("causal", "causal", 2), ("encoder", "paper_l1", 7)])
def test_a_short_last_page_is_avoided_by_a_smaller_scale(template, id_, most):
    (sheet,) = (s for s in layout.lay_out(pages.book(load(templates.path(template)))) if s.id == id_)
    assert len(printed_pages(sheet)) <= most
    points = 0.75 * pixels(sheet, range(sheet.last[1] + 1))
    across = (595 if sheet.portrait else 842) - 18 - 72 * sheet.margin_right
    assert sheet.margin_right > 0.25
    assert 11 * across / points >= 6  # the height of numbers in print

"""The writer: formulas, saved values, drafts."""

from __future__ import annotations

import re
import zipfile
from itertools import cycle
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from xlsxattn import templates
from xlsxattn.builder import layout, pages
from xlsxattn.builder import specification as specs
from xlsxattn.builder.writer import workbook as writer

if TYPE_CHECKING:
    from pathlib import Path


KINDS = (0.1, -1e300, 7, "word", "1e5", "nan", "#DIV/0!", "a < b & c", " two ", 1 / 3)
"""All kinds of values that engines return."""


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("name", ["walkthrough", "encoder"])
def test_values_of_every_kind_are_saved_unchanged(name: str, tmp_path: Path) -> None:
    book = pages.book(specs.load(templates.path(name)))
    sheets = layout.lay_out(book)
    kinds = cycle(KINDS)
    computed = [(sheet.tab, p) for sheet in sheets for p in sheet.placed if p.block.parts]
    values = {
        p.block.name: [[next(kinds) for _ in range(p.block.cols)] for _ in range(p.block.rows)]
        for _, p in computed
    }
    writer.write(tmp_path / "valued.xlsx", book.title, sheets, values)
    saved = openpyxl.load_workbook(tmp_path / "valued.xlsx", data_only=True)
    for tab, p in computed:
        cells = saved[tab].iter_rows(p.row + 1, p.area.bottom + 1, p.col + 1, p.area.right + 1)
        assert [[cell.value for cell in row] for row in cells] == values[p.block.name], p.block.name


def cells_of(xml: bytes) -> list[bytes]:
    """The cells of a sheet, except zeros; a draft lacks those of array formulas."""
    cells = re.findall(rb"<c [^>]*?(?:/>|>.*?</c>)", xml)
    return [cell for cell in cells if not re.fullmatch(rb"<c [^>]*><v>0</v></c>", cell)]


def test_a_draft_has_all_cells_and_the_names_used_in_formulas(tmp_path: Path) -> None:
    book = pages.book(specs.load(templates.path("reverse")))
    sheets = layout.lay_out(book)
    writer.write(tmp_path / "whole.xlsx", book.title, sheets)
    writer.write(tmp_path / "draft.xlsx", book.title, sheets, draft=True)
    whole, draft = parts(tmp_path / "whole.xlsx"), parts(tmp_path / "draft.xlsx")
    for name in whole:
        if name.startswith("xl/worksheets/sheet"):
            assert cells_of(whole[name]) == cells_of(draft[name])
            assert b"<conditionalFormatting" not in draft[name]
    names = [
        set(re.findall(rb'<definedName name="(\w+)"', parts["xl/workbook.xml"])) for parts in (whole, draft)
    ]
    assert b"rev_Scale" in names[1] < names[0]
    left_out = b"|".join(names[0] - names[1])
    spoken = [re.search(rb"<f[^>]*>[^<]*\b(?:%s)\b" % left_out, xml) for xml in draft.values()]
    assert not any(spoken)


def test_an_interrupt_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(writer._Writer, "finish", stop)
    sheets = layout.lay_out(pages.book(specs.load(templates.path("walkthrough"))))
    with pytest.raises(KeyboardInterrupt):
        writer.write(tmp_path / "a.xlsx", "A", sheets)
    assert list(tmp_path.iterdir()) == []

"""What the writer writes is what XlsxWriter would write, byte for byte."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING, Any

import model_specs
import pytest
from xlsxwriter.worksheet import Worksheet

from xlsxattn import templates
from xlsxattn.builder import layout, pages
from xlsxattn.builder import specification as specs
from xlsxattn.builder.writer import workbook as writer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from xlsxattn.builder.layout.placed import PlacedSheet, Rectangle


CHARACTER = {
    "vocabulary": {"tokens": {"a": [1.0, 0.5], "b": [0.0, 2.0]}},
    "contexts": {"x0041": "a b"},
    "sheets": [{"id": "attn", "kind": "self-attention"}],
}
"""XlsxWriter spells what reads as a character's number, as in attn_x0041_X, with another number before."""


class Plain(Worksheet):  # type: ignore[misc]
    """A worksheet of XlsxWriter's, each cell written by its public methods."""

    def array_formula(self, cells: Rectangle, formula: str, look: Any, values: Any) -> None:
        corners = cells.top, cells.left, cells.bottom, cells.right
        self.write_array_formula(*corners, f"{{{formula}}}", look, values[0][0])
        for i, row in enumerate(values):
            for j, value in enumerate(row):
                if (i, j) != (0, 0):
                    write = self.write_string if isinstance(value, str) else self.write_number
                    write(cells.top + i, cells.left + j, value, look)


def strange(sheets: Sequence[PlacedSheet]) -> Mapping[str, Any]:
    """Values of every kind that an engine gives, for every range with formulas."""
    kinds = [0.1, -1e300, 7, "word", "1e5", "", None, True, "#DIV/0!", "a < b & c", 1 / 3]
    return {
        p.block.name: [
            [kinds[(i * 5 + j + len(p.block.name)) % len(kinds)] for j in range(p.block.cols)]
            for i in range(p.block.rows)
        ]
        for sheet in sheets
        for p in sheet.placed
        if p.block.parts
    }


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("valued", [False, True], ids=["without values", "with values"])
@pytest.mark.parametrize("name", [*templates.names(), "drawn", "an id that reads as a character"])
def test_every_byte_is_as_xlsxwriter_writes_it(
    name: str, *, valued: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = {"drawn": model_specs.drawn(3), "an id that reads as a character": CHARACTER}.get(name)
    spec = specs.parse(drawn, "drawn") if drawn else specs.load(templates.path(name))
    book = pages.book(spec)
    sheets = layout.lay_out(book)
    values = strange(sheets) if valued else None
    writer.write(tmp_path / "ours.xlsx", book.title, sheets, values)
    monkeypatch.setattr(writer, "_Worksheet", Plain)
    writer.write(tmp_path / "theirs.xlsx", book.title, sheets, values)
    assert parts(tmp_path / "ours.xlsx") == parts(tmp_path / "theirs.xlsx")


def test_a_draft_has_all_cells_and_the_names_that_formulas_speak_of(tmp_path: Path) -> None:
    book = pages.book(specs.load(templates.path("reverse")))
    sheets = layout.lay_out(book)
    writer.write(tmp_path / "whole.xlsx", book.title, sheets)
    writer.write(tmp_path / "draft.xlsx", book.title, sheets, draft=True)
    whole, draft = parts(tmp_path / "whole.xlsx"), parts(tmp_path / "draft.xlsx")
    for name in whole:
        if name.startswith("xl/worksheets/sheet"):
            cells = [
                xml.partition(b"<sheetData>")[2].partition(b"</sheetData>")[0]
                for xml in (whole[name], draft[name])
            ]
            assert cells[0] == cells[1]
            assert b"<conditionalFormatting" not in draft[name]
    names = [
        set(re.findall(rb'<definedName name="(\w+)"', parts["xl/workbook.xml"])) for parts in (whole, draft)
    ]
    assert b"rev_Scale" in names[1] < names[0]
    left_out = b"|".join(names[0] - names[1])
    spoken = [re.search(rb"<f[^>]*>[^<]*\b(?:%s)\b" % left_out, xml) for xml in draft.values()]
    assert not any(spoken)


def test_what_is_interrupted_writes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(writer._Writer, "finish", stop)
    sheets = layout.lay_out(pages.book(specs.load(templates.path("walkthrough"))))
    with pytest.raises(KeyboardInterrupt):
        writer.write(tmp_path / "a.xlsx", "A", sheets)
    assert list(tmp_path.iterdir()) == []

"""Previews by LibreOffice and as HTML: complete, of the right sheet, without leftover files."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

import pytest
from commands import refusal, run
from conftest import require
from specs import plain
from workbooks import tweaked

from xlsxattn import press
from xlsxattn.checker import engines
from xlsxattn.checker.engines import printing
from xlsxattn.view import preview as previews
from xlsxattn.view.preview import poppler, preview


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def size(png: Path) -> tuple[int, int]:
    content = png.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert content.endswith(b"IEND\xaeB`\x82")
    return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])


def pdf_pages(pdf: Path) -> int:
    content = pdf.read_bytes()
    assert content.startswith(b"%PDF-")
    return len(re.findall(rb"/Type\s*/Page\b", content))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    sheets = {"id": "attn"}, {"id": "heads", "kind": "multi-head", "heads": 3}
    return press.build(plain([3], 3, *sheets), tmp_path_factory.mktemp("small") / "small.xlsx").path


@pytest.fixture(scope="module")
def pictures(walkthrough, small, tmp_path_factory):
    require("libreoffice")
    folder = tmp_path_factory.mktemp("pictures")
    preview(walkthrough, folder / "all.pdf")
    preview(small, folder / "one.pdf", "heads")
    preview(small, folder / "first.png")
    preview(small, folder / "attn.png", "attn")
    preview(small, folder / "heads.png", "Multi-head")
    return folder


def heights(pdf: Path) -> list[float]:
    """Heights of a PDF's pages in points."""
    boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 [\d.]+ ([\d.]+)", pdf.read_bytes())
    return [float(height) for height in boxes]


def test_a_pdf_has_all_sheets_or_the_selected_one(pictures, walkthrough):
    assert pdf_pages(pictures / "all.pdf") == len(previews.look(walkthrough).tabs) == 11
    assert pdf_pages(pictures / "one.pdf") == 1


def test_a_pdf_has_the_beginning_of_the_contract_or_all_of_it_if_selected(pictures, walkthrough):
    assert previews.look(walkthrough).contract == "Contract"
    *others, last = heights(pictures / "all.pdf")[:11]
    assert 300 < last < max(others)
    preview(walkthrough, "contract.pdf", "Contract")
    assert heights(Path("contract.pdf"))[0] > 2 * max(others)


def test_a_png_shows_the_sheet_asked_for_by_id_or_tab_else_the_first_that_computes(pictures):
    assert (pictures / "first.png").read_bytes() == (pictures / "attn.png").read_bytes()
    (wide, high), (_, higher) = size(pictures / "attn.png"), size(pictures / "heads.png")
    assert wide > 1000
    assert higher > high > 1000


def reaches(pdf: str) -> float:
    """Right edge of the words in a PDF, relative to the page width."""
    poppler("pdftotext", "-bbox", pdf, "words.html")
    said = Path("words.html").read_text("utf-8")
    ends = re.findall(r'xMax="([\d.]+)"', said)
    return max(map(float, ends)) / float(re.search(r'<page width="([\d.]+)"', said)[1])


def test_a_sheet_after_a_very_wide_one_keeps_its_size():
    """LibreOffice shrinks a sheet wider than a page, and keeps the scale for the next sheet."""
    wide = press.build(plain([2], 400, {"id": "attn"}), Path("wide.xlsx")).path
    preview(wide, "last.pdf", "Glossary")
    assert reaches("last.pdf") > 0.8


def test_texts_that_overflow_the_last_cell_are_printed(causal):
    preview(causal, "words.pdf", "causal")
    assert reaches("words.pdf") < 1


@pytest.mark.parametrize(
    ("row", "column", "made"),
    [
        ('<row r="1"><c r="A1"/></row>', "K", '<row r="1"><c r="A1"/>BLANK</row>'),
        ('<x:row r="1" ht="3"></x:row>', "B", '<x:row r="1" ht="3">BLANK</x:row>'),
        ('<row r="1"><c r="A1"/><c r="AA1"/></row>', "K", '<row r="1"><c r="A1"/><c r="AA1"/></row>'),
        ('<row r="2"><c r="A2"/></row>', "K", '<row r="2"><c r="A2"/></row>'),
    ],
)
def test_a_space_keeps_the_width_of_the_print_area(row, column, made):
    found = printing._as_wide_as(row.encode(), column).decode()
    assert re.sub(rf'<(x:)?c r="{column}1" t="str">.*?</(x:)?c>', "BLANK", found) == made


@pytest.mark.parametrize(
    ("tab", "order", "local"),
    [
        ("A & B", "A & B|One|C", "1 0 2"),
        ("C", "C|One|A & B", "1 2 0"),
        ("One", "One|A & B|C", "0 1 2"),
        ("no such", "One|A & B|C", "0 1 2"),
    ],
)
def test_moving_a_sheet_to_the_front_updates_its_names(tab, order, local):
    book = """<workbook><sheets><sheet name="One" r:id="a"/><sheet r:id="b" name='A &amp; B'/>
    <sheet name="C"/></sheets>
    <definedName localSheetId="0"/><definedName localSheetId='1'/><definedName localSheetId="2"/>"""
    made = printing._moved_first(book.encode(), tab).decode()
    assert "|".join(re.findall(r"""\bname=["']([^"']*)""", made)).replace("&amp;", "&") == order
    assert " ".join(re.findall(r"localSheetId=.(\d)", made)) == local


def test_libreoffice_recalculates_what_it_prints_and_leaves_nothing(causal, tmp_path_factory, monkeypatch):
    require("libreoffice")
    own = tmp_path_factory.mktemp("own")  # a folder that no other process writes to
    monkeypatch.setenv("TMPDIR", str(own))
    monkeypatch.setattr(tempfile, "tempdir", None)
    preview(causal, "causal.png")
    assert [*own.iterdir()] == []
    assert [path.name for path in Path().iterdir()] == ["causal.png"]
    bare = tweaked(causal, {"chase_Tokens": {1: "dog"}}, Path("bare.xlsx"))
    preview(bare, "bare.png")
    assert size(Path("bare.png"))[0] > 500
    assert Path("bare.png").read_bytes() != Path("causal.png").read_bytes()


def test_a_hanging_libreoffice_is_stopped(walkthrough, monkeypatch):
    require("libreoffice")
    hang = Path("hang")
    hang.write_text("#!/bin/sh\nsleep 60\n", "utf-8")
    hang.chmod(0o755)
    monkeypatch.setattr("xlsxattn.checker.engines.calls._program", lambda _: str(hang.absolute()))
    with pytest.raises(engines.EngineFailed, match=r"LibreOffice timed out after 0.5 s"):
        engines.print_pdf(walkthrough, Path("x.pdf"), engines.Limits(seconds=0.5))
    assert not Path("x.pdf").exists()


# --- the command -------------------------------------------------------------------------------------------


def test_the_command_writes_only_the_page(walkthrough):
    ended = run("preview", walkthrough)
    assert (ended.code, ended.out, ended.err) == (0, "written: walkthrough.html\n", "")
    assert [path.name for path in Path().iterdir()] == ["walkthrough.html"]
    assert "<title>The same word in two contexts</title>" in Path("walkthrough.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-o", "x.gif"], "x.gif: the file name must end in one of .png, .pdf, .html"),
        (["-o", "x"], "x: the file name must end in one of .png, .pdf, .html"),
        (
            ["-o", "x.html", "--sheet", "attn"],
            "x.html: an HTML page shows all sheets: omit the sheet, or choose .png or .pdf",
        ),
        (["-o", "no/x.html"], "no/x.html: the folder no does not exist; create it first"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_invalid_options_are_refused(walkthrough, words, sentence):
    assert refusal("preview", walkthrough, *words) == sentence


def test_an_unknown_sheet_is_refused_with_the_nearest_or_the_list_of_them(walkthrough):
    sentence = refusal("preview", walkthrough, "-o", "x.png", "--sheet", "nix")
    assert sentence.startswith(
        f"{walkthrough}: there is no sheet 'nix'; the sheets are: attn, qkv, dims, heads"
    )
    sentence = refusal("preview", walkthrough, "-o", "x.png", "--sheet", "comprae")
    assert sentence == f"{walkthrough}: there is no sheet 'comprae'; did you mean 'compare'?"


def test_a_file_that_is_not_a_workbook_is_refused():
    Path("x.xlsx").write_text("no", "utf-8")
    assert refusal("preview", "x.xlsx").startswith("x.xlsx: this is not an .xlsx workbook")
    assert refusal("preview", "y.xlsx") == "y.xlsx: there is no such file"


@pytest.mark.parametrize(
    ("program", "sentence"),
    [("soffice", "LibreOffice is missing: no program 'soffice'"),
     ("pdftoppm", "Poppler is missing: no program 'pdftoppm'")],
)  # fmt: skip
def test_a_missing_program_is_one_sentence(causal, monkeypatch, program, sentence):
    require("libreoffice")
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name, *rest: None if name == program else which(name, *rest))
    assert sentence in refusal("preview", causal, "-o", "x.png")


def test_a_picture_replaces_an_older_one_only_if_complete(walkthrough, monkeypatch):
    Path("x.html").write_text("old", "utf-8")

    def fails(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfile", fails)
        sentence = refusal("preview", walkthrough, "-o", "x.html")
    assert sentence == "x.html: cannot be written: No space left on device"
    assert Path("x.html").read_text("utf-8") == "old"
    assert run("preview", walkthrough, "-o", "x.html").code == 0
    assert Path("x.html").read_text("utf-8") != "old"


def test_the_main_page_of_a_training_is_shown(learning):
    assert previews.tab_of(previews.look(learning), "learn") == "Learning"

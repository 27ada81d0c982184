"""Builds: what is written, always proved, with any title and the same bytes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest
from commands import listing, refusal, run
from openpyxl.worksheet.formula import ArrayFormula
from small_books import SPEC, spec, title
from specs import plain

from dev import prebuilt
from xlsxattn import press, templates
from xlsxattn.checker.reading import opening
from xlsxattn.checker.reading.limits import Allowance

pytestmark = pytest.mark.usefixtures("temporary")


def test_the_default_output_folder_is_created_with_only_the_workbook(temporary):
    ended = run("build", spec())
    assert ended.code == 0
    assert set(listing(Path())) == {"spec.toml", "output", "output/spec.xlsx"}
    assert ended.out.startswith("written: output/spec.xlsx\n")
    assert listing(temporary) == {}


def test_an_invalid_spec_creates_no_folder():
    spec()
    Path("spec.toml").write_text("title = 1", "utf-8")
    refusal("build", "spec.toml")
    assert not Path("output").exists()


def test_the_same_spec_gives_the_same_bytes_in_another_place_time_zone_and_process(tmp_path):
    first = press.build(Path(spec()), Path("first.xlsx")).path.read_bytes()
    away = tmp_path / "away"
    away.mkdir()
    environment = {**os.environ, "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "LC_ALL": "C"}
    command = [sys.executable, "-m", "xlsxattn", "build", str(Path("spec.toml").absolute())]
    subprocess.run(command, cwd=away, env=environment, check=True, capture_output=True)
    assert (away / "output/spec.xlsx").read_bytes() == first


DANGEROUS = ["=1+1", "+1", "-1", "@SUM(1)", "=cat_Tokens", "{=1}", "#N/A", "TRUE", "1e5", '="x"&1']


def test_words_that_look_like_formulas_or_numbers_are_stored_as_text():
    rows = "\n".join(f"'{word}' = [{i}, 1.0]" for i, word in enumerate(DANGEROUS))
    words = ", ".join(f"'{word}'" for word in DANGEROUS)
    dimensions = "dimensions = ['=2+2', '-d']"
    text = SPEC.format(title='"=1+1"').replace('"cat mouse"', f"[{words}]")
    text = re.sub(r"cat = .*\nmouse = .*", lambda _: rows, text)
    text = text.replace("[vocabulary.tokens]", f"[vocabulary]\n{dimensions}\n[vocabulary.tokens]")
    Path("spec.toml").write_text(text, "utf-8")
    assert run("build", "spec.toml", "-o", "book.xlsx").code == 0
    book = openpyxl.load_workbook("book.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    texts = [cell.value for cell in cells if cell.data_type == "s"]
    assert [word for word in [*DANGEROUS, "=2+2", "-d"] if word not in texts] == []
    entered = [
        cell.value.text if isinstance(cell.value, ArrayFormula) else cell.value
        for cell in cells
        if cell.data_type == "f"
    ]
    assert [word for word in [*DANGEROUS, "=2+2"] if word in entered] == []


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(1)", "=Start", "-", "=A1:B2"])
def test_titles_that_look_like_formulas_are_stored_as_text(text):
    assert run("build", spec(text), "-o", "book.xlsx").code == 0
    book = openpyxl.load_workbook("book.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value == text]
    assert len(cells) >= 3  # on Start: the title, a box, a label; and the title of the sheet
    assert {cell.data_type for cell in cells} == {"s"}
    assert book.properties.title == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x" * 248, id="248 characters"),
        pytest.param(
            "x" * 255,
            id="255 characters",
        ),
        pytest.param("x" * 31, id="as long as a tab's name"),
        pytest.param("y" * 40, id="longer than a tab's name"),
        pytest.param("[a]:*?/\\b", id="illegal in a tab's name"),
        pytest.param("[]:*?/\\", id="nothing legal in a tab's name"),
        pytest.param("'quoted'", id="quotes at the ends"),
        pytest.param("What's new", id="a quote inside"),
        pytest.param(
            "Attention!",
            id="an exclamation mark",
        ),
        pytest.param("Start", id="the first tab"),
        pytest.param("cONTRACT", id="the last tab, in other case"),
        pytest.param("inputs", id="the second tab, in other case"),
        pytest.param("Compare", id="another sheet"),
        pytest.param("History", id="reserved by Excel"),
        pytest.param("😀" * 20, id="emoji"),
        pytest.param("中文 عربي ß", id="other scripts"),
        pytest.param('<a href="&amp;">&P %s {0}', id="marks of other languages"),
        pytest.param("A1", id="an address"),
    ],
)
def test_any_title_builds_proves_and_has_a_tab_that_excel_takes(text):
    ended = run("build", spec(text), "-o", "book.xlsx", "-q")
    assert (ended.code, ended.err) == (0, "")
    assert title("book.xlsx") == text
    tabs = openpyxl.load_workbook("book.xlsx").sheetnames
    assert len({tab.casefold() for tab in tabs} - {"history"}) == len(tabs) == 7
    for tab in tabs:
        assert 1 <= len(tab.encode("utf-16-le")) // 2 <= 31
        assert not re.search(r"[\[\]:*?/\\]|^'|'$", tab)


def test_a_comparison_with_one_sentence_compares_nothing_and_says_so_once():
    ended = run("build", spec(), "-o", "book.xlsx")
    assert ended.err.count("'cat' is in only one sentence, so nothing is compared.") == 1
    saved = openpyxl.load_workbook("book.xlsx", data_only=True)
    ((tab, place),) = saved.defined_names["compare_Status"].destinations
    assert saved[tab][place].value == "– only one sentence contains “cat”: nothing to compare"


def test_the_lines_of_a_chart_are_straight():
    alike = {"id": "enc", "kind": "encoder", "similarity": True}
    press.build(plain([3, 2], 2, alike), Path("alike.xlsx"))
    with zipfile.ZipFile("alike.xlsx") as archive:
        charts = [archive.read(name).decode() for name in archive.namelist() if "charts/chart" in name]
    (lines,) = [xml for xml in charts if "<c:lineChart>" in xml]
    assert re.findall(r"<c:smooth [^>]*>|</c:ser>", lines) == ['<c:smooth val="0"/>', "</c:ser>"] * 2


@pytest.mark.parametrize(
    ("module", "limit", "said"),
    [
        ("opening", "names", "the workbook has too many defined names, the limit is 3"),
        ("book", "area", r"the array formulas cover [\d,]+ cells, the limit is 3"),
        ("manifest", "area", r"its sheets would need [\d,]+ scores, the limit is 3"),
    ],
)
def test_a_workbook_beyond_a_limit_is_not_built(old, temporary, monkeypatch, module, limit, said):
    small = Allowance(**{limit: 3})
    if module == "opening":
        monkeypatch.setattr(opening.load, "__defaults__", (small,))
    else:
        monkeypatch.setattr(f"xlsxattn.checker.reading.{module}.STANDARD", small)
    sentence = refusal("build", spec(), "-o", "book.xlsx")
    assert re.fullmatch(rf"book\.xlsx: {said}; .*; use a smaller spec", sentence), sentence
    assert Path("book.xlsx").read_bytes() == old
    assert listing(temporary) == {}


def test_a_template_is_not_changed_by_a_build():
    before = listing(templates.folder())
    for name in ("causal", "glove"):  # the latter with a data file
        assert run("build", name).code == 0
    assert listing(templates.folder()) == before
    assert set(listing(Path())) == {"output", "output/causal.xlsx", "output/glove.xlsx"}


@pytest.mark.parametrize("name", templates.names())
def test_every_template_is_proved(name):
    prebuilt.build(name, Path("book.xlsx"))

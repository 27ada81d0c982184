"""The calculation of the live page: the values in the files, edits against IronCalc, all functions."""

from __future__ import annotations

import math
import re
import zipfile
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conftest import THOROUGH
from live import computed, in_workbook
from live_edits import random_edits

import xlsxattn.builder
from dev import prebuilt
from xlsxattn import templates
from xlsxattn.checker import engines
from xlsxattn.checker.cells import CellError, listed
from xlsxattn.checker.reading.book import read
from xlsxattn.view.pack import packed

EXACT = 1e-12
COARSE = 1e-9
"""The tolerance of results of IronCalc's Φ, and of difference quotients, which magnify rounding."""
DIVERGED = 1e-7
"""The relative tolerance after edits, which may let a training diverge."""
BY_DIFFERENCES = re.compile("NORMSDIST|_Distance")
UNTRAINED = "untrained"
"""The walkthrough without its training."""
EDITED = [UNTRAINED] * (4 if THOROUGH else 1)
EDITED += ["sort", "mouse", "encoder", "learning", "llama", "padding"]

RECALCULATED = """
const coarse = new Set();
for (const formula of calculation.order) { // the formulas that depend on a coarse one
  const needs = [...formula.needs].some((one) => coarse.has(one));
  if (needs || new RegExp(request.coarse).test(formula.text)) coarse.add(formula);
}
const changed = calculation.recalculate();
const far = changed.filter(({ sheet, row, col, before, value }) => {
  const limit = coarse.has(calculation.owners.get(sheet)[row][col]) ? request.limit : request.exact;
  return !(Math.abs(value - before) <= limit * Math.max(1, Math.abs(before)));
});
let cells = 0;
calculation.formulas.forEach(({ area }) => { cells += area.rows * area.cols; });
const shown = ({ sheet, row, col, before, value }) => [sheet, row, col, String(before), String(value)];
return { cells, far: far.map(shown) };
"""


@pytest.fixture(scope="module")
def books(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("live")
    found = {name: prebuilt.build(name, folder / f"{name}.xlsx") for name in templates.names()}
    found[UNTRAINED] = prebuilt.build("walkthrough", folder / f"{UNTRAINED}.xlsx", without="training")
    return found


@pytest.mark.parametrize("name", templates.names())
def test_all_cells_of_every_template_equal_the_values_in_the_file(books, name):
    found = in_workbook(books[name], RECALCULATED, coarse=BY_DIFFERENCES.pattern, exact=EXACT, limit=COARSE)
    assert found["far"] == []
    assert found["cells"] > 200


@pytest.mark.parametrize("name", templates.names())
def test_the_page_restores_each_part_of_the_file(books, name):
    restored = in_workbook(books[name], "return [...opened.parts];")
    with zipfile.ZipFile(books[name]) as archive:
        assert restored == [[part, archive.read(part).decode()] for part in archive.namelist()]


def test_what_another_program_writes_is_restored(tmp_path):
    rows = (
        '<sheetPr/><cols><col min="1"/></cols><row r="2"><c r="A2"><v>-12345.678E-5</v></c><c r="B2"/></row>'
        '<row r="3"><c r="C3" t="str"><v>12345678</v></c><c r="D3"><v>1</v></c><c r="AA3"/></row><rowBreaks/>'
        '<row r="5"><c r="A9"><v>12345678</v></c><c r="B9"><v>-12345.678E-5</v></c></row>'
        '<row r="6" s="1"><c r="B6" t="str"><v>1234567.&lt;n1&gt;</v></c></row>'
    )
    parts = {"xl/worksheets/sheet1.xml": rows, "xl/worksheets/sheet2.xml": rows, "a.xml": "\ufeff\r\nü"}
    binary = {"xl/worksheets/a.bin": b"\xff<row r=\0", "b.png": b"\xd8\x00"}
    with zipfile.ZipFile(tmp_path / "other.xlsx", "w") as archive:
        for part, text in (parts | binary).items():
            archive.writestr(part, text)
    script = "return [...await unpackedParts(...request.packed)].map(([name, part]) => [name, String(part)]);"
    restored = dict(computed(script, packed=packed(tmp_path / "other.xlsx")))
    assert restored == parts | {name: ",".join(map(str, part)) for name, part in binary.items()}


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("_x0041_", "_x005F_x0041_"), ("_x0041_x0042_", "_x005F_x0041_x005F_x0042_"), ("\v", "_x000B_"),
        ("\r\n", "_x000D_\n"), ("\uffff", "_xFFFF_"), ('a<b>&"', "a&lt;b&gt;&amp;&quot;"), ("_x41_", "_x41_"),
    ],
)  # fmt: skip
def test_texts_are_stored_as_workbooks_store_them(text, stored):
    script = """
    const xml = cellXml(request.text)[1];
    return [xml, readSheet(`<c r="A1" t="str">${xml}</c>`, "S", []).values[0][0]];
    """
    assert computed(script, text=text) == [f"<v>{stored}</v>", text]


EDITS = """
calculation.recalculate();
return request.edits.map((set) => {
  const typed = (value) => (value === "" ? null : value);
  calculation.set(set.map(([sheet, row, col, value]) => ({ sheet, row, col, value: typed(value) })));
  return ranges();
});
"""


@pytest.mark.parametrize("seed", range(len(EDITED)))
def test_edits_give_the_values_of_ironcalc(books, seed):
    path, random = books[EDITED[seed]], Random(seed)
    book = read(path)
    sets = [random_edits(book, random) for _ in range(20 if THOROUGH else 4)]
    names = [name for name in book.names if not book.manifest.parse(name).is_manifest]
    found = in_workbook(path, EDITS, edits=sets, names=names)
    changes = [{(sheet, row, col): value for sheet, row, col, value in one} for one in sets]
    wanted = engines.evaluate_edited("ironcalc", engines.Job(path, book.names), _cumulative(changes))
    for n, (ours, theirs) in enumerate(zip(found, wanted, strict=True)):
        assert not isinstance(theirs, engines.EngineFailed)
        for name in names:
            grid = listed(theirs[name])
            assert _different(ours[name], grid) == [], (n, name, sets[: n + 1])


def _cumulative(changes):
    """Each set with the values of the earlier ones."""
    together: list[dict[Any, Any]] = [{}]
    for one in changes:
        together.append(together[-1] | one)
    return together[1:]


def _different(ours, theirs) -> list[Any]:
    pairs = [pair for a, b in zip(ours, theirs, strict=True) for pair in zip(a, b, strict=True)]
    return [(a, b) for a, b in pairs if not _alike(a, b)]


def _alike(a: Any, b: Any) -> bool:
    if isinstance(b, CellError):
        return isinstance(a, str) and a.startswith("#")  # of several errors in a range, either is shown
    if isinstance(a, str) or isinstance(b, str):
        return (a or "") == (b or "")
    return math.isclose(a or 0, b or 0, rel_tol=DIVERGED, abs_tol=COARSE)


def test_the_page_has_every_function_of_the_builder():
    known = set(computed("return [...Object.keys(FUNCTIONS), ...Object.keys(FORMS)];"))
    sources = [path.read_text("utf-8") for path in Path(xlsxattn.builder.__file__).parent.rglob("*.py")]
    texts = [text for source in sources for text in re.findall(r'"(?:[^"\n\\]|\\.)*"', source)]
    texts += [text for source in sources for text in re.findall(r"'[^'\n]*'", source)]
    used = {name for text in texts for name in re.findall(r"((?:_xlfn\.|\b)[A-Z][A-Z0-9.]+)\(", text)}
    assert {"MMULT", "CHOOSE", "INT", "MOD", "ROUNDUP"} <= used & known
    assert used - known == {"GELU", "PE"}  # mathematics, not formulas


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("-2^2", 4), ("2^3^2", 64), ("1+2*3-4/2", 5), ('1&"a"="1A"', True), ('"b">"A"', True),
        ('2>"1"', False),
        ("1/0", "#DIV/0!"), ("0^0", "#NUM!"), ("1E300*1E300", "#NUM!"), ('1+"2"', 3), ('1+"x"', "#VALUE!"),
        ("SUM(1,TRUE)", 2), ("A1+1", 1), ('A1=""', True), ("A1=0", True), ('A1&"x"', "x"), ("A1", 0),
        ("COUNTA(A1:B1)", 1), ("MAX(B1,1)", 1), ('IFERROR(1/0,"no")', "no"), ("IF(1/0,1,2)", "#DIV/0!"),
        ("FIXED(1234.565,2)", "1,234.57"), ("FIXED(-0.001,2)", "0.00"), ("MOD(-1,3)", 2), ("INT(-0.5)", -1),
        ("ROUNDUP(2.1,0)", 3), ("INDEX(B1,2)", "#REF!"), ("LARGE(B1,1)", "#NUM!"), ('MATCH("X",B1,0)', 1),
        ('TRIM("  a  b ")', "a b"), ("NORMSDIST(0)", 0.5), ("NORMSDIST(1)", 0.8413447460685429),
        ("NORMSDIST(-3)", 0.0013498980316300946), ("NORMSDIST(-9)", 1.1285884059538405e-19),
        ("CHOOSE(2,1/0,7)", 7), ("VARP(1,2,3,4)", 1.25), ("AVERAGE(B1)", "#DIV/0!"), ("'A b'!C1", 5),
        ("SUM(MMULT(TRANSPOSE(ROW(A1:A3)),ROW(A1:A3)))", 14), ("SUMPRODUCT(ROW(A1:A3),ROW(A1:A3))", 14),
    ],
)  # fmt: skip
def test_formulas_follow_the_rules_of_spreadsheets(formula, value):
    script = """
    const area = areaOf("D1", "S"), sheets = new Map([
      ["S", { values: [[null, "x"]], formulas: [{ text: request.formula, area }] }],
      ["A b", { values: [[null, null, 5]], formulas: [] }]]);
    const calculation = new Calculation(sheets, {});
    calculation.recalculate();
    const found = calculation.value("S", 0, 3);
    return isError(found) ? found.code : found;
    """
    assert computed(script, formula=formula) == (
        pytest.approx(value, rel=1e-15) if isinstance(value, float) else value
    )


@pytest.mark.parametrize("formula", ["NIX(1)", "1+", "(1", "unknown", "1 2", "{1}", "D1+1"])
def test_unsupported_formulas_are_errors(formula):
    script = """
    const formulas = [{ text: request.formula, area: areaOf("D1", "S") }];
    const sheets = new Map([["S", { values: [], formulas }]]);
    try { new Calculation(sheets, {}); } catch (error) { return error instanceof Unsupported; }
    return "none";
    """
    assert computed(script, formula=formula) is True


def test_only_dependents_of_a_change_are_recalculated(books):
    script = """
    calculation.recalculate();
    const before = JSON.stringify(ranges());
    const { sheet, row, col } = calculation.area("vocab_E");
    const there = calculation.set([{ sheet, row, col, value: 9 }]);
    const back = calculation.set([{ sheet, row, col, value: there[0].before }]);
    const sheets = [...new Set(there.map((one) => one.sheet))], same = back.length === there.length;
    return { sheets, same, restored: JSON.stringify(ranges()) === before };
    """
    names = [name for name in read(books["mouse"]).names if not name.startswith("xlsxattn_")]
    found = in_workbook(books["mouse"], script, names=names)
    assert found["restored"]
    assert found["same"]
    assert "Classifier, output" in found["sheets"]
    assert "Glossary" not in found["sheets"]

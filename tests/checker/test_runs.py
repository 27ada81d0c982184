"""Long runs of plain numbers: removed from large sheets, restored in copies, never removed by mistake."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace

import numpy as np
import openpyxl
import pytest
from conftest import THOROUGH, require
from hypothesis import given, settings
from hypothesis import strategies as st
from specs import plain

from xlsxattn import press
from xlsxattn.builder import specification as specs
from xlsxattn.builder.writer import bulk
from xlsxattn.checker import check, perturb
from xlsxattn.checker.appearance import misleading_views
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.reading import archive, blocks
from xlsxattn.checker.reading.book import read, saved
from xlsxattn.checker.reading.copies import without_values
from xlsxattn.checker.reading.limits import Allowance, AmbiguousError, NotCheckableError
from xlsxattn.checker.reading.rows import sheet, styles_of
from xlsxattn.checker.reading.runs import MIN_COUNT, NumberRuns, Stripped
from xlsxattn.checker.recalculate import recalculated

HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TAIL = b"</sheetData></worksheet>"
CELLS = re.compile(r'r="([A-Z]+)(\d+)"><v>([^<]*)')
COLUMNS = [openpyxl.utils.get_column_letter(j + 1) for j in range(200)]


def cell(row, col, value="0.5", more=""):
    return f'<c r="{COLUMNS[col]}{row}"{more}><v>{value}</v></c>'


def row(number, *cells):
    return f'<row r="{number}">{"".join(cells)}</row>'.encode()


def line(number, first=1, count=MIN_COUNT, more=' s="3"'):
    return "".join(cell(number, j, f"{j}.25", more) for j in range(first, first + count))


def stripped(*rows, head=HEAD):
    source = Stripped(io.BytesIO(head + b"".join(rows) + TAIL))
    left = b""
    while block := source.read():
        left += block
    return left, source.runs


def test_a_long_run_is_removed_and_restored():
    rows = row(3, cell(3, 0, "7", ' t="s"'), line(3)), row(4, cell(4, 2, "1", ' t="b"')), row(9, line(9, 5))
    left, runs = stripped(*rows)
    assert left == HEAD + row(3, cell(3, 0, "7", ' t="s"')) + rows[1] + row(9) + TAIL
    assert runs.cells == 2 * MIN_COUNT
    assert runs.block(2, 1, 1, MIN_COUNT).tolist() == [[j + 1.25 for j in range(MIN_COUNT)]]
    back = b"".join(sheet({}, runs, {}))
    assert back == HEAD + row(3, line(3, more="")) + row(9, line(9, 5, more="")) + TAIL


def test_runs_are_first_searched_where_the_previous_row_had_them():
    left, runs = stripped(
        *(row(r, line(r), cell(r, 150, "x", ' t="str"'), line(r, 151)) for r in range(1, 9))
    )
    assert runs.cells == 8 * 2 * MIN_COUNT
    assert left.count(b"<v>") == 8
    _, runs = stripped(row(1, line(1)), row(2, line(2, count=3 * MIN_COUNT)), row(3, line(3, 9)))
    assert runs.cells == 5 * MIN_COUNT


def test_runs_end_at_missing_columns_and_other_styles():
    _, runs = stripped(row(1, line(1), line(1, MIN_COUNT + 3), line(1, 2 * MIN_COUNT + 3, more="")))
    assert [(col, len(values)) for col, values in runs.rows[0]] == [
        (1, MIN_COUNT),
        (MIN_COUNT + 3, MIN_COUNT),
        (2 * MIN_COUNT + 3, MIN_COUNT),
    ]


STRANGE = {
    "in a comment": row(1).replace(b"</row>", b"") + b"<!--" + line(1).encode() + b"--></row>",
    "behind a comment's beginning": b"<!--" + row(1) + row(2, line(2)) + b"-->",
    "in a CDATA section": row(1, f'<c r="A1" t="str"><v><![CDATA[{line(1)}]]></v></c>'),
    "inside a cell": row(1, f'<c r="A1">{line(1)}</c>'),
    "inside a value": row(1, f'<c r="A1"><v>{line(1)}</v></c>'),
    "in another name space": b'<row r="1" xmlns="urn:x">' + line(1).encode() + b"</row>",
    "beside a cell without an address": row(1, line(1), "<c><v>5</v></c>"),
    "beside something else": row(1, line(1), "<extLst/>"),
    "beside a marker": row(1, "<n/>", line(1)),
    "of words that begin as numbers": row(1, line(1).replace("4.25", "4_25")),
    "of infinite numbers": row(1, line(1).replace("4.25", "4e999")),
    "of what is not a number": row(1, line(1).replace("4.25", "-")),
    "of two numbers in a cell": row(1, line(1).replace("4.25", "4,25")),
}


@pytest.mark.parametrize("case", STRANGE)
def test_only_plain_numbers_are_removed(case):
    left, runs = stripped(STRANGE[case])
    assert left == HEAD + STRANGE[case] + TAIL
    assert not runs.rows


@pytest.mark.parametrize(
    "head",
    [
        HEAD.replace(b"main", b"other"),
        HEAD.replace(b"<sheetData>", b'<sheetData xmlns="urn:x">'),
        HEAD.replace(b"<sheetData>", b'<x xmlns="urn:x"><sheetData>'),
        HEAD.replace(b"<sheetData>", b"<!-- --><sheetData>"),
    ],
)
def test_nothing_is_removed_from_unusual_sheets(head):
    left, runs = stripped(row(1, line(1)), head=head)
    assert left == head + row(1, line(1)) + TAIL
    assert not runs.rows


def test_a_duplicate_cell_is_refused():
    with pytest.raises(AmbiguousError, match="row 1 has a duplicate cell"):
        stripped(row(1, line(1)), row(1, line(1)))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 60), st.integers(1, 90)), max_size=6), st.data())
@settings(max_examples=60 if THOROUGH else 20, deadline=None)
def test_restored_cells_are_unchanged(areas, data):
    """The parsed cells are the same with and without runs."""
    held = {}
    for r, first, count in areas:
        for j in range(first, first + count):
            held[r + 1, j] = data.draw(st.sampled_from(["1", "-0.0", "1e-07", "3.4e+38", "12345678.5"]))
    rows = [row(r, *(cell(r, j, held[r, j]) for r2, j in sorted(held) if r2 == r)) for r in range(1, 7)]
    left, runs = stripped(*rows)
    parsed = openpyxl.Workbook().active
    for c, r, value in CELLS.findall(left.decode()):
        parsed[f"{c}{r}"] = float(value)
    back = b"".join(sheet(parsed._cells, runs, styles_of([parsed._cells])))
    found = {(int(r), COLUMNS.index(c)): v for c, r, v in CELLS.findall(back.decode())}
    assert {at: float(v) for at, v in found.items()} == {at: float(v) for at, v in held.items()}


def test_cutting_leaves_the_rest():
    runs = NumberRuns()
    runs.add(4, 10, np.arange(40.0))
    assert [(col, v.tolist()) for col, v in runs.cut(4, 12, 13)] == [(12, [2.0, 3.0])]
    assert [(col, len(v)) for col, v in runs.rows[4]] == [(10, 2), (14, 36)]
    assert runs.cells == 38
    assert runs.block(4, 10, 1, 40) is None


# --- whole workbooks ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """An encoder of 36 dimensions with weights written in bulk, but not yet treated as large."""
    patch = pytest.MonkeyPatch()
    patch.setattr(bulk, "MIN_COUNT", 500)
    model = {"id": "enc", "kind": "encoder", "heads": 2, "d_ff": 40, "position": "learned"}
    spec = specs.parse(plain([3, 2], 36, model), "plain")
    (sheet,), rng = spec.sheets, np.random.default_rng(3)
    weights = {n: rng.normal(0, 0.2, np.shape(m)).astype(np.float32) for n, m in sheet.weights.items()}
    drawn = replace(spec, sheets=(replace(sheet, weights=weights),))
    patch.setattr(specs, "parse", lambda *_: drawn)
    pressed = press.build({}, tmp_path_factory.mktemp("bulk") / "made.xlsx")
    patch.undo()
    assert pressed.report.holds
    return pressed.path


@pytest.fixture
def large(monkeypatch):
    """Treat every sheet as large, so that every long run is removed."""
    monkeypatch.setattr(archive, "LARGE", 0)


def same(one, two):
    return np.array_equal(np.array(one, dtype=object), np.array(two, dtype=object))


def test_a_large_workbook_is_read_like_a_small_one(made, monkeypatch):
    small = read(made)
    monkeypatch.setattr(archive, "LARGE", 0)
    book = read(made)
    assert len(book.blocks) > 5
    assert "enc_l1_h1_W_Q" in book.blocks
    assert (book.formulas, book.names) == (small.formulas, small.names)
    inside = {at for area in book.blocks.cells() for at in area.cells()}
    assert {**book.typed, **{at: small.typed[at] for at in inside}} == small.typed
    assert not inside & book.typed.keys()
    before, after = saved(small), saved(book)
    assert all(same(after[name], grid) for name, grid in before.items())


def test_saved_values_are_computed_from_the_numbers_in_the_file(made):
    """Not as the float32 values that they represent."""
    book = read(made)
    fresh = recalculated(book, "ironcalc")
    name = "enc_c1_l1_Hidden"
    np.testing.assert_allclose(saved(book)[name], fresh[name], rtol=0, atol=1e-14)


def test_a_large_workbook_gets_the_same_verdict(made, monkeypatch, engine):
    require(engine)
    monkeypatch.setattr(perturb, "MAX_VALUES_IN_LARGE", 10_000)
    small = check.check(made, engine, "as-saved")
    monkeypatch.setattr(archive, "LARGE", 0)
    report = check.check(made, engine, few=True)
    assert report.holds, report.every_finding
    assert report.every_finding == small.every_finding
    assert [(r.range, r.verdict) for e in report.runs for r in e.results] == [
        (r.range, r.verdict) for e in small.runs for r in e.results
    ]


def changed(path, target, part, old, new):
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith(part):
                assert re.search(old, content)
                content = re.sub(old, new, content, count=1)
            copy.writestr(name, content)
    return target


def sheet_of(path, name):
    book = read(path)
    tab = book.names[name].sheet
    return f"sheet{book.workbook.sheetnames.index(tab) + 1}.xml", book.names[name]


@pytest.mark.usefixtures("large")
def test_a_wrong_formula_is_found_among_blocks(made, tmp_path):
    part, _ = sheet_of(made, "enc_c1_l1_Hidden")
    wrong = changed(
        made,
        tmp_path / "wrong.xlsx",
        part,
        rb"MMULT\((enc_c1_l1_Norm1),0\+enc_l1_W_1\)",
        rb"2*MMULT(\1,0+enc_l1_W_1)",
    )
    report = check.check(wrong)
    assert not report.holds
    assert "enc_c1_l1_Hidden" in {finding.range for finding in report.every_finding}


@pytest.mark.usefixtures("large")
def test_a_run_that_is_not_shown_is_found(made, tmp_path):
    """Only the style of its cells is kept."""
    hidden = changed(
        made, tmp_path / "hidden.xlsx", "xl/styles.xml", rb'formatCode="0.00"', b'formatCode=";;;"'
    )
    assert list(misleading_views(read(made))) == []
    found = [f for f in misleading_views(read(hidden)) if f.range == "enc_l1_W_1"]
    assert [(f.kind, f.more) for f in found] == [(Kind.MISLEADING_FORMAT, 36 * 40 - 1)]


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize(
    ("cell", "finding"),
    [
        (rb'<c r="%s"\1 t="str"><v>many</v></c>', Kind.TEXT_IN_NUMBERS),
        (rb'<c r="%s"\1 t="e"><v>#N/A</v></c>', Kind.ERROR_VALUE),
    ],
)
def test_non_numbers_among_runs_are_found(made, tmp_path, cell, finding):
    part, area = sheet_of(made, "enc_l1_W_1")
    at = area.address(3, 4).rpartition("!")[2].encode()
    wrong = changed(
        made, tmp_path / "wrong.xlsx", part, rb'<c r="%s"([^>]*)><v>[^<]*</v></c>' % at, cell % at
    )
    assert "enc_l1_W_1" not in read(wrong).blocks
    assert {f.kind for f in check.check(wrong).every_finding} >= {finding}


@pytest.mark.usefixtures("large")
def test_a_number_over_a_formula_is_still_found(made, tmp_path):
    part, area = sheet_of(made, "enc_c1_l1_Hidden")
    first = area.address().rpartition("!")[2].encode()
    wrong = changed(
        made, tmp_path / "wrong.xlsx", part, rb'(<c r="%s"[^>]*>)<f[^>]*>[^<]*</f>' % first, rb"\1"
    )
    assert Kind.CONSTANT in {f.kind for f in check.check(wrong).every_finding}


@pytest.mark.usefixtures("large")
def test_numbers_pasted_over_a_computed_range_are_found(made, tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "MIN_COUNT", 32)
    part, area = sheet_of(made, "enc_c1_l1_Hidden")
    first = area.address().rpartition("!")[2].encode()
    wrong = changed(
        made, tmp_path / "wrong.xlsx", part, rb'(<c r="%s"[^>]*>)<f[^>]*>[^<]*</f>' % first, rb"\1"
    )
    assert "enc_c1_l1_Hidden" not in read(wrong).blocks
    (found,) = [f for f in check.check(wrong).every_finding if f.kind is Kind.CONSTANT]
    assert found.values["n"] == area.rows * area.cols


@pytest.mark.usefixtures("large")
def test_a_name_across_a_block_has_all_its_cells(made, tmp_path):
    area = read(made).names["enc_l1_W_1"]
    own = f"'{area.sheet}'!$A${area.row + 1}:$F${area.row + 3}"
    more = f'<definedName name="mine_Own">{own}</definedName></definedNames>'.encode()
    other = read(changed(made, tmp_path / "other.xlsx", "workbook.xml", b"</definedNames>", more))
    assert "enc_l1_W_1" not in other.blocks
    assert "enc_l1_W_2" in other.blocks
    assert all(at in other.typed for at in area.cells())


@pytest.mark.usefixtures("large")
def test_an_engine_gets_no_saved_value(made, tmp_path):
    book = read(made)
    without_values(book, tmp_path / "copy.xlsx", [{(*next(iter(book.blocks.sample("enc_l1_W_1"))),): 7.5}])
    copy = openpyxl.load_workbook(tmp_path / "copy.xlsx", data_only=True)
    for name in ("enc_c1_l1_Hidden", "enc_c1_X"):
        area = book.names[name]
        assert {copy[tab].cell(r + 1, c + 1).value for tab, r, c in area.cells()} == {None}
    area = book.names["enc_l1_W_1"]
    assert copy[area.sheet].cell(area.row + 1, area.col + 1).value == 7.5
    found = [copy[tab].cell(r + 1, c + 1).value for tab, r, c in area.cells()]
    assert found[1:] == book.blocks.values()["enc_l1_W_1"].ravel().tolist()[1:]


@pytest.mark.usefixtures("large")
def test_every_block_is_perturbed_and_proved(made):
    book = read(made)
    edits = perturb.perturbed(book)[0]
    values = book.blocks.values([edits])
    for name, before in book.blocks.values().items():
        assert 2 <= (values[name] != before).sum() <= 4 * blocks.SAMPLE, name
    top = values["enc_l1_W_Q"][:, :18]
    assert np.array_equal(values["enc_l1_h1_W_Q"], top)


@pytest.mark.usefixtures("large")
def test_too_many_numbers_are_refused(made):
    sentence = "has too many numbers, the limit is 1,000"
    small = Allowance(plain=1_000)
    with archive.GuardedArchive(made, small) as opened, pytest.raises(NotCheckableError, match=sentence):
        list(map(opened.charge, opened.namelist()))

"""An edited workbook is checked with its new inputs, and wrong edits are found."""

from __future__ import annotations

import re
import shutil
import zipfile
from functools import cache
from pathlib import Path

import openpyxl
import pytest
from bridge import in_libreoffice
from conftest import ROOT, THOROUGH, require
from workbooks import Ranges, evaluate_many, proved, report_on, tweaked

from dev import prebuilt
from xlsxattn import templates
from xlsxattn.checker import check as checking
from xlsxattn.checker.engines import processes, saved_values
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.reading.book import read
from xlsxattn.cli.build_command import FAILED, HOLDS, UNUSABLE
from xlsxattn.cli.commands import cli

OWL = ("owl", [2.5, 0.25, 0.0, 0.5])
ABOVE = 3


# --- edits by users, in their programs ---------------------------------------------------------------------


def tabs(book):
    return book.workbook.sheetnames


def corner(book, name):
    area = book.names[name]
    return area.sheet, area.row, area.col


def type_words(book, context, swaps):
    tab, top, col = corner(book, f"{context}_Tokens")
    words = [book.typed[at] for at in book.names[f"{context}_Tokens"].cells()]
    return [["type", tab, top + words.index(old), col, new] for old, new in swaps.items()]


def other_numbers(book):
    """The embedding of the first word, and the first number of each weight matrix."""
    steps = [["type", *corner(book, "vocab_E"), 1.25]]
    return steps + [["type", *corner(book, name), -1.75] for name in book.manifest.inputs if "_W_" in name]


def other_words(book):
    context = book.manifest.contexts[0]
    tab, top, col = corner(book, f"{context}_Tokens")
    return [["type", tab, top, col, "dog"], ["type", tab, top + 1, col, "wombat"]]


def rows_above(book):
    return [["insert rows", tab, 0, ABOVE] for tab in tabs(book)]


def rows_above_the_vocabulary(book):
    """Between the sentences and the vocabulary, and between its heading and its first word."""
    tab, top, _ = corner(book, "vocab_Tokens")
    return [["insert rows", tab, top, 1], ["insert rows", tab, top - 3, 2]]


def columns_before(book):
    return [["insert columns", tab, 0, 2] for tab in tabs(book)]


def new_word(book, after=4):
    """A row inside the vocabulary: only the word and its numbers are typed; a sentence uses it."""
    tab, top, col = corner(book, "vocab_Tokens")
    _, _, left = corner(book, "vocab_E")
    word, numbers = OWL
    typed = [["type", tab, top + after, left + j, number] for j, number in enumerate(numbers)]
    return [
        *type_words(book, book.manifest.contexts[0], {"cat": word}),
        ["insert rows", tab, top + after, 1],
        ["type", tab, top + after, col, word],
        *typed,
    ]


def a_blank_row(book):
    tab, top, _ = corner(book, "vocab_Tokens")
    return [["insert rows", tab, top + 2, 1]]


def new_tabs(book):
    odd = ["a b", "données", "1st", "R1C1", "日本語", "A1", "x,y", "(x)", "_"]
    return [["rename", tab, new] for tab, new in zip(tabs(book), odd, strict=False)]


def an_apostrophe(book):
    """Gnumeric rejects names of ranges on tabs with one, IronCalc on tabs with an exclamation mark."""
    return [["rename", tab, f"It's {tab}"] for tab in tabs(book)]


def everything(book):
    return [
        *other_numbers(book),
        *new_word(book),
        *rows_above(book),
        *columns_before(book),
        *new_tabs(book),
    ]


EDITS = {
    "nothing": lambda _: [],
    "other numbers": other_numbers,
    "other words": other_words,
    "rows above": rows_above,
    "rows above the vocabulary": rows_above_the_vocabulary,
    "columns before": columns_before,
    "a new word": new_word,
    "a blank row in the vocabulary": a_blank_row,
    "new tabs": new_tabs,
    "an apostrophe": an_apostrophe,
    "everything": everything,
}
LARGE = ("nothing", "other numbers", "other words", "everything")
SMALL = [edit for edit in EDITS if edit != "other words"]
CASES = [*(("walkthrough", edit) for edit in LARGE), *(("causal", edit) for edit in SMALL)]


@pytest.fixture(scope="session")
def edited(walkthrough, causal, tmp_path_factory):
    """(workbook, edit) → the workbook as LibreOffice saved it, all from one run."""
    folder = tmp_path_factory.mktemp("edited")
    sources = {"walkthrough": walkthrough, "causal": causal}
    books = {name: read(source) for name, source in sources.items()}
    jobs, targets = [], {}
    for name, edit in CASES:
        targets[name, edit] = folder / f"{len(jobs)}.xlsx"
        steps = EDITS[edit](books[name])
        jobs.append({"source": str(sources[name]), "target": str(targets[name, edit]), "steps": steps})
    in_libreoffice(jobs, folder)
    return targets


@pytest.fixture(scope="session")
def evaluated(edited):
    """All edited workbooks as an engine computes them; each engine runs once."""

    @cache
    def by(engine):
        found = evaluate_many(list(edited.values()), engine)
        return {key: Ranges(values) for key, values in zip(edited, found, strict=True)}

    return by


@cache
def book_of(path):
    """An edited workbook, read once for all engines."""
    return read(path)


@pytest.mark.parametrize(("workbook", "edit"), CASES)
def test_an_edited_workbook_holds(edited, evaluated, workbook, edit, engine):
    if (edit, engine) == ("an apostrophe", "gnumeric"):
        pytest.skip("Gnumeric does not read a range's name whose tab has an apostrophe")
    book = book_of(edited[workbook, edit])
    report = report_on(book, engine, evaluated(engine)[workbook, edit])
    assert report.every_finding == ()
    assert report.undecided == ()
    assert len(report.runs[0].results) >= len(book.manifest.formulas)


def test_other_numbers_give_other_results(evaluated, engine):
    before, after = (evaluated(engine)["walkthrough", edit] for edit in ("nothing", "other numbers"))
    assert after["vocab_E"][0][0] == 1.25
    for sheet in ("attn", "qkv", "dims", "heads"):
        assert abs(after.array(f"{sheet}_cat_Output") - before.array(f"{sheet}_cat_Output")).max() > 0.1


def test_other_words_are_looked_up_and_unknown_ones_reported(evaluated, engine):
    values = evaluated(engine)["walkthrough", "other words"]
    words = values.texts("vocab_Tokens")
    assert values.array("cat_Ids")[:3, 0].tolist() == [words.index("dog") + 1, 0, words.index("mouse") + 1]
    assert values["attn_cat_X"][0] == values["vocab_E"][words.index("dog")]
    assert values["attn_cat_X"][1] == [0.0] * 4
    assert values["vocab_Status"][0][0].startswith("✗")
    assert values["xlsxattn_Status"][0][0].startswith("✗")


@pytest.mark.parametrize(
    ("workbook", "edit", "X"),
    [("causal", "a new word", "causal_chase_X"), ("walkthrough", "everything", "heads_cat_X")],
)
def test_a_new_word_needs_only_itself_and_its_numbers(evaluated, workbook, edit, X, engine):
    values, context = evaluated(engine)[workbook, edit], X.split("_")[1]
    row = values.texts("vocab_Tokens").index(OWL[0])
    assert values["vocab_E"][row] == OWL[1]
    assert values["vocab_Index"][row] == [None]
    place = values.texts(f"{context}_Tokens").index(OWL[0])
    assert values[f"{context}_Ids"][place] == [row + 1]
    assert values[X][place] == OWL[1]
    known, gone = "✓ every word is in the vocabulary", "– no sentence contains the focus word cat"
    assert values["vocab_Status"] == [[gone if workbook == "causal" else known]]


@pytest.mark.parametrize(
    ("edit", "rows", "cols"),
    [("rows above", ABOVE, 0), ("columns before", 0, 2), ("rows above the vocabulary", ABOVE, 0)],
)
def test_the_ranges_have_moved(edited, edit, rows, cols):
    before, after = (read(edited["causal", each]) for each in ("nothing", edit))
    name = "vocab_E"
    old, new = before.names[name], after.names[name]
    assert (new.row - old.row, new.col - old.col) == (rows, cols)
    assert (new.rows, new.cols) == (old.rows, old.cols)


def test_the_tabs_have_other_names(edited):
    before, after = (read(edited["causal", edit]) for edit in ("nothing", "new tabs"))
    assert len(before.workbook.sheetnames) == len(after.workbook.sheetnames)
    assert not {"Start", "Inputs", "Contract"} & set(after.workbook.sheetnames)
    assert after.names["vocab_E"].sheet == "données"


# --- the first edit after opening --------------------------------------------------------------------------


def first_word_changed(book):
    """One number of the first word of the first sentence, before any sheet is displayed."""
    word = next(book.typed[at] for at in book.names[f"{book.manifest.contexts[0]}_Tokens"].cells())
    row = [book.typed.get(at) for at in book.names["vocab_Tokens"].cells()].index(word)
    tab, top, left = corner(book, "vocab_E")
    return [["type", tab, top + row, left, 2.5]]


FIRST_EDITED = templates.names() if THOROUGH else ("walkthrough", "llama", "mouse", "padding", "reverse")


def test_the_first_edit_in_libreoffice_reaches_every_cell(tmp_path):
    jobs = []
    for name in FIRST_EDITED:
        source = ROOT / "output" / f"{name}.xlsx"
        job = {"source": str(source), "target": str(tmp_path / f"{name}.xlsx"), "hard": False}
        jobs.append(job | {"steps": first_word_changed(read(source))})
    in_libreoffice(jobs, tmp_path)
    for job in jobs:
        report = checking.check(Path(job["target"]), "saved", "as-saved")
        assert report.every_finding == (), job["target"]


# --- saved again by other programs -------------------------------------------------------------------------


def by_openpyxl(source, target):
    openpyxl.load_workbook(source).save(target)


def by_gnumeric(source, target):
    require("gnumeric")
    command = [shutil.which("ssconvert"), "--export-type=Gnumeric_Excel:xlsx2", str(source), str(target)]
    assert processes.run(command, target.parent, 60) == 0


def by_libreoffice(source, target):
    require("libreoffice")
    out = target.parent / "out"
    profile = (target.parent / "profile").as_uri()
    command = [shutil.which("soffice"), f"-env:UserInstallation={profile}"]
    command += [
        "--headless",
        "--convert-to",
        "xlsx:Calc MS Excel 2007 XML",
        "--outdir",
        str(out),
        str(source),
    ]
    assert processes.run(command, target.parent, 120) == 0
    (out / source.name).rename(target)


PROGRAMS = {"openpyxl": by_openpyxl, "gnumeric": by_gnumeric, "libreoffice": by_libreoffice}


@pytest.fixture(scope="session")
def saved_again(causal, tmp_path_factory):
    """The workbook as each program saved it, untouched; test_round_trips.py has more of them, in IronCalc."""
    folder = tmp_path_factory.mktemp("again")
    files = {program: folder / f"{program}.xlsx" for program in PROGRAMS}
    for program, save in PROGRAMS.items():
        save(causal, files[program])
    return files


@pytest.fixture(scope="session")
def recalculated(saved_again):
    """All of them as an engine computes them; each engine runs once."""

    @cache
    def by(engine):
        return dict(zip(saved_again, evaluate_many(list(saved_again.values()), engine), strict=True))

    return by


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_workbook_saved_by_another_program_holds(saved_again, recalculated, program, engine):
    report = proved(saved_again[program], engine, recalculated(engine)[program])
    assert report.every_finding == ()
    assert report.undecided == ()
    assert "causal_chase_Masked" in {result.range for result in report.runs[0].results}


@pytest.mark.parametrize("program", ["gnumeric", "libreoffice"])
def test_values_saved_by_another_program_hold(saved_again, program, capsys):
    assert check(saved_again[program], "saved") == HOLDS, capsys.readouterr().out


# --- wrong edits -------------------------------------------------------------------------------------------


def check(path, engine="ironcalc"):
    """The exit code of the command."""
    return cli.main(["check", "--engine", engine, str(path)], standalone_mode=False)


def cell(book, name, row=0, col=0):
    area = book.names[name]
    return book.workbook[area.sheet].cell(area.row + row + 1, area.col + col + 1)


def findings(book, path, engine="ironcalc"):
    """The errors that the check finds in a workbook as edited in memory, with its own inputs."""
    book.workbook.save(path)
    report = checking.check(path, engine, "as-saved")
    assert not report.holds
    return [finding for finding in report.every_finding if finding.severity == "error"]


@pytest.fixture
def book(request, causal):
    """The workbook to damage: the small one, or the large one if only that has the range of the test."""
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    small = read(causal)
    if parameters.get("name", "vocab_E") in small.names:
        return small
    return read(request.getfixturevalue("walkthrough"))


@pytest.fixture
def wrong(tmp_path):
    return tmp_path / "wrong.xlsx"


@pytest.mark.parametrize(
    "name",
    [
        "causal_chase_Attention", "causal_chase_RowSum", "causal_Scale", "chase_Ids", "chase_Sentence",
        "vocab_Index", "causal_chase_X_Rows", "causal_Status", "xlsxattn_Status", "compare_cat_Cosine",
        "heads_keyboard_Concat",
    ],
)  # fmt: skip
def test_a_constant_for_a_formula_is_found_even_with_the_right_value(book, name, wrong):
    right = saved_values(book.path, book.names)[name]
    area = book.names[name]
    for i, grid_row in enumerate(right):
        for j, value in enumerate(grid_row):
            cell(book, name, i, j).value = value
    found = findings(book, wrong)
    assert {finding.kind for finding in found} == {Kind.CONSTANT}
    assert {finding.range for finding in found} == {name}
    # for an array formula, the first cell and the number of other constants are reported
    reported = sum(int(str(f.values.get("n", 1))) for f in found)
    assert found[0].cell == area.address()
    assert reported == area.rows * area.cols


def test_one_constant_among_the_formulas_of_a_column_is_found(book, wrong):
    cell(book, "causal_chase_RowSum", 2).value = 1.5
    kinds = {(finding.kind, finding.cell) for finding in findings(book, wrong)}
    address = book.names["causal_chase_RowSum"].address(2)
    assert {(Kind.CONSTANT, address), (Kind.VALUE, address)} <= kinds


def test_a_cleared_formula_is_found(book, wrong):
    cell(book, "causal_chase_RowSum", 2).value = None
    found = [finding for finding in findings(book, wrong) if finding.range == "causal_chase_RowSum"]
    assert [(finding.kind, finding.cell) for finding in found] == [
        (Kind.EMPTY, book.names["causal_chase_RowSum"].address(2))
    ]


@pytest.mark.parametrize("tab", ["Start", "Inputs", "Causal attention", "Contract"])
def test_a_stray_formula_is_found(book, tab, wrong, capsys):
    book.workbook[tab]["AZ90"] = "=1+1"
    (found,) = findings(book, wrong)
    assert (found.kind, found.cell, found.formula) == (Kind.STRAY_FORMULA, f"{tab}!AZ90", "=1+1")
    assert check(wrong) == FAILED
    assert f"{tab}!AZ90" in capsys.readouterr().out


def test_a_note_next_to_ranges_is_not_a_finding(book, wrong):
    book.workbook["Causal attention"]["AZ90"] = "my note"
    book.workbook["Inputs"]["AZ91"] = 42
    book.workbook.save(wrong)
    assert check(wrong) == HOLDS


def test_a_formula_in_an_input_cell_is_not_an_error(book, wrong, engine):
    cell(book, "vocab_E").value = "=1/3+SQRT(4)"
    book.workbook.save(wrong)
    require(engine)
    values = evaluate_many([wrong], engine)[0]
    assert values["vocab_E"][0][0] == pytest.approx(7 / 3, abs=1e-14)
    assert proved(wrong, engine, values).holds
    assert engine != "ironcalc" or check(wrong) == HOLDS


@pytest.mark.parametrize("amount", ["+1E-6", "-1E-6", "+1E-9"])
@pytest.mark.parametrize(
    "name", ["causal_chase_RowSum", "causal_chase_Attention", "compare_keyboard_qkv_Cosine"]
)
def test_a_formula_with_a_small_error_is_found(book, name, amount, wrong):
    there = cell(book, name)
    if isinstance(there.value, str):
        there.value = there.value + amount
    else:
        there.value.text = there.value.text + amount
    found = [finding for finding in findings(book, wrong) if finding.range == name]
    assert found[0].kind is Kind.OTHER_FORMULA  # whose values differ: the cause, and an error
    assert {finding.kind for finding in found[1:]} == {Kind.VALUE}
    first = next(finding for finding in found[1:] if finding.cell == book.names[name].address())
    assert first.follows == name
    assert first.found - first.expected == pytest.approx(float(amount), rel=1e-3)
    assert first.formula.strip("{}").endswith(amount)


@pytest.mark.parametrize("name", ["causal_chase_Attention", "causal_chase_Entropy", "compare_cat_X"])
def test_a_saved_value_that_differs_is_found(book, name, wrong):
    area = book.names[name]
    address = area.address(area.rows - 1, area.cols - 1)
    part = f"xl/worksheets/sheet{book.workbook.sheetnames.index(area.sheet) + 1}.xml"
    saved = re.compile(rf'(<c r="{address.partition("!")[2]}"[^>]*>(?:<f[^/]*</f>)?<v>)([^<]*)')
    with zipfile.ZipFile(book.path) as old, zipfile.ZipFile(wrong, "w") as new:
        for entry in old.namelist():
            content = old.read(entry)
            if entry == part:
                text, count = saved.subn(
                    lambda found: f"{found[1]}{float(found[2]) + 1e-6}", content.decode()
                )
                assert count == 1
                content = text.encode()
            new.writestr(entry, content)
    (found,) = checking.check(wrong, "saved").every_finding
    assert (found.kind, found.severity, found.range, found.cell) == (Kind.VALUE, "error", name, address)
    assert check(wrong) == HOLDS


@pytest.mark.parametrize(
    "name",
    [
        "causal_chase_Attention",
        "causal_chase_Scores_Cols",
        "vocab_Status",
        "qkv_W_Q",
        "heads_h1_W_Q",
        "chase_Tokens",
    ],
)
def test_a_deleted_name_is_found(book, name, wrong):
    del book.workbook.defined_names[name]
    missing = [finding for finding in findings(book, wrong) if finding.kind is Kind.MISSING]
    assert [finding.range for finding in missing] == [name]


@pytest.mark.parametrize("spoil", ["constant", "deleted name", "off by little"])
def test_the_command_exits_with_1_and_names_the_cell(causal, spoil, wrong, capsys):
    book, name = read(causal), "causal_chase_Attention"
    if spoil == "deleted name":
        del book.workbook.defined_names[name]
    elif spoil == "constant":
        cell(book, name).value = 1
    else:
        cell(book, name).value.text += "+1E-6"
    book.workbook.save(wrong)
    assert check(wrong) == FAILED
    shown = capsys.readouterr().out
    assert name in shown
    assert "error: " in shown


@pytest.mark.parametrize(
    "name", ["causal_chase_Attention", "causal_chase_X", "chase_Ids", "vocab_Tokens", "qkv_W_V"]
)
def test_a_name_over_other_cells_is_found(book, name, wrong):
    area = book.names[name]
    smaller = f"'{area.sheet}'!$C${area.row + 1}:$C${area.row + area.rows - 1}"
    book.workbook.defined_names[name].value = smaller
    found = findings(book, wrong)
    assert any(name in finding.names for finding in found)


@pytest.mark.parametrize("name", ["xlsxattn_Version", "xlsxattn_Formulas"])
def test_without_its_manifest_a_workbook_is_not_checkable(book, name, wrong, capsys):
    del book.workbook.defined_names[name]
    book.workbook.save(wrong)
    assert check(wrong) == UNUSABLE
    assert f"the name {name} on the last sheet (Contract) is missing" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["many", True, "#N/A"])
def test_a_text_for_a_number_is_found(causal, value, wrong, capsys):
    tweaked(causal, {"vocab_E": {(3, 1): value}}, wrong)
    assert check(wrong) == FAILED
    address = read(causal).names["vocab_E"].address(3, 1)
    assert address in capsys.readouterr().out


def test_a_word_that_the_vocabulary_lacks_is_a_warning(causal, wrong):
    tweaked(causal, {"chase_Tokens": {1: "elephant", 3: None}, "vocab_Tokens": {4: "cat"}}, wrong)
    report, names = checking.check(wrong), read(causal).names
    assert report.holds
    words = [f for f in report.every_finding if f.kind in (Kind.UNKNOWN_WORD, Kind.WORD_TWICE)]
    assert [(f.kind, f.cell, f.values) for f in words] == [
        (Kind.UNKNOWN_WORD, names["chase_Tokens"].address(1), {"word": "elephant"}),
        (Kind.UNKNOWN_WORD, names["chase_Tokens"].address(3), {"mask": "causal+padding"}),
        (Kind.WORD_TWICE, names["vocab_Tokens"].address(4), {"word": "cat"}),
    ]
    assert cli.main(["check", "--strict", str(wrong)], standalone_mode=False) == FAILED


def test_a_blank_cell_is_not_unknown_if_the_workbook_uses_blanks(tmp_path):
    path = prebuilt.build("padding", tmp_path / "padding.xlsx")
    assert not all(value for (value,) in saved_values(path, read(path).names)["short_Tokens"])
    assert checking.check(path).every_finding == ()

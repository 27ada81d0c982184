"""The report on a broken workbook starts with the causes and counts their consequences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openpyxl
import pytest
from conftest import ROOT
from openpyxl.utils import absolute_coordinate
from openpyxl.worksheet.formula import ArrayFormula
from workbooks import tweaked

from xlsxattn.checker import engines
from xlsxattn.checker.check import check
from xlsxattn.checker.engines import EngineFailed
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.report import describe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from xlsxattn.checker.report import Report

P = "causal_chase_"


@pytest.fixture
def broken(causal: Path, tmp_path: Path) -> Callable[..., Path]:
    """Create an edited copy of a workbook."""

    def made(*changes: Callable[[Any], None]) -> Path:
        book = openpyxl.load_workbook(causal)
        for change in changes:
            change(book)
        book.save(tmp_path / "broken.xlsx")
        return tmp_path / "broken.xlsx"

    return made


def cell_of(book: Any, name: str) -> Any:
    tab, address = next(book.defined_names[name].destinations)
    return book[tab][address.partition(":")[0].replace("$", "")]


def no_name(name: str) -> Callable[[Any], None]:
    return lambda book: book.defined_names.pop(name)


def moved_down(name: str) -> Callable[[Any], None]:
    def change(book: Any) -> None:
        tab, address = next(book.defined_names[name].destinations)
        rows = book[tab][address]
        first, last = rows[0][0].offset(1, 1).coordinate, rows[-1][-1].offset(1, 1).coordinate
        book.defined_names[name].attr_text = f"'{tab}'!{absolute_coordinate(f'{first}:{last}')}"

    return change


def typed_over(name: str, value: float) -> Callable[[Any], None]:
    def change(book: Any) -> None:
        cell_of(book, name).value = value

    return change


def other_formula(name: str, old: str, new: str) -> Callable[[Any], None]:
    def change(book: Any) -> None:
        formula = cell_of(book, name).value
        assert old in formula.text
        formula.text = formula.text.replace(old, new)

    return change


def cells_of(path: Path, name: str, *, down: int = 0) -> str:
    """The cells of a range with their tab, offset by rows and columns if it was moved."""
    tab, address = next(openpyxl.load_workbook(path).defined_names[name].destinations)
    first, _, last = address.replace("$", "").partition(":")
    sheet = openpyxl.Workbook().active
    return f"{tab}!" + ":".join(sheet[corner].offset(down, down).coordinate for corner in (first, last))


def causes(report: Report) -> list[tuple[str, str]]:
    return [(f.kind, f.range) for f in report.causes]


def test_a_missing_name_is_first_and_has_the_place_of_its_formulas(broken, causal):
    report = check(broken(no_name(f"{P}Exp")))
    assert causes(report) == [(Kind.MISSING, f"{P}Exp")]
    area = cells_of(causal, f"{P}Exp")
    (cause,) = report.causes
    assert (cause.cell, cause.values) == (area.partition(":")[0], {"there": area})
    assert report.every_finding[0] is cause
    assert all(f.follows == f"{P}Exp" for f in report.every_finding if f not in report.causes)


def test_the_report_in_docs_ci_is_current(walkthrough, tmp_path):
    book = openpyxl.load_workbook(walkthrough)
    for change in (typed_over("attn_cat_Scaled", 1.0), no_name("attn_cat_Exp")):
        change(book)
    book.save(tmp_path / "broken.xlsx")
    report = check(tmp_path / "broken.xlsx")
    lines = "\n".join(line.text for line in describe(report.every_finding)).splitlines()
    page = (ROOT / "docs/how-to/ci.md").read_text("utf-8")
    assert "\n\n" + "".join(f"    {line}\n" for line in lines) + "\n" in page


def test_a_missing_name_of_ordinary_formulas_has_their_place(broken, causal):
    report = check(broken(no_name(f"{P}RowMax")))
    assert causes(report) == [(Kind.MISSING, f"{P}RowMax")]
    area = cells_of(causal, f"{P}RowMax")
    assert report.causes[0].values == {"there": area}


def test_a_moved_name_has_both_places(broken, causal):
    report = check(broken(moved_down(f"{P}Scores")))
    assert causes(report) == [(Kind.MOVED, f"{P}Scores")]
    here, there = (cells_of(causal, f"{P}Scores", down=n) for n in (1, 0))
    assert report.causes[0].values == {"here": here, "there": there}
    assert report.causes[0].severity == "error"


def test_all_causes_come_before_any_consequence(broken):
    path = broken(
        no_name(f"{P}Output"),
        typed_over(f"{P}Scaled", 1.0),
        other_formula(f"{P}Scores", "TRANSPOSE", "2*TRANSPOSE"),
    )
    report = check(path)
    assert {*causes(report)} == {
        (Kind.CONSTANT, f"{P}Scaled"), (Kind.OTHER_FORMULA, f"{P}Scores"), (Kind.MISSING, f"{P}Output"),
    }  # fmt: skip
    assert [bool(f.follows) for f in report.every_finding] == sorted(
        bool(f.follows) for f in report.every_finding
    )
    constant = next(f for f in report.causes if f.kind is Kind.CONSTANT)
    assert constant.values["right"] == f"{{={P}Scores/causal_Scale}}"
    assert next(f for f in report.causes if f.kind is Kind.OTHER_FORMULA).severity == "error"


def test_another_formula_with_right_values_is_a_warning_next_to_a_cause(broken):
    path = broken(other_formula(f"{P}Output", "MMULT", "1*MMULT"), typed_over(f"{P}Scaled", 1.0))
    severities = {f.range: f.severity for f in check(path).causes}
    assert severities == {f"{P}Scaled": "error", f"{P}Output": "warning"}


def test_a_cleared_cell_has_its_formula(causal, tmp_path):
    report = check(tweaked(causal, {f"{P}RowMax": {1: None}}, tmp_path / "broken.xlsx"))
    assert causes(report)[0] == (Kind.EMPTY, f"{P}RowMax")
    assert all(finding.severity == "warning" for finding in report.causes[1:])
    assert report.causes[0].values["right"].startswith("{=MAX(")


def test_a_missing_input_has_its_former_place(walkthrough, tmp_path):
    book = openpyxl.load_workbook(walkthrough)
    first = cell_of(book, "qkv_W_Q").coordinate
    no_name("qkv_W_Q")(book)
    book.save(tmp_path / "broken.xlsx")
    (finding,) = check(tmp_path / "broken.xlsx").causes
    assert finding.values["first"].endswith(f"!{first}")
    assert finding.values["labels"] == "qkv_W_Q_Rows"


def test_without_other_faults_the_first_differing_range_is_the_cause(causal, monkeypatch):
    """A wrong result of an engine is not a fault of the file."""
    right = engines.evaluate_edited

    def wrong(*args: Any, **options: Any) -> Any:
        for answer in right(*args, **options):
            for name in (f"{P}Scaled", f"{P}Exp"):
                answer[name][0][0] += 1.0
            yield answer

    monkeypatch.setattr(engines, "evaluate_edited", wrong)
    report = check(causal)
    assert [f.range for f in report.causes if f.severity == "error"] == [f"{P}Scaled"]
    assert {f.follows for f in report.every_finding if f.range == f"{P}Exp"} == {f"{P}Scaled"}


@pytest.mark.parametrize("text", ["=MMULT(causal_chase_X,", "=+)("])
def test_a_formula_that_ironcalc_cannot_read_is_named_with_another_engine(broken, text):
    def change(book: Any) -> None:
        cell = cell_of(book, f"{P}Scores")
        cell.value = ArrayFormula(cell.value.ref, text)

    report = check(broken(change))
    assert causes(report) == [(Kind.OTHER_FORMULA, f"{P}Scores")]
    assert report.causes[0].cell
    assert report.causes[0].unread


def test_an_array_formula_without_its_first_cell_is_named_by_cell_and_sheet(broken):
    def change(book: Any) -> None:
        first = cell_of(book, f"{P}Scores")
        first.offset(0, 1).value, first.value = first.value, None

    path = broken(change)
    with pytest.raises(EngineFailed, match=r"the array formula in Causal attention!\w+ must be in") as failed:
        check(path)
    assert "XML" not in str(failed.value)

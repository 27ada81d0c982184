"""The machine-readable reports are valid and complete."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from xml.etree import ElementTree as ET

import jsonschema
import numpy as np
import pytest

from xlsxattn.checker import formats
from xlsxattn.checker.cells import CellError
from xlsxattn.checker.compare import Result
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding
from xlsxattn.checker.report import EngineReport, FileOutcome, Report, describe, overall, summary, table

GOOD = Result("Self-attention", "attn_cat_X", (5, 4), "number", 0.0, 1e-12, "ok")
BAD = Result("Self-attention", "attn_cat_Scores", (5, 5), "number", math.inf, 1e-12, "differs")
ERROR = Finding(
    Kind.ERROR_VALUE,
    "attn_cat_Scores",
    "Self-attention!C20",
    formula="{=MMULT(a,b)}",
    found=CellError("#VALUE!"),
    expected=np.float64(2.0),
)
WARNING = Finding(
    Kind.STALE_VALUE,
    "attn_cat_X",
    "Self-attention!C8",
    formula='="50 %,\n"',
    values={"saved": 1.0, "fresh": np.float64(2.0)},
)
STRAY = Finding(Kind.STRAY_FORMULA, cell="Start!Z9", formula="=1\x0b+1")
OTHER = Finding(
    Kind.OTHER_FORMULA,
    "attn_cat_Scores",
    "Self-attention!C20",
    values={"right": "=1", "there": "2", "part": "1"},
    severity="error",
)


def outcome(*findings: Finding, of_file: tuple[Finding, ...] = ()) -> FileOutcome:
    run = EngineReport("ironcalc", (GOOD, BAD) if findings else (GOOD,), findings)
    return FileOutcome("a,b.xlsx", Report("a,b.xlsx", (run,), of_file, "LibreOffice", seconds=9.0))


MISSING = FileOutcome("gone.xlsx", sentence="gone.xlsx: there is no such file")
FOREIGN = FileOutcome("theirs.xlsx", skipped=True)
FOLLOWER = replace(ERROR, range="attn_cat_Scaled", cell="Self-attention!C30", follows="attn_cat_Scores")
MANY = (*[outcome()] * 2, *[outcome(ERROR)] * 3, *[MISSING] * 4, *[FOREIGN] * 5)
"""Outcomes with a different number of each verdict."""
EVERYTHING = (outcome(FOLLOWER, ERROR, of_file=(WARNING, STRAY)), outcome(), MISSING, FOREIGN)


def test_json_matches_the_published_schema():
    data = json.loads(formats.render("json", EVERYTHING))
    jsonschema.validate(data, formats.schema())
    many = json.loads(formats.render("json", MANY))["summary"]
    assert many == {"files": 14, "hold": 2, "fail": 3, "not_checkable": 4, "skipped": 5}
    found = data["files"][0]["findings"]
    kinds = ["stray formula", "error value", "stale value", "error value"]
    assert [f["kind"] for f in found] == kinds  # causes first
    assert [f["engine"] for f in found] == [None, "ironcalc", None, "ironcalc"]
    assert [f["follows"] for f in found] == ["", "", "", "attn_cat_Scores"]
    assert [f["sheet"] for f in found] == ["Start", *["Self-attention"] * 3]
    assert (found[1]["found"], found[1]["values"]) == ("#VALUE!", {})
    assert found[2]["values"] == {"saved": 1.0, "fresh": 2.0}
    assert data["files"][0]["engines"][0]["ranges"][1]["largest_error"] is None
    assert data["files"][0]["saved_by"] == "LibreOffice"
    assert data["files"][2]["message"] == MISSING.sentence


@pytest.mark.parametrize("key", ["summary", "files", "version"])
def test_the_schema_refuses_a_report_that_lacks_a_part(key):
    data = json.loads(formats.render("json", EVERYTHING))
    del data[key]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, formats.schema())


def test_the_schema_refuses_an_unknown_verdict():
    data = json.loads(formats.render("json", EVERYTHING))
    data["files"][0]["verdict"] = "fine"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, formats.schema())


def test_junit_counts_cases_failures_and_errors():
    root = ET.fromstring(formats.render("junit", EVERYTHING))
    first, second, third, fourth = root
    # three ranges, then what the file has on a sheet; the warning is no failure
    assert [first.get(key) for key in ("tests", "failures", "errors")] == ["4", "3", "0"]
    assert [second.get(key) for key in ("tests", "failures", "errors")] == ["1", "0", "0"]
    assert [third.get(key) for key in ("tests", "failures", "errors")] == ["1", "0", "1"]
    assert [fourth.get(key) for key in ("tests", "failures", "errors", "skipped")] == ["1", "0", "0", "1"]
    assert root.get("failures") == "3"
    failure = first.find("testcase[@name='attn_cat_Scores']/failure")
    assert failure is not None
    assert (failure.get("type"), failure.get("message")) == (ERROR.kind, ERROR.message)
    assert "Self-attention!C20" in (failure.text or "")


def test_junit_is_xml_whatever_the_name_of_the_file_is():
    strange = replace(outcome(ERROR), path="\x01\x1b\ufffe\udce9]]>.xlsx")
    (suite,) = ET.fromstring(formats.render("junit", [strange]))
    assert suite.get("name") == "\ufffd\ufffd\ufffd\ufffd]]>.xlsx"


def test_junit_puts_a_cause_on_its_ranges_case_and_before_what_follows():
    shown = replace(ERROR, follows="attn_cat_Scores")
    follower = replace(FOLLOWER, range="attn_cat_X")  # though made before it
    (suite,) = ET.fromstring(formats.render("junit", [outcome(follower, shown, of_file=(STRAY, OTHER))]))
    cases = [(case.get("classname"), case.get("name")) for case in suite]
    assert cases == [
        ("a,b.xlsx.ironcalc", "attn_cat_Scores"),
        ("a,b.xlsx.file", "Start"),
        ("a,b.xlsx.ironcalc", "attn_cat_X"),
    ]
    failure = suite[0][0]
    assert failure.get("type") == Kind.OTHER_FORMULA
    assert (failure.text or "").index(OTHER.message) < (failure.text or "").index(shown.message)


def test_in_junit_the_cases_share_the_time_by_their_cells():
    (suite,) = ET.fromstring(formats.render("junit", [outcome(ERROR, of_file=(STRAY,))]))
    times = {case.get("name"): float(case.get("time", "")) for case in suite}
    assert times == pytest.approx({"attn_cat_X": 4.0, "attn_cat_Scores": 5.0, "Start": 0.0})
    assert float(suite.get("time", "")) == 9.0


def test_junit_counts_warnings_as_failures_only_when_strict():
    warned = (outcome(of_file=(WARNING,)),)
    assert ET.fromstring(formats.render("junit", warned)).get("failures") == "0"
    assert ET.fromstring(formats.render("junit", warned, strict=True)).get("failures") == "1"


def test_github_annotates_causes_and_counts_consequences():
    lines = formats.render("github", EVERYTHING).split("\n")
    title = "file=a%2Cb.xlsx,title=xlsxattn%3A"
    assert lines[0].startswith(f"::error {title} stray formula::")
    assert lines[1] == (
        f"::error {title} error value::attn_cat_Scores shows the error #VALUE! "
        "(Self-attention!C20 {=MMULT(a,b)})"
    )
    assert lines[2].startswith(f"::warning {title} stale value::attn_cat_X: ")
    assert lines[2].endswith('(Self-attention!C8 ="50 %25,%0A")')
    followed = "1 more finding follows from these, in 1 range"
    assert lines[3] == f"::notice file=a%2Cb.xlsx,title=xlsxattn%3A consequences::{followed}"
    assert lines[4] == "::error file=gone.xlsx,title=not checkable::gone.xlsx: there is no such file"
    said = "theirs.xlsx: skipped, made by another program"
    assert lines[5] == f"::notice file=theirs.xlsx,title=skipped::{said}"
    assert lines[6:] == [overall(EVERYTHING)]
    assert formats.render("github", EVERYTHING, strict=True).count("::warning") == 0


def test_verdicts_distinguish_errors_from_warnings():
    assert outcome(ERROR).verdict() == "fails"
    assert outcome(of_file=(WARNING,)).verdict() == "holds"
    assert outcome(of_file=(WARNING,)).verdict(strict=True) == "fails"
    assert MISSING.verdict() == "not checkable"
    assert FOREIGN.verdict(strict=True) == "skipped"
    assert overall(EVERYTHING[:3]) == "3 files: 1 hold, 1 fail, 1 not checkable"
    said = "4 files: 1 hold, 1 fail, 1 not checkable, 1 skipped (made by other programs)"
    assert overall(EVERYTHING) == said
    said = "14 files: 2 hold, 3 fail, 4 not checkable, 5 skipped (made by other programs)"
    assert overall(MANY) == said


def test_the_table_has_a_row_per_range_and_one_for_texts():
    labels = Result("Start", "xlsxattn_Status", (1, 1), "mark", 0.0, 0.0, "ok")
    lines = table(EngineReport("ironcalc", (GOOD, BAD, labels), ())).splitlines()
    assert lines[2].split() == ["Self-attention", "attn_cat_X", "5", "×", "4", "0.0e+00", "ok"]
    assert lines[3].split()[-1] == "differs"
    assert "1 ranges of text and live checks" in lines[4]


def test_the_summary_counts_what_agrees_or_differs():
    good, bad = outcome(of_file=(WARNING,)).report, outcome(ERROR, of_file=(WARNING,)).report
    assert good is not None
    assert bad is not None
    assert summary(good) == "a,b.xlsx: all 20 cells of 1 range agree with NumPy (ironcalc); 1 warning"
    assert summary(bad) == "a,b.xlsx: 1 error and 1 warning (ironcalc)"
    worse = outcome(ERROR, FOLLOWER, of_file=(WARNING,)).report
    assert worse is not None
    assert summary(worse) == "a,b.xlsx: 1 error and 1 warning, from which 1 more follow (ironcalc)"


def cells(kind: Kind, name: str, n: int, **more: str) -> list[Finding]:
    return [Finding(kind, name, f"S!C{row}", found=1.0, expected=2.0, **more) for row in range(1, n + 1)]


def texts(findings: list[Finding]) -> list[str]:
    return [line.text for line in describe(findings)]


def test_a_range_is_reported_with_its_first_cell_and_the_number_of_others():
    stray = cells(Kind.STRAY_FORMULA, "", 4)
    lines = texts([*cells(Kind.VALUE, "a_X", 25), *stray, ERROR])
    assert lines == [
        "error: S!C1: a_X holds 1, NumPy has 2 (and 24 more cells, the last S!C25)",
        *(f"error: S!C{row}: {stray[0].message}" for row in (1, 2)),
        f"error: S!C3: {stray[0].message} (and 1 more cell, S!C4)",
        f"error: Self-attention!C20: {ERROR.message}\n    formula: {{=MMULT(a,b)}}",
    ]


def test_consequences_are_truncated_but_causes_are_not():
    causes = [Finding(Kind.MISSING, f"a_{i}") for i in range(60)]
    values = [f for i in range(25) for f in cells(Kind.VALUE, f"b_{i}", 2)]
    lines = list(describe([*causes, *values]))
    assert [line.severity for line in lines] == [*["error"] * 80, None]
    assert lines[-1].text == "... and 10 more findings"


def test_consequences_come_last_and_are_counted():
    followed = [f for i in range(9) for f in cells(Kind.VALUE, f"a_{i}", 5, follows="a_X")]
    *causes, last = texts([ERROR, *followed])
    assert len(causes) == 1
    first, *shown = last.splitlines()
    assert first == "45 more findings follow from these, in 9 ranges; the first:"
    assert shown == [f"    S!C1: a_{i} holds 1, NumPy has 2" for i in range(3)]


def test_findings_of_several_engines_are_merged():
    other = replace(ERROR, found=CellError("#N/A"))  # as another engine calls it
    assert len(texts([ERROR, other])) == len(texts([FOLLOWER, other, FOLLOWER])) - 1 == 1

"""What can be read in two ways is refused or an error; what computes otherwise than it says is told."""

from __future__ import annotations

import sys

import pytest
import tampered

from xlsxattn import cli
from xlsxattn.checker.check import check


@pytest.fixture
def target(tmp_path):
    return tmp_path / "tampered.xlsx"


def checked(path, monkeypatch, capsys, *options):
    monkeypatch.setattr(sys, "argv", ["xlsxattn", "check", *options, str(path)])
    with pytest.raises(SystemExit) as leave:
        cli.main()
    out, err = capsys.readouterr()
    assert "internal error" not in out + err
    return leave.value.code, out + err


@pytest.mark.parametrize("case", tampered.REFUSED)
def test_what_can_be_read_in_two_ways_is_refused(case, causal, target, monkeypatch, capsys):
    make, sentence = tampered.REFUSED[case]
    code, said = checked(make(causal, target), monkeypatch, capsys)
    assert (code, sentence in said, said.count("\n")) == (2, True, 1), said


def findings(report, kind, values):
    """The findings of a kind with these values."""
    found = [finding for finding in report.every_finding if finding.kind is kind]
    known = [{"range": f.range, "sheet": f.sheet, **f.values} for f in found]
    return [f for f, have in zip(found, known, strict=True) if values.items() <= have.items()]


@pytest.mark.parametrize("case", tampered.ERRORS)
def test_what_is_not_what_it_says_is_an_error(case, causal, target):
    make, expected = tampered.ERRORS[case]
    report = check(make(causal, target))
    assert "error" in {finding.severity for finding in findings(report, *expected)}, report


@pytest.mark.parametrize("case", tampered.WARNINGS)
def test_what_may_mislead_is_a_warning(case, causal, target):
    make, expected = tampered.WARNINGS[case]
    report = check(make(causal, target))
    assert report.holds
    assert len(findings(report, *expected)) == 1


@pytest.mark.parametrize("case", tampered.SOUND)
def test_what_all_programs_read_alike_holds(case, causal, target):
    report = check(tampered.SOUND[case](causal, target))
    assert (report.holds, report.every_finding) == (True, ())

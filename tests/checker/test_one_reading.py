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


@pytest.mark.parametrize("case", tampered.ERRORS)
def test_what_is_not_what_it_says_is_an_error(case, causal, target, monkeypatch, capsys):
    make, sentence = tampered.ERRORS[case]
    code, said = checked(make(causal, target), monkeypatch, capsys)
    assert (code, sentence in said) == (1, True), said


@pytest.mark.parametrize("case", tampered.WARNINGS)
def test_what_may_mislead_is_a_warning(case, causal, target):
    make, sentence = tampered.WARNINGS[case]
    report = check(make(causal, target))
    assert report.holds
    assert sum(sentence in finding.message for finding in report.every_finding) == 1


@pytest.mark.parametrize("case", tampered.SOUND)
def test_what_all_programs_read_alike_holds(case, causal, target):
    report = check(tampered.SOUND[case](causal, target))
    assert (report.holds, report.every_finding) == (True, ())

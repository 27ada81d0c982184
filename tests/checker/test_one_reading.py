"""Ambiguous files are refused; files that compute something other than they show have findings."""

from __future__ import annotations

import sys

import pytest

from dev.campaign.places import local
from dev.campaign.tampered import REFUSED, computing
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


@pytest.mark.parametrize("case", REFUSED)
def test_ambiguous_files_are_refused(case, causal, target, monkeypatch, capsys):
    make, sentence = REFUSED[case]
    code, said = checked(make(causal, target), monkeypatch, capsys)
    assert (code, local(causal, sentence) in said, said.count("\n")) == (2, True, 1), said


@pytest.mark.parametrize("case", computing.ERRORS)
def test_errors_have_their_kind(case, causal, target):
    make, kind = computing.ERRORS[case]
    report = check(make(causal, target), few=True)
    assert kind in {finding.kind for finding in report.causes if finding.severity == "error"}


@pytest.mark.parametrize("case", computing.WARNINGS)
def test_warnings_have_their_kind(case, causal, target):
    make, kind = computing.WARNINGS[case]
    report = check(make(causal, target), few=True)
    assert report.holds
    assert [finding.kind for finding in report.every_finding].count(kind) == 1


@pytest.mark.parametrize("case", computing.SOUND)
def test_files_that_all_programs_read_alike_hold(case, causal, target):
    report = check(computing.SOUND[case](causal, target), few=True)
    assert (report.holds, report.every_finding) == (True, ())

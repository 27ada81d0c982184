"""Every misleading view has its finding, and harmless changes have none."""

from __future__ import annotations

import hostile
import pytest
import tampered_views
from specs import plain

from xlsxattn import press
from xlsxattn.checker.appearance import misleading_views
from xlsxattn.checker.check import check
from xlsxattn.checker.reading.book import read


@pytest.mark.parametrize("case", tampered_views.VIEWS)
def test_misleading_views_are_found(case, causal, tmp_path):
    make, kind, name = tampered_views.VIEWS[case]
    findings = list(misleading_views(read(make(causal, tmp_path / "tampered.xlsx"))))
    assert {finding.kind for finding in findings} == {kind}, [finding.message for finding in findings]
    assert findings[0].range.startswith(name)


@pytest.mark.parametrize("case", tampered_views.PLAIN)
def test_harmless_changes_hold(case, causal, tmp_path):
    make = tampered_views.PLAIN[case]
    assert list(misleading_views(read(make(causal, tmp_path / "tampered.xlsx")))) == []


def test_swapped_series_are_found(walkthrough, tmp_path):
    """Their titles are typed, so each head would have the name of the other."""
    parts = hostile.parts_of(walkthrough)
    chart = "xl/charts/chart8.xml"
    one, other = b"$C$230:$G$230", b"$C$231:$G$231"
    assert one in parts[chart]
    assert other in parts[chart]
    swapped = other.join(piece.replace(other, one) for piece in parts[chart].split(one))
    path = hostile.packed(tmp_path / "swapped.xlsx", parts | {chart: swapped})
    assert [finding.kind for finding in misleading_views(read(path))] == ["other chart"]


def test_the_check_warns(causal, tmp_path):
    make, kind, _ = tampered_views.VIEWS["digits of its own"]
    report = check(make(causal, tmp_path / "tampered.xlsx"))
    assert report.holds
    assert [(finding.kind, finding.severity) for finding in report.every_finding] == [(kind, "warning")]


def test_a_title_like_a_formula_is_no_caption(tmp_path):
    sheet = {"id": "attn", "title": "=1+1", "about": "{=A1} is how a formula of an array looks"}
    path = tmp_path / "titled.xlsx"
    press.build({"title": "=2*2", **plain([2], 2, sheet)}, path)
    assert list(misleading_views(read(path))) == []

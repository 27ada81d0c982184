"""Every misleading view has its finding, and harmless changes have none."""

from __future__ import annotations

import re
import tomllib

import hostile
import pytest
from specs import plain

from dev.campaign import imported
from dev.campaign.places import local
from dev.campaign.tampered import views
from xlsxattn import press, templates
from xlsxattn.checker.appearance import misleading_views
from xlsxattn.checker.appearance.charts import area_of
from xlsxattn.checker.cells import Area
from xlsxattn.checker.check import check
from xlsxattn.checker.reading.book import read


@pytest.mark.parametrize("case", views.VIEWS)
def test_misleading_views_are_found(case, causal, tmp_path):
    make, kind, name = views.VIEWS[case]
    findings = list(misleading_views(read(make(causal, tmp_path / "tampered.xlsx"))))
    assert {finding.kind for finding in findings} == {kind}, [finding.message for finding in findings]
    assert findings[0].range.startswith(local(causal, name))


@pytest.mark.parametrize("case", views.PLAIN)
def test_harmless_changes_hold(case, causal, tmp_path):
    make = views.PLAIN[case]
    assert list(misleading_views(read(make(causal, tmp_path / "tampered.xlsx")))) == []


def test_swapped_series_are_found(walkthrough, tmp_path):
    """Their titles are typed, so each head would have the name of the other."""
    parts = hostile.parts_of(walkthrough)
    plotted = {part: re.findall(rb"<c:val><c:numRef><c:f>(.*?)</c:f>", xml) for part, xml in parts.items()}
    chart, (one, other, *_) = next((part, found) for part, found in plotted.items() if len({*found}) > 1)
    swapped = other.join(piece.replace(other, one) for piece in parts[chart].split(one))
    path = hostile.packed(tmp_path / "swapped.xlsx", parts | {chart: swapped})
    assert [finding.kind for finding in misleading_views(read(path))] == ["other chart"]


def test_the_check_warns(causal, tmp_path):
    make, kind, _ = views.VIEWS["digits of its own"]
    report = check(make(causal, tmp_path / "tampered.xlsx"))
    assert report.holds
    assert [(finding.kind, finding.severity) for finding in report.every_finding] == [(kind, "warning")]


def test_a_title_like_a_formula_is_no_caption(tmp_path):
    sheet = {"id": "attn", "title": "=1+1", "about": "{=A1} is how a formula of an array looks"}
    path = tmp_path / "titled.xlsx"
    heads = {"id": "heads", "kind": "multi-head", "title": "{tab}", "heads": 2, "d_out": 1}
    press.build({"title": "=2*2", **plain([2], 2, sheet, heads, {"id": "both", "kind": "compare"})}, path)
    assert list(misleading_views(read(path))) == []


@pytest.mark.parametrize("title", ["{=attn_one_Scores/attn_Scale}", "=A1/B1", "=", "{="])
def test_no_title_or_dimension_of_a_new_workbook_is_taken_for_a_caption(title, tmp_path):
    spec = tomllib.loads(templates.path("learning").read_text("utf-8"))
    titled = [sheet | {"title": title} for sheet in spec["sheets"]]
    heads = {"id": "heads", "kind": "multi-head", "title": title, "heads": 2, "d_out": 1}
    compare = {"id": "both", "kind": "compare", "title": title}
    dimensions = {"dimensions": ["=", "{=X*2}"]}
    spec |= {"vocabulary": spec["vocabulary"] | dimensions, "sheets": [*titled, heads, compare]}
    assert press.build(spec, tmp_path / "titled.xlsx").report.every_finding == ()


def test_words_of_precomputed_rows_are_not_offered_for_a_swap(tmp_path):
    path = tmp_path / "partial.xlsx"
    assert press.build(imported.spec("partial"), path).report.every_finding == ()
    offers = [offer for view in read(path).views.values() for offer in view.offers if "vocab" in offer.source]
    assert [offer.areas[0].rows for offer in offers] == [1]  # the focus word alone


def test_the_corners_of_a_chart_reference_may_be_in_any_order():
    areas = {
        area_of(f"'a b'!{cells}") for cells in ("$B$15:$C$17", "$C$15:$B$17", "$B$17:$C$15", "$C$17:$B$15")
    }
    assert areas == {Area("a b", 14, 1, 3, 2)}


def test_the_number_format_of_repeated_words_may_be_that_of_version_0_1(walkthrough, tmp_path):
    parts = hostile.parts_of(walkthrough)
    styles = parts["xl/styles.xml"]
    assert b"occurs " in styles
    old = hostile.packed(
        tmp_path / "old.xlsx", parts | {"xl/styles.xml": styles.replace(b"occurs ", b"stands ")}
    )
    assert list(misleading_views(read(old))) == []

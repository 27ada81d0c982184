"""Every misleading view has its finding, and harmless changes have none."""

from __future__ import annotations

import re
import tomllib

import hostile
import pytest
from specs import plain

from dev import prebuilt
from dev.campaign import imported
from dev.campaign.places import local
from dev.campaign.tampered import views
from xlsxattn import press, templates
from xlsxattn.checker.appearance import misleading_views
from xlsxattn.checker.appearance.blank_values import hides_nothing
from xlsxattn.checker.appearance.charts import area_of
from xlsxattn.checker.appearance.own_ranges import OwnRanges
from xlsxattn.checker.cells import Area, letters_of
from xlsxattn.checker.check import check
from xlsxattn.checker.reading.book import read
from xlsxattn.checker.reading.sheet_view import Rule


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


@pytest.mark.parametrize(
    ("name", "tested", "formula", "fine"),
    [
        ("xlsxattn_cat_X", "cat_Ids", "${col}{row}=0", True),
        ("xlsxattn_cat_X", "cat_Ids", "AND(LEN($C9)>0, ${col}{row}=0)", True),
        ("xlsxattn_cat_X", "cat_Ids", "${col}${row}=0", False),  # the first word in all rows
        ("xlsxattn_cat_X", "cat_Ids", "{col}{row}=0", False),
        ("xlsxattn_cat_X", "cat_Tokens", "${col}{row}=0", False),
        ("xlsxattn_keyboard_X", "cat_Ids", "${col}{row}=0", False),  # the words of another sentence
        ("attn_cat_Scores", "cat_Ids", "${col}{row}=0", False),
        ("attn_cat_Scores", "attn_cat_Scores_Rows", "LEN(${col}{row})=0", True),
        ("attn_cat_Scores", "attn_cat_Scores_Cols", "LEN({col}${row})=0", True),
        ("attn_cat_Scores", "attn_cat_Scores_Rows", "LEN(${col}${row})=0", False),
        ("attn_cat_Scores", "attn_cat_Scores_Cols", "LEN(${col}{row})=0", False),
        ("attn_cat_Scores", "attn_cat_Scaled_Rows", "LEN(${col}{row})=0", False),  # another row
        ("attn_keyboard_Scores", "attn_cat_Scores_Rows", "LEN(${col}{row})=0", False),
        ("xlsxattn_cat_Before", "cat_Ids", "MIN(cat_Focus, cat_Ids)=0", True),
        ("attn_cat_FocusAfter", "cat_Ids", "cat_Focus=0", True),
        ("attn_cat_FocusAfter", "cat_Ids", "keyboard_Focus=0", False),
        ("attn_cat_Output", "cat_Ids", "MIN(cat_Focus, cat_Ids)=0", False),
        ("xlsxattn_cat_Says", "cat_Ids", "MIN(cat_Focus, cat_Ids)=0", False),  # it says what is wrong
        ("xlsxattn_cat_Before", "cat_Ids", "MIN(cat_Focus, cat_Index)=0", False),
    ],
)
def test_values_may_be_hidden_only_where_they_mean_nothing(name, tested, formula, fine, walkthrough):
    book = read(walkthrough)
    ranges = OwnRanges(book)
    cells, other = ranges.areas[name], ranges.areas[tested]
    formula = formula.format(col=letters_of(other.col + 1), row=other.row + 1)
    assert hides_nothing(ruled([cells], formula), name, cells, ranges, book.manifest) == fine


def test_values_below_the_last_word_may_not_be_hidden(walkthrough):
    book = read(walkthrough)
    ranges = OwnRanges(book)
    ids, X, Before = (ranges.areas[name] for name in ("cat_Ids", "xlsxattn_cat_X", "xlsxattn_cat_Before"))
    formula = f"${letters_of(ids.col + 1)}{ids.row + 1}=0"  # the cells below the Ids are blank, and so 0
    whole = Area(X.sheet, X.row, X.col, Before.row - X.row + 1, X.cols)
    for areas in ([whole], [X, Before]):
        assert hides_nothing(ruled(areas, formula), "xlsxattn_cat_X", X, ranges, book.manifest)
        assert not hides_nothing(ruled(areas, formula), "xlsxattn_cat_Before", Before, ranges, book.manifest)
    higher = Area(X.sheet, X.row - 1, X.col, 1, 1)  # the rule's first cell, for programs that sort its areas
    assert not hides_nothing(ruled([X, higher], formula), "xlsxattn_cat_X", X, ranges, book.manifest)


def test_a_sentence_with_padding_has_a_result(tmp_path):
    path = tmp_path / "padding.xlsx"
    prebuilt.build("padding", path)
    book = read(path)
    ranges, name = OwnRanges(book), "xlsxattn_short_Before"
    unknown = 'SUMPRODUCT((short_Ids=0)*(short_Tokens<>""))>0'
    for formula, fine in (("MIN(short_Focus,short_Ids)=0", False), (f"OR(short_Focus=0,{unknown})", True)):
        rule = ruled([ranges.areas[name]], formula)
        assert hides_nothing(rule, name, ranges.areas[name], ranges, book.manifest) == fine


def ruled(areas, formula):
    """A conditional format that hides values where its formula holds."""
    return Rule(tuple(areas), "expression", "", (formula,), None, (), (), shows_value=True, stops=True)

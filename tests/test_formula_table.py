"""The manifest is not trusted: formulas are rebuilt from settings, shapes and language."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace

import pytest
from conftest import ROOT, THOROUGH
from specs import plain
from workbooks import Unwritten

from dev.campaign import imported
from dev.campaign.mutants import Package
from dev.campaign.rebuilt import COVERED, LIVE
from dev.campaign.rebuilt import every as blinded
from dev.releases import every_spec, forms
from xlsxattn import check, press, releases, templates
from xlsxattn.builder import specification as specs
from xlsxattn.checker.check import check as trusting
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.manifest_formulas import with_expected_formulas
from xlsxattn.checker.perturb import perturbed
from xlsxattn.checker.reading.book import NotCheckableError, read
from xlsxattn.cli.build_command import FAILED
from xlsxattn.cli.commands import cli
from xlsxattn.contract.names import START
from xlsxattn.contract.values import PROGRAM_VERSION
from xlsxattn.formula_table import rebuilt

SOURCES = (*templates.names(), *imported.MODELS)


def spec_of(name):
    return imported.spec(name) if name in imported.MODELS else specs.load(templates.path(name))


@pytest.mark.parametrize("name", SOURCES)
def test_the_regenerated_table_equals_the_manifest(name):
    for lang in ("en", "zh"):
        book = Unwritten(replace(spec_of(name), lang=lang, explain="full"))
        table = rebuilt(book)
        assert table.formulas == book.manifest.formulas
        assert table.kept == frozenset()


@pytest.mark.parametrize("source", ["walkthrough", "causal"] if THOROUGH else ["causal"])
def test_a_disabled_live_check_fails_even_if_the_manifest_agrees(source, request, tmp_path, capsys):
    """MIN for MAX, 1E+9 for 1E-9, another range, ...: five only in the cell, five also in the manifest."""
    path = request.getfixturevalue(source)
    book, whole, wrong = read(path), Package(path), tmp_path / "wrong.xlsx"
    live = [m for m in blinded(book) if book.manifest.parse(m.ranges[0]).is_live_check]
    assert all(any(part in m.what for m in live) for part in ("MIN(", "1E+9"))
    unseen = 0
    for kind, expected in ((LIVE, {Kind.OTHER_FORMULA}), (COVERED, {Kind.OTHER_FORMULA, Kind.MANIFEST})):
        of_kind = [m for m in live if m.kind == kind]
        for mutant in of_kind[:: max(1, len(of_kind) // 5)][:5]:
            whole.write(mutant, wrong)
            unseen += trusting(wrong, inputs="as-saved").every_finding == ()
            findings = check(wrong, inputs="as-saved").every_finding
            errors = {f.kind for f in findings if f.severity == "error" and f.range in mutant.ranges}
            assert errors >= expected, mutant.what
    assert unseen > 1  # if the manifest is trusted, there are no findings
    assert cli.main(["check", "--inputs", "as-saved", str(wrong)], standalone_mode=False) == FAILED
    assert mutant.ranges[0] in capsys.readouterr().out


# --- made by another version -------------------------------------------------------------------------------

OLD = (
    '=IFERROR(IF(LEFT(vocab_Status,1)<>"✗",IF(SUMPRODUCT((compare_cat_X-compare_keyboard_X)^2)'
    "*(cat_Focus>0)*(keyboard_Focus>0)=0,IF(MAX(cat_Focus,keyboard_Focus)>0,"
    'IF(MIN(cat_Focus,keyboard_Focus)>0,"✓ the input of "&vocab_Focus&" is the same in every sentence",'
    '"✓ "&vocab_Focus&" is not in every sentence: nothing but zeros there"),vocab_Status),'
    '"✗ the input of "&vocab_Focus&" differs"),vocab_Status),"✗ a cell shows an error")'
)
"""compare_Status of the walkthrough as 0.1.0 wrote it."""


def rewritten(path, out, texts, program=None):
    """The workbook with other formulas in cells and manifest, as another version made it."""
    book = read(path)
    sheet = book.workbook[book.names[START["Formulas"]].sheet]
    table = book.names[START["Formulas"]]
    for i, name in enumerate(book.manifest.formulas):
        if name in texts:
            area = book.names[name]
            cell = book.workbook[area.sheet].cell(area.row + 1, area.col + 1)
            assert area.rows * area.cols == 1
            for one in (cell, sheet.cell(table.row + i + 1, table.col + 3)):
                one.value = texts[name]
            one.data_type = "s"
    if program is not None:
        at = book.names[START["Program"]]
        sheet.cell(at.row + 1, at.col + 1).value = program
    book.workbook.save(out)
    return out


def faults(path):
    book = read(path)
    return with_expected_formulas(book, rebuilt(book))[1]


def test_live_checks_of_an_earlier_release_are_accepted(walkthrough, tmp_path):
    book = read(walkthrough)
    name = "compare_Status"
    form = releases.form(name, "cells", OLD, book.manifest.parse)
    assert form in releases.forms("0.1.0")
    assert form not in releases.forms(PROGRAM_VERSION)
    wired = OLD.replace("(cat_Focus>0)", "(keyboard_Focus>0)").replace(
        "MAX(cat_Focus,", "MAX(keyboard_Focus,"
    )
    wired = wired.replace("MIN(cat_Focus,", "MIN(keyboard_Focus,")
    assert releases.form(name, "cells", wired, book.manifest.parse) in releases.forms("0.1.0")
    for program, text, kind in (
        ("0.1.0", OLD, Kind.OTHER_VERSION),
        ("", OLD, Kind.OTHER_VERSION),
        ("0.0.9", OLD, Kind.MANIFEST),
        (PROGRAM_VERSION, OLD, Kind.MANIFEST),
        ("0.1.0", wired, Kind.MANIFEST),
    ):
        made = rewritten(walkthrough, tmp_path / "old.xlsx", {name: text}, program)
        assert [f.kind for f in faults(made)] == [kind], (program, text)


def test_another_versions_other_formulas_are_one_warning(walkthrough, tmp_path):
    texts = {"cat_Focus": "=0+cat_Focus", "attn_Scale": "=1*SQRT(COLUMNS(attn_cat_K))"}
    made = rewritten(walkthrough, tmp_path / "other.xlsx", texts, "0.1.0")
    (found,) = faults(made)
    assert (found.kind, found.severity, found.values["n"]) == (Kind.OTHER_VERSION, "warning", 2)
    assert {f.range for f in faults(rewritten(walkthrough, made, texts))} == {*texts}


def test_the_forms_of_this_version_are_stored():
    """`python -m dev.releases` writes it."""
    found = {form for spec in every_spec() for form in forms(spec)}
    assert releases.forms(PROGRAM_VERSION) == found


def test_the_version_is_that_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == PROGRAM_VERSION


# --- edits of a reader, and damage -------------------------------------------------------------------------


def test_an_inserted_word_and_a_longer_sentence_change_nothing_else(causal):
    book = read(causal)
    longer = {
        name: replace(book.names[name], rows=book.names[name].rows + 1)
        for name in ("vocab_E", "vocab_Tokens", "chase_Tokens")
    }
    edited = replace(book, names={**book.names, **longer})
    right, found = with_expected_formulas(edited, rebuilt(edited))
    assert found == ()
    assert right.manifest.formulas == book.manifest.formulas


DAMAGED = {
    "a billion layers": {"layers": 10**9},
    "a billion heads": {"heads": 10**9},
    "a billion columns": {"d_k": 10**9},
    "no number": {"d_k": "two"},
    "true": {"heads": True},
    "a list of layers": {"taken": [*range(1, 30_000)]},
    "no layer": {"only": {"x": [1]}},
    "unknown": {"colour": "red"},
    "unknown mask": {"mask": "none of these"},
    "another context": {"contexts": ["nowhere"]},
    "deep": {"only": {"1": [[[[]]]]}},
}


@pytest.mark.parametrize("change", DAMAGED.values(), ids=DAMAGED)
def test_an_absurd_setting_is_refused_immediately(change):
    book = Unwritten(spec_of("encoder"))
    (sheet, *_) = book.manifest.sheets
    book.manifest = replace(book.manifest, sheets=(replace(sheet, settings={**sheet.settings, **change}),))
    with pytest.raises(NotCheckableError, match="the manifest does not fit the workbook: ") as refused:
        rebuilt(book)
    assert len(str(refused.value)) < 300
    assert "Error" not in str(refused.value)


@pytest.mark.parametrize("missing", ["mask", "heads", "layers", "contexts"])
def test_a_missing_setting_is_not_replaced_by_a_default(missing):
    book = Unwritten(spec_of("encoder"))
    (sheet, *_) = book.manifest.sheets
    left = {key: value for key, value in sheet.settings.items() if key != missing}
    book.manifest = replace(book.manifest, sheets=(replace(sheet, settings=left),))
    with pytest.raises(NotCheckableError):
        rebuilt(book)


def test_more_sheets_than_names_are_refused():
    book = Unwritten(spec_of("causal"))
    (sheet, *_) = book.manifest.sheets
    many = tuple(replace(sheet, id=f"s{i}") for i in range(1000))
    book.manifest = replace(book.manifest, sheets=many)
    with pytest.raises(NotCheckableError, match=r"at least 5,000 ranges, but it has only \d\d names"):
        rebuilt(book)


# --- the last set of inputs --------------------------------------------------------------------------------


def test_a_formula_that_fits_only_the_usual_inputs_is_found(causal, tmp_path):
    """Its manifest is trusted here, so that only values can reveal it."""
    book = read(causal)
    name = "causal_chase_Scores"
    area = book.names[name]
    cell = book.workbook[area.sheet].cell(area.row + 1, area.col + 1)
    cell.value.text += "*(MAX(vocab_E)<4)"
    book.workbook.save(wrong := tmp_path / "wrong.xlsx")
    for seed in (None, 7):
        values = [f for f in trusting(wrong, seed=seed).every_finding if f.kind is Kind.VALUE]
        assert name in {f.range for f in values}
        assert {f.round for f in values} == {len(perturbed(book))}


def test_the_seed_is_the_digest_of_the_file_or_given(causal, tmp_path, capsys):
    copied = tmp_path / "copy.xlsx"
    copied.write_bytes(causal.read_bytes())
    one, again, asked = check(causal), check(copied), check(causal, seed=7)
    assert one.seed == again.seed
    assert asked.seed == 7
    assert cli.main(["check", "--seed", "7", "--format", "json", str(causal)], standalone_mode=False) == 0
    assert json.loads(capsys.readouterr().out)["files"][0]["seed"] == 7
    assert cli.main(["check", "-v", str(causal)], standalone_mode=False) == 0
    assert f"the seed of the last set of inputs is {one.seed}\n" in capsys.readouterr().err
    sets = [perturbed(replace(read(causal), seed=seed)) for seed in (1, 2)]
    assert [a == b for a, b in zip(*sets, strict=True)] == [*[True] * (len(sets[0]) - 1), False]


HEADS = {
    "side by side": {"heads": 2, "d_k": 2, "out_proj": False},
    "side by side, biased keys": {"heads": 3, "out_proj": False, "bias": ["K"], "maps": True},
    "narrow, biased output": {"heads": 2, "d_k": 1, "d_out": 2, "bias": ["O"]},
    "wide, shared keys": {"heads": 2, "d_k": 2, "d_out": 5, "kv_heads": 1},
}


@pytest.mark.parametrize("name", HEADS)
def test_heads_of_any_output_are_rebuilt(name, tmp_path):
    sheet = {"id": "heads", "kind": "multi-head", "seed": 3, "mask": "causal", **HEADS[name]}
    data = plain([3, 2], 3, sheet, {"id": "compare", "kind": "compare"})
    report = press.build(data, tmp_path / "heads.xlsx").report
    assert report.holds
    assert not report.every_finding

"""A sample of the mutation campaign: which faults it makes, that all are found, and that it can fail."""

from __future__ import annotations

import dataclasses
from collections import Counter
from functools import cache

import pytest

from dev import prebuilt
from dev.campaign import report, run, tampered
from dev.campaign.kinds import MANIFEST
from dev.campaign.mutants import Mutant, Package
from dev.campaign.outcome import MutantChecker, Outcome
from xlsxattn.checker import check
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.contract.names import FIRST_SCREEN, START
from xlsxattn.formula_table import rebuilt

KINDS = {
    "a constant",
    "a live check made blind",
    "absolute for relative",
    "another block's range",
    "another context's range",
    "another head's range",
    "another row",
    "another sheet's range",
    "another step",
    "block in two",
    "depends on chance",
    "every word reads the first",
    "h in place of 2h",
    "manifest edited with the cell",
    "mean over another count",
    "misses the last",
    "name deleted",
    "names swapped",
    "no bias correction",
    "off by 1e-6",
    "one short, nothing left",
    "one short, old values left",
    "pasted as values",
    "relative for absolute",
    "right value as a constant",
    "scale left out",
    "sign of a gradient",
    "softmax over columns",
    "transpose added",
    "transpose dropped",
    "weight decay left out",
    "wrong d",
    "wrong mask",
    "−Σ left out",
}
PICKED = {  # range → what its formula becomes, in the walkthrough
    "qkv_cat_Scores": "=MMULT(qkv_cat_K,TRANSPOSE(qkv_cat_K))",
    "qkv_keyboard_Output": "=MMULT(qkv_keyboard_Attention,qkv_keyboard_K)",
    "dims_cat_Q": "=MMULT(dims_keyboard_X,0+dims_W_Q)",
    "dims_Scale": "=SQRT(COLUMNS(vocab_E))",
    "heads_cat_h2_Q": "=MMULT(heads_cat_X,0+heads_h1_W_Q)",
    "heads_cat_h2_Output": "=MMULT(heads_cat_h1_Attention,heads_cat_h2_V)",
    "heads_keyboard_Output": "=MMULT(heads_keyboard_Concat,0+TRANSPOSE(heads_W_O))",
    "attn_cat_Attention": "=attn_cat_Exp/TRANSPOSE(attn_cat_RowSum)",
    "heads_cat_h1_Scaled": "=heads_cat_h1_Scores",
    "compare_keyboard_attn_Cosine": "another block's range",
    "compare_cat_qkv_Output": "another context's range",
    "vocab_Times": "another row",
}


mutants = cache(run.mutants)
"""The mutants of each workbook, made once for all tests."""


@pytest.fixture(scope="module")
def checker(causal):
    return MutantChecker(causal)


@pytest.fixture(scope="module")
def picked_outcomes(walkthrough):
    checker = MutantChecker(walkthrough)
    made = [m for m in mutants(walkthrough) if m.ranges[0] in PICKED and _picked(m)]
    return [checker.outcome(m) for m in {m.ranges: m for m in made}.values()]


def _picked(mutant):
    wanted = PICKED[mutant.ranges[0]]
    return mutant.kind == wanted or f": {wanted} for " in mutant.what


def one_of_each(path):
    """A mutant of each kind that changes a value, of different ranges."""
    made = {}
    for i, mutant in enumerate(mutants(path)):
        made.setdefault((mutant.kind, i % 3), mutant)
    return list(made.values())


def test_every_kind_of_fault_is_generated(causal, tmp_path):
    paths = causal, prebuilt.build("walkthrough", tmp_path / "walkthrough.xlsx")
    made = [mutant for path in paths for mutant in mutants(path)]
    assert {mutant.kind for mutant in made} == KINDS
    broken = {name for mutant in made for name in mutant.ranges}
    optional = {START["Program"], START["Language"], START[FIRST_SCREEN]}  # earlier versions have none
    assert broken == {name for path in paths for name in check.read(path).names} - optional


def test_faults_are_unique(causal):
    made = mutants(causal)
    assert len({(str(m.cells), str(m.names)) for m in made}) == len(made)


def test_each_kind_is_found_and_named(checker, causal):
    outcomes = [checker.outcome(mutant) for mutant in one_of_each(causal)]
    assert not list(report.failures(outcomes))
    assert {o.verdict for o in outcomes} == {"as saved", "perturbed", "equivalent", "by its formula"}
    line, good = report.score(outcomes)
    assert good
    assert "(100 %" in line


def test_picked_faults_of_the_walkthrough_are_found(picked_outcomes):
    assert {o.mutant.ranges[0] for o in picked_outcomes} == set(PICKED)
    assert not list(report.failures(picked_outcomes))
    assert Counter(o.verdict for o in picked_outcomes)["perturbed"] >= 1


def test_without_perturbation_some_are_missed(causal):
    weak = MutantChecker(causal, perturb=False)
    kinds = ("pasted as values", "right value as a constant", "one short, old values left")
    outcomes = [
        weak.outcome(m) for m in one_of_each(causal) if m.kind in kinds or m.kind == "misses the last"
    ]
    line, good = report.score(outcomes)
    assert not good
    assert "(100 %" not in line
    assert {o.mutant.kind for o in outcomes if o.verdict == "missed"} >= {"pasted as values"}


def test_a_large_tolerance_lowers_the_score(checker, causal, monkeypatch):
    (slight, *_) = [m for m in mutants(causal) if m.kind == "off by 1e-6" and "RowMax" in m.ranges[0]]
    assert checker.outcome(slight).verdict == "as saved"
    monkeypatch.setattr("xlsxattn.checker.compare.PRECISION", 1e-3)
    assert checker.outcome(slight).verdict != "as saved"


def test_without_the_structure_checks_equivalents_are_failures(checker, causal, monkeypatch):
    (mask,) = [
        m for m in mutants(causal) if m.ranges == ("causal_chase_Mask",) and m.kind == "pasted as values"
    ]
    assert checker.outcome(mask).verdict == "equivalent"
    monkeypatch.setattr("xlsxattn.checker.structure.misplaced_formulas", lambda _: [])
    assert checker.outcome(mask).verdict == "not in structure"


def test_the_command_reports_the_same_for_the_file(checker, causal, tmp_path):
    """The campaign, which computes in one process, has the findings of `check` for the faulty file."""
    whole = Package(causal)
    for i, mutant in enumerate(one_of_each(causal)[::5]):
        outcome = checker.outcome(mutant)
        path = tmp_path / f"{i}.xlsx"
        whole.write(mutant, path)
        if mutant.ranges[0] in MANIFEST:
            with pytest.raises(check.NotCheckableError) as refused:
                check.check(path)
            assert refused.value.name == mutant.ranges[0]
            continue
        said = check.check(path, rebuild=rebuilt)
        values = [f for run_ in said.runs for f in run_.findings]
        if outcome.verdict == "equivalent":
            assert not values
            assert any(name in f.names for f in said.findings for name in mutant.ranges)
        elif outcome.verdict == "by its formula":
            assert outcome.range in {f.range for f in said.findings if f.severity == "error"}
        else:
            assert outcome.range == values[0].range
            assert bool(values[0].round) == (outcome.verdict == "perturbed")


def test_a_frozen_copy_has_the_values_of_the_whole_workbook(checker, causal, monkeypatch):
    picked = [mutant for mutant in mutants(causal) if not mutant.names][::9]
    outcomes = [checker.outcome(mutant) for mutant in picked]
    monkeypatch.setattr("dev.campaign.graph.Graph.circular", lambda *_: True)
    for mutant, outcome in zip(picked, outcomes, strict=True):
        assert checker.outcome(mutant) == outcome


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return run.built("bert", tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def checker_of_bert(bert):
    return MutantChecker(bert)


def test_small_models_cover_pages_that_no_template_has(bert):
    names, made = check.read(bert).names, mutants(bert, "bert")
    broken = {name for mutant in made for name in mutant.ranges}
    ends = ["Map", "PairWeights", "PairPlaces", "PairFrom", "PairTo", "PairRank", "Chosen", "Layers", "Heads"]
    ends += ["Pooled", "Normed", "Similarity", "Depths", "Track_l2", "Cosine_X"]
    for end in ends:
        own = {name for name in names if name.endswith(f"_{end}")}
        assert own, end
        assert own <= broken
    assert {name for name in broken if name.endswith(("_First", "_Last", "_Frobenius"))}
    others = {name for name in names if name.endswith(("_h1_Q", "_Hidden"))}
    assert not [mutant for mutant in made if {*mutant.ranges} <= others]


def test_faults_of_a_small_model_are_found(bert, checker_of_bert):
    outcomes = [checker_of_bert.outcome(mutant) for mutant in mutants(bert, "bert")[::60]]
    assert not list(report.failures(outcomes))


def test_a_swapped_depth_and_a_lost_list_are_found(bert, checker_of_bert):
    tested = "SIGN(SUMSQ(bert_s1_Track_Input))*SIGN(SUMSQ(bert_s2_Track_l1))=0"
    picked = [m for m in mutants(bert, "bert") if tested in m.what.partition(" for ")[0]]
    picked += [m for m in mutants(bert, "bert") if m.what == "bert_Depths deleted"]
    assert len(picked) >= 2
    found = {"as saved", "perturbed", "by its formula"}
    assert {checker_of_bert.outcome(mutant).verdict for mutant in picked} <= found


def test_a_fault_under_another_name_counts_as_missed(checker, causal):
    (wrong, *_) = [m for m in mutants(causal) if m.kind == "wrong d" and m.ranges == ("causal_Scale",)]
    elsewhere = dataclasses.replace(wrong, ranges=("causal_chase_Output",))
    outcome = checker.outcome(elsewhere)
    assert outcome.verdict != "as saved"


def test_an_unexplained_equivalent_mutant_is_a_failure():
    mutant = Mutant("wrong d", ("x",), "x: 1 for 2")
    assert list(report.failures([Outcome(mutant, "unexplained", "no rule says why")]))
    assert not list(report.failures([Outcome(mutant, "equivalent", "both are 1")]))


def test_the_five_published_faults_are_counted_and_required():
    found = [
        Outcome(Mutant(kind, ("x",), "x: 1 for 2"), verdict, "x: it differs")
        for kind, verdict in zip(report.PUBLISHED, ("as saved", "perturbed") * 3, strict=False)
    ]
    assert not list(report.unmade(found))
    assert list(report.unmade(found[1:])) == [f"not made: {found[0].mutant.kind}"]
    lines = report.published([*found, dataclasses.replace(found[0], verdict="missed")]).splitlines()[2:]
    assert [line.split()[-2:] for line in lines] == [["2", "1"], *[["1", "1"]] * 4]


def test_mutants_are_listed_by_verdict():
    mutant = Mutant("wrong d", ("x",), "x: 1 for 2")
    outcomes = [
        Outcome(mutant, "perturbed", "x: it differs"),
        Outcome(mutant, "as saved", "x: it differs"),
    ]
    assert list(report.listed(outcomes, ["perturbed"])) == [
        "perturbed: wrong d: x: 1 for 2\n    x: it differs"
    ]
    assert not list(report.listed(outcomes, []))


def test_names_that_are_moved_are_a_warning(walkthrough, tmp_path):
    book = check.read(walkthrough)
    names = book.names["qkv_W_Q"], book.names["qkv_W_K"]
    swap = Mutant(
        "names swapped", ("qkv_W_Q", "qkv_W_K"), "", names={"qkv_W_K": names[0], "qkv_W_Q": names[1]}
    )
    Package(walkthrough).write(swap, tmp_path / "swapped.xlsx")
    said = check.check(tmp_path / "swapped.xlsx", few=True)
    assert said.holds  # the name determines the input
    assert {f.kind for f in said.every_finding} >= {Kind.MOVED}


def test_tampered_files_are_found(causal):
    ways = tampered.chosen(run.names().index("causal"))
    assert {way.kind for way in ways} == {*tampered.TAMPERED}
    outcomes = [*tampered.outcomes(causal, ways)]
    assert len(outcomes) == len(ways)
    assert {outcome.verdict for outcome in outcomes} == {"tampering"}


def test_a_tampered_file_that_passes_is_a_failure(causal, monkeypatch):
    (way,) = [way for way in tampered.WAYS if way.what == "digits of its own"]
    monkeypatch.setattr("dev.campaign.tampered.misleading_views", lambda _: [])
    outcomes = [*tampered.outcomes(causal, (way,))]
    assert [outcome.verdict for outcome in outcomes] == ["missed"]
    line, good = report.score([*outcomes, Outcome(Mutant("wrong d", ("x",), ""), "perturbed", "")])
    assert not good
    assert "(100 %" in line
    assert "0 of 1 tampered files" in line


def test_an_untried_way_to_tamper_is_a_failure():
    outcomes = [Outcome(Mutant(way.kind, (), f"x: {way.what}"), "tampering", "") for way in tampered.WAYS]
    assert not list(report.untampered(outcomes))
    assert list(report.untampered(outcomes[1:])) == [f"not made: {tampered.WAYS[0].what}"]

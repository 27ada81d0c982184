"""One cell in numbers: every computed range of a few workbooks, and invalid arguments."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import openpyxl
import pytest
from commands import run

import xlsxattn
from dev import prebuilt
from xlsxattn.checker import explain as explaining
from xlsxattn.checker.cells import listed
from xlsxattn.checker.explanation import as_data, as_text
from xlsxattn.checker.reading.book import read
from xlsxattn.contract.names import last

if TYPE_CHECKING:
    from pathlib import Path

IN_TERMS = {"Scores", "Q", "K", "V", "RowSum", "AttentionSum", "Hidden", "Residual1", "Logits"}
"""Ranges whose formula is a sum of products, a row's sum, or the sum of two ranges."""


def every_cell(path: Path):
    """An explanation of the most telling cell of each computed range, and of its last one."""
    book = read(path)
    found = explaining._evaluated(book, "ironcalc")
    wanted = explaining._reference(book, found["ironcalc"])
    for name in book.manifest.formulas:
        area, grid = book.names[name], listed(found["ironcalc"][name])
        for at in {
            explaining._cell_to_explain(wanted.get(name), {"ironcalc": grid}),
            (area.rows - 1, area.cols - 1),
        }:
            yield explaining._explained(book, name, *at, found, wanted.get(name))


@pytest.mark.parametrize("template", ["walkthrough", "learning", "reverse", "llama", "mouse"])
def test_every_computed_range_is_explained_and_its_terms_give_its_value(template, tmp_path):
    without = "training" if template == "walkthrough" else ""  # that of learning is smaller
    path, summed = prebuilt.build(template, tmp_path / "x.xlsx", without=without), set()
    for one in every_cell(path):
        (computed,) = one.engines
        assert one.holds
        assert (computed.verdict, one.in_file) == ("ok", None)
        json.dumps(as_data(one), allow_nan=False)
        assert f"{one.range}[{one.row},{one.column}]" in as_text(one)
        assert max(map(len, as_text(one).splitlines())) < 1000
        if one.terms:
            summed.add(last(one.range))
            assert math.isclose(one.sum, computed.value, rel_tol=1e-9, abs_tol=1e-9), as_text(one)
        else:
            assert one.numbers or "MMULT" in one.formula or computed.value is None, one.formula
    assert summed >= IN_TERMS & {last(name) for name in read(path).names}


def test_one_cell_in_numbers(walkthrough):
    one = xlsxattn.explain(walkthrough, "attn_cat_Scores[3,1]")
    assert (one.row, one.column, one.cell) == (3, 1, "Self-attention!C26")
    assert one.terms == ((2, 3), (2, 0), (0, 0), (0.1, 0.1))
    assert [read.cells for read in one.reads] == ["attn_cat_X[3,:]", "attn_cat_X[1,:]"]
    lines = [line.split(maxsplit=1) for line in str(one).splitlines()[1:]]
    assert ["terms", "2·3 + 2·0 + 0·0 + 0.1·0.1"] in lines
    for label in ("sum", "ironcalc", "NumPy"):
        assert [label, "6.01"] in lines
    text = xlsxattn.explain(walkthrough, "attn_cat_Scores_Cols[1,2]")
    assert (text.terms, text.numbers, text.expected) == ((), '=TRANSPOSE("and"&"")', "and")
    scaled = xlsxattn.explain(walkthrough, "attn_cat_Scaled[3,1]")
    assert scaled.numbers == "=6.01/2"
    typed = xlsxattn.explain(walkthrough, "vocab_E[1,1]")
    assert (typed.formula, typed.reads, typed.engines[0].verdict) == ("", (), "")


@pytest.fixture
def broken(walkthrough, tmp_path) -> Path:
    """A workbook with another formula in one range and a constant in another."""
    book = openpyxl.load_workbook(walkthrough)

    def corner(name):
        tab, cells = next(iter(book.defined_names[name].destinations))
        return book[tab][cells][0][0]

    scores = corner("attn_cat_Scores").value
    scores.text = scores.text.replace("=MMULT", "=2*MMULT")
    corner("qkv_cat_RowSum").value = 3
    book.save(tmp_path / "broken.xlsx")
    return tmp_path / "broken.xlsx"


def test_a_failing_range_shows_its_worst_cell(broken):
    other = xlsxattn.explain(broken, "attn_cat_Scores")
    assert not other.holds
    assert (other.row, other.column) == (1, 1)
    assert other.in_file == "{=2*MMULT(attn_cat_X,TRANSPOSE(attn_cat_X))}"
    assert other.engines[0].value == 2 * other.expected == 2 * other.sum
    constant = xlsxattn.explain(broken, "qkv_cat_RowSum")
    assert (constant.row, constant.in_file, constant.engines[0].value) == (1, "", 3.0)
    follows = xlsxattn.explain(broken, "attn_cat_Scaled")
    assert (follows.in_file, follows.engines[0].verdict) == (None, "differs")


def test_a_formula_that_reads_a_lost_name_has_no_terms(causal, tmp_path):
    book = openpyxl.load_workbook(causal)
    del book.defined_names["causal_chase_X"]
    book.save(tmp_path / "lost.xlsx")
    one = xlsxattn.explain(tmp_path / "lost.xlsx", "causal_chase_Scores[1,2]")
    assert (one.terms, one.engines[0].value, one.engines[0].verdict) == ((), "#NAME?", "differs")
    assert "#NAME?" in str(one)


def test_the_command_explains_in_text_and_as_data(broken, causal):
    assert run("check", broken, "--explain", "attn_cat_Scores").code == 1
    ended = run("check", causal, "--explain", "causal_chase_Scores[2,1]", "--format", "json")
    assert (ended.code, ended.err) == (0, "")
    (data,) = json.loads(ended.out)["explanations"]
    assert (data["range"], data["row"], data["holds"]) == ("causal_chase_Scores", 2, True)
    assert "结论" in run("check", causal, "--explain", "causal_chase_Scores", "--lang", "zh").out


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("causal_chase_Scors", "did you mean 'causal_chase_Scores'"),
        ("causal_chase_Scores[6,1]", "[1,1] to [5,5]"),
        ("causal_chase_Scores[0,1]", "[1,1] to [5,5]"),
        ("causal_chase_Scores[1]", "RANGE[row,column]"),
    ],
)
def test_a_missing_cell_is_refused(causal, asked, answer):
    ended = run("check", causal, "--explain", asked)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert answer in ended.err
    assert run("check", causal, "--explain", "causal_chase_X", "--format", "junit").code == 2

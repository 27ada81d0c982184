"""Formulas by row, up to the diagonal and side by side, and the parts of ranges that they use."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from xlsxattn.checker.cell_formulas import level, other_formulas, tokens
from xlsxattn.checker.cells import Area
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.reading.book import Book, Formula, Manifest

WIDE = Area("S", 10, 2, 3, 3)  # C11:E13
NAMES = {
    "s_In": WIDE,
    "s_Out": Area("S", 20, 2, 3, 3),
    "s_Col": Area("S", 10, 8, 3, 1),
    "s_far": Area("T", 0, 0, 3, 2),
}


def book_of(entered, text, formulas, out=None):
    names = {**NAMES, **({} if out is None else {"s_Out": out})}
    at = {(f.area.sheet, f.area.row, f.area.col): f for f in formulas}
    manifest = Manifest((), (), (), {"s_Out": (entered, text)})
    return Book(Path("any.xlsx"), names, at, {}, manifest, openpyxl.Workbook())


@pytest.mark.parametrize(
    ("text", "at", "spelled"),
    [
        ("=s_In[row]", (1, 2), "=C12:E12"),
        ("=s_In[first]", (1, 2), "=C12"),
        ("=s_In[cell]", (1, 2), "=E12"),
        ("=s_In[above]", (1, 2), "=E11"),
        ("=s_Col[above]", (2, 0), "=I12"),
        ('=IF(s_In[cell]="",s_In[above],1)', (0, 1), '=IF(D11="","",1)'),
        ("=s_In[col]", (2, 1), "=D11"),
        ("=SUM(s_In[..cell])", (1, 0), "=SUM(C12)"),
        ("=SUM(s_In[..cell])", (1, 1), "=SUM(C12:D12)"),
        ("=s_In[..row]", (2, 1), "=C11:C13"),
        ("=s_In[..rows]", (1, 0), "=C11:E12"),
        ("=s_In[..diagonal]", (1, 0), "=C12:D12"),
        ("=s_In[3]", (1, 1), "=C13"),
        ("=s_far[..rows]", (1, 0), "='T'!A1:B2"),
        ("=s_None[above]", (1, 0), "=s_None?"),
    ],
)
def test_parts_of_ranges(text, at, spelled):
    found = level(book_of("cells", "", []), text, "S", *at)
    assert found.replace("C12:C12", "C12") == spelled


def rows(*texts, widths=(3, 3, 3), first=20):
    return [
        Formula(t, Area("S", first + i, 2, 1, w), array=True)
        for i, (t, w) in enumerate(zip(texts, widths, strict=True))
    ]


RIGHT = ("=MMULT(C11:E11,s_In)", "=MMULT(C12:E12,s_In)", "=MMULT(C13:E13,s_In)")


def summaries(book):
    return [(f.kind, f.range, f.cell) for f in other_formulas(book)]


def test_rows_are_one_array_formula_each():
    assert summaries(book_of("rows", "=MMULT(s_In[row],s_In)", rows(*RIGHT))) == []


@pytest.mark.parametrize("wrong", ["=MMULT(C12:E12,s_Out)", "=MMULT(C11:E11,s_In)", "=MMULT(C12:D12,s_In)"])
def test_a_row_with_another_formula_is_found(wrong):
    book = book_of("rows", "=MMULT(s_In[row],s_In)", rows(RIGHT[0], wrong, RIGHT[2]))
    assert summaries(book) == [(Kind.OTHER_FORMULA, "s_Out", "S!C22")]


def test_a_row_that_is_too_short_or_no_array_formula_is_found():
    short = rows(*RIGHT, widths=(3, 2, 3))
    assert summaries(book_of("rows", "=MMULT(s_In[row],s_In)", short)) == [
        (Kind.OTHER_FORMULA, "s_Out", "S!C22")
    ]
    plain = [Formula(f.text, f.area, array=False) for f in rows(*RIGHT)]
    assert summaries(book_of("rows", "=MMULT(s_In[row],s_In)", plain)) == [
        (Kind.OTHER_FORMULA, "s_Out", "S!C21")
    ]


LOWER = ("=EXP(C11:C11)", "=EXP(C12:D12)", "=EXP(C13:E13)")


def test_lower_rows_end_at_the_diagonal():
    book = book_of("lower rows", "=EXP(s_In[..diagonal])", rows(*LOWER, widths=(1, 2, 3)))
    assert summaries(book) == []
    full = book_of("lower rows", "=EXP(s_In[..diagonal])", rows(*LOWER))
    assert summaries(full) == [(Kind.OTHER_FORMULA, "s_Out", "S!C21")]


def test_rows_side_by_side_are_as_wide_as_the_ranges_they_name():
    formulas = [
        Formula(f"={left}{11 + i}:{right}{11 + i}", Area("S", 20 + i, col, 1, cols), array=True)
        for i in range(3)
        for left, right, col, cols in (("C", "E", 2, 3), ("I", "I", 5, 1))
    ]
    out = Area("S", 20, 2, 3, 4)
    assert summaries(book_of("rows", "=s_In[row] | =s_Col[row]", formulas, out)) == []
    turned = book_of("rows", "=s_Col[row] | =s_In[row]", formulas, out)
    assert summaries(turned) == [(Kind.OTHER_FORMULA, "s_Out", "S!C21")]


@pytest.mark.parametrize(
    ("saved", "ours"),
    [
        ("=MATCH(TRUE(),EXACT(s_In,C11),0)", "=MATCH(TRUE,EXACT(s_In,C11),0)"),
        ("=IF(C11>0,true( ),FALSE())", "=IF(C11>0,TRUE,FALSE)"),
        ("=SUM(-(-(s_In>1)))", "=SUM(--(s_In>1))"),
        ("=-(-EXACT(s_In,C11))*-(-C11)", "=--EXACT(s_In,C11)*--C11"),
        ("=VAR.P(C11:E11)", "=VARP(C11:E11)"),
        ("=_xlfn.VAR.P(C11:E11)", "=VARP(C11:E11)"),
        ("=_xlfngnumeric.ISFORMULA(C11)", "=_xlfn.ISFORMULA(C11)"),
    ],
)
def test_spellings_of_other_programs_are_the_same_formula(saved, ours):
    assert tokens(saved) == tokens(ours)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("=-(-C11^2)", "=--C11^2"),
        ("=-(-C11-C12)", "=--C11-C12"),
        ("=-(C11)", "=-C11"),
        ("=-(-{1,2})", "=-{1,2}"),
        ("=VAR(C11:E11)", "=VARP(C11:E11)"),
    ],
)
def test_formulas_that_only_look_alike_stay_apart(one, other):
    assert tokens(one) != tokens(other)


@pytest.mark.parametrize("first", ["TRUE(1)", "FALSE()", '"TRUE()"'])
def test_other_values_than_true_stay_different(first):
    assert tokens(f"=MATCH({first},C11,0)") != tokens("=MATCH(TRUE,C11,0)")


@pytest.mark.parametrize(
    ("found", "severity", "difference"),
    [
        ("=MMULT(C12:D12,s_In)", "warning", {"there": "C12:D12", "part": "C12:E12"}),
        ("=MMULT(C12:E12,s_In)*2", "warning", {"there": "*2.0"}),
        ("=MMULT(C12:E12)", "warning", {"part": ",s_In"}),
        ("=MMULT(s_In,s_In)", "warning", {"there": "s_In", "part": "C12:E12"}),
        ('=SUM("a)', "error", {"broken": '=SUM("a)'}),
    ],
)
def test_the_difference_is_named(found, severity, difference):
    (finding,) = other_formulas(book_of("rows", "=MMULT(s_In[row],s_In)", rows(RIGHT[0], found, RIGHT[2])))
    assert (finding.kind, finding.severity) == (Kind.OTHER_FORMULA, severity)
    assert finding.values == {"right": "{=MMULT(C12:E12,s_In)}"} | difference


def test_a_formula_in_other_cells_or_not_an_array_formula_has_its_own_message():
    (short,) = other_formulas(book_of("rows", "=MMULT(s_In[row],s_In)", rows(*RIGHT, widths=(3, 2, 3))))
    assert short.values == {"right": "{=MMULT(C12:E12,s_In)}", "cells": "1 × 3", "filled": "1 × 2"}
    plain = [Formula(f.text, f.area, array=False) for f in rows(*RIGHT)]
    (bare,) = other_formulas(book_of("rows", "=MMULT(s_In[row],s_In)", plain))
    assert (bare.values, bare.more) == ({"right": "{=MMULT(C11:E11,s_In)}"}, 2)


@pytest.mark.parametrize(
    ("formula", "wanted", "same"),
    [
        ("='A$B'!C1", "='AB'!C1", False),  # another sheet
        ("='AB'!$C$1:C1", "='AB'!C1", True),
        ("='AB'!C1:C11", "='AB'!C1", False),
        ('="5"', '="$5"', False),
    ],
)
def test_dollars_only_matter_in_names_of_sheets_and_in_texts(formula, wanted, same):
    cell = Area("S", 20, 2, 1, 1)
    book = book_of("cells", wanted, [Formula(formula, cell, array=False)], cell)
    assert [f.kind for f in other_formulas(book)] == ([] if same else [Kind.OTHER_FORMULA])

"""Structural checks: formulas in the right cells, and readable inputs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest

from xlsxattn.checker.cells import Area, CellError
from xlsxattn.checker.check import check
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.reading.book import Book, Formula, Manifest
from xlsxattn.checker.reference import SheetInfo
from xlsxattn.checker.structure import (
    misplaced_arrays,
    misplaced_formulas,
    moved_names,
    page_of,
    unreadable_inputs,
)
from xlsxattn.contract.names import parser

if TYPE_CHECKING:
    from collections.abc import Mapping

PARSE = parser(("s",), ("c", "t", "src", "tgt", "maps"))
OUT = Area("Sheet", 1, 1, 2, 2)  # B2:C3


def book_of(
    names: Mapping[str, Area],
    formulas: list[Formula] = [],  # noqa: B006 - never mutated
    typed: Mapping[tuple[str, int, int], object] = {},
    inputs: tuple[str, ...] = (),
    computed: tuple[str, ...] = ("s_Out",),
) -> Book:
    at = {(f.area.sheet, f.area.row, f.area.col): f for f in formulas}
    manifest = Manifest((), (), inputs, dict.fromkeys(computed, ("cells", "=1")))
    return Book(Path("any.xlsx"), names, at, typed, manifest, openpyxl.Workbook())


def single(row: int, col: int, text: str = "=1", tab: str = "Sheet") -> Formula:
    return Formula(text, Area(tab, row, col, 1, 1), array=False)


def in_each(area: Area) -> list[Formula]:
    return [single(row, col) for _, row, col in area.cells()]


BLOCK = Formula("=s_In", OUT, array=True)


def summaries(findings) -> list[tuple[str, str, str]]:
    return [(f.kind, f.range, f.cell) for f in findings]


# --- formulas ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("formulas", [[BLOCK], in_each(OUT)])
def test_a_range_of_formulas_has_no_findings(formulas):
    assert summaries(misplaced_formulas(book_of({"s_Out": OUT}, formulas))) == []


def test_a_constant_among_formulas_is_found_with_its_value():
    book = book_of({"s_Out": OUT}, in_each(OUT)[:3], {("Sheet", 2, 2): 7.0})
    (finding,) = misplaced_formulas(book)
    assert summaries([finding]) == [(Kind.CONSTANT, "s_Out", "Sheet!C3")]
    assert (finding.found, finding.values) == (7.0, {"right": "=1"})


@pytest.mark.parametrize("value", ["text", 0.0, False, CellError("#N/A")])
def test_constants_of_any_type_are_found(value):
    book = book_of({"s_Out": OUT}, in_each(OUT)[1:], {("Sheet", 1, 1): value})
    assert summaries(misplaced_formulas(book)) == [(Kind.CONSTANT, "s_Out", "Sheet!B2")]


def test_an_array_formula_that_is_too_small_leaves_constants_beside_it():
    small = Formula("=s_In", Area("Sheet", 1, 1, 2, 1), array=True)
    book = book_of({"s_Out": OUT}, [small], {("Sheet", 1, 2): 1.0, ("Sheet", 2, 2): 2.0})
    assert summaries(misplaced_formulas(book)) == [
        (Kind.CONSTANT, "s_Out", "Sheet!C2"),
        (Kind.CONSTANT, "s_Out", "Sheet!C3"),
    ]


def test_a_formula_in_no_named_range_is_found_with_its_text():
    book = book_of({"s_Out": OUT}, [BLOCK, single(9, 26, "=RAND()"), single(11, 0, "=2")])
    findings = list(misplaced_formulas(book))
    assert summaries(findings) == [
        (Kind.STRAY_FORMULA, "", "Sheet!AA10"),
        (Kind.STRAY_FORMULA, "", "Sheet!A12"),
    ]
    assert [f.formula for f in findings] == ["=RAND()", "=2"]


def test_formulas_on_an_added_sheet_are_one_warning():
    notes = [single(row, 0, f"={row}", "Notes") for row in range(3)]
    names = {
        "s_Out": OUT,
        "mine_Total": Area("Notes", 0, 0, 1, 1),
    }  # a user's name does not make it one of our sheets
    book = book_of(names, [BLOCK, *notes, single(0, 0, "=9", "More")])
    findings = list(misplaced_formulas(book))
    assert summaries(findings) == [(Kind.OWN_FORMULAS, "", "More!A1"), (Kind.OWN_FORMULAS, "", "Notes!A1")]
    assert [f.severity for f in findings] == ["warning", "warning"]
    assert [f.values for f in findings] == [{}, {"n": 3}]


def test_constants_in_a_block_are_one_finding_with_the_right_formula():
    manifest = Manifest((), (), (), {"s_Out": ("block", "=s_In*2")})
    typed = dict.fromkeys(OUT.cells(), 3.0)
    book = replace(book_of({"s_Out": OUT}, [], typed), manifest=manifest)
    (finding,) = misplaced_formulas(book)
    assert summaries([finding]) == [(Kind.CONSTANT, "s_Out", "Sheet!B2")]
    assert finding.values == {"n": 4, "right": "{=s_In*2}", "cells": "B2:C3"}


def test_a_constant_among_array_formulas_should_be_one_as_they_are():
    beside = [Formula("=1", Area("Sheet", *at[1:], 1, 1), array=True) for at in list(OUT.cells())[1:]]
    (finding,) = misplaced_formulas(book_of({"s_Out": OUT}, beside, {("Sheet", 1, 1): 7.0}))
    assert finding.values == {"right": "{=1}"}


def test_array_formulas_outside_their_cells_are_astray():
    assert misplaced_arrays(book_of({"s_Out": OUT}, [BLOCK])) is None
    book = replace(book_of({"s_Out": OUT}), formulas={("Sheet", 2, 1): BLOCK, ("Sheet", 3, 1): BLOCK})
    finding = misplaced_arrays(book)
    assert finding is not None
    assert (finding.kind, finding.cell) == (Kind.ASTRAY_FORMULA, "Sheet!B3")
    assert finding.values == {"first": "B2", "cells": "B2:C3", "n": 2}


def test_an_array_formula_that_is_too_large_strays_into_the_cells_beside_its_range():
    large = Formula("=s_In", Area("Sheet", 1, 1, 2, 3), array=True)
    assert summaries(misplaced_formulas(book_of({"s_Out": OUT}, [large]))) == [
        (Kind.STRAY_FORMULA, "", "Sheet!D2"),
        (Kind.STRAY_FORMULA, "", "Sheet!D3"),
    ]


def test_a_formula_under_a_name_that_the_manifest_does_not_list_is_a_stray():
    aside = Area("Sheet", 9, 0, 1, 1)
    book = book_of({"s_Out": OUT, "s_Aside": aside}, [BLOCK, single(9, 0)])
    assert summaries(misplaced_formulas(book)) == [(Kind.STRAY_FORMULA, "", "Sheet!A10")]


def test_inputs_may_contain_formulas():
    inputs = Area("Sheet", 9, 0, 1, 2)
    book = book_of({"s_Out": OUT, "s_In": inputs}, [BLOCK, single(9, 0)], {("Sheet", 9, 1): 3.0}, ("s_In",))
    assert summaries(misplaced_formulas(book)) == []


def test_two_computed_ranges_over_one_cell_are_found():
    other = Area("Sheet", 2, 2, 1, 2)  # C3:D3
    names = {"s_Out": OUT, "s_Other": other}
    book = book_of(names, [BLOCK, single(2, 3)], computed=("s_Out", "s_Other"))
    (finding,) = misplaced_formulas(book)
    assert summaries([finding]) == [(Kind.OVERLAP, "s_Other", "Sheet!C3")]
    assert finding.names == ("s_Other", "s_Out")


def test_the_same_cells_of_another_sheet_are_other_cells():
    names = {"s_Out": OUT, "s_Other": Area("Other", 1, 1, 2, 2)}
    formulas = [BLOCK, Formula("=1", names["s_Other"], array=True)]
    assert summaries(misplaced_formulas(book_of(names, formulas, computed=("s_Out", "s_Other")))) == []


def test_formulas_of_a_missing_range_are_strays():
    book = book_of({"s_In": Area("Sheet", 9, 0, 1, 1)}, [single(1, 1)], inputs=("s_In",))
    assert summaries(misplaced_formulas(book)) == [(Kind.STRAY_FORMULA, "", "Sheet!B2")]


# --- inputs ------------------------------------------------------------------------------------------------


def inputs_of(name: str, *rows) -> list[tuple[str, str, str]]:
    area = Area("Inputs", 4, 1, len(rows), len(rows[0]))
    book = book_of({name: area}, inputs=(name,), computed=())
    return summaries(unreadable_inputs(book, {name: [list(row) for row in rows]}))


def test_numbers_and_blanks_can_be_read():
    assert inputs_of("vocab_E", [1.0, None], ["", -1e9]) == []


@pytest.mark.parametrize("value", ["1", "abc", " ", True, False])
def test_text_or_a_truth_value_among_numbers_cannot(value):
    assert inputs_of("vocab_E", [1.0, 2.0], [3.0, value]) == [(Kind.TEXT_IN_NUMBERS, "vocab_E", "Inputs!C6")]
    assert inputs_of("s_h1_W_Q", [value]) == [(Kind.TEXT_IN_NUMBERS, "s_h1_W_Q", "Inputs!B5")]


@pytest.mark.parametrize("name", ["vocab_Tokens", "cat_Tokens", "vocab_Dims", "vocab_Focus"])
def test_word_inputs_accept_anything_but_errors(name):
    assert inputs_of(name, ["a"], [1.0], [True], [None], [""]) == []
    assert inputs_of(name, ["a"], [CellError("#REF!")]) == [(Kind.ERROR_VALUE, name, "Inputs!B6")]


@pytest.mark.parametrize("number", [1e20, 1e15, 1e-7, 0.00002, 1 / 3, 123456789012345678.0])
def test_a_number_that_programs_write_differently_is_no_word(number):
    assert inputs_of("cat_Tokens", ["a"], [number]) == [(Kind.NUMBER_AS_WORD, "cat_Tokens", "Inputs!B6")]
    assert inputs_of("cat_Tokens", [-12.0], [0.001], [0.8], [123456789012345.0]) == []


def test_an_error_in_a_numeric_input_is_reported_as_an_error():
    assert inputs_of("vocab_E", [CellError("#DIV/0!")]) == [(Kind.ERROR_VALUE, "vocab_E", "Inputs!B5")]


def test_a_missing_input_is_found_and_the_others_are_read():
    book = book_of({"vocab_E": Area("Inputs", 0, 0, 1, 1)}, inputs=("s_W_Q", "vocab_E"), computed=())
    assert summaries(unreadable_inputs(book, {"vocab_E": [["x"]]})) == [
        (Kind.MISSING, "s_W_Q", ""),
        (Kind.TEXT_IN_NUMBERS, "vocab_E", "Inputs!A1"),
    ]


# --- moved names -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("s_l1_W_Q", "s_l1"),
        ("s_c_l1_h1_Scores", "s_l1"),
        ("s_l12_Status", "s_l12"),
        ("s_l1_c_Heading", "s_l1"),
        ("s_c_Input", "s_in"),
        ("s_in_c_Heading", "s_in"),
        ("s_c_Input_Mean", "s_in"),
        ("s_c_Output", "s_out"),
        ("s_out_c_Heading", "s_out"),
        ("s_Layer", "s_heads"),
        ("s_PairRank", "s_heads"),
        ("s_c_Map_Rows", "s_heads"),
        ("s_c_PairFrom", "s_heads"),
        ("s_heads_c_Heading", "s_heads"),
        ("s_Depths", "s_similar"),
        ("s_c_Track_l1", "s_similar"),
        ("s_c_Cosine_Input", "s_similar"),
        ("s_similar_c_Heading", "s_similar"),
        ("s_NLayers", ""),
        ("s_Pair", ""),
        ("s_Input_Gamma", ""),
    ],
)
def test_ranges_of_a_model_belong_to_its_pages(name, page):
    assert page_of(SheetInfo("s", "decoder", {}), PARSE(name)) == page
    assert page_of(SheetInfo("s", "multi-head", {}), PARSE(name)) == "s"


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("s_enc_l1_W_Q", "s_enc_l1"),
        ("s_src_l1_h1_Scores", "s_enc_l1"),
        ("s_dec_l1_Cross_W_Q", "s_dec_l1"),
        ("s_tgt_l1_Cross_h1_Q", "s_dec_l1"),
        ("s_enc_out_src_Heading", ""),
    ],
)
def test_layers_of_both_sides_are_distinguished(name, page):
    sheet = SheetInfo("s", "encoder-decoder", {"source": "src", "target": "tgt"})
    assert page_of(sheet, PARSE(name)) == page


@pytest.mark.parametrize("kind", ["multi-head", "decoder", "encoder-decoder"])
@pytest.mark.parametrize(
    ("name", "mapped"),
    [
        ("s_c_h1_Map", True),
        ("s_c_l1_h12_Map_Rows", True),
        ("s_t_l1_Cross_h2_Map_Cols", True),
        ("s_maps_h1_Heading", True),
        ("s_c_h1_Attention", False),
        ("s_maps_Heading", False),  # of a sentence whose id is "maps"
        ("s_c_l1_h1_Masked", False),
    ],
)
def test_maps_of_all_heads_have_their_own_tab(kind, name, mapped):
    sheet = SheetInfo("s", kind, {"source": "c", "target": "t"})
    assert (page_of(sheet, PARSE(name)) == "s, all heads") is mapped


def test_related_lists_are_in_order():
    rows = {"s_Layers": 9, "s_Heads": 8, "s_PairRank": 12, "s_Layer": 2, "s_Head": 3, "s_Chosen": 5}
    names = {name: Area("Heads", row, 2, 1, 1) for name, row in rows.items()}
    manifest = Manifest((SheetInfo("s", "encoder", {}),), (), (), {})
    found = summaries(moved_names(Book(Path("any.xlsx"), names, {}, {}, manifest, openpyxl.Workbook())))
    assert found == [(Kind.MOVED, "s_Chosen", "Heads!C6"), (Kind.MOVED, "s_Heads", "Heads!C9")]


def test_a_range_on_another_layers_tab_was_moved():
    places = {"s_l1_W_Q": "One", "s_c_l1_Norm1": "One", "s_c_l1_Norm2": "Two", "s_l2_W_Q": "Two"}
    names = {name: Area(tab, 0, 0, 1, 1) for name, tab in {**places, "s_c_X": "In"}.items()}
    manifest = Manifest((SheetInfo("s", "encoder", {}),), ("c",), (), {})
    book = Book(Path("any.xlsx"), names, {}, {}, manifest, openpyxl.Workbook())
    (finding,) = moved_names(book)
    assert summaries([finding]) == [(Kind.MOVED, "s_c_l1_Norm2", "Two!A1")]
    assert finding.values == {"page": "s_l1"}


def test_classes_are_words():
    assert inputs_of("s_Classes", ["yes", "no"]) == []
    assert inputs_of("s_Temperature", ["warm"]) == [(Kind.TEXT_IN_NUMBERS, "s_Temperature", "Inputs!B5")]


# --- in a real workbook ------------------------------------------------------------------------------------


def test_a_workbook_as_built_has_nothing_misplaced(walkthrough, causal):
    assert check(walkthrough, "saved").findings == ()
    assert check(causal, "saved").findings == ()


def test_a_typed_number_a_stray_formula_and_text_are_found_in_a_file(causal, tmp_path):
    workbook = openpyxl.load_workbook(causal)
    places = {name: defined.attr_text for name, defined in workbook.defined_names.items()}

    def first(name: str):
        tab, _, cells = places[name].rpartition("!")
        return workbook[tab.strip("'")][cells.replace("$", "").split(":")[0]]

    first("causal_chase_RowSum").value = 0.5
    first("causal_Scale").parent["A400"] = "=1+1"
    first("vocab_E").value = "three"
    workbook.save(tmp_path / "changed.xlsx")
    report = check(tmp_path / "changed.xlsx")
    assert not report.holds
    kinds = {(f.kind, f.range) for f in report.every_finding}
    assert kinds == {
        (Kind.CONSTANT, "causal_chase_RowSum"),
        (Kind.STRAY_FORMULA, ""),
        (Kind.TEXT_IN_NUMBERS, "vocab_E"),
        (Kind.STALE_VALUE, "xlsxattn_chase_Look"),
    }

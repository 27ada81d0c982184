"""Separate pages of weights: a summary of each wide matrix, then the collapsed matrices."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from specs import plain

from xlsxattn.builder import layout, pages
from xlsxattn.builder.layout import formulas
from xlsxattn.builder.layout.placed import places
from xlsxattn.builder.specification import parse

if TYPE_CHECKING:
    from xlsxattn.builder.layout.placed import Placed, PlacedSheet

GPT = {"id": "gpt", "kind": "decoder", "heads": 2, "d_ff": 12, "generate": True}


def shelf(d_model: int) -> tuple[list[PlacedSheet], PlacedSheet, dict[str, Placed]]:
    spec = parse(plain([3], d_model, GPT), "drawn")
    (model,) = spec.sheets
    sheets = layout.lay_out(pages.book(replace(spec, sheets=(replace(model, apart=True),))))
    (own,) = (sheet for sheet in sheets if sheet.id == "gpt_l1_weights")
    return sheets, own, {p.block.name: p for p in own.placed}


def entered(sheets: list[PlacedSheet], placed: Placed) -> list[str]:
    return [text for _, text in formulas.entries(placed, places(sheets))]


def test_a_summary_shows_the_ends_of_the_first_rows_with_dots_between():
    sheets, sheet, placed = shelf(8)
    first, last, norm = (placed[f"gpt_l1_W_1_{name}"] for name in ("First", "Last", "Frobenius"))
    row, col = first.row, first.col
    assert (first.block.rows, first.block.cols) == (last.block.rows, last.block.cols) == (4, 3)
    assert (last.row, last.col) == (row, col + 3 + 1)
    assert (norm.row, norm.col) == (row, col + 3 + 1 + 3)
    dots = [
        (text.row, text.col) for text in sheet.texts if text.text == "..." and row - 1 <= text.row < row + 4
    ]
    assert dots == [(row - 1 + i, col + 3) for i in range(5)]
    titles = {text.row: text.text for text in sheet.texts if text.look == "group"}
    assert titles[row - 2] == "W_1  8 × 12"
    rows, over = placed["gpt_l1_W_1_First_Rows"], placed["gpt_l1_W_1_First_Cols"]
    assert (rows.block.values, over.block.values) == (((1.0,), (2.0,), (3.0,), (4.0,)), ((1.0, 2.0, 3.0),))
    number, letters = row + 1, [formulas.cell(0, col + j)[:-1] for j in range(7)]
    label = formulas.cell(0, col - 1)[:-1]
    assert entered(sheets, first)[:4] == [
        f"=INDEX(gpt_l1_W_1,${label}{number},{letters[0]}${row})",
        f"=INDEX(gpt_l1_W_1,${label}{number},{letters[1]}${row})",
        f"=INDEX(gpt_l1_W_1,${label}{number},{letters[2]}${row})",
        f"=INDEX(gpt_l1_W_1,${label}{number + 1},{letters[0]}${row})",
    ]
    assert entered(sheets, last)[0] == f"=INDEX(gpt_l1_W_1,${label}{number},{letters[4]}${row})"
    numbered = entered(sheets, placed["gpt_l1_W_1_Last_Cols"])
    assert numbered[0] == f"=COLUMNS(gpt_l1_W_1)-COLUMNS(gpt_l1_W_1_First_Cols)+{letters[0]}{row}"


def test_summaries_are_above_the_folded_matrices():
    _, sheet, placed = shelf(8)
    assert sheet.folded
    ends = [p for name, p in placed.items() if name.endswith(("_First", "_Last", "_Frobenius"))]
    assert len(ends) == 6 * 3
    assert not any(row in sheet.levels for p in ends for row in range(p.area.top, p.area.bottom + 1))
    matrices = [placed[f"gpt_l1_W_{x}"] for x in "QKVO12"]
    assert max(p.area.bottom for p in ends) < min(p.row for p in matrices)
    assert all(row in sheet.levels for p in matrices for row in range(p.row, p.area.bottom + 1))


@pytest.mark.parametrize(
    ("d_model", "summed"), [(6, {"W_1"}), (8, {"W_Q", "W_K", "W_V", "W_O", "W_1", "W_2"})]
)
def test_only_wide_matrices_have_a_summary(d_model, summed):
    _, _, placed = shelf(d_model)
    assert {name[len("gpt_l1_") : -len("_First")] for name in placed if name.endswith("_First")} == summed


def test_few_rows_are_all_shown():
    _, _, placed = shelf(2)
    assert placed["gpt_l1_W_1_First"].block.rows == placed["gpt_l1_W_1_First_Rows"].block.rows == 2

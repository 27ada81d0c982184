"""Formulas as text, valid names, and the formulas in the file."""

from __future__ import annotations

import re

import pytest
from conftest import THOROUGH
from hypothesis import given, settings
from openpyxl.utils import get_column_letter
from specs import plain, specs

from xlsxattn.builder import layout, pages, writer
from xlsxattn.builder.graph import Block, Part
from xlsxattn.builder.layout import formulas
from xlsxattn.builder.layout.placed import Placed, Rectangle
from xlsxattn.builder.ops import Op
from xlsxattn.builder.specification import parse
from xlsxattn.checker.reading.book import read

# --- names -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "R", "C", "r", "c", "RC", "R1C1", "R2C", "RC3", "r1c1", "X1", "K1", "H12", "FFN1", "XFD1048576",
        "AAA1", "TRUE", "FALSE", "SUM", "PI", "Scores", "", "_", "_a", "a_", "a__b", "__", "1_a", "_xlnm",
        "a.b", "a_b.c", "a b", "a_b ", "a_b\n", "a-b", "a_é", "ä_b", "a_ß", "α_β", "日_本", "a_1²", "a_١",
        "'a'_b", "a_b!", "=a_b", "a_b\\", "R1C1_", "RC_", "a" * 200 + "_" + "b" * 55,
    ],
)  # fmt: skip
def test_invalid_and_ambiguous_names_are_refused(name):
    with pytest.raises(ValueError, match="is not a valid range name"):
        formulas.check_names([name])


@pytest.mark.parametrize(
    "name",
    [
        "a_b",
        "r_c",
        "R_1",
        "R1_C1",
        "r1c1_X",
        "x1_Tokens",
        "attn_cat_Q",
        "heads_h1_W_Q",
        "a" * 200 + "_" + "b" * 54,
    ],
)
def test_parts_joined_by_underscores_are_names(name):
    formulas.check_names([name])


@pytest.mark.parametrize("twin", ["A_B", "a_B", "A_b"])
def test_no_two_names_differ_only_in_case(twin):
    with pytest.raises(ValueError, match=f"the names 'a_b' and '{twin}' differ only in case"):
        formulas.check_names(["a_b", "c_d", twin])


@settings(max_examples=60 if THOROUGH else 20, deadline=None)
@given(specs())
def test_every_name_of_any_spec_is_valid(data):
    formulas.check_names(b.name for b in pages.book(parse(data, "drawn")).blocks())


# --- addresses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "col", "address"),
    [
        (0, 0, "A1"),
        (6, 25, "Z7"),
        (6, 26, "AA7"),
        (0, 701, "ZZ1"),
        (0, 702, "AAA1"),
        (1048575, 16383, "XFD1048576"),
    ],
)
def test_cell_addresses(row, col, address):
    assert formulas.cell(row, col) == address


def test_dollars_make_rows_or_columns_absolute():
    assert formulas.cell(6, 1, fixed_row=True) == "B$7"
    assert formulas.cell(6, 1, fixed_col=True) == "$B7"
    assert formulas.cell(6, 1, fixed_row=True, fixed_col=True) == "$B$7"


@pytest.mark.parametrize(
    ("tab", "r", "text"),
    [
        ("Inputs", Rectangle(6, 1, 8, 4), "'Inputs'!$B$7:$E$9"),
        ("Inputs", Rectangle(6, 1, 6, 1), "'Inputs'!$B$7"),
        ("Inputs", Rectangle(6, 1, 6, 2), "'Inputs'!$B$7:$C$7"),
        ("It's", Rectangle(0, 0, 1, 0), "'It''s'!$A$1:$A$2"),
        ("a''b c", Rectangle(0, 0, 0, 0), "'a''''b c'!$A$1"),
    ],
)
def test_references_are_absolute_and_tabs_quoted(tab, r, text):
    assert formulas.reference(tab, r) == text


def test_rules_of_conditional_formats():
    assert formulas.is_focus(9, 1) == "=AND(LEN($B10)>0,EXACT($B10,vocab_Focus))"
    assert formulas.begins_with(2, 3, "✗") == '=LEFT(D3,1)="✗"'
    areas = (Rectangle(0, 0, 1, 1), Rectangle(0, 3, 1, 4))
    size = "MAX(1E-9,MAX($A$1:$B$2,$D$1:$E$2),-MIN($A$1:$B$2,$D$1:$E$2))"
    assert formulas.ends(areas) == (f"=-{size}", f"={size}")
    listed = "$A$1:$B$2,$D$1:$E$2"
    assert formulas.ends(areas, beside=1.5) == (f"=MIN(0,{listed})", f"=1.5*MAX(1E-9,{listed})")


# --- entries -----------------------------------------------------------------------------------------------

PLACES = {
    "s_out": ("It's", Rectangle(10, 5, 11, 6)),
    "s_near": ("It's", Rectangle(20, 2, 21, 4)),
    "s_far": ("Other's", Rectangle(30, 27, 31, 28)),
}


def entered(formula: str, how: str, rows: int = 2, cols: int = 1) -> list[tuple[tuple[int, ...], str]]:
    parts = (Part(Op("", formula, how), {"near": "s_near", "far": "s_far"}, cols),)
    block = Block("s_out", rows, cols, "formula", "number", parts=parts)
    found = formulas.entries(Placed(block, 10, 5), PLACES)
    return [((r.top, r.left, r.bottom, r.right), text) for r, text in found]


def test_a_block_is_one_array_formula_with_names():
    assert entered("=MMULT({near},{far})", "block", 2, 2) == [((10, 5, 11, 6), "=MMULT(s_near,s_far)")]


def test_row_is_the_row_at_the_position_of_the_cell():
    assert entered("=MAX({near}[row])", "cells") == [
        ((10, 5, 10, 5), "=MAX(C21:E21)"),
        ((11, 5, 11, 5), "=MAX(C22:E22)"),
    ]


def test_tabs_of_other_sheets_are_quoted_with_doubled_apostrophes():
    assert [text for _, text in entered("=SUM({far}[row])", "cells")] == [
        "=SUM('Other''s'!AB31:AC31)",
        "=SUM('Other''s'!AB32:AC32)",
    ]


def test_first_is_the_first_cell_of_that_row_and_stays_in_its_column():
    texts = [text for _, text in entered("={near}[first]*{near}[col]", "cells", 2, 2)]
    assert texts == ["=$C21*C$21", "=$C21*D$21", "=$C22*C$21", "=$C22*D$21"]


def test_cell_is_the_cell_at_the_same_row_and_column():
    texts = [text for _, text in entered("={near}[cell]*2", "cells", 2, 2)]
    assert texts == ["=C21*2", "=D21*2", "=C22*2", "=D22*2"]


def test_a_range_down_to_the_row_has_an_absolute_first_row():
    texts = [text for _, text in entered("=ROWS({near}[..row])", "cells")]
    assert texts == ["=ROWS(C$21:C21)", "=ROWS(C$21:C22)"]


def test_a_number_is_the_cell_counted_from_one_in_the_first_column():
    texts = [text for _, text in entered('={near}[1]&" "&{far}[2]', "cells", 1)]
    assert texts == ["=C21&\" \"&'Other''s'!AB32"]


@pytest.mark.parametrize(
    ("part", "how", "texts"),
    [
        ("..rows", "rows", ["C$21:E21", "C$21:E22"]),
        ("..diagonal", "lower rows", ["C21:C21", "C22:D22"]),
        ("..cell", "cells", ["$C21:C21", "$C21:D21", "$C22:C22", "$C22:D22"]),
        ("col", "cells", ["C$21", "D$21", "C$21", "D$21"]),
        ("above", "rows", ['""', "C21"]),
    ],
)
def test_other_parts_of_a_range(part: str, how: str, texts: list[str]) -> None:
    assert [text for _, text in entered(f"={{near}}[{part}]", how, 2, 2)] == [f"={t}" for t in texts]


def test_the_row_above_the_first_is_an_empty_text() -> None:
    texts = [text for _, text in entered("={far}[above]", "rows")]
    assert texts == ['=""', "='Other''s'!AB31"]


def test_cell_arrays_are_one_array_formula_per_cell():
    assert entered("=SUM({near}[row]^s_far)", "cell arrays") == [
        ((10, 5, 10, 5), "=SUM(C21:E21^s_far)"),
        ((11, 5, 11, 5), "=SUM(C22:E22^s_far)"),
    ]


def test_a_name_without_brackets_stays_a_name():
    assert entered("={near}/{far}", "cells", 1) == [((10, 5, 10, 5), "=s_near/s_far")]


def test_parts_are_side_by_side():
    parts = tuple(Part(Op("", "={of}"), {"of": of}, cols) for of, cols in (("s_near", 3), ("s_far", 2)))
    block = Block("s_out", 2, 5, "formula", "output", parts=parts)
    found = [(r.left, r.right, text) for r, text in formulas.entries(Placed(block, 10, 5), PLACES)]
    assert found == [(5, 7, "=s_near"), (8, 9, "=s_far")]


# --- the manifest and the file -----------------------------------------------------------------------------

LEVEL = re.compile(r"([A-Za-z]\w*)\[([^\]]+)\]")


def resolved(text: str, own, names, i: int, j: int) -> str:
    """The formula of one cell, from the manifest, as the contract defines it."""

    def address(match: re.Match[str]) -> str:
        a, what = names[match[1]], match[2]
        tab = "" if a.sheet == own.sheet else "'" + a.sheet.replace("'", "''") + "'!"
        first, last = get_column_letter(a.col + 1), get_column_letter(a.col + a.cols)
        row = a.row + i + 1
        here = {
            "row": f"{first}{row}:{last}{row}",
            "cell": f"{get_column_letter(a.col + j + 1)}{row}",
            "..row": f"{first}${a.row + 1}:{first}{row}",
            "col": f"{get_column_letter(a.col + j + 1)}${a.row + 1}",
        }
        return tab + (here[what] if what in here else f"{first}{a.row + int(what)}")

    return LEVEL.sub(address, text)


def unfaithful(path) -> list[str]:
    """Computed ranges whose cells differ from the manifest."""
    book = read(path)
    wrong, filled = [], 0
    for name, (how, text) in book.manifest.formulas.items():
        own, col, found, wanted = book.names[name], book.names[name].col, [], []
        for part in text.split(" | "):
            cols = book.names[part[1:]].cols if " | " in text else own.cols
            if how == "block":
                at = (own.sheet, own.row, col)
                area = type(own)(own.sheet, own.row, col, own.rows, cols)
                wanted.append((part, area, True))
                found.append(book.formulas.get(at))
            else:
                for i in range(own.rows):
                    for j in range(cols):
                        at = (own.sheet, own.row + i, col + j)
                        area = type(own)(*at, 1, 1)
                        wanted.append((resolved(part, own, book.names, i, j), area, True))
                        found.append(book.formulas.get(at))
            col += cols
        filled += len(found)
        if [f and (f.text, f.area, f.array) for f in found] != wanted:
            wrong.append(f"{name}: {wanted}")
    assert filled == len(book.formulas)
    return wrong


def test_formulas_of_the_manifest_match_the_file(walkthrough, causal):
    assert not unfaithful(walkthrough)
    assert not unfaithful(causal)


def test_formulas_of_the_manifest_match_with_quoted_tabs_and_many_heads(tmp_path):
    heads = {
        "id": "heads",
        "kind": "multi-head",
        "heads": 3,
        "d_k": 2,
        "d_v": 4,
        "mask": "causal",
        "title": "It's 2",
    }
    compare = {"id": "compare", "kind": "compare", "title": "'What' changed?"}
    book = pages.book(parse(plain([5, 1, 3], 4, {"id": "attn", "title": "a'b'c"}, heads, compare), "drawn"))
    writer.write(tmp_path / "drawn.xlsx", book.title, layout.lay_out(book))
    assert not unfaithful(tmp_path / "drawn.xlsx")


def test_a_formula_too_long_for_excel_is_refused_with_its_name():
    ids = [f"c{i}{'x' * 25}" for i in range(80)]
    data = {
        "vocabulary": {"tokens": {"w": [1.0, 2.0]}},
        "contexts": dict.fromkeys(ids, "w"),
        "sheets": [{"id": "s"}, {"id": "compare", "kind": "compare"}],
    }
    with pytest.raises(ValueError, match=r"compare_Status would have [\d,]+ characters; at most 8,192"):
        formulas.check_lengths(pages.book(parse(data, "test")).blocks())

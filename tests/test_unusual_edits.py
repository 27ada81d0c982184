"""Live checks and notes after unusual edits, in LibreOffice without recalculating everything."""

from __future__ import annotations

import re
import zipfile
from typing import Any

import openpyxl
import pytest
from bridge import in_libreoffice
from openpyxl.utils import coordinate_to_tuple

from dev import prebuilt
from xlsxattn.checker.reading.book import read

ALL_GOOD = "✓ all checks pass"


def typed(book, changes: dict[str, dict[int, str | float]]) -> list[list[Any]]:
    """Steps that type into ranges: name → {cell, counted from 0 row by row: value}."""
    found = []
    for name, cells in changes.items():
        area = book.names[name]
        for at, value in cells.items():
            row, col = divmod(at, area.cols)
            found.append(["type", area.sheet, area.row + row, area.col + col, value])
    return found


EDITS: dict[str, tuple[str, dict[str, Any]]] = {
    "a short prompt": (
        "sort",
        {"prompt_Tokens": dict(enumerate(["b", "a", "|", "", ""])), "vocab_Focus": {0: "c"}},
    ),
    "no focus word": ("sort", {"vocab_Focus": {0: ""}}),
    "an absent focus word": ("walkthrough", {"vocab_Focus": {0: "dog"}}),
    "a word twice": ("walkthrough", {"vocab_Tokens": {1: "cat"}}),
    "a text for a number": ("walkthrough", {"vocab_E": {5: "many"}}),
    "a text for a temperature": ("walkthrough", {"qkv_Temperature": {0: "abc"}}),
    "a text for a model's temperature": ("sort", {"gpt_Temperature": {0: "abc"}}),
    "no first word": ("mouse", {"cat_Tokens": {0: ""}}),
    "other words": ("walkthrough", {"cat_Tokens": {0: "dog"}}),
}


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    folder = tmp_path_factory.mktemp("noted")
    found = {}
    for name in sorted({template for template, _ in EDITS.values()}):
        without = (
            "training" if name == "walkthrough" else ""
        )  # it has most of the cells, and is not tested here
        found[name] = prebuilt.build(name, folder / f"{name}.xlsx", without=without)
    return found


@pytest.fixture(scope="module")
def edited(books, tmp_path_factory):
    """The workbook after every edit, saved by LibreOffice; only dependents of the edit are recalculated."""
    folder = tmp_path_factory.mktemp("edited")
    jobs, found = [], {}
    for i, (edit, (template, changes)) in enumerate(EDITS.items()):
        found[edit] = folder / f"{i}.xlsx"
        steps = typed(read(books[template]), changes)
        jobs.append(
            {"source": str(books[template]), "target": str(found[edit]), "steps": steps, "hard": False}
        )
    in_libreoffice(jobs, folder)
    return found


def shown(path, name: str) -> Any:
    """The value of a range of one cell."""
    area = read(path).names[name]
    return openpyxl.load_workbook(path, data_only=True)[area.sheet].cell(area.row + 1, area.col + 1).value


def marks(path) -> dict[str, str]:
    """The text of every live check."""
    book, values = read(path), openpyxl.load_workbook(path, data_only=True)
    areas = {name: area for name, area in book.names.items() if name.endswith("_Status")}
    return {n: values[a.sheet].cell(a.row + 1, a.col + 1).value for n, a in areas.items()}


def test_a_short_prompt_is_not_a_failure(edited):
    found = marks(edited["a short prompt"])
    assert found["vocab_Status"] == "– no sentence contains the focus word c"
    assert found["gpt_Status"] == "✓ the checks of all layers pass"
    assert found["gpt_l1_Status"] == "✓ every row sums to 1"
    assert found["xlsxattn_Status"] == ALL_GOOD


def test_a_blank_focus_word_has_its_own_message(edited):
    found = marks(edited["no focus word"])
    assert found["vocab_Status"] == "– no focus word is chosen"
    assert found["xlsxattn_Status"] == ALL_GOOD


def test_an_absent_focus_word_is_a_note(edited):
    found = marks(edited["an absent focus word"])
    assert found["compare_Status"] == found["vocab_Status"] == "– no sentence contains the focus word dog"
    assert found["attn_Status"] == "✓ every row sums to 1"
    assert found["xlsxattn_Status"] == ALL_GOOD


@pytest.mark.parametrize(
    ("edit", "status", "said"),
    [
        ("a word twice", "vocab_Status", "✗ cat occurs twice in the vocabulary"),
        ("a text for a number", "vocab_Status", "✗ the vocabulary has a text where a number is needed"),
        ("a text for a temperature", "qkv_Status", "✗ the temperature is not a number"),
        ("a text for a model's temperature", "gpt_Status", "✗ the temperature is not a number"),
    ],
)
def test_live_checks_name_the_problem_of_an_input(edited, edit, status, said):
    found = marks(edited[edit])
    assert found[status] == said
    start = said if status == "vocab_Status" else "✗ a check fails: see “How to read”"
    assert found["xlsxattn_Status"] == start


def test_a_classifier_without_its_first_word_gives_no_class(edited):
    path = edited["no first word"]
    assert shown(path, "cls_cat_Class") == "–"
    assert shown(path, "cls_keyboard_Class") == "device"
    assert marks(path)["cls_Status"] == "– a sentence has no first word, so it has no class"
    assert marks(path)["xlsxattn_Status"] == ALL_GOOD


def test_charts_follow_the_sentences(edited):
    """A title linked to a cell would still mention the cat."""
    with zipfile.ZipFile(edited["other words"]) as archive:
        charts = [
            archive.read(n).decode() for n in archive.namelist() if re.search(r"charts/chart\d+\.xml", n)
        ]
    told = [re.findall("<c:v>(.*?)</c:v>|<a:t>(.*?)</a:t>", chart) for chart in charts]
    words = {word for chart in told for pair in chart for word in pair}
    assert "dog and mouse are friends" in words
    assert "cat and mouse are friends" not in words


def test_only_inputs_are_unlocked(books):
    for path in books.values():
        book = read(path)
        inputs = {at for name in book.manifest.inputs for at in book.names[name].cells()}
        sheets = openpyxl.load_workbook(path)
        for sheet in sheets:
            for row in sheet.iter_rows():
                for cell in row:
                    here = (sheet.title, cell.row - 1, cell.column - 1)
                    assert cell.protection.locked == (here not in inputs), here


def test_a_text_in_a_cell_for_numbers_is_red(books):
    path = books["sort"]
    book, sheets = read(path), openpyxl.load_workbook(path)
    for name in ("vocab_E", "gpt_Temperature", "gpt_l1_W_Q"):
        area = book.names[name]
        cell = sheets[area.sheet].cell(area.row + 1, area.col + 1).coordinate
        rules = {
            rule.formula[0]: rule.dxf.font.color.rgb
            for where in sheets[area.sheet].conditional_formatting
            if any(coordinate_to_tuple(cell) == (r.min_row, r.min_col) for r in where.sqref.ranges)
            for rule in where.rules
            if rule.formula and rule.dxf and rule.dxf.font and rule.dxf.font.color
        }
        assert rules[f"ISTEXT({cell})"] == "FFB91C1C"

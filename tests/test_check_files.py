"""Which files ``check`` accepts, and its exit code."""

from __future__ import annotations

import re
from itertools import permutations
from pathlib import Path

import openpyxl
import pytest
from commands import listing, refusal, run
from small_books import a_folder, cut_short, empty_file, garbled, of_another_maker, saved_again, text_file

pytestmark = pytest.mark.usefixtures("temporary")


def version_2(path):
    book = openpyxl.load_workbook(path)
    tab, address = next(book.defined_names["xlsxattn_Version"].destinations)
    book[tab][address].value = 2
    book.save(path)


def no_manifest(path):
    book = openpyxl.load_workbook(path)
    del book.defined_names["xlsxattn_Formulas"]
    book.save(path)


@pytest.mark.parametrize(
    ("change", "right"),
    [
        (Path.unlink, "there is no such file"),
        (a_folder, "this is a folder"),
        (text_file, "this is not an .xlsx workbook"),
        (empty_file, "this file is empty: build or download it again"),
        (cut_short, "this file is truncated or damaged: the end of its archive is missing"),
        (garbled, "the workbook is damaged"),
        (of_another_maker, "made by another program; xlsxattn checks only workbooks that it has built"),
        (no_manifest, "the name xlsxattn_Formulas on the last sheet (Contract) is missing"),
        (version_2, "xlsxattn_Version is 2"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
@pytest.mark.parametrize("engine", ["ironcalc", "saved", "all"])
def test_check_refuses_other_files_in_one_sentence(old, change, right, engine):
    assert old
    change(Path("book.xlsx"))
    sentence = refusal("check", "book.xlsx", "--engine", engine)
    assert sentence.startswith(f"book.xlsx: {right}")


def test_check_does_not_trust_missing_values(old):
    assert old
    assert run("check", "book.xlsx", "--engine", "saved").code == 0
    saved_again(Path("book.xlsx"))
    sentence = refusal("check", "book.xlsx", "--engine", "saved")
    assert sentence == "book.xlsx: the file has no saved values; recalculate and save it first"
    assert run("check", "book.xlsx").code == 0  # an engine needs no saved values


@pytest.mark.parametrize("worst", [0, 1, 2])
def test_the_worst_file_determines_the_exit_code(old, worst):
    for name in ("good.xlsx", "wrong.xlsx"):
        Path(name).write_bytes(old)
    book = openpyxl.load_workbook("wrong.xlsx")
    tab, address = next(book.defined_names["attn_Scale"].destinations)
    book[tab][address].value = 3
    book.save("wrong.xlsx")
    files = ["good.xlsx", "wrong.xlsx", "missing.xlsx"][: worst + 1]
    for order in permutations(files):
        ended = run("check", *order)
        assert ended.code == worst
        assert "good.xlsx: all" in ended.out
        assert bool(re.search(r"^wrong\.xlsx: \d+ errors?", ended.out, re.MULTILINE)) == (worst > 0)
        assert ended.err == ("xlsxattn: missing.xlsx: there is no such file\n" if worst > 1 else "")


def test_check_writes_nothing(old, temporary):
    before = listing(Path())
    assert run("check", "book.xlsx").code == 0
    assert listing(Path()) == before == {"book.xlsx": old}
    assert listing(temporary) == {}

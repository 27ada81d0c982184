"""Large blocks of numbers are written in bulk: the same cells as by XlsxWriter, reproducible bytes."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import replace
from io import BytesIO
from threading import Lock

import numpy as np
import openpyxl
import pandas as pd
import pytest
from conftest import require
from hypothesis import given
from hypothesis import strategies as st
from openxml_audit import OpenXmlValidator
from specs import plain

from xlsxattn.builder import layout, pages, writer
from xlsxattn.builder.pages.parts import typed
from xlsxattn.builder.specification import parse
from xlsxattn.builder.writer import bulk, packing
from xlsxattn.checker import engines
from xlsxattn.checker.reading.book import read

COLUMNS = 12
MODEL = {"id": "enc", "kind": "encoder", "heads": 2, "d_ff": 20, "position": "learned"}


def spec(dtype=np.float32):
    """A small encoder whose weights are arrays."""
    drawn = parse(plain([4, 3], COLUMNS, MODEL), "plain")
    (sheet,), rng = drawn.sheets, np.random.default_rng(5)
    weights = {n: rng.normal(0, 0.3, np.shape(m)).astype(dtype) for n, m in sheet.weights.items()}
    return replace(drawn, sheets=(replace(sheet, weights=weights),))


def write(path, least, monkeypatch, numbers=None, values=None):
    monkeypatch.setattr(bulk, "MIN_COUNT", least)
    book = pages.book(numbers or spec())
    writer.write(path, book.title, layout.lay_out(book), values)
    return path


def cells(strips):
    return sum(np.size(strip.values) for own in strips.values() for strip in own)


@pytest.fixture
def both(tmp_path, monkeypatch):
    """The same workbook, cell by cell and in bulk."""
    slow = write(tmp_path / "slow.xlsx", 10**9, monkeypatch)
    return slow, write(tmp_path / "fast.xlsx", 50, monkeypatch)


def test_bulk_cells_equal_those_of_xlsxwriter(both):
    slow, fast = (openpyxl.load_workbook(path) for path in both)
    strips = 0
    for ws in slow:
        other = fast[ws.title]
        assert other.dimensions == ws.dimensions
        for row, again in zip(ws.iter_rows(), other.iter_rows(), strict=True):
            for cell, twin in zip(row, again, strict=True):
                assert getattr(twin.value, "text", twin.value) == getattr(cell.value, "text", cell.value)
                assert twin._style == cell._style
                strips += isinstance(cell.value, float)
    assert strips > 500


def test_bulk_cells_are_not_written_by_xlsxwriter(both, monkeypatch):
    monkeypatch.setattr(bulk, "MIN_COUNT", 50)
    found = bulk.strips(layout.lay_out(pages.book(spec())))
    assert cells(found) > 500
    slow, fast = (zipfile.ZipFile(path).read(next(iter(found))) for path in both)
    assert slow != fast


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_are_read_back_unchanged(dtype, tmp_path, monkeypatch):
    numbers = spec(dtype)
    ((name, wanted),) = [(n, w) for n, w in numbers.sheets[0].weights.items() if n == "l1_W_1"]
    wanted[0, :6] = [-0.0, 1e-30, -3.4e38 if dtype is np.float32 else -1e300, 1 / 3, 1e-5, 16777217]
    book = read(write(tmp_path / "fast.xlsx", 50, monkeypatch, numbers))
    area = book.names[f"enc_{name}"]
    found = np.array([book.typed[at] for at in area.cells()]).reshape(wanted.shape)
    assert (found.astype(dtype) == wanted).all()


def test_the_same_numbers_give_the_same_bytes(tmp_path, monkeypatch):
    paths = [write(tmp_path / name, 50, monkeypatch) for name in ("a.xlsx", "b.xlsx")]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_progress_counts_all_numbers_of_the_bulk(tmp_path, monkeypatch):
    monkeypatch.setattr(bulk, "MIN_COUNT", 50)
    book = pages.book(spec())
    sheets, done = layout.lay_out(book), []
    writer.write(tmp_path / "fast.xlsx", book.title, sheets, tick=done.append)
    assert len(done) > 20
    assert sum(done) == cells(bulk.strips(sheets))
    assert zipfile.ZipFile(tmp_path / "fast.xlsx").testzip() is None


def test_a_draft_omits_bulk_cells(tmp_path, monkeypatch):
    monkeypatch.setattr(bulk, "MIN_COUNT", 50)
    book = pages.book(spec())
    sheets = layout.lay_out(book)
    writer.write(tmp_path / "draft.xlsx", book.title, sheets, draft=True)
    draft = openpyxl.load_workbook(tmp_path / "draft.xlsx")
    blocks = [(p, sheet.tab) for sheet in sheets for p in sheet.placed if bulk.numbers(p.block) is not None]
    assert len(blocks) > 3
    assert not any(draft[tab].cell(p.row + 1, p.col + 2).value for p, tab in blocks)


def test_the_file_needs_no_repair_in_excel(both):
    result = OpenXmlValidator().validate(both[1])
    assert result.is_valid, result.errors[:5]


def test_pandas_reads_it(both):
    slow, fast = (pd.read_excel(path, sheet_name=None, header=None) for path in both)
    for tab, frame in slow.items():
        pd.testing.assert_frame_equal(fast[tab], frame)


def test_every_engine_reads_the_numbers(both, engine):
    require(engine)
    book = read(both[1])
    areas = {n: a for n, a in book.names.items() if n.endswith(("_W_1", "_W_2", "_W_O", "_Hidden"))}
    slow, fast = engines.evaluate(engine, [engines.Job(path, areas) for path in both])
    assert len(areas) > 3
    for name, grid in slow.items():  # Gnumeric adds up in another order from one time to the next
        np.testing.assert_allclose(fast[name], grid, rtol=0 if "_W_" in name else 1e-13, err_msg=name)


def test_small_narrow_and_mixed_blocks_are_written_by_xlsxwriter(monkeypatch):
    monkeypatch.setattr(bulk, "MIN_COUNT", 16)
    wide, words = np.ones((2, 8)), [["a", *[1.0] * 8]] * 2
    assert bulk.numbers(typed("w_A", "input", wide)) is wide
    assert bulk.numbers(typed("w_A", "input", wide.tolist())).tolist() == wide.tolist()
    for values in (np.ones((1, 8)), np.ones((16, 1)), words):
        assert bulk.numbers(typed("w_A", "input", values)) is None


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=5))
def test_pieces_compressed_separately_are_one_stream(texts):
    spool = BytesIO()
    *first, last = texts
    pieces = [packing.deflated([text], spool, Lock(), last=False) for text in first]
    pieces.append(packing.deflated([last], spool, Lock(), last=True))
    whole = b"".join(texts)
    assert [piece.start for piece in pieces] == sorted(piece.start for piece in pieces)
    assert zlib.decompress(spool.getvalue(), packing.RAW) == whole
    assert packing.joined(pieces) == (len(whole), zlib.crc32(whole))


def test_checksums_of_several_blocks_are_combined():
    spool, long = BytesIO(), bytes(range(256)) * (packing.BLOCK // 128 + 1)
    pieces = [
        packing.deflated([b"head"], spool, Lock(), last=False),
        packing.deflated([long], spool, Lock(), last=True),
    ]
    assert packing.joined(pieces) == (4 + len(long), zlib.crc32(b"head" + long))

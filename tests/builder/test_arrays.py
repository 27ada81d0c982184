"""Arrays and tuples of the same numbers make the same workbook."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from specs import plain

from xlsxattn.builder import layout, pages, writer
from xlsxattn.builder.pages.parts import typed
from xlsxattn.builder.specification import parse

LEARNED = {"id": "qkv", "kind": "self-attention", "d_k": 3, "d_v": 2}


def written(spec, path):
    book = pages.book(spec)
    writer.write(path, book.title, layout.lay_out(book))
    return path.read_bytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_make_the_same_file_as_tuples(dtype, tmp_path):
    spec = parse(plain([2, 3], 3, LEARNED), "plain")
    words, (sheet,) = spec.vocabulary, spec.sheets
    arrays = {name: np.array(matrix, dtype) for name, matrix in sheet.weights.items()}
    other = replace(
        spec,
        vocabulary=replace(words, E=np.array(words.E, dtype)),
        sheets=(replace(sheet, weights=arrays),),
    )
    assert written(other, tmp_path / "arrays.xlsx") == written(spec, tmp_path / "tuples.xlsx")


def test_arrays_are_kept_until_writing():
    values = np.ones((2, 3), np.float32)
    assert typed("w_A", "input", values).values is values


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (np.array([[1.0, np.nan]]), "w_A holds nan in row 1, column 2"),
        (np.array([[np.inf]], np.float32), "w_A holds inf in row 1, column 1"),
        (np.ones(3), r"w_A has the shape \(3,\), expected rows and columns"),
    ],
)
def test_an_array_with_invalid_values_is_refused(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        typed("w_A", "input", values)

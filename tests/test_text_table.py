"""Tables in plain text."""

from __future__ import annotations

from rich.cells import cell_len

from xlsxattn.text_table import text_table


def test_columns_are_aligned_also_where_characters_are_wide():
    lines = text_table(["工作表", "n"], [["自注意力", 5], ["a", 1234]]).splitlines()
    assert lines == ["工作表       n", "--------  ----", "自注意力     5", "a         1234"]
    assert {cell_len(line) for line in lines} == {14}


def test_a_table_without_rows_has_its_headers():
    assert text_table(["a", "b"], []) == "a  b\n-  -"

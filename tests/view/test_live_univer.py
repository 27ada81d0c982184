"""Comparison of the live page's calculation with Univer, another JavaScript engine."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest
from conftest import THOROUGH
from live import in_workbook
from live_edits import random_edits

from dev import prebuilt
from xlsxattn import templates
from xlsxattn.checker.reading.book import read

UNIVER = Path(__file__).parents[1] / "univer"
LIMIT = 1e-9
"""Univer rounds values and differences to 12 digits."""
COMPARED = """
calculation.recalculate();
const found = [await compare(request.limit)];
const typed = (value) => (value === "" ? null : value);
for (const set of request.edits) {
  calculation.set(set.map(([sheet, row, col, value]) => ({ sheet, row, col, value: typed(value) })));
  found.push(await compare(request.limit));
}
return found;
"""


@pytest.mark.parametrize("name", templates.names() if THOROUGH else ["learning", "llama", "mouse"])
def test_univer_computes_the_same_values_from_each_formula(name, tmp_path, monkeypatch):
    modules = UNIVER / "node_modules"
    if not (modules / "@univerjs").is_dir():
        pytest.skip("Univer is missing; get it with: npm install --prefix tests/univer")
    monkeypatch.setenv("NODE_PATH", str(modules), prepend=os.pathsep)
    without = "training" if name == "walkthrough" else ""  # Univer needs minutes for its steps
    book = prebuilt.build(name, tmp_path / f"{name}.xlsx", without=without)
    sets = [random_edits(read(book), Random(f"{name} {n}")) for n in range(3)]
    script = (UNIVER / "compare.js").read_text("utf-8") + COMPARED
    found = in_workbook(book, script, edits=sets, limit=LIMIT)
    for one in found:
        assert one["far"] == [], sets
    assert found[0]["compared"] > 0.9 * found[0]["of"]

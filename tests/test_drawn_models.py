"""Specs with models of any settings: built, evaluated, and proved in two engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conftest import require
from model_specs import KINDS, drawn

from xlsxattn.builder import layout, pages, spec, writer
from xlsxattn.checker.check import check

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = 42


@pytest.mark.parametrize("engine", ["ironcalc", "gnumeric"])
def test_drawn_models_prove(engine, tmp_path: Path):
    require(engine)
    ranges = 0
    for seed in range(SEEDS):
        book = pages.book(spec.parse(drawn(seed, KINDS[seed % len(KINDS)]), f"seed {seed}"))
        path = tmp_path / f"{seed}.xlsx"
        writer.write(path, book.title, layout.lay_out(book))
        report = check(path, engine, "as-saved")
        errors = [f for f in report.every_finding if f.severity == "error"]
        assert errors == [], (seed, errors[0])
        ranges += sum(result.verdict == "ok" for run in report.runs for result in run.results)
    assert ranges > 100 * SEEDS

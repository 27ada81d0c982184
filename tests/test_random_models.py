"""Random models whose values IronCalc computes coarsely raise no false alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conftest import THOROUGH
from model_specs import drawn

from xlsxattn.builder import layout, pages, writer
from xlsxattn.builder import specification as spec
from xlsxattn.checker.check import check

if TYPE_CHECKING:
    from pathlib import Path

EXACT_GELU = (2, 19, 28) if THOROUGH else (19,)
"""Seeds whose models have an exact GELU, which IronCalc computes coarsely, under norms that magnify that."""


def written(data, path: Path) -> Path:
    book = pages.book(spec.parse(data, path.stem))
    writer.write(path, book.title, layout.lay_out(book))
    return path


@pytest.mark.parametrize("seed", EXACT_GELU)
def test_a_coarse_phi_raises_no_false_alarm_on_other_inputs(seed, tmp_path: Path):
    data = drawn(seed, "encoder-decoder", "classifier")
    assert "gelu" in [sheet["activation"] for sheet in data["sheets"]]
    report = check(written(data, tmp_path / f"{seed}.xlsx"))
    assert not [f for f in report.every_finding if f.severity == "error"]
    coarse = [result for run in report.runs for result in run.results if result.coarse]
    assert len(coarse) > 20
    assert all(result.allowed < 1e-7 for result in coarse if result.kind == "number"), max(
        coarse, key=lambda result: result.allowed
    )

"""Values of a workbook's formulas, computed by an engine and saved in the file.

The proof does not trust these values: it recalculates a copy of the finished file without them, and compares
the results with what was saved.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
import orjson

from xlsxattn.builder import writer
from xlsxattn.builder.writer import bulk
from xlsxattn.checker import engines
from xlsxattn.checker.cells import Area
from xlsxattn.checker.reading.runs import NumberRuns
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from xlsxattn.builder.layout.placed import PlacedSheet
    from xlsxattn.checker.cells import Grid

LOG = logging.getLogger(__name__)


def evaluated(title: str, sheets: Sequence[PlacedSheet], path: Path) -> Mapping[str, Grid]:
    """Write a draft, and compute every range that has formulas with an engine.

    Args:
        title: the workbook's title.
        sheets: the result of the layout.
        path: the path of the draft.

    Raises:
        EngineMissing: the engine is not installed.
        EngineFailed: it could not compute the draft.
    """
    LOG.debug("", extra={"step": say("writing formulas")})
    writer.write(path, title, sheets, draft=True)
    LOG.debug("", extra={"step": say("evaluating: {engine}", engine=engines.DEFAULT_ENGINE)})
    computed = [(sheet.tab, p) for sheet in sheets for p in sheet.placed if p.block.parts]
    areas = {p.block.name: Area(tab, p.row, p.col, p.block.rows, p.block.cols) for tab, p in computed}
    job = engines.Job(path, areas, _runs(sheets))
    limits = engines.LARGE if job.runs else engines.Limits()
    (answer,) = engines.evaluate(engines.DEFAULT_ENGINE, [job], limits)
    if isinstance(answer, engines.EngineFailed):
        raise answer
    return answer


def _runs(sheets: Sequence[PlacedSheet]) -> dict[str, NumberRuns]:
    """The large blocks of numbers, which the draft lacks, by tab, with the values that the file will have.

    A float32 is written as its shortest decimal representation and read back as a float64.
    """
    runs: dict[str, NumberRuns] = {}
    for sheet in sheets:
        for placed in sheet.placed:
            values = bulk.numbers(placed.block)
            for row, numbers in enumerate(() if values is None else values, placed.row):
                text = orjson.dumps(np.ascontiguousarray(numbers), option=orjson.OPT_SERIALIZE_NUMPY)
                runs.setdefault(sheet.tab, NumberRuns()).add(
                    row, placed.col, np.array(orjson.loads(text), float)
                )
    return runs

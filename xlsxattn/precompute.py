"""What an engine computes of a workbook's formulas before it is written: these values are saved in it.

Nothing of this is believed. The proof reads the finished file, recalculates a copy without saved values, and
compares what is saved with what comes out.
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
    """Write a draft, and let an engine compute every range that has formulas.

    Args:
        title: the workbook's title.
        sheets: what the layout gave.
        path: where the draft goes.

    Raises:
        EngineMissing: the engine is not installed.
        EngineFailed: it gave no values.
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
    """The large blocks of numbers, which a draft lacks, by tab: as a reader of the file will see them.

    A float32 stands in a file as the shortest text that gives it back, and is read as a decimal.
    """
    found: dict[str, NumberRuns] = {}
    for sheet in sheets:
        for placed in sheet.placed:
            values = bulk.numbers(placed.block)
            for row, own in enumerate(() if values is None else values, placed.row):
                text = orjson.dumps(np.ascontiguousarray(own), option=orjson.OPT_SERIALIZE_NUMPY)
                found.setdefault(sheet.tab, NumberRuns()).add(
                    row, placed.col, np.array(orjson.loads(text), float)
                )
    return found

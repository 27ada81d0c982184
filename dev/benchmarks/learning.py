"""Measure trainings in IronCalc, by number of steps: loading, calculating, and an edit.

The walkthrough's examples are trained with 20, 50, 100 and 200 steps. Processor time is measured, as other
processes may share the machine; ``extra`` is what the training adds to the same workbook without it.

Usage: ``python -m dev.benchmarks.learning``
"""

from __future__ import annotations

import statistics
import tempfile
import time
import tomllib
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ironcalc

from xlsxattn import precompute, templates
from xlsxattn.builder import layout, pages, writer
from xlsxattn.builder import specification as specs
from xlsxattn.builder.layout.placed import places

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS = (20, 50, 100, 200)
REPEATS = 5


def main() -> None:
    """Print a table."""
    data = tomllib.loads(templates.path("walkthrough").read_text("utf-8"))
    print("| steps | load, s | calculate, s | edit of the learning rate, s | file, kB |")
    print("|---|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        for steps in (0, *STEPS):
            print(_row(data, steps, Path(folder)))


def _row(data: dict[str, Any], steps: int, folder: Path) -> str:
    """Measure one workbook; with 0 steps, the walkthrough without its training."""
    changed = deepcopy(data)
    for sheet in changed["sheets"]:
        if sheet["id"] == "learn":
            sheet["steps"] = steps
    changed["sheets"] = [sheet for sheet in changed["sheets"] if steps or sheet["id"] != "learn"]
    book = pages.book(specs.parse(changed, "walkthrough"))
    sheets = layout.lay_out(book)
    path = folder / f"{steps}.xlsx"
    writer.write(path, book.title, sheets, precompute.evaluated(book.title, sheets, folder / "draft.xlsx"))
    loads = [_timed(lambda: ironcalc.load_from_xlsx(str(path))) for _ in range(REPEATS)]
    model = loads[-1][1]
    whole = [_timed(model.evaluate)[0] for _ in range(REPEATS)]
    times = [statistics.median(seconds for seconds, _ in loads), statistics.median(whole)]
    edit = ""
    if steps:
        tab, area = places(sheets)["learn_LearningRate"]
        index = [one["name"] for one in model.get_worksheets_properties()].index(tab)

        def typed() -> None:
            model.set_user_input(index, area.top + 1, area.left + 1, "0.1")
            model.evaluate()

        edit = f"{statistics.median(_timed(typed)[0] for _ in range(REPEATS)):.3f}"
    size = path.stat().st_size / 1000
    return f"| {steps or 'none'} | {times[0]:.3f} | {times[1]:.3f} | {edit} | {size:.0f} |"


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """The processor time of a call, and its result."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


if __name__ == "__main__":
    main()

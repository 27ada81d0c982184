"""Builds the templates' workbooks and puts all their mutants before the check, on several processes."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

from campaign.judge import Judge, Outcome
from campaign.kinds import every
from xlsxattn import press, templates
from xlsxattn.checker.engines import saved_values
from xlsxattn.checker.reader import read

if TYPE_CHECKING:
    from pathlib import Path

    from campaign.mutants import Mutant

_judges: list[Judge] = []  # one for each process
CHUNK = 16


def built(template: str, folder: Path) -> Path:
    """A template's workbook, built as a person builds it; it must hold before it is broken."""
    made = press.build(templates.path(template), folder / f"{template}.xlsx")
    if not made.report.holds:
        raise SystemExit(f"{template}: the workbook without a fault does not hold")
    return made.path


def mutants(path: Path) -> list[Mutant]:
    """All mutants of a built workbook."""
    book = read(path)
    return every(book, saved_values(path, book.names))


def judged(path: Path, made: list[Mutant], jobs: int) -> list[Outcome]:
    """What became of each mutant of one workbook."""
    start = get_context("spawn")
    with ProcessPoolExecutor(jobs, start, initializer=_begin, initargs=(path,)) as pool:
        return list(pool.map(_judge, made, chunksize=CHUNK))


def _begin(path: Path) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # IronCalc prints warnings there
    _judges[:] = [Judge(path)]


def _judge(mutant: Mutant) -> Outcome:
    return _judges[0].judge(mutant)

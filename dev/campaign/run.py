"""Builds workbooks of templates and small models, and judges their mutants in several processes."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

from dev import prebuilt
from dev.campaign import imported
from dev.campaign.judge import Judge, Judgement
from dev.campaign.kinds import every
from xlsxattn import press, templates
from xlsxattn.checker.engines import saved_values
from xlsxattn.checker.reading.book import read

if TYPE_CHECKING:
    from pathlib import Path

    from dev.campaign.mutants import Mutant

_judges: list[Judge] = []  # one for each process
CHUNK = 16


def names() -> tuple[str, ...]:
    """The names of the templates and of the small models."""
    return (*templates.names(), *imported.MODELS)


def built(name: str, folder: Path) -> Path:
    """Build the workbook of a template or a small model, which must hold."""
    if name not in imported.MODELS:
        return prebuilt.build(name, folder / f"{name}.xlsx")
    made = press.build(imported.spec(name), folder / f"{name}.xlsx")
    if not made.report.holds:
        raise SystemExit(f"{name}: the original workbook does not hold")
    return made.path


def mutants(path: Path, name: str = "") -> list[Mutant]:
    """All mutants of a workbook; for a small model only those of pages that no template has."""
    book = read(path)
    made = every(book, saved_values(path, book.names))
    return imported.judged(made) if name in imported.MODELS else made


def judged(path: Path, made: list[Mutant], jobs: int) -> list[Judgement]:
    """Judge the mutants of one workbook."""
    start = get_context("spawn")
    with ProcessPoolExecutor(jobs, start, initializer=_begin, initargs=(path,)) as pool:
        return list(pool.map(_judge, made, chunksize=CHUNK))


def _begin(path: Path) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # IronCalc prints warnings to standard output
    _judges[:] = [Judge(path)]


def _judge(mutant: Mutant) -> Judgement:
    return _judges[0].judge(mutant)

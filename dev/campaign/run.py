"""Builds workbooks of templates and small models, and judges their mutants in several processes."""

from __future__ import annotations

import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

from dev import prebuilt
from dev.campaign import imported, tampered
from dev.campaign.judge import Judge, Judgement
from dev.campaign.kinds import every
from xlsxattn import press, templates
from xlsxattn.checker.engines import saved_values
from xlsxattn.checker.reading.book import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dev.campaign.mutants import Mutant


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


def judged(paths: Mapping[str, Path], jobs: int) -> Iterator[tuple[str, list[Judgement], float]]:
    """Judge the mutants of each workbook, the largest workbooks first; also yield the seconds for each.

    A workbook stays in one process, because computing what its mutants are compared with is expensive.
    """
    largest = sorted(paths, key=lambda name: paths[name].stat().st_size, reverse=True)
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_silence) as pool:
        made = {name: pool.submit(_judged, name, paths[name]) for name in largest}
        for name in paths:
            yield name, *made[name].result()


def _judged(name: str, path: Path) -> tuple[list[Judgement], float]:
    start = time.monotonic()
    judge = Judge(path)
    made = [judge.judge(mutant) for mutant in mutants(path, name)]
    made += tampered.judged(path, tampered.chosen(names().index(name)))
    return made, time.monotonic() - start


def _silence() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # IronCalc prints warnings to standard output

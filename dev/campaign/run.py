"""Builds workbooks of templates and small models, and judges all their mutants, on several processes."""

from __future__ import annotations

import os
import time
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
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dev.campaign.mutants import Mutant


def names() -> tuple[str, ...]:
    """What can be broken: the templates, and small models as they are imported."""
    return (*templates.names(), *imported.MODELS)


def built(name: str, folder: Path) -> Path:
    """The workbook of a template or a small model, as it is built; it must hold unbroken."""
    if name not in imported.MODELS:
        return prebuilt.build(name, folder / f"{name}.xlsx")
    made = press.build(imported.spec(name), folder / f"{name}.xlsx")
    if not made.report.holds:
        raise SystemExit(f"{name}: the workbook without a fault does not hold")
    return made.path


def mutants(path: Path, name: str = "") -> list[Mutant]:
    """All mutants of a built workbook; of a small model's those of the pages that it alone has."""
    book = read(path)
    made = every(book, saved_values(path, book.names))
    return imported.judged(made) if name in imported.MODELS else made


def judged(paths: Mapping[str, Path], jobs: int) -> Iterator[tuple[str, list[Judgement], float]]:
    """What became of all mutants of each workbook, and the seconds that took; the largest are begun first.

    A workbook stays in one process: what its mutants are compared with takes a while to compute.
    """
    largest = sorted(paths, key=lambda name: paths[name].stat().st_size, reverse=True)
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_silence) as pool:
        made = {name: pool.submit(_judged, name, paths[name]) for name in largest}
        for name in paths:
            yield name, *made[name].result()


def _judged(name: str, path: Path) -> tuple[list[Judgement], float]:
    start = time.monotonic()
    judge = Judge(path)
    return [judge.judge(mutant) for mutant in mutants(path, name)], time.monotonic() - start


def _silence() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # IronCalc prints warnings there

"""Builds workbooks of templates and small models, and checks their mutants in several processes."""

from __future__ import annotations

import gc
import os
import time
import tomllib
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from dev import prebuilt
from dev.campaign import imported, tampered
from dev.campaign.kinds import every
from dev.campaign.outcome import MutantChecker, Outcome
from xlsxattn import press, templates
from xlsxattn.checker.engines import saved_values
from xlsxattn.checker.reading.book import read
from xlsxattn.cli.commands import BLAS_THREADS, COLLECTED
from xlsxattn.contract.kinds import Training

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dev.campaign.mutants import Mutant


ADAM = "adam"
"""A small workbook for the faults of Adam, with weight decay, which no small template has."""
LEARNING = "learning"
"""The template with a small training."""
SPLIT = ("walkthrough",)
"""Templates whose training has most of their cells: they are checked without it."""


def names() -> tuple[str, ...]:
    """The names of the templates, of the small models, and of the small training with Adam."""
    return (*templates.names(), *imported.MODELS, ADAM)


def built(name: str, folder: Path) -> Path:
    """Build the workbook of a template, a small model or a training, which must hold."""
    if name == ADAM:
        made = press.build(templates.path(LEARNING), folder / f"{name}.xlsx", changed=_with_adam())
    elif name in imported.MODELS:
        made = press.build(imported.spec(name), folder / f"{name}.xlsx")
    else:
        without = Training.kind if name in SPLIT else ""
        return prebuilt.build(name, folder / f"{name}.xlsx", without=without)
    if not made.report.holds:
        raise SystemExit(f"{name}: the original workbook does not hold")
    return made.path


def _with_adam() -> dict[str, Any]:
    """The sheets of the template of a small training, with Adam for two matrices in a few steps."""
    sheets = tomllib.loads(templates.path(LEARNING).read_text("utf-8"))["sheets"]
    adam = {"optimizer": ADAM, "lr": 0.2, "weight_decay": 0.1, "learns": ["W_Q", "W_K"], "steps": 4}
    return {"sheets": [sheet | adam if sheet["kind"] == Training.kind else sheet for sheet in sheets]}


def mutants(path: Path, name: str = "") -> list[Mutant]:
    """All mutants of a workbook; for a small model or Adam only those that no template has."""
    book = read(path)
    made = every(book, saved_values(path, book.names))
    if name == ADAM:
        trained = {sheet.id for sheet in book.manifest.sheets if sheet.is_a(Training)}
        return [m for m in made if any(book.manifest.parse(one).sheet in trained for one in m.ranges)]
    return imported.selected(made) if name in imported.MODELS else made


def outcomes(paths: Mapping[str, Path], jobs: int) -> Iterator[tuple[str, list[Outcome], float]]:
    """Check the mutants of each workbook, the largest workbooks first; also yield the seconds for each.

    A workbook stays in one process, because computing what its mutants are compared with is expensive.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", BLAS_THREADS)  # of the processes that are started
    largest = sorted(paths, key=lambda name: paths[name].stat().st_size, reverse=True)
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_prepare) as pool:
        made = {name: pool.submit(_outcomes, name, paths[name]) for name in largest}
        for name in paths:
            yield name, *made[name].result()


def _outcomes(name: str, path: Path) -> tuple[list[Outcome], float]:
    start = time.monotonic()
    checker = MutantChecker(path)
    made = [checker.outcome(mutant) for mutant in mutants(path, name)]
    made += tampered.outcomes(path, tampered.chosen(names().index(name)))
    return made, time.monotonic() - start


def _prepare() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # IronCalc prints warnings to standard output
    gc.set_threshold(*COLLECTED)

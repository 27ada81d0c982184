"""The proof that users ask for: the check, and the table of formulas that the manifest is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from xlsxattn.checker import check as checking
from xlsxattn.checker import engines
from xlsxattn.checker import explain as explaining
from xlsxattn.formula_table import rebuilt
from xlsxattn.suggestions import one_of

if TYPE_CHECKING:
    from pathlib import Path

    from xlsxattn.checker.check import Engine, Inputs
    from xlsxattn.checker.explain import Explanation
    from xlsxattn.checker.report import Report


def check(
    path: str | Path,
    engine: Engine = engines.DEFAULT_ENGINE,
    inputs: Inputs = "perturbed",
    *,
    few: bool = False,
    seed: int | None = None,
) -> Report:
    """Prove a workbook against its own inputs, and against others.

    Args:
        path: the workbook.
        engine: ``ironcalc``, ``libreoffice``, ``gnumeric``, ``saved`` (believe the values in the file),
            or ``all`` (the three engines).
        inputs: ``perturbed`` proves the formulas on other numbers and words as well; ``as-saved`` does not.
        few: proves the formulas on a few sets of other inputs only, as for a workbook that was just built.
        seed: draws the last set of other inputs, a number from 0; None: the file's digest, and so another one
            for each file.

    Raises:
        NotCheckableError: the file cannot be read, is not one of ours, or has no saved values to believe.
        engines.EngineMissing: an engine asked for is not installed.
        engines.EngineFailed: an engine could not recalculate the file.
        ValueError: there is no such engine, or no such choice of inputs.
    """
    return checking.check(path, engine, inputs, few=few, seed=seed, rebuild=rebuilt)


def explain(path: str | Path, cell: str, engine: Engine = engines.DEFAULT_ENGINE) -> Explanation:
    """One cell of a workbook in numbers: its formula, what it reads, the terms, the engine's value, NumPy's.

    Args:
        path: the workbook.
        cell: a range's name, or a cell of it, ``attn_cat_Scores[3,1]``, counted from 1. Of a range, the cell
            that is furthest from NumPy's value is taken, or the first of largest magnitude where all hold.
        engine: whose values are compared: ``ironcalc``, ``libreoffice``, ``gnumeric``, ``saved`` or ``all``.

    Raises:
        NotCheckableError: the file cannot be checked, or has no such range or cell.
        engines.EngineMissing: an engine asked for is not installed.
        engines.EngineFailed: an engine could not recalculate the file.
        ValueError: there is no such engine.
    """
    one_of("engine", engine, get_args(checking.Engine))
    return explaining.explain(path, cell, engine, rebuild=rebuilt)

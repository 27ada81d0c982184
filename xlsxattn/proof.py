"""The public `check`: the checker with the table of formulas that the manifest is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from xlsxattn.checker import check as checking
from xlsxattn.checker import engines
from xlsxattn.checker import explain as explaining
from xlsxattn.contract.values import Engine
from xlsxattn.formula_table import rebuilt
from xlsxattn.suggestions import one_of

if TYPE_CHECKING:
    from pathlib import Path

    from xlsxattn.checker.explanation import Explanation
    from xlsxattn.checker.report import Report
    from xlsxattn.contract.values import Inputs


def check(
    path: str | Path,
    engine: Engine = engines.DEFAULT_ENGINE,
    inputs: Inputs = "perturbed",
    *,
    few: bool = False,
    seed: int | None = None,
) -> Report:
    """Prove a workbook on its own inputs and on perturbed ones.

    Args:
        path: the workbook.
        engine: ``ironcalc``, ``libreoffice``, ``gnumeric``, ``saved`` (trust the values in the file),
            or ``all`` (the three engines).
        inputs: ``perturbed`` also proves the formulas on other numbers and words; ``as-saved`` does not.
        few: perturb the inputs in a few sets only, as for a workbook that was just built.
        seed: the seed of the last set of perturbed inputs, an integer from 0; None to derive it from the
            file's digest.

    Raises:
        NotCheckableError: the file cannot be read, was not built by xlsxattn, or has no saved values.
        engines.EngineMissing: a requested engine is not installed.
        engines.EngineFailed: an engine could not recalculate the file.
        ValueError: unknown engine or choice of inputs.
    """
    return checking.check(path, engine, inputs, few=few, seed=seed, rebuild=rebuilt)


def explain(path: str | Path, cell: str, engine: Engine = engines.DEFAULT_ENGINE) -> Explanation:
    """One cell of a workbook in numbers: its formula, what it reads, the terms, the engine's value, NumPy's.

    Args:
        path: the workbook.
        cell: a range's name, or a cell of it, ``attn_cat_Scores[3,1]``, counted from 1. For a range,
            the cell that is furthest from NumPy's value or, if all hold, the first of largest magnitude.
        engine: whose values are compared: ``ironcalc``, ``libreoffice``, ``gnumeric``, ``saved`` or ``all``.

    Raises:
        NotCheckableError: the file cannot be checked, or has no such range or cell.
        engines.EngineMissing: a requested engine is not installed.
        engines.EngineFailed: an engine could not recalculate the file.
        ValueError: there is no such engine.
    """
    one_of("engine", engine, get_args(Engine))
    return explaining.explain(path, cell, engine, rebuild=rebuilt)

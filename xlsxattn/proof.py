"""The proof that users ask for: the check, and the table of formulas that the manifest is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.checker import check as checking
from xlsxattn.checker import engines
from xlsxattn.formula_table import rebuilt

if TYPE_CHECKING:
    from pathlib import Path

    from xlsxattn.checker.check import Engine, Inputs
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

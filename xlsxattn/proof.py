"""The public `check`: the checker with the table of formulas that the manifest is compared with."""

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

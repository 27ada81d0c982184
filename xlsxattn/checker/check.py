"""The check: read, recalculate without saved values, recompute by NumPy, compare."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from openpyxl.utils import coordinate_to_tuple

from xlsxattn.checker import engines, structure
from xlsxattn.checker.compare import Finding, Result, compare
from xlsxattn.checker.reader import NotCheckableError, array_of, is_text, read, without_values
from xlsxattn.checker.reference import ShapesDisagree, expected
from xlsxattn.checker.report import EngineReport, Report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxattn.checker.cells import Grid
    from xlsxattn.checker.reader import Book

SAVED = "saved"
DEFAULT_ENGINE = engines.ENGINES[0]
CHOICES = (*engines.ENGINES, SAVED, "all")


def check(path: str | Path, engine: str = DEFAULT_ENGINE) -> Report:
    """Prove a workbook against its own inputs.

    Args:
        path: the workbook.
        engine: ``ironcalc``, ``libreoffice``, ``gnumeric``, ``saved`` (believe the values in the file),
            or ``all`` (the three engines).

    Raises:
        NotCheckableError: the file cannot be read, is not one of ours, or has no saved values to believe.
        engines.EngineMissing: an engine asked for is not installed.
        engines.EngineFailed: an engine could not recalculate the file.
    """
    book = read(Path(path))
    chosen = engines.ENGINES if engine == "all" else (engine,)
    findings = tuple(structure.misplaced_formulas(book))
    runs = tuple(prove(book, name, values) for name, values in recalculate(book, chosen).items())
    return Report(str(path), runs, findings)


def recalculate(book: Book, chosen: Sequence[str]) -> dict[str, Mapping[str, Grid]]:
    """The values of every named range, as each engine computes them from formulas and inputs alone."""
    values: dict[str, Mapping[str, Grid]] = {}
    with tempfile.TemporaryDirectory(prefix="xlsxattn-") as folder:
        copy = Path(folder) / "copy.xlsx"
        if any(name != SAVED for name in chosen):
            without_values(book, copy)
        for name in chosen:
            values[name] = _saved(book) if name == SAVED else _evaluated(name, book, copy)
    return values


def _evaluated(engine: str, book: Book, copy: Path) -> Mapping[str, Grid]:
    (outcome,) = engines.evaluate(engine, [engines.Job(copy, book.names)])
    if isinstance(outcome, engines.EngineFailed):
        raise outcome
    return outcome


def _saved(book: Book) -> Mapping[str, Grid]:
    values = engines.saved_values(book.path, book.names)
    computed = [value for name in book.manifest.formulas for row in values.get(name, []) for value in row]
    if all(value is None for value in computed):
        raise NotCheckableError(f"{book.path}: no values are saved in it, recalculate and save it first")
    return values


def prove(book: Book, engine: str, values: Mapping[str, Grid]) -> EngineReport:
    """Compare one engine's values with the reference, which starts from the workbook's own inputs."""
    unreadable = list(structure.unreadable_inputs(book, values))
    if unreadable:
        return EngineReport(engine, (), tuple(unreadable))
    manifest = book.manifest
    inputs = {name: array_of(values[name], text=is_text(name)) for name in manifest.inputs}
    try:
        wanted = expected(manifest.sheets, manifest.contexts, inputs)
    except ShapesDisagree as error:
        return EngineReport(engine, (), (Finding("resized", "", "", str(error)),))
    results: list[Result] = []
    findings: list[Finding] = []
    shown = {**values, **{name: grid.tolist() for name, grid in inputs.items()}}  # an input's blanks are 0
    for result, found in compare(wanted, book.names, shown):
        results.append(result)
        findings += [_with_formula(book, finding) for finding in found]
    unknown = [name for name in manifest.formulas if name not in wanted]
    findings += [
        Finding("unknown range", name, "", f"nothing says what {name} should hold") for name in unknown
    ]
    return EngineReport(engine, tuple(results), tuple(findings))


def _with_formula(book: Book, finding: Finding) -> Finding:
    """Add the formula of the cell, as the file has it."""
    if not finding.cell:
        return finding
    tab = book.names[finding.range].sheet
    row, col = coordinate_to_tuple(finding.cell.removeprefix(f"{tab}!"))
    text = book.formula_at(tab, row - 1, col - 1)
    return replace(finding, formula=text)

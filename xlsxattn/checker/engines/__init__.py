"""Recalculates workbooks with external spreadsheet engines, and reads the values of their cells.

Every engine runs in its own process: IronCalc because it may panic or overflow its stack, LibreOffice and
Gnumeric because they are programs. No engine may hang, print, or leave anything behind: each call has a
temporary folder and each process its own group, both removed when the call returns or is interrupted.
"""

from __future__ import annotations

import importlib.util
import shutil
from typing import TYPE_CHECKING, Final

from xlsxattn.checker.cells import listed
from xlsxattn.checker.engines.calls import gnumeric, ironcalc, libreoffice
from xlsxattn.checker.engines.printing import printed
from xlsxattn.checker.engines.processes import PROGRAMS, TITLES, EngineFailed, Job, JobResult, Limits, Rest
from xlsxattn.checker.engines.values import copy_with, saved_values
from xlsxattn.checker.reading.limits import STANDARD
from xlsxattn.contract.values import ENGINES
from xlsxattn.language import MessageError, say
from xlsxattn.tempdirs import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    from xlsxattn.checker.cells import Edits

__all__ = [
    "DEFAULT_ENGINE",
    "ENGINES",
    "LARGE",
    "EngineFailed",
    "EngineMissing",
    "Job",
    "JobResult",
    "Limits",
    "Rest",
    "evaluate",
    "evaluate_edited",
    "missing",
    "print_pdf",
    "saved_values",
]

DEFAULT_ENGINE: Final = "ironcalc"
"""The engine that computes the saved values of a workbook, and the default for recalculation."""

LARGE = Limits(seconds=STANDARD.seconds)
"""Limits for a workbook with large blocks of numbers."""

_STANDARD = Limits()


class EngineMissing(MessageError):
    """An engine is not installed; the message says how to install it."""


def missing(engine: str) -> str | None:
    """Why an engine cannot be used, or None if it can.

    Args:
        engine: one of `ENGINES`.

    Raises:
        ValueError: unknown engine.
    """
    if engine not in ENGINES:
        sentence = "there is no engine {engine!r}: choose from {known}"
        raise ValueError(say(sentence, engine=engine, known=", ".join(ENGINES)))
    if engine == "ironcalc":
        if importlib.util.find_spec("ironcalc"):
            return None
        return say(
            "IronCalc is missing: no package 'ironcalc' was found; install it with: pip install ironcalc"
        )
    program, package = PROGRAMS[engine]
    if shutil.which(program):
        return None
    return say(
        "{title} is missing: no program '{program}' was found on the PATH; install it with: apt-get "
        "install {package}",
        title=TITLES[engine],
        program=program,
        package=package,
    )


def evaluate(engine: str, jobs: Sequence[Job], limits: Limits = _STANDARD) -> list[JobResult]:
    """Recalculate workbooks with an engine, and read their values.

    Args:
        engine: one of `ENGINES`.
        jobs: the workbooks and areas; a broken workbook does not affect the others.
        limits: the limits for each workbook.

    Returns:
        For each job, the values of the areas by name, or an `EngineFailed`.

    Raises:
        EngineMissing: the engine is not installed.
        ValueError: unknown engine.
    """
    if sentence := missing(engine):
        raise EngineMissing(sentence)
    if engine == "libreoffice":
        return libreoffice(jobs, limits)
    if engine == "gnumeric":
        return [gnumeric(job, limits) for job in jobs]
    return [_listed(answer) for job in jobs for answer in ironcalc(job, limits)]


def _listed(answer: JobResult) -> JobResult:
    if isinstance(answer, EngineFailed):
        return answer
    return {name: listed(grid) for name, grid in answer.items()}


def evaluate_edited(
    engine: str,
    job: Job,
    edits: Sequence[Edits],
    limits: Limits = _STANDARD,
    edited: Callable[[int, Path], None] | None = None,
    rest: Rest | None = None,
) -> Generator[JobResult]:
    """Recalculate a workbook after each of several sets of edits, with one result in memory at a time.

    Args:
        engine: one of `ENGINES`.
        job: the workbook and the areas.
        edits: sets of edits; every later set edits the cells of the earlier ones as well.
        limits: for all sets together in IronCalc, and for each copy in the other engines.
        edited: saves a copy with the sets up to an index, for workbooks that are too large for openpyxl.
        rest: what follows in IronCalc.

    Returns:
        For each set, the values of the areas by name, or an `EngineFailed`.

    Raises:
        EngineMissing: the engine is not installed.
    """
    if sentence := missing(engine):
        raise EngineMissing(sentence)
    if engine == "ironcalc":
        yield from ironcalc(job, limits, edits, rest)
        return
    with temporary_folder() as folder:
        if edited is not None:
            for i in range(len(edits)):  # one at a time, as large copies take much disk space
                edited(i, copy := folder / "copy.xlsx")
                yield from evaluate(engine, [Job(copy, job.areas)], limits)
            return
        copies = [copy_with(job.path, cells, folder / f"{i}.xlsx") for i, cells in enumerate(edits)]
        yield from evaluate(engine, [Job(copy, job.areas) for copy in copies], limits)


def print_pdf(
    path: Path, target: Path, limits: Limits = _STANDARD, *, cut: str = "", first: str = ""
) -> None:
    """Recalculate a workbook and print it to PDF with LibreOffice, one page per sheet.

    Args:
        path: the workbook.
        target: the path of the PDF.
        limits: the limits for LibreOffice.
        cut: the tab of a sheet that is printed only up to its first rows.
        first: the tab that is printed first, at full size.

    Raises:
        EngineMissing: LibreOffice is not installed.
        EngineFailed: LibreOffice created no PDF.
    """
    if sentence := missing("libreoffice"):
        raise EngineMissing(sentence)
    failure = printed(path, target, limits, cut=cut, first=first)
    if failure is not None:
        raise failure

"""Recalculates workbooks with spreadsheet engines that are not ours, and reads what their cells show.

Every engine runs in a process of its own: IronCalc because it may panic or overflow its stack, LibreOffice
and Gnumeric because they are programs. No engine may hang, print, or leave anything behind: each call has its
temporary folder, each process its group, and both are gone when the call returns or is interrupted.
"""

from __future__ import annotations

import importlib.util
import shutil
from typing import TYPE_CHECKING, Final

from xlsxattn.checker.cells import listed
from xlsxattn.checker.engines.calls import gnumeric, ironcalc, libreoffice
from xlsxattn.checker.engines.printing import printed
from xlsxattn.checker.engines.processes import (
    PROGRAMS,
    TITLES,
    Answer,
    EngineFailed,
    Job,
    Limits,
)
from xlsxattn.checker.engines.values import copy_with, saved_values
from xlsxattn.checker.reading.limits import STANDARD
from xlsxattn.contract.values import ENGINES
from xlsxattn.language import say
from xlsxattn.tempdirs import workplace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from xlsxattn.checker.cells import Edits

__all__ = [
    "DEFAULT_ENGINE",
    "ENGINES",
    "LARGE",
    "Answer",
    "EngineFailed",
    "EngineMissing",
    "Job",
    "Limits",
    "evaluate",
    "evaluate_edited",
    "missing",
    "print_pdf",
    "saved_values",
]

"""The engines by name, in the order in which they are asked."""

DEFAULT_ENGINE: Final = "ironcalc"
"""Who computes the values that are saved in a workbook, and recalculates one unless another is asked for."""

LARGE = Limits(seconds=STANDARD.seconds)
"""What an engine may take for a workbook with large blocks of numbers."""

_STANDARD = Limits()


class EngineMissing(Exception):
    """An engine is not installed: one sentence on what was looked for and how to get it."""


def missing(engine: str) -> str | None:
    """Why an engine cannot be used, in one sentence, or None if it can.

    Args:
        engine: one of `ENGINES`.

    Raises:
        ValueError: there is no engine of that name.
    """
    if engine not in ENGINES:
        sentence = "there is no engine {engine!r}: choose from {known}"
        raise ValueError(say(sentence, engine=engine, known=", ".join(ENGINES)))
    if engine == "ironcalc":
        if importlib.util.find_spec("ironcalc"):
            return None
        return say("IronCalc is missing: no package 'ironcalc' was found; get it with: pip install ironcalc")
    program, package = PROGRAMS[engine]
    if shutil.which(program):
        return None
    return say(
        "{title} is missing: no program '{program}' was found on the PATH; "
        "get it with: apt-get install {package}",
        title=TITLES[engine],
        program=program,
        package=package,
    )


def evaluate(engine: str, jobs: Sequence[Job], limits: Limits = _STANDARD) -> list[Answer]:
    """What the cells of workbooks show after an engine has calculated every formula.

    Args:
        engine: one of `ENGINES`.
        jobs: the workbooks and areas; one that is broken does not stop the others.
        limits: what each workbook may take.

    Returns:
        For each job, in order, the areas' values by name, or an `EngineFailed` that says what went wrong.

    Raises:
        EngineMissing: the engine is not installed.
        ValueError: there is no engine of that name.
    """
    if sentence := missing(engine):
        raise EngineMissing(sentence)
    if engine == "libreoffice":
        return libreoffice(jobs, limits)
    if engine == "gnumeric":
        return [gnumeric(job, limits) for job in jobs]
    return [_listed(answer) for job in jobs for answer in ironcalc(job, limits)]


def _listed(answer: Answer) -> Answer:
    if isinstance(answer, EngineFailed):
        return answer
    return {name: listed(grid) for name, grid in answer.items()}


def evaluate_edited(
    engine: str,
    job: Job,
    edits: Sequence[Edits],
    limits: Limits = _STANDARD,
    edited: Callable[[int, Path], None] | None = None,
) -> Iterator[Answer]:
    """What the cells of one workbook show after each of several sets of edits, one set in memory at a time.

    Args:
        engine: one of `ENGINES`.
        job: the workbook and the areas.
        edits: sets of edits; a cell that one set types into is typed into by every later one as well.
        limits: what all of it may take together in IronCalc, and each copy in the others.
        edited: saves a copy with all sets up to one of them, for workbooks that are too large for openpyxl.

    Returns:
        For each set, in order, the areas' values by name, or an `EngineFailed`.

    Raises:
        EngineMissing: the engine is not installed.
    """
    if sentence := missing(engine):
        raise EngineMissing(sentence)
    if engine == "ironcalc":
        yield from ironcalc(job, limits, edits)
        return
    with workplace() as folder:
        if edited is not None:
            for i in range(len(edits)):  # one by one: a large copy takes much of a disk
                edited(i, copy := folder / "copy.xlsx")
                yield from evaluate(engine, [Job(copy, job.areas)], limits)
            return
        copies = [copy_with(job.path, cells, folder / f"{i}.xlsx") for i, cells in enumerate(edits)]
        yield from evaluate(engine, [Job(copy, job.areas) for copy in copies], limits)


def print_pdf(
    path: Path, target: Path, limits: Limits = _STANDARD, *, cut: str = "", first: str = ""
) -> None:
    """Print a workbook into a PDF with LibreOffice, recalculated, a page a sheet.

    Args:
        path: the workbook.
        target: where the PDF goes.
        limits: what it may take.
        cut: the tab of a sheet of which only the first rows are printed.
        first: the tab that is printed first, at the size it has.

    Raises:
        EngineMissing: LibreOffice is not installed.
        EngineFailed: it made no PDF.
    """
    if sentence := missing("libreoffice"):
        raise EngineMissing(sentence)
    failed = printed(path, target, limits, cut=cut, first=first)
    if failed is not None:
        raise failed

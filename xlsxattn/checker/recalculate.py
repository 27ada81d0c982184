"""Recalculates the ranges of a workbook with engines, from formulas and inputs only."""

from __future__ import annotations

import logging
from contextlib import closing
from typing import TYPE_CHECKING, Any

from xlsxattn.checker import engines, structure
from xlsxattn.checker.cells import listed
from xlsxattn.checker.reading.copies import without_values
from xlsxattn.contract.names import MANIFEST, ORIGIN, START
from xlsxattn.language import say
from xlsxattn.tempdirs import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path

    from xlsxattn.checker.cells import Area, At, Edits, Values
    from xlsxattn.checker.reading.book import Book

LOG = logging.getLogger(__name__)


def recalculated(book: Book, engine: str) -> Values:
    """The values of every named range, recalculated by an engine from formulas and inputs only.

    Raises:
        engines.EngineMissing: the engine is not installed.
        engines.EngineFailed: it could not recalculate the file.
    """
    with closing(recalculate(book, [engine])) as results:
        _, answers = next(results)
        return {name: grid if name in book.blocks else listed(grid) for name, grid in next(answers).items()}


def recalculate(
    book: Book,
    chosen: Sequence[str],
    edits: Sequence[Edits] = ({},),
    rest: Book | None = None,
    further: Sequence[Edits] = (),
) -> Generator[tuple[str, Iterator[Values]]]:
    """Recalculate every named range with each engine after each set of edits, one result in memory at a time.

    Args:
        book: the workbook.
        chosen: the engines.
        edits: sets of edits to the inputs; edits stay in effect for later sets.
        rest: the workbook without some ranges, which is recalculated after that.
        further: sets of edits for the rest, from the inputs as saved.

    Raises:
        engines.EngineMissing: an engine is not installed.
        engines.EngineFailed: an engine could not recalculate the file.
    """
    LOG.debug("", extra={"step": say("checking: copying formulas and inputs")})
    with temporary_folder() as folder:
        job = _job(book, folder / "copy.xlsx")
        for engine in chosen:
            LOG.debug("", extra={"step": say("evaluating: {engine}", engine=engine)})
            one = say("{path}: {engine} recalculates the workbook with 1 set of inputs")
            more = say("{path}: {engine} recalculates the workbook with {n} sets of inputs")
            n = len(edits) + len(further)
            LOG.info(say(more if n > 1 else one, path=book.path, engine=engine, n=n))
            with closing(_every_set(book, engine, job, edits, rest, further)) as answers:
                yield engine, answers


def _job(book: Book, copy: Path) -> engines.Job:
    """Save a copy of a workbook for engines, and list the areas to read."""
    without_values(book, copy, runs=False)
    return engines.Job(copy, _areas(book), book.runs)


def _areas(book: Book) -> dict[str, Area]:
    """The areas whose values engines return."""
    others = book.names.keys() - book.left_out - {START[part] for part in (*MANIFEST, *ORIGIN)}
    return {n: area for n, area in book.names.items() if n in others and n not in book.blocks}


def _every_set(
    book: Book,
    engine: str,
    job: engines.Job,
    edits: Sequence[Edits],
    rest: Book | None,
    further: Sequence[Edits],
) -> Generator[Values]:
    """The values of one engine after each set of edits, and after those for the rest of the workbook."""
    if rest is None or engine == engines.DEFAULT_ENGINE:
        later = None
        if rest is not None and further:
            saved = {at: _as_saved(book, *at) for cells in edits for at in cells}
            further = [{**saved, **further[0]}, *further[1:]]
            cleared = [book.names[name] for name in rest.left_out if name in book.names]
            later = engines.Rest(cleared, _areas(rest), further)
        yield from _sets(book, engine, job, edits, later)
        return
    yield from _sets(book, engine, job, edits)
    yield from _sets(rest, engine, _job(rest, job.path.with_name("rest.xlsx")), further)


def _as_saved(book: Book, tab: str, row: int, col: int) -> float | str:
    """The number or text typed into a cell; "" if it is blank."""
    value = book.typed.get((tab, row, col))
    if value is None and tab in book.runs:
        value = next((float(numbers[0]) for _, numbers in book.runs[tab].within(row, col, col)), None)
    return value if isinstance(value, float | str) else ""


def _sets(
    book: Book, engine: str, job: engines.Job, edits: Sequence[Edits], rest: engines.Rest | None = None
) -> Generator[Values]:
    """The values of one engine after each set of edits, and of the rest."""

    def edited(last: int, path: Path) -> None:
        without_values(book, path, edits[: last + 1])

    large: Any = {"limits": engines.LARGE, "edited": edited} if book.runs else {}
    typed: dict[At, float | str] = {}
    every = [*edits, *(rest.edits if rest else ())]
    with closing(engines.evaluate_edited(engine, job, edits, rest=rest, **large)) as answers:
        for cells, answer in zip(every, answers, strict=False):
            if isinstance(answer, engines.EngineFailed):
                raise _because(book, engine, answer)
            typed |= cells if book.runs else {}
            yield {**answer, **book.blocks.values([typed])}


def _because(book: Book, engine: str, failed: engines.EngineFailed) -> engines.EngineFailed:
    """Explain a failure of an engine by the file, if possible."""
    if engine != engines.DEFAULT_ENGINE:
        return failed
    if lost := structure.misplaced_arrays(book):
        sentence = "IronCalc cannot calculate it: {why}."
        return engines.EngineFailed(say(sentence, why=lost.message))
    return failed

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
from xlsxattn.tempdirs import workplace

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from pathlib import Path

    from xlsxattn.checker.cells import Edits, Grid
    from xlsxattn.checker.reading.book import Book

    Values = Mapping[str, Grid]

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
    book: Book, chosen: Sequence[str], edits: Sequence[Edits] = ({},)
) -> Generator[tuple[str, Iterator[Values]]]:
    """Recalculate every named range with each engine after each set of edits, one result in memory at a time.

    Args:
        book: the workbook.
        chosen: the engines.
        edits: sets of edits to the inputs; edits stay in effect for later sets.

    Raises:
        engines.EngineMissing: an engine is not installed.
        engines.EngineFailed: an engine could not recalculate the file.
    """
    LOG.debug("", extra={"step": say("checking: copying formulas and inputs")})
    with workplace() as folder:
        copy = folder / "copy.xlsx"
        without_values(book, copy, runs=False)
        others = book.names.keys() - book.left_out - {START[part] for part in (*MANIFEST, *ORIGIN)}
        areas = {n: area for n, area in book.names.items() if n in others and n not in book.blocks}
        job = engines.Job(copy, areas, book.runs)
        for engine in chosen:
            LOG.debug("", extra={"step": say("evaluating: {engine}", engine=engine)})
            one = say("{path}: {engine} recalculates the workbook with 1 set of inputs")
            more = say("{path}: {engine} recalculates the workbook with {n} sets of inputs")
            LOG.info(say(more if len(edits) > 1 else one, path=book.path, engine=engine, n=len(edits)))
            with closing(_sets(book, engine, job, edits)) as answers:
                yield engine, answers


def _sets(book: Book, engine: str, job: engines.Job, edits: Sequence[Edits]) -> Generator[Values]:
    """The values of one engine after each set of edits."""

    def edited(last: int, path: Path) -> None:
        without_values(book, path, edits[: last + 1])

    large: Any = {"limits": engines.LARGE, "edited": edited} if book.runs else {}
    typed: dict[tuple[str, int, int], float | str] = {}
    for cells, answer in zip(edits, engines.evaluate_edited(engine, job, edits, **large), strict=False):
        if isinstance(answer, engines.EngineFailed):
            raise _because(book, engine, answer)
        typed |= cells if book.runs else {}
        yield {**answer, **book.blocks.values([typed])}


def _because(book: Book, engine: str, failed: engines.EngineFailed) -> engines.EngineFailed:
    """Explain a failure of an engine by the file, if possible."""
    if engine != engines.DEFAULT_ENGINE:
        return failed
    if lost := structure.astray(book):
        sentence = "IronCalc cannot calculate it: {why}."
        return engines.EngineFailed(say(sentence, why=lost.message))
    return failed

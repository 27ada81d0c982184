"""Explains one cell in numbers: the cells its formula reads, its terms, the values of engines and NumPy."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from xlsxattn.checker import engines, structure
from xlsxattn.checker.cell_formulas import braced, formula_differs
from xlsxattn.checker.cells import listed
from xlsxattn.checker.check import reference
from xlsxattn.checker.compare import decidable, distance, must_be_blank, tolerance
from xlsxattn.checker.explanation import Computed, Explanation
from xlsxattn.checker.formula_terms import CellFormula
from xlsxattn.checker.manifest_formulas import with_expected_formulas
from xlsxattn.checker.reading.book import NotCheckableError, read, saved
from xlsxattn.checker.reading.limits import guarded
from xlsxattn.checker.recalculate import recalculate
from xlsxattn.checker.reference import ShapesDisagree
from xlsxattn.checker.reference.choices import own
from xlsxattn.contract.values import MASK_VALUE, SAVED
from xlsxattn.language import say
from xlsxattn.suggestions import nearest, with_near

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlsxattn.checker.cells import Value, Values
    from xlsxattn.checker.manifest_formulas import Rebuild
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.checker.reference import Expected

ASKED = re.compile(r"(\w+)(?:\[ *(\d{1,7}) *, *(\d{1,7}) *\])?")


def explain(
    path: str | Path, cell: str, engine: str = engines.DEFAULT_ENGINE, *, rebuild: Rebuild | None = None
) -> Explanation:
    """Explain one cell of a range in numbers, as `xlsxattn.proof.explain`.

    ``rebuild`` generates the expected formulas of a workbook; None to trust the manifest.
    """
    with guarded(path):
        book = read(Path(path))
        table = rebuild(book) if rebuild else None
        book = with_expected_formulas(book, table)[0] if table else book
        name, place = _range_and_cell(book, cell)
        by_engine = _evaluated(book, engine)
        values = next(iter(by_engine.values()))
        wanted = _reference(book, values).get(name)
        i, j = place or _cell_to_explain(
            wanted, {one: listed(grids[name]) for one, grids in by_engine.items()}
        )
        return _explained(book, name, i, j, by_engine, wanted)


def _range_and_cell(book: Book, cell: str) -> tuple[str, tuple[int, int] | None]:
    """The range and, if one was named, the row and column in it, from 0."""
    match = ASKED.fullmatch(cell.strip())
    if match is None:
        sentence = "{path}: found {cell!r}, expected a range or one of its cells: RANGE[row,column], from 1"
        raise NotCheckableError(say(sentence, path=book.path, cell=cell))
    name = match[1]
    if name not in book.names:
        said = say("{path}: there is no range {name!r}", path=book.path, name=name)
        if nearest(name, book.names) is None:
            sentence = "{path}: there is no range {name!r}; 'xlsxattn show --list' shows them all"
            said = say(sentence, path=book.path, name=name)
        raise NotCheckableError(with_near(said, name, book.names))
    if match[2] is None:
        return name, None
    area, row, col = book.names[name], int(match[2]), int(match[3])
    if not (1 <= row <= area.rows and 1 <= col <= area.cols):
        sentence = "{path}: {name} has the cells [1,1] to [{rows},{cols}]; there is no [{row},{col}]"
        size = {"rows": area.rows, "cols": area.cols}
        raise NotCheckableError(say(sentence, path=book.path, name=name, row=row, col=col, **size))
    return name, (row - 1, col - 1)


def _evaluated(book: Book, engine: str) -> dict[str, Values]:
    """The values of all ranges by each engine."""
    if engine == SAVED:
        return {SAVED: saved(book)}
    chosen = engines.ENGINES if engine == "all" else (engine,)
    with closing(recalculate(book, chosen)) as evaluated:
        return {name: next(answers) for name, answers in evaluated}


def _reference(book: Book, values: Values) -> Mapping[str, Expected]:
    """The expected values of every range.

    Raises:
        NotCheckableError: the inputs cannot be used, for the reason in the message.
    """
    finding = next(structure.unreadable_inputs(book, values), None)
    try:
        if finding is None:
            return reference(book, values)
    except ShapesDisagree as error:
        finding = error.finding
    said = say("{cell}: {said}", cell=finding.cell, said=finding.message) if finding.cell else finding.message
    raise NotCheckableError(say("{path}: {said}", path=book.path, said=said))


def _cell_to_explain(wanted: Expected | None, grids: Mapping[str, list[list[Value]]]) -> tuple[int, int]:
    """The cell with the largest error, or the first one of largest magnitude."""
    worst, largest = (0.0, 0, 0), (-1.0, 0, 0)
    for engine, grid in grids.items():
        for i, row in enumerate(grid):
            for j, value in enumerate(row):
                computed = _computed(engine, value, wanted, i, j)
                if computed.verdict == "differs" and computed.error > worst[0]:
                    worst = computed.error, i, j
                if isinstance(value, float) and value != MASK_VALUE and abs(value) > largest[0]:
                    largest = abs(value), i, j
    _, i, j = worst if worst[0] else largest
    return i, j


def _computed(engine: str, value: Value, wanted: Expected | None, i: int, j: int) -> Computed:
    """An engine's value of a cell, compared with NumPy's."""
    if wanted is None or i >= wanted.values.shape[0] or j >= wanted.values.shape[1]:
        return Computed(engine, value, 0.0, "")
    error = distance(value, wanted.values[i, j], wanted.kind)
    if not decidable(wanted, engine):
        return Computed(engine, value, error, "not decidable")
    good = error <= tolerance(wanted, engine) or (value is None and wanted.blank_ok)
    return Computed(engine, value, error, "ok" if good else "differs")


def _explained(
    book: Book, name: str, i: int, j: int, by_engine: Mapping[str, Values], wanted: Expected | None
) -> Explanation:
    first = next(iter(by_engine))
    computed = tuple(
        _computed(engine, listed(values[name])[i][j], wanted, i, j) for engine, values in by_engine.items()
    )
    right = None if wanted is None or not computed[0].verdict else wanted.values[i, j]
    formula = CellFormula(book, by_engine[first], name, i, j) if name in book.manifest.formulas else None
    filled = None if must_be_blank(right) else formula  # right of the diagonal nothing is computed
    terms = filled.terms() if filled else ()
    return Explanation(
        path=str(book.path),
        range=name,
        row=i + 1,
        column=j + 1,
        cell=book.names[name].address(i, j),
        formula=braced(formula.text, array=formula.entered != "cells") if formula else "",
        in_file=formula_differs(book, name, i, j) if formula else None,
        reads=filled.reads() if filled else (),
        terms=terms,
        numbers=filled.in_numbers() if filled and not terms else "",
        expected=None if right is None or must_be_blank(right) else _value(own(right)),
        allowed=float(tolerance(wanted, first)) if wanted else 0.0,
        engines=computed,
    )


def _value(right: object) -> Value:
    return right if isinstance(right, str) else float(right)  # type: ignore[arg-type]

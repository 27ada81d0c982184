"""The check: recalculate without saved values, compare with NumPy, and repeat with perturbed inputs."""

from __future__ import annotations

import hashlib
import logging
import time
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from openpyxl.utils import coordinate_to_tuple

from xlsxattn.checker import cell_formulas, engines, external_links, structure, typed_rows
from xlsxattn.checker.ambiguity import ambiguities
from xlsxattn.checker.answer_cells import formula_cells, misplaced, reads
from xlsxattn.checker.appearance import misleading_views
from xlsxattn.checker.causes import traced
from xlsxattn.checker.cells import listed
from xlsxattn.checker.compare import (
    Result,
    agreeing,
    compare,
    decidable,
    distance,
    either,
    limits,
    tolerance,
)
from xlsxattn.checker.dependencies import Order
from xlsxattn.checker.exercise import both, checked_answers, typed_in, wrong_answers
from xlsxattn.checker.fill_in import filled_in
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding
from xlsxattn.checker.hidden_sheets import hidden_sheets
from xlsxattn.checker.lost_formulas import lost_formulas
from xlsxattn.checker.manifest_formulas import Rebuild, with_expected_formulas
from xlsxattn.checker.perturb import FEW, perturbed
from xlsxattn.checker.reading.book import NotCheckableError, array_of, read, saved_results
from xlsxattn.checker.reading.book import saved as saved_in
from xlsxattn.checker.reading.limits import ValuesOnlyError, guarded
from xlsxattn.checker.reading.manifest import affordable
from xlsxattn.checker.recalculate import recalculate
from xlsxattn.checker.reference import ShapesDisagree, expected_of_sets
from xlsxattn.checker.reference.choices import OneOf
from xlsxattn.checker.report import EngineReport, Report
from xlsxattn.checker.stale import stale
from xlsxattn.checker.unknown_words import lacking
from xlsxattn.checker.volatile import calculated_inputs, volatile_formulas
from xlsxattn.checker.without_trainings import is_trained, without_trainings
from xlsxattn.contract.names import WORDS, is_text
from xlsxattn.contract.values import SAVED, Engine, Inputs
from xlsxattn.language import say
from xlsxattn.suggestions import one_of
from xlsxattn.system_errors import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xlsxattn.checker.cells import Edits, Grid, Values
    from xlsxattn.checker.exercise import Answer
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.checker.reference import Expected

LOG = logging.getLogger(__name__)
MAX_VALUES = 750_000
"""Maximum number of values of all sets of inputs that are proved at once."""
SEED_BYTES = 4
"""Bytes of the file's digest that are the seed of the last set of inputs: short enough to type."""


def check(
    path: str | Path,
    engine: Engine = engines.DEFAULT_ENGINE,
    inputs: Inputs = "perturbed",
    *,
    few: bool = False,
    seed: int | None = None,
    rebuild: Rebuild | None = None,
) -> Report:
    """Prove a workbook, as `xlsxattn.proof.check`.

    ``rebuild`` generates the expected formulas of a workbook; None to trust the manifest.
    """
    one_of("engine", engine, get_args(Engine))
    one_of("inputs", inputs, get_args(Inputs))
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or seed < 0):
        raise ValueError(say("seed: found {found!r}, expected an integer of at least 0", found=seed))
    start = time.perf_counter()
    with guarded(path):
        report = _check(path, engine, inputs, seed, rebuild, few=few)
    return replace(report, seconds=time.perf_counter() - start)


def _check(
    path: str | Path, engine: str, inputs: Inputs, seed: int | None, rebuild: Rebuild | None, *, few: bool
) -> Report:
    LOG.debug("", extra={"step": say("checking: reading")})
    try:
        book = read(Path(path))
    except ValuesOnlyError:
        return Report(str(path), (), (Finding(Kind.FORMULAS_LOST),))
    if lost := lost_formulas(book):
        return Report(str(path), (), (lost,), book.saved_by)
    book, faults = _with_expected_formulas(book, seed, rebuild)
    saved = saved_in(book)
    runs, first = _proofs(book, engine, saved, inputs, few=few)
    fresh = next(iter(first.values()))
    findings = [
        *faults,
        *([lost] if (lost := structure.misplaced_arrays(book)) else []),
        *structure.misplaced_formulas(book),
        *structure.moved_names(book),
        *misplaced(book),
        *cell_formulas.other_formulas(book),
        *external_links.external_content(book),
        *ambiguities(book),
        *volatile_formulas(book),
        *calculated_inputs(book),
        *hidden_sheets(book),
        *misleading_views(book),
        *lacking(book, fresh),
        *typed_rows.outdated(book, fresh),
    ]
    if engine != SAVED:
        findings += stale(book, saved, fresh, runs[0].engine, lambda: _expected_or_nothing(book, fresh))
    findings += _disagreements(book, first)
    traced_runs, traced_findings = traced(book, runs, findings)
    return Report(str(path), tuple(traced_runs), tuple(traced_findings), book.saved_by, book.seed)


def _with_expected_formulas(
    book: Book, seed: int | None, rebuild: Rebuild | None
) -> tuple[Book, tuple[Finding, ...]]:
    """The workbook with its expected formulas, and the faults of its manifest."""
    if seed is None:
        with book.path.open("rb") as file:
            seed = int.from_bytes(hashlib.file_digest(file, "sha256").digest()[:SEED_BYTES])
    LOG.info(say("{path}: the seed of the last set of inputs is {seed}", path=book.path, seed=seed))
    table = rebuild(book) if rebuild else None
    right, faults = with_expected_formulas(book, table) if table else (book, ())
    return replace(right, seed=seed, reads=reads(right)), faults


def _proofs(
    book: Book, engine: str, saved: Values, inputs: Inputs, *, few: bool
) -> tuple[tuple[EngineReport, ...], dict[str, Values]]:
    """The proof of each engine, and its values for the saved inputs."""
    if engine == SAVED:
        if all(value is None for value in saved_results(book)):
            sentence = "{path}: the file has no saved values; recalculate and save it first"
            raise NotCheckableError(say(sentence, path=book.path))
        return (prove(book, SAVED, saved),), {SAVED: saved}
    perturb = inputs == "perturbed" and _complete(book)
    sets = perturbed(book, few=few) if perturb else []
    blank = book.manifest.exercise and not any(formula_cells(book))
    edits = [{}, *([] if blank else sets)]
    chosen = engines.ENGINES if engine == "all" else (engine,)
    runs: list[EngineReport] = []
    first: dict[str, Values] = {}
    rest = without_trainings(book) if perturb and is_trained(book) else None
    further = perturbed(rest, few=few) if rest else []
    with closing(recalculate(book, chosen, edits, rest, further)) as evaluated:
        for name, answers in evaluated:
            values = next(answers)
            last = len(edits) - 1 + len(further)
            LOG.debug("", extra={"step": say("checking: NumPy"), "done": 0, "of": last + 1})
            report = prove(book, name, values)
            report = _with_further(book, report, islice(answers, len(sets)), 1, last)
            if rest:
                report = _with_further(rest, report, answers, len(edits), last)
            runs.append(report)
            first[name] = {n: grid if n in book.blocks else listed(grid) for n, grid in values.items()}
    if perturb and book.manifest.exercise:
        runs = _filled_in(book, runs, sets if blank else sets[::FEW], len(sets))
    return tuple(runs), first


def _filled_in(
    book: Book, runs: Sequence[EngineReport], edits: Sequence[Edits], before: int
) -> list[EngineReport]:
    """The same, also with other answers to an exercise: right, wrong and incomplete ones.

    `before` sets of inputs precede these.
    """
    if not any(map(_agrees, runs)):
        return [*runs]
    copy, sets = filled_in(book, edits)
    number, last = before + 1, before + len(sets)
    proved: list[EngineReport] = []
    with closing(recalculate(copy, [run.engine for run in runs], sets)) as evaluated:
        for run, (name, answers) in zip(runs, evaluated, strict=True):
            if not _agrees(run):
                proved.append(run)
                continue
            more = prove(copy, name, next(answers))
            more = replace(more, findings=tuple(replace(f, round=number) for f in more.findings))
            more = _with_further(copy, more, answers, number + 1, last)
            new = (f for f in more.findings if f.kind not in (Kind.WRONG_ANSWER, Kind.OVERFLOW))
            proved.append(replace(run, findings=(*run.findings, *new)))
    return proved


def _agrees(run: EngineReport) -> bool:
    """Whether everything agrees except wrong answers to an exercise."""
    return all(finding.kind is Kind.WRONG_ANSWER for finding in run.findings)


def _complete(book: Book) -> bool:
    """Whether all inputs have their names; otherwise they cannot be perturbed, and the check reports it."""
    return all(name in book.names for name in book.manifest.inputs) and WORDS["Focus"] in book.names


def _with_further(
    book: Book, report: EngineReport, others: Iterator[Values], number: int, last: int
) -> EngineReport:
    """The report with further sets, the first of which has this number, until a fault is found."""
    while _agrees(report) and (sets := [*islice(others, _at_once(book))]):
        right = _all_right(book, report.engine, sets)
        if right is not None:
            report = replace(report, results=_worse(report.results, right))
        else:
            report = _one_by_one(book, report.engine, sets, report, number)
        number += len(sets)
        LOG.debug("", extra={"step": say("checking: NumPy"), "done": number - 1, "of": last + 1})
    return report


def _at_once(book: Book) -> int:
    """The number of sets of inputs that are proved at once, so that memory stays bounded."""
    areas = (area for name, area in book.names.items() if name not in book.left_out)
    return max(1, MAX_VALUES // sum(area.rows * area.cols for area in areas))


def _one_by_one(
    book: Book, engine: str, sets: Sequence[Values], report: EngineReport, number: int
) -> EngineReport:
    """The report with further sets, the first of which has this number, until one has a fault."""
    for i, values in enumerate(sets, number):
        more = prove(book, engine, values, perturbed=True)
        found = tuple(replace(f, round=i) for f in more.findings if f.kind is not Kind.OVERFLOW)
        answers = both(report.answers, more.answers)
        known = {f.range for f in report.findings}
        new = tuple(f for f in found if f.kind is not Kind.WRONG_ANSWER or f.range not in known)
        report = EngineReport(engine, _worse(report.results, more.results), (*report.findings, *new), answers)
        if not _agrees(report):
            break
    return report


def _all_right(book: Book, engine: str, sets: Sequence[Values]) -> list[Result] | None:
    """The worst result of each range if all sets agree; None if they must be examined one by one.

    This is the case if anything differs, and in exercises, whose answers are checked.
    """
    if book.manifest.exercise or any(
        next(structure.unreadable_inputs(book, values), None) for values in sets
    ):
        return None
    try:
        wanted = references(book, sets, engine)
    except (ShapesDisagree, NotCheckableError):  # raised again for the set that causes it
        return None
    if book.manifest.formulas.keys() - wanted.keys():
        return None
    shown = _shown(book, sets, wanted)
    results: list[Result] = []
    each = limits(wanted.values(), len(sets), engine)
    for (name, right), limit in zip(wanted.items(), each, strict=True):
        area = book.names.get(name)
        if area is None or (area.rows, area.cols) != right.values.shape[-2:]:
            return None
        worst = agreeing(name, right, area, [values[name] for values in shown], limit, engine)
        if worst is None:
            return None
        results.append(worst)
    return results


def _shown(book: Book, sets: Sequence[Values], wanted: Mapping[str, Expected]) -> list[Values]:
    """The values to compare, with 0 and empty texts for blank inputs."""
    inputs = [name for name in book.inputs if name in wanted and name not in book.blocks]
    return [
        {**values, **{n: x.tolist() if is_text(n) else x for n, x in _arrays(values, inputs).items()}}
        for values in sets
    ]


def _worse(first: Sequence[Result], second: Sequence[Result]) -> tuple[Result, ...]:
    """For each range, the result with the larger error relative to the tolerance."""
    later = {result.range: result for result in second if result.verdict != "not decidable"}
    return tuple(max(r, later.get(r.range, r), key=lambda result: result.badness) for r in first)


def prove(book: Book, engine: str, values: Values, *, perturbed: bool = False) -> EngineReport:
    """Compare the values of an engine with the reference, computed from the inputs of the workbook.

    If these are perturbed, numbers that a reader has typed as answers are not checked.
    """
    unreadable = [_with_formula(book, finding) for finding in structure.unreadable_inputs(book, values)]
    if unreadable:
        return EngineReport(engine, (), tuple(unreadable))
    try:
        wanted = reference(book, values, engine)
    except ShapesDisagree as error:
        return EngineReport(engine, (), (_placed(book, error.finding),))
    results: list[Result] = []
    findings: list[Finding] = []
    answers: tuple[Answer, ...] = ()
    if book.manifest.exercise:
        wanted, answers = checked_answers(book, values, wanted, engine, perturbed=perturbed)
        findings += wrong_answers(book, answers)
    for result, found in compare(wanted, book.names, _shown(book, [values], wanted)[0], engine):
        results.append(result)
        findings += [_with_formula(book, finding) for finding in found]
    findings = _overflown(wanted, Order(book).findings(findings)) if findings else []
    unknown = [name for name in book.manifest.formulas if name not in wanted]
    findings += [Finding(Kind.UNKNOWN_RANGE, name) for name in unknown]
    return EngineReport(engine, tuple(results), tuple(findings), answers)


def _overflown(wanted: Mapping[str, Expected], findings: list[Finding]) -> list[Finding]:
    """Sorted findings, with one instead of all error values of ranges that overflow in NumPy as well."""

    def overflows(finding: Finding) -> bool:
        return finding.kind is Kind.ERROR_VALUE and wanted[finding.range].overflows

    others: list[Finding] = []
    for finding in findings:
        if not overflows(finding):
            others.append(finding)
        elif not any(f.kind is Kind.OVERFLOW for f in others):
            others.append(Finding(Kind.OVERFLOW, finding.range))
    return others


def _placed(book: Book, finding: Finding) -> Finding:
    """A finding on a range, with its first cell as location."""
    area = book.names.get(finding.range)
    return replace(finding, cell=area.address(), sheet=area.sheet) if area else finding


def reference(book: Book, values: Values, engine: str = "") -> Mapping[str, Expected]:
    """The expected values of every range, computed from the inputs (and answers) among these values."""
    return {name: x.of(0) for name, x in references(book, [values], engine).items()}


def references(book: Book, sets: Sequence[Values], engine: str = "") -> Mapping[str, Expected]:
    """The expected values of every range with several sets of inputs, which are the leading axis."""
    try:
        manifest, trained, names = book.manifest, [*_trained(book)], book.inputs
        inputs = [_arrays(values, names) | typed_in(book, values, engine) for values in sets]
        for one in inputs:
            affordable(book.path, manifest, one)
        wanted = expected_of_sets(
            manifest.sheets,
            manifest.contexts,
            inputs,
            read=[{name: values[name] for name in trained} for values in sets],
            front=manifest.front,
            language=manifest.language,
        )
        wanted = {n: x for n, x in wanted.items() if n in manifest.formulas or not x.optional}
        wanted = {n: x for n, x in wanted.items() if n not in book.left_out}
        return _without_optional_marks(wanted) if manifest.program else wanted
    except (ShapesDisagree, NotCheckableError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - a manifest may contain anything
        sentence = "{path}: the manifest does not fit the workbook: {error}"
        raise NotCheckableError(say(sentence, path=book.path, error=words(error))) from None


def _trained(book: Book) -> Iterator[str]:
    """The ranges of training sheets: each step is proved from the computed values of the previous one."""
    trainings = book.manifest.trainings
    return (n for n in (book.names if trainings else ()) if book.manifest.parse(n).sheet in trainings)


def _without_optional_marks(wanted: Mapping[str, Expected]) -> dict[str, Expected]:
    """Expected ranges without marks that only workbooks of the first version may have."""

    def today(value: object) -> object:
        return value.values[0] if isinstance(value, OneOf) else value

    each: Any = np.frompyfunc(today, 1, 1)
    marks = {n: replace(x, values=each(x.values)) for n, x in wanted.items() if x.kind == "mark"}
    return {**wanted, **marks}


def _arrays(values: Values, names: Sequence[str]) -> dict[str, np.ndarray[Any, Any]]:
    """The values of inputs as arrays, with 0 and empty texts for blanks."""
    return {name: array_of(values[name], text=is_text(name)) for name in names}


def _expected_or_nothing(book: Book, values: Values) -> Mapping[str, Expected]:
    """The expected values of every range; empty if inputs are unreadable, which is reported elsewhere."""
    if next(structure.unreadable_inputs(book, values), None):
        return {}
    try:
        return reference(book, values)
    except ShapesDisagree:
        return {}


def _disagreements(book: Book, evaluated: Mapping[str, Values]) -> Iterator[Finding]:
    """Cells whose values differ between engines by more than their tolerances."""
    names = list(evaluated)
    if not names[1:] or next(structure.unreadable_inputs(book, evaluated[names[0]]), None):
        return
    first = evaluated[names[0]]
    try:
        wanted = reference(book, first)
    except ShapesDisagree:
        return
    for other in names[1:]:
        for name, right in wanted.items():
            sure = decidable(right, names[0]) and decidable(right, other)
            sure = sure and name not in book.reads  # not all engines can compute every answer
            if name in book.names and sure and name in book.manifest.formulas:
                finding = _apart(book, name, right, (names[0], first[name]), (other, evaluated[other][name]))
                if finding is not None:
                    yield finding


def _apart(
    book: Book, name: str, right: Expected, one: tuple[str, Grid], two: tuple[str, Grid]
) -> Finding | None:
    (first, grid), (second, other) = one, two
    allowed = tolerance(right, first) + tolerance(right, second)
    for i, row in enumerate(grid):
        for j, value in enumerate(row):
            apart = value != other[i][j] and (value or "") != (other[i][j] or "")
            if apart and isinstance(value, float):
                apart = not distance(other[i][j], value, "number") <= allowed
            if apart and right.values.shape == (len(grid), len(row)):
                apart = not either(right, i, j, (value, other[i][j]))
            if apart:
                return Finding(
                    Kind.ENGINES_DISAGREE,
                    name,
                    book.names[name].address(i, j),
                    found=other[i][j],
                    expected=value,
                    values={"first": first, "one": value, "second": second, "two": other[i][j]},
                )
    return None


def _with_formula(book: Book, finding: Finding) -> Finding:
    """Add the formula of the cell in the file, or what a name refers to instead of cells."""
    if finding.kind is Kind.MISSING and finding.range in book.no_ranges:
        return replace(finding, values={"text": book.no_ranges[finding.range]})
    if not finding.cell:
        return finding
    tab = book.names[finding.range].sheet
    row, col = coordinate_to_tuple(finding.cell.removeprefix(f"{tab}!"))
    return replace(finding, formula=book.formula_at(tab, row - 1, col - 1))

"""Checks tampered files: each must be refused, or have a finding of the right kind."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from dev.campaign.mutants import Mutant
from dev.campaign.outcome import Outcome
from dev.campaign.places import NotApplicable, local
from dev.campaign.tampered import archives, cells, computing, styles, views
from xlsxattn.checker.appearance import misleading_views
from xlsxattn.checker.check import check
from xlsxattn.checker.reading.book import NotCheckableError, read
from xlsxattn.formula_table import rebuilt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dev.campaign.places import Make
    from xlsxattn.checker.findings import Finding

REFUSED = archives.REFUSED | cells.REFUSED | styles.REFUSED
TWO_READINGS, COMPUTES, SHOWS = "read in two ways", "computes something else", "shows something else"
TAMPERED = (TWO_READINGS, COMPUTES, SHOWS)
ONE_OF = 6
"""Each workbook is tampered with in one of this many ways, and the next workbook in the next ones."""


class Way(NamedTuple):
    """A way to tamper: its kind, what is done, and the expected message or kind of finding."""

    kind: str
    what: str
    make: Make
    expected: str
    severity: str = ""


WAYS = (
    *(Way(TWO_READINGS, what, *way) for what, way in REFUSED.items()),
    *(Way(COMPUTES, what, *way, "error") for what, way in computing.ERRORS.items()),
    *(Way(COMPUTES, what, *way, "warning") for what, way in computing.WARNINGS.items()),
    *(Way(SHOWS, what, make, kind) for what, (make, kind, _) in views.VIEWS.items()),
)


def chosen(turn: int) -> tuple[Way, ...]:
    """The ways to tamper with one workbook; the next workbooks have the others."""
    return WAYS[turn % ONE_OF :: ONE_OF]


def outcomes(path: Path, ways: tuple[Way, ...]) -> Iterator[Outcome]:
    """Tamper with a workbook in these ways, as far as it has what they change."""
    copy = path.with_name(f"tampered-{os.getpid()}.xlsx")
    for way in ways:
        try:
            way.make(path, copy)
        except NotApplicable:
            continue
        said, found = _found(way, path, copy)
        mutant = Mutant(way.kind, (), f"{path.stem}: {way.what}")
        yield Outcome(mutant, "tampering" if found else "missed", said)


def _found(way: Way, path: Path, copy: Path) -> tuple[str, bool]:
    """The message or findings for a tampered file, and whether they are as expected."""
    try:
        findings = _findings(way, copy)
    except NotCheckableError as error:
        return str(error), way.kind == TWO_READINGS and local(path, way.expected) in str(error)
    right = [f for f in findings if f.kind == way.expected and way.severity in ("", f.severity)]
    told = next(iter(right or findings), None)
    return str(told.message) if told else "the check has no findings", bool(right)


def _findings(way: Way, copy: Path) -> list[Finding]:
    if way.kind == SHOWS:
        return [*misleading_views(read(copy))]
    return [*check(copy, inputs="as-saved", rebuild=rebuilt).every_finding]

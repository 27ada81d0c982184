"""What the campaign has to say: a table by kind, what no value can show and why, and the score."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tabulate import tabulate

from campaign.reasons import UNEXPLAINED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from campaign.judge import Outcome, Verdict

HEADERS = (
    "kind",
    "made",
    "found as saved",
    "found by perturbation only",
    "no value can show, found by structure",
    "missed",
)
FAILED: tuple[Verdict, ...] = ("missed", "misnamed", "not in structure")


def table(outcomes: Sequence[Outcome]) -> str:
    """One line a kind: how many were made, and what found them."""
    kinds = sorted({outcome.mutant.kind for outcome in outcomes})
    rows = [_row(kind, [o for o in outcomes if o.mutant.kind == kind]) for kind in kinds]
    return tabulate([*rows, _row("all", outcomes)], headers=HEADERS)


def _row(kind: str, outcomes: Sequence[Outcome]) -> tuple[str, int, int, int, int, int]:
    count = Counter(outcome.verdict for outcome in outcomes)
    missed = sum(count[verdict] for verdict in FAILED)
    return kind, len(outcomes), count["as saved"], count["perturbed"], count["equivalent"], missed


def reasons(outcomes: Sequence[Outcome]) -> str:
    """Why those that no value can show cannot be shown, with how many of which kind."""
    count = Counter((o.said, o.mutant.kind) for o in outcomes if o.verdict == "equivalent")
    rows = [(said, kind, number) for (said, kind), number in sorted(count.items())]
    return tabulate(rows, headers=("no input changes a value, because", "kind", "mutants"))


def failures(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Every mutant that went unseen, was found under another name, or is equivalent by no rule."""
    for o in outcomes:
        if o.verdict in FAILED or (o.verdict == "equivalent" and o.said == UNEXPLAINED):
            yield f"{o.verdict}: {o.mutant.kind}: {o.mutant.what}\n    {o.said}"


def listed(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Every mutant in a line: what became of it and the first finding."""
    for o in outcomes:
        yield f"{o.verdict}: {o.mutant.kind}: {o.mutant.what}\n    {o.said}"


def score(outcomes: Sequence[Outcome]) -> tuple[str, bool]:
    """The score in one line, and whether nothing is left to wish for."""
    count = Counter(outcome.verdict for outcome in outcomes)
    found = count["as saved"] + count["perturbed"]
    change = found + count["missed"] + count["misnamed"]
    cannot = count["equivalent"] + count["not in structure"]
    percent = 100 * found / change if change else 100.0
    shown = "100" if found == change else f"{min(percent, 99.9):.1f}"
    line = (
        f"score: {found:,} of {change:,} mutants that change a value were found ({shown} %, "
        f"{count['perturbed']:,} by perturbation only), "
        f"{count['equivalent']:,} of {cannot:,} that cannot were caught by structure"
    )
    return line, not list(failures(outcomes)) and count["perturbed"] > 0

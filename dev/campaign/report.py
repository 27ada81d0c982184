"""The report of the campaign: a table of kinds, the reasons for equivalent mutants, and the score."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dev.campaign.tampered import TAMPERED, WAYS
from xlsxattn.text_table import text_table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from dev.campaign.outcome import Outcome, Verdict

HEADERS = (
    "kind",
    "made",
    "found as saved",
    "found by perturbation only",
    "equivalent, found by structure",
    "found by its formula",
    "found in the tampered file",
    "missed",
)
PUBLISHED = {
    "Q's bias in K and V": "K and V have Q's bias",
    "the first token in every MLP": "every token's MLP reads the first token",
    "the residual adds the input": "from layer 2 on, the residual of attention adds the embedding again",
    "one column's bias": "a column of the MLP has another one's bias",
    "sample variance": "layer norm uses the sample variance",
}
"""Kinds of faults in a published workbook of nanoGPT, with descriptions."""
FAILED: tuple[Verdict, ...] = ("missed", "misnamed", "not in structure", "unexplained", "trusted")


def table(outcomes: Sequence[Outcome]) -> str:
    """A table with one row for each kind: how many were made, and how they were found."""
    kinds = sorted({outcome.mutant.kind for outcome in outcomes})
    rows = [_row(kind, [o for o in outcomes if o.mutant.kind == kind]) for kind in kinds]
    return text_table(HEADERS, [*rows, _row("all", outcomes)])


def _row(kind: str, outcomes: Sequence[Outcome]) -> tuple[str, int, int, int, int, int, int, int]:
    count = Counter(outcome.verdict for outcome in outcomes)
    missed = sum(count[verdict] for verdict in FAILED)
    return (
        kind,
        len(outcomes),
        count["as saved"],
        count["perturbed"],
        count["equivalent"],
        count["by its formula"],
        count["tampering"],
        missed,
    )


def published(outcomes: Sequence[Outcome]) -> str:
    """A table of the five faults of the nanoGPT workbook: how many were made and found."""
    rows = []
    for kind, words in PUBLISHED.items():
        _, made, *found, _, _, _, _ = _row(kind, [o for o in outcomes if o.mutant.kind == kind])
        rows.append((words, kind, made, sum(found)))
    return text_table(("fault of a published nanoGPT workbook", "kind", "made", "found"), rows)


def unmade(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Those of the five faults without any mutant; the templates must have at least one of each."""
    made = {outcome.mutant.kind for outcome in outcomes}
    yield from (f"not made: {kind}" for kind in PUBLISHED if kind not in made)


def untampered(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Ways to tamper that were not tried; each must be, on at least one workbook."""
    tampered = {outcome.mutant.what.partition(": ")[2] for outcome in outcomes}
    yield from (f"not made: {way.what}" for way in WAYS if way.what not in tampered)


def reasons(outcomes: Sequence[Outcome]) -> str:
    """A table of the reasons for equivalent mutants, with the number of each kind."""
    count = Counter((o.said, o.mutant.kind) for o in outcomes if o.verdict == "equivalent")
    rows = [(said, kind, number) for (said, kind), number in sorted(count.items())]
    return text_table(("no input changes a value, because", "kind", "mutants"), rows)


def failures(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Every mutant that was missed, misnamed, or is equivalent without a reason."""
    for o in outcomes:
        if o.verdict in FAILED:
            yield f"{o.verdict}: {o.mutant.kind}: {o.mutant.what}\n    {o.said}"


def listed(outcomes: Sequence[Outcome], verdicts: Collection[str]) -> Iterator[str]:
    """Every mutant with one of these verdicts, with its first finding."""
    for o in (outcome for outcome in outcomes if outcome.verdict in verdicts):
        yield f"{o.verdict}: {o.mutant.kind}: {o.mutant.what}\n    {o.said}"


def score(outcomes: Sequence[Outcome]) -> tuple[str, bool]:
    """The score in one line, and whether the campaign succeeded."""
    count = Counter(outcome.verdict for outcome in outcomes)
    tampered = [o for o in outcomes if o.mutant.kind in TAMPERED]
    missed = sum(o.verdict == "missed" for o in tampered)
    found = count["as saved"] + count["perturbed"]
    change = found + count["missed"] - missed + count["misnamed"]
    cannot = count["equivalent"] + count["unexplained"] + count["not in structure"]
    blind = count["by its formula"]
    percent = 100 * found / change if change else 100.0
    shown = "100" if found == change else f"{min(percent, 99.9):.1f}"
    line = (
        f"score: {found:,} of {change:,} mutants that change a value were found ({shown} %, "
        f"{count['perturbed']:,} by perturbation only), "
        f"{count['equivalent']:,} of {cannot:,} that cannot were caught by structure, "
        f"{blind:,} of {blind + count['trusted']:,} that blind live checks or edit the manifest too "
        f"were errors, {len(tampered) - missed:,} of {len(tampered):,} tampered files were found"
    )
    return line, not list(failures(outcomes)) and count["perturbed"] > 0

"""What a check has to say, for people; the formats for programs are in formats.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from xlsxattn.checker.file_type import is_owner_file
from xlsxattn.checker.findings import distinct
from xlsxattn.language import ENGLISH, message, say
from xlsxattn.text_table import text_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from xlsxattn.checker.compare import Result
    from xlsxattn.checker.findings import Finding, Severity
    from xlsxattn.language import Language, Phrase

MAX_SHOWN, MAX_CAUSES, MAX_ALIKE, MAX_FOLLOWING = 20, 100, 3, 3
"""So many groups of findings are told, besides so many sure causes; of a group; of what follows."""
MAX_WARNINGS, MAX_FAILING, MAX_IN_NOTEBOOK = 3, 10, 3
"""Warnings that are listed where nothing is wrong, rows in the table of ranges that fail, and findings in a
notebook."""
HEADS = say("sheet"), say("range"), say("shape"), say("largest error"), say("verdict")
VERDICTS = {
    "ok": say("ok"),
    "differs": say("differs"),
    "missing": say("missing"),
    "not decidable": say("not decidable"),
}
SEVERITIES = {"error": say("error"), "warning": say("warning")}


@dataclass(frozen=True, slots=True)
class EngineReport:
    """What one engine's recalculation of the workbook gave: a result a range, and the findings."""

    engine: str
    results: tuple[Result, ...]
    findings: tuple[Finding, ...]

    def __repr__(self) -> str:
        return f"<EngineReport {self.engine}: {len(self.results)} ranges, {len(self.findings)} findings>"


@dataclass(frozen=True, slots=True)
class Report:
    """Everything found in one workbook.

    Attributes:
        path: the file, as it was named.
        runs: one for each engine that was asked.
        findings: of the file itself: misplaced or other formulas, stale values, engines that disagree.
        saved_by: the program that saved the file last, as the file says.
        seed: what the last set of inputs was drawn by: the file's digest, or what was asked for.
        seconds: how long the check took.
    """

    path: str
    runs: tuple[EngineReport, ...]
    findings: tuple[Finding, ...]
    saved_by: str = ""
    seed: int = 0
    seconds: float = field(default=0.0, compare=False)

    def __repr__(self) -> str:
        return f"<Report {summary(self)}>"

    def _repr_html_(self) -> str:
        """The verdict and the first findings, for a notebook."""
        every = self.every_finding
        lines = [
            f"<li>{finding.severity}: {escape(message(str(_at(finding))))}</li>"
            for finding in every[:MAX_IN_NOTEBOOK]
        ]
        more = len(every) - len(lines)
        more_line = [f"<li>... and {more} more in <code>every_finding</code></li>"] if more > 0 else []
        listed = f"<ul>{''.join([*lines, *more_line])}</ul>" if lines else ""
        return f"<p>{'✓' if self.holds else '✗'} {escape(message(summary(self)))}</p>{listed}"

    @property
    def every_finding(self) -> tuple[Finding, ...]:
        """Findings of the file and of all engines: causes first, then what follows from them."""
        found = (*self.findings, *(finding for run in self.runs for finding in run.findings))
        return tuple(sorted(found, key=rank))

    @property
    def causes(self) -> tuple[Finding, ...]:
        """Findings that follow from no other; what several engines show is one."""
        return distinct(finding for finding in self.every_finding if not finding.follows)

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong (warnings alone do not count)."""
        return all(finding.severity != "error" for finding in self.every_finding)

    @property
    def undecided(self) -> tuple[str, ...]:
        """Ranges whose magnitudes are such that nobody can tell a fault from rounding."""
        found = (r.range for run in self.runs for r in run.results if r.verdict == "not decidable")
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of one file: its report, or a sentence on why there is none, or that it was passed over."""

    path: str
    report: Report | None = None
    sentence: str = ""
    skipped: bool = False

    def verdict(self, *, strict: bool = False) -> str:
        """``holds``, ``fails``, ``not checkable`` or ``skipped``; when strict, warnings fail too."""
        if self.report is None:
            return "skipped" if self.skipped else "not checkable"
        good = not self.report.every_finding if strict else self.report.holds
        return "holds" if good else "fails"


class Line(NamedTuple):
    """A line of a report; without a severity where it counts findings."""

    text: str
    severity: Severity | None = None


def rank(finding: Finding) -> tuple[bool, bool, bool]:
    """Causes before what follows from them, errors before warnings, formulas before values (then after)."""
    follows = bool(finding.follows)
    return follows, finding.severity == "warning", finding.is_symptom != follows


def table(run: EngineReport, language: Language = ENGLISH) -> str:
    """One line a range: sheet, range, shape, largest error, verdict; labels that agree are summed up."""
    tell = language.tell
    texts = [r for r in run.results if r.kind != "number" and r.verdict == "ok"]
    rows = [_row(r, language) for r in run.results if r.kind == "number" or r.verdict != "ok"]
    if texts:
        rest = say("{n} ranges of words and live checks", n=len(texts))
        rows.append((tell("all"), tell(rest), "", "", tell("ok")))
    return text_table([tell(head) for head in HEADS], rows)


def failing(run: EngineReport, language: Language = ENGLISH) -> str:
    """The same table of the ranges that fail, the first few of them; "" where none does."""
    failed = [r for r in run.results if r.verdict in ("differs", "missing")]
    if not failed:
        return ""
    rows = [_row(r, language) for r in failed[:MAX_FAILING]]
    shown = text_table([language.tell(head) for head in HEADS], rows)
    more = say("... and {n} more ranges that fail (-v lists all)", n=len(failed) - MAX_FAILING)
    return f"{shown}\n{language.tell(more)}" if len(failed) > MAX_FAILING else shown


def _row(r: Result, language: Language) -> tuple[str, ...]:
    return r.tab, r.range, f"{r.shape[0]} × {r.shape[1]}", _error(r), language.tell(_verdict(r))


def _verdict(result: Result) -> str:
    """The verdict, and why more was allowed than rounding explains."""
    if result.coarse and result.verdict != "missing":
        sentence = "{verdict} (follows an exact GELU: the engine's Φ is good to 2.5e-11)"
        return say(sentence, verdict=VERDICTS[result.verdict])
    return VERDICTS[result.verdict]


def _error(result: Result) -> str:
    return "" if result.verdict in ("missing", "not decidable") else f"{result.error:.1e}"


def describe(
    findings: Iterable[Finding], language: Language = ENGLISH, *, short: bool = False
) -> Iterator[Line]:
    """Findings as lines: causes, each with cell and formula, then how much follows from them.

    Of each range the first few of a kind are listed, and how many more there are. ``short``: where there are
    only warnings, the first of them.
    """
    every = [*findings]

    def tell(text: str) -> str:
        return message(language.tell(text).replace("\n", " "))

    groups = alike(distinct(finding for finding in every if not finding.follows))
    sure = sum(group[0].severity == "error" and not group[0].is_symptom for group in groups)
    most = min(sure, MAX_CAUSES) + MAX_SHOWN
    if short and all(finding.severity == "warning" for finding in every):
        most = MAX_WARNINGS
    for group in groups[:most]:
        for finding, more in summed_up(group):
            said = say("{said} (and {more})", said=_at(finding), more=more) if more else _at(finding)
            line = tell(say("{severity}: {said}", severity=SEVERITIES[finding.severity], said=said))
            formula = tell(say("formula: {formula}", formula=finding.formula))
            yield Line(f"{line}\n    {formula}" if finding.formula else line, finding.severity)
    if len(groups) > most:
        yield Line(tell(say("... and {n} more findings", n=sum(map(len, groups[most:])))))
    if followed := distinct(finding for finding in every if finding.follows):
        shown = [group[0] for group in alike(followed)[:MAX_FOLLOWING]]
        yield Line("\n    ".join([tell(followers(followed)), *(tell(_at(finding)) for finding in shown)]))


def alike(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Findings of one kind in one range together, in the order of the first of each."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.kind, finding.range, finding.severity), []).append(finding)
    return [*groups.values()]


def summed_up(group: Sequence[Finding]) -> Iterator[tuple[Finding, str]]:
    """The findings of a group that are told, and with the last of them how many more there are."""
    shown = 1 if group[0].is_symptom else MAX_ALIKE
    more = len(group) - shown
    for finding in group[: shown - 1] if more > 0 else group:
        yield finding, ""
    if more > 0:
        one, many = say("{n:,} more cell, {cell}"), say("{n:,} more cells, the last {cell}")
        yield group[shown - 1], say(one if more == 1 else many, n=more, cell=group[-1].cell)


def followers(followed: Sequence[Finding], *, listed: bool = True) -> Phrase:
    """How much follows from the causes; before a list of the first, or alone."""
    ranges = {finding.range for finding in followed if finding.range}
    one, more = say("{n:,} more finding follows from these"), say("{n:,} more findings follow from these")
    counted = _count(len(ranges), say("{n:,} range"), say("{n:,} ranges"))
    said = say("{said}, in {ranges}", said=_count(len(followed), one, more), ranges=counted)
    return say("{said}; the first:", said=said) if listed else said


def _at(finding: Finding) -> Phrase:
    place, said = finding.cell or finding.sheet, finding.message
    return say("{cell}: {said}", cell=place, said=said) if place else said


def summary(report: Report) -> Phrase:
    """One sentence on a workbook."""
    return say("{path}: {said}", path=report.path, said=verdict(report))


def verdict(report: Report) -> str:
    """The same without the workbook's name."""
    if not report.runs:
        return report.findings[0].message
    engines = ", ".join(run.engine for run in report.runs)
    cells = max((sum(r.shape[0] * r.shape[1] for r in run.results) for run in report.runs), default=0)
    errors = sum(finding.severity == "error" for finding in report.causes)
    warnings = len(report.causes) - errors
    words = _count(warnings, say("{n:,} warning"), say("{n:,} warnings"))
    if errors:
        followed = len(distinct(finding for finding in report.every_finding if finding.follows))
        plain = say("{errors} and {warnings} ({engines})")
        more = say("{errors} and {warnings}, from which {followed:,} more follow ({engines})")
        return say(
            more if followed else plain,
            errors=_count(errors, say("{n:,} error"), say("{n:,} errors")),
            warnings=words,
            followed=followed,
            engines=engines,
        )
    n_ranges = max(len(run.results) for run in report.runs)
    ranges = _count(n_ranges, say("{n:,} range"), say("{n:,} ranges"))
    sentence = "all {cells:,} cells of {ranges} agree with NumPy ({engines})"
    said = say(sentence, cells=cells, ranges=ranges, engines=engines)
    if report.undecided:
        sentence = "{said}; {n} ranges are not decidable at these magnitudes"
        said = say(sentence, said=said, n=len(report.undecided))
    return say("{said}; {warnings}", said=said, warnings=words) if warnings else said


def overall(outcomes: Sequence[FileOutcome], *, strict: bool = False) -> Phrase:
    """One sentence on several workbooks."""
    verdicts = [outcome.verdict(strict=strict) for outcome in outcomes]
    said = say(
        "{files}: {hold} hold, {fail} fail, {not_checkable} not checkable",
        files=_count(len(outcomes), say("{n:,} file"), say("{n:,} files")),
        hold=verdicts.count("holds"),
        fail=verdicts.count("fails"),
        not_checkable=verdicts.count("not checkable"),
    )
    over = verdicts.count("skipped")
    owned = any(outcome.skipped and is_owner_file(outcome.path) for outcome in outcomes)
    more = say("{said}, {n} skipped") if owned else say("{said}, {n} skipped (made by other programs)")
    return say(more, said=said, n=over) if over else said


def skipped(outcome: FileOutcome) -> Phrase:
    """That a file was passed over."""
    if is_owner_file(outcome.path):
        return say("{path}: skipped, Excel's note of who has the workbook open", path=outcome.path)
    return say("{path}: skipped, made by another program", path=outcome.path)


def _count(number: int, one: str, more: str) -> Phrase:
    return say(one if number == 1 else more, n=number)

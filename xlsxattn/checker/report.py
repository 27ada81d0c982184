"""Reports of a check for people; formats.py has the machine-readable ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import distinct
from xlsxattn.checker.reading.file_type import is_owner_file
from xlsxattn.language import ENGLISH, message, say
from xlsxattn.text_table import text_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from xlsxattn.checker.compare import Result
    from xlsxattn.checker.exercise import Answer, State
    from xlsxattn.checker.finding_kinds import Severity
    from xlsxattn.checker.findings import Finding
    from xlsxattn.language import Language, Phrase

MAX_SHOWN, MAX_CAUSES, MAX_ALIKE, MAX_FOLLOWING = 20, 100, 3, 3
"""Maximum number of groups of findings, of certain causes, of findings per group, and of consequences."""
MAX_WARNINGS, MAX_FAILING, MAX_IN_NOTEBOOK = 3, 10, 3
"""Maximum numbers of warnings listed if there are no errors, of rows in the table of ranges that fail, and of
findings in a notebook."""
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
    """The result of one engine: one `Result` per range, the findings, and the answers to an exercise."""

    engine: str
    results: tuple[Result, ...]
    findings: tuple[Finding, ...]
    answers: tuple[Answer, ...] = ()

    def __repr__(self) -> str:
        return f"<EngineReport {self.engine}: {len(self.results)} ranges, {len(self.findings)} findings>"


@dataclass(frozen=True, slots=True)
class Report:
    """The report on a workbook.

    Attributes:
        path: the file, as given.
        runs: one for each engine.
        findings: those on the file itself: misplaced or other formulas, stale values, engines that disagree.
        saved_by: the program that saved the file last, according to the file.
        seed: the seed of the last set of inputs, given or derived from the file's digest.
        seconds: the duration of the check.
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
        """Findings on the file and of all engines: causes first, then their consequences."""
        every = (*self.findings, *(finding for run in self.runs for finding in run.findings))
        return tuple(sorted(every, key=rank))

    @property
    def causes(self) -> tuple[Finding, ...]:
        """Findings that do not follow from others; those of several engines are merged."""
        return distinct(finding for finding in self.every_finding if not finding.follows)

    @property
    def holds(self) -> bool:
        """Whether there are no errors; warnings are ignored."""
        return all(finding.severity != "error" for finding in self.every_finding)

    @property
    def answers(self) -> dict[str, State]:
        """The answers to an exercise: wrong if any engine finds them wrong, open if none can compute them."""
        states: dict[str, set[State]] = {}
        for answer in (answer for run in self.runs for answer in run.answers):
            states.setdefault(answer.name, set()).add(answer.state)
        order: tuple[State, ...] = ("wrong", "right", "open")
        return {name: next(state for state in order if state in own) for name, own in states.items()}

    @property
    def undecided(self) -> tuple[str, ...]:
        """Ranges whose magnitudes are too large to tell faults from rounding errors."""
        names = (r.range for run in self.runs for r in run.results if r.verdict == "not decidable")
        return tuple(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """The outcome for a file: its report, or why there is none, or that it was skipped."""

    path: str
    report: Report | None = None
    sentence: str = ""
    skipped: bool = False

    def verdict(self, *, strict: bool = False) -> str:
        """``holds``, ``fails``, ``not checkable`` or ``skipped``; if strict, warnings also fail."""
        if self.report is None:
            return "skipped" if self.skipped else "not checkable"
        good = not self.report.every_finding if strict else self.report.holds
        return "holds" if good else "fails"


class Line(NamedTuple):
    """A line of a report; a line that only counts findings has no severity."""

    text: str
    severity: Severity | None = None


def rank(finding: Finding) -> tuple[bool, bool, bool]:
    """Sort key: causes before consequences, errors before warnings, formulas before values (if causes)."""
    follows = bool(finding.follows)
    return follows, finding.severity == "warning", finding.is_symptom != follows


def table(run: EngineReport, language: Language = ENGLISH) -> str:
    """A table with one row per range; text ranges that agree are combined into one row."""
    tell = language.tell
    texts = [r for r in run.results if r.kind != "number" and r.verdict == "ok"]
    rows = [_row(r, language) for r in run.results if r.kind == "number" or r.verdict != "ok"]
    if texts:
        rest = say("{n} ranges of text and live checks", n=len(texts))
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
    """The verdict, with the reason for a larger tolerance."""
    if result.coarse and result.verdict != "missing":
        sentence = "{verdict} (after an exact GELU, for which the engine's Φ is accurate to 2.5e-11)"
        return say(sentence, verdict=VERDICTS[result.verdict])
    return VERDICTS[result.verdict]


def _error(result: Result) -> str:
    return "" if result.verdict in ("missing", "not decidable") else f"{result.error:.1e}"


def describe(
    findings: Iterable[Finding], language: Language = ENGLISH, *, short: bool = False
) -> Iterator[Line]:
    """Findings as lines: causes with cell and formula, then the number of consequences.

    For each range and kind, only the first few findings are listed, and the others counted. With ``short``,
    if all are warnings, only the first few are listed.
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
    """Group findings by kind, range and severity."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.kind, finding.range, finding.severity), []).append(finding)
    return [*groups.values()]


def summed_up(group: Sequence[Finding]) -> Iterator[tuple[Finding, str]]:
    """The listed findings of a group; the last one comes with the number of further ones."""
    shown = 1 if group[0].is_symptom else MAX_ALIKE
    more = len(group) - shown
    for finding in group[: shown - 1] if more > 0 else group:
        yield finding, ""
    if more > 0:
        one, many = say("{n:,} more cell, {cell}"), say("{n:,} more cells, the last {cell}")
        yield group[shown - 1], say(one if more == 1 else many, n=more, cell=group[-1].cell)


def followers(followed: Sequence[Finding], *, listed: bool = True) -> Phrase:
    """The number of consequences, optionally as the heading of a list."""
    ranges = {finding.range for finding in followed if finding.range}
    one, more = say("{n:,} more finding follows from these"), say("{n:,} more findings follow from these")
    counted = _count(len(ranges), say("{n:,} range"), say("{n:,} ranges"))
    said = say("{said}, in {ranges}", said=_count(len(followed), one, more), ranges=counted)
    return say("{said}; the first:", said=said) if listed else said


def _at(finding: Finding) -> Phrase:
    place, said = finding.cell or finding.sheet, finding.message
    return say("{cell}: {said}", cell=place, said=said) if place else said


def summary(report: Report) -> Phrase:
    """A one-sentence summary of a workbook."""
    return say("{path}: {said}", path=report.path, said=verdict(report))


def verdict(report: Report) -> str:
    """The summary without the name of the workbook."""
    if not report.runs:
        return report.findings[0].message
    if states := [*report.answers.values()]:
        answers = _count(len(states), say("{n} answer"), say("{n} answers"))
        right, wrong, left = (states.count(state) for state in ("right", "wrong", "open"))
        some = say("exercise: {answers}, {right} right, {wrong} wrong, {left} open; {said}")
        none = say("exercise: {answers}, {right} right, {left} open; {said}")
        said = _agreement(report)
        return say(some if wrong else none, answers=answers, right=right, wrong=wrong, left=left, said=said)
    return _agreement(report)


def _agreement(report: Report) -> str:
    """What agrees with NumPy, or how many errors and warnings there are; wrong answers do not count."""
    engines = ", ".join(run.engine for run in report.runs)
    cells = max((sum(r.shape[0] * r.shape[1] for r in run.results) for run in report.runs), default=0)
    causes = [finding for finding in report.causes if finding.kind is not Kind.WRONG_ANSWER]
    errors = sum(finding.severity == "error" for finding in causes)
    warnings = len(causes) - errors
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
    if report.answers:
        said = say("everything else agrees ({engines})", engines=engines)
    if report.undecided:
        sentence = "{said}; {n} ranges are not decidable because of the magnitude of their values"
        said = say(sentence, said=said, n=len(report.undecided))
    return say("{said}; {warnings}", said=said, warnings=words) if warnings else said


def overall(outcomes: Sequence[FileOutcome], *, strict: bool = False) -> Phrase:
    """A one-sentence summary of several workbooks."""
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
    """The message for a skipped file."""
    return say("{path}: skipped, {why}", path=outcome.path, why=why_skipped(outcome))


def why_skipped(outcome: FileOutcome) -> Phrase:
    """Why a file was skipped."""
    if is_owner_file(outcome.path):
        return say("an owner file that Excel creates next to an open workbook")
    return say("made by another program")


def _count(number: int, one: str, more: str) -> Phrase:
    return say(one if number == 1 else more, n=number)

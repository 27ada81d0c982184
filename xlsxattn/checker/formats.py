"""Machine-readable reports: JSON, JUnit, and annotations for CI services."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from xlsxattn.checker.findings import distinct
from xlsxattn.checker.report import alike, followers, overall, rank, skipped, summed_up, why_skipped
from xlsxattn.language import ENGLISH, message, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xlsxattn.checker.compare import Result
    from xlsxattn.checker.findings import Finding
    from xlsxattn.checker.report import FileOutcome, Report
    from xlsxattn.language import Language, Tell

FORMATS = ("json", "junit", "github")
FORMAT_VERSION = 1
_NOT_IN_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(
    name: str, outcomes: Sequence[FileOutcome], *, strict: bool = False, language: Language = ENGLISH
) -> str:
    """Format all outcomes; only human-readable texts are translated.

    Raises:
        KeyError: unknown format.
    """
    make = {"json": _json, "junit": _junit, "github": _github}[name]

    def tell(text: str) -> str:
        return message(language.tell(text))

    return make(outcomes, strict=strict, tell=tell)


def schema() -> dict[str, Any]:
    """The JSON schema of ``--format json``."""
    text = resources.files("xlsxattn.checker").joinpath("report.schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _json(outcomes: Sequence[FileOutcome], *, strict: bool, tell: Tell) -> str:
    verdicts = [outcome.verdict(strict=strict) for outcome in outcomes]
    counts = {"hold": "holds", "fail": "fails", "not_checkable": "not checkable", "skipped": "skipped"}
    data = {
        "version": FORMAT_VERSION,
        "files": [_file(outcome, strict=strict, tell=tell) for outcome in outcomes],
        "summary": {"files": len(outcomes)} | {key: verdicts.count(word) for key, word in counts.items()},
    }
    return json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False)


def _file(outcome: FileOutcome, *, strict: bool, tell: Tell) -> dict[str, Any]:
    report = outcome.report
    return {
        "path": outcome.path,
        "verdict": outcome.verdict(strict=strict),
        "message": tell(outcome.sentence),
        "saved_by": report.saved_by if report else "",
        "seed": report.seed if report else None,
        **({"exercise": True, "answers": report.answers} if report and report.answers else {}),
        "engines": [
            {"engine": run.engine, "ranges": [_range(r) for r in run.results]}
            for run in (report.runs if report else ())
        ],
        "findings": _findings(report, tell) if report else [],
    }


def _findings(report: Report, tell: Tell) -> list[dict[str, Any]]:
    """All findings, causes first, each with its engine."""
    engines = {id(finding): run.engine for run in report.runs for finding in run.findings}
    return [
        {"engine": engines.get(id(finding)), **_finding(finding, tell)} for finding in report.every_finding
    ]


def _range(result: Result) -> dict[str, Any]:
    return {
        "sheet": result.tab,
        "range": result.range,
        "rows": result.shape[0],
        "columns": result.shape[1],
        "largest_error": _plain(result.error),
        "allowed": _plain(result.allowed),
        "verdict": result.verdict,
    }


def _finding(finding: Finding, tell: Tell) -> dict[str, Any]:
    return {
        "kind": finding.kind.value,
        "severity": finding.severity,
        "range": finding.range,
        "cell": finding.cell,
        "sheet": finding.sheet,
        "message": tell(finding.message),
        "formula": finding.formula,
        "found": _plain(finding.found),
        "expected": _plain(finding.expected),
        "values": {key: _plain(value) for key, value in finding.values.items()},
        "round": finding.round,
        "follows": finding.follows,
    }


def _plain(value: Any) -> str | float | None:  # noqa: ANN401 - any cell value
    """A JSON value; NaN and infinities become null."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        return str(value)
    number = float(value)
    return number if math.isfinite(number) else None


@dataclass(slots=True)
class _Case:
    """A test case: the findings of one engine, or of the file itself, on a range."""

    engine: str
    name: str
    cells: int = 0
    findings: list[Finding] = field(default_factory=list)

    def order(self) -> tuple[int, ...]:
        """Sort key: causes first, then passing cases, then consequences."""
        if not self.findings:
            return (1,)
        first = self.findings[0]
        return (2 if first.follows else 0, *rank(first))


def _junit(outcomes: Sequence[FileOutcome], *, strict: bool, tell: Tell) -> str:
    """One suite per file and one case per range; findings without a range are cases of their sheet."""
    suites = ET.Element("testsuites", name="xlsxattn check")
    total = 0.0
    for outcome in outcomes:
        suite = ET.SubElement(suites, "testsuite", name=outcome.path)
        seconds = 0.0
        if outcome.skipped:
            case = _test_case(suite, outcome.path, "can be checked")
            ET.SubElement(case, "skipped", message=tell(why_skipped(outcome)))
        elif outcome.report is None:
            case = _test_case(suite, outcome.path, "can be checked")
            ET.SubElement(case, "error", message=tell(outcome.sentence))
        else:
            seconds = outcome.report.seconds
            _put_cases(suite, outcome.path, outcome.report, strict=strict, tell=tell)
        suite.attrib |= {
            "tests": str(len(suite)),
            "failures": str(len(suite.findall("testcase/failure"))),
            "errors": str(len(suite.findall("testcase/error"))),
            "skipped": str(len(suite.findall("testcase/skipped"))),
            "time": f"{seconds:.6f}",
        }
        total += seconds
    for key in ("tests", "failures", "errors", "skipped"):
        suites.set(key, str(sum(int(suite.get(key, "0")) for suite in suites)))
    suites.set("time", f"{total:.6f}")
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + _clean(ET.tostring(suites, encoding="unicode"))


def _put_cases(suite: ET.Element, path: str, report: Report, *, strict: bool, tell: Tell) -> None:
    """Add the cases of a file, with the time divided in proportion to their cells."""
    cases = _cases(report, strict=strict)
    all_cells = sum(case.cells for case in cases) or 1
    for case in cases:
        seconds = report.seconds * case.cells / all_cells
        element = _test_case(suite, f"{path}.{case.engine}", case.name, seconds)
        if case.findings:
            messages = [tell(finding.message) for finding in case.findings]
            kind = case.findings[0].kind.value
            failure = ET.SubElement(element, "failure", message=messages[0], type=kind)
            lines = [
                f"{finding.cell or finding.sheet or 'workbook'}: {said} {finding.formula}".strip()
                for finding, said in zip(case.findings, messages, strict=True)
            ]
            failure.text = "\n".join(lines)


def _cases(report: Report, *, strict: bool) -> list[_Case]:
    """One case for each range and engine, with the findings of the engine and of the file."""
    cases = {
        (run.engine, result.range): _Case(run.engine, result.range, result.shape[0] * result.shape[1])
        for run in report.runs
        for result in run.results
    }
    every = [([run.engine], finding) for run in report.runs for finding in run.findings]
    for finding in report.findings:
        engines = [run.engine for run in report.runs if (run.engine, finding.range) in cases]
        every.append((engines or ["file"], finding))
    for engines, finding in every:
        if strict or finding.severity == "error":
            subject = finding.range or finding.sheet or "workbook"
            for engine in engines:
                cases.setdefault((engine, subject), _Case(engine, subject)).findings.append(finding)
    for case in cases.values():
        case.findings.sort(key=rank)
    return sorted(cases.values(), key=_Case.order)


def _test_case(suite: ET.Element, classname: str, name: str, seconds: float = 0.0) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=classname, name=name, time=f"{seconds:.6f}")


def _clean(text: str) -> str:
    """Replace characters that are not allowed in XML."""
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _github(outcomes: Sequence[FileOutcome], *, strict: bool, tell: Tell) -> str:
    """GitHub workflow commands, one line per cause; the last line counts the files.

    GitHub shows at most ten errors per step, so consequences are only counted.
    """
    lines = []
    for outcome in outcomes:
        if outcome.skipped:
            lines.append(_annotation("notice", outcome.path, tell("skipped"), tell(skipped(outcome))))
        elif outcome.report is None:
            title = tell("not checkable")
            lines.append(_annotation("error", outcome.path, title, tell(outcome.sentence)))
        else:
            lines += _causes(outcome, outcome.report, strict=strict, tell=tell)
    return "\n".join([*lines, tell(overall(outcomes, strict=strict))])


def _causes(outcome: FileOutcome, report: Report, *, strict: bool, tell: Tell) -> Iterator[str]:
    for group in alike(report.causes):
        for finding, more in summed_up(group):
            said = finding.message
            if more:
                said = say("{said} (and {more})", said=said, more=more)
            where = " ".join(part for part in (finding.cell, finding.formula) if part)
            text = f"{tell(said)} ({where})" if where else tell(said)
            level = "error" if strict else finding.severity
            yield _annotation(level, outcome.path, f"xlsxattn: {tell(finding.kind)}", text)
    if followed := distinct(finding for finding in report.every_finding if finding.follows):
        title = tell("consequences")
        yield _annotation(
            "notice", outcome.path, f"xlsxattn: {title}", tell(followers(followed, listed=False))
        )


def _annotation(level: str, path: str, title: str, message: str) -> str:
    def escaped(text: str, more: dict[str, str]) -> str:
        for char, code in {"%": "%25", "\r": "%0D", "\n": "%0A", **more}.items():
            text = text.replace(char, code)
        return text

    inside = {":": "%3A", ",": "%2C"}
    return f"::{level} file={escaped(path, inside)},title={escaped(title, inside)}::{escaped(message, {})}"

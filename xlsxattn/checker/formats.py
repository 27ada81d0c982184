"""What a check has to say, for programs: JSON, JUnit, and annotations of CI services."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from xlsxattn.checker.report import alike, distinct, followers, overall, skipped, summed_up
from xlsxattn.language import ENGLISH, message, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from xlsxattn.checker.compare import Finding, Result
    from xlsxattn.checker.report import FileOutcome, Report
    from xlsxattn.language import Language

FORMATS = ("json", "junit", "github")
FORMAT_VERSION = 1


def render(
    name: str, outcomes: Sequence[FileOutcome], *, strict: bool = False, language: Language = ENGLISH
) -> str:
    """All outcomes in one format; only what people read in it follows the language.

    Raises:
        KeyError: there is no such format.
    """
    if name == "github":
        return _github(outcomes, strict=strict, language=language)
    told = [_told(outcome, language) for outcome in outcomes]
    return {"json": _json, "junit": _junit}[name](told, strict=strict)


def _told(outcome: FileOutcome, language: Language) -> FileOutcome:
    def told(findings: Iterable[Finding]) -> tuple[Finding, ...]:
        return tuple(replace(f, message=message(language.tell(f.message))) for f in findings)

    report = outcome.report and replace(
        outcome.report,
        runs=tuple(replace(run, findings=told(run.findings)) for run in outcome.report.runs),
        findings=told(outcome.report.findings),
    )
    return replace(outcome, sentence=message(language.tell(outcome.sentence)), report=report)


def schema() -> dict[str, Any]:
    """The JSON schema that ``--format json`` keeps to."""
    text = resources.files("xlsxattn.checker").joinpath("report.schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _json(outcomes: Sequence[FileOutcome], *, strict: bool) -> str:
    verdicts = [outcome.verdict(strict=strict) for outcome in outcomes]
    counts = {"hold": "holds", "fail": "fails", "not_checkable": "not checkable", "skipped": "skipped"}
    data = {
        "version": FORMAT_VERSION,
        "files": [_file(outcome, strict=strict) for outcome in outcomes],
        "summary": {"files": len(outcomes)} | {key: verdicts.count(word) for key, word in counts.items()},
    }
    return json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False)


def _file(outcome: FileOutcome, *, strict: bool) -> dict[str, Any]:
    report = outcome.report
    return {
        "path": outcome.path,
        "verdict": outcome.verdict(strict=strict),
        "message": outcome.sentence,
        "saved_by": report.saved_by if report else "",
        "engines": [
            {"engine": run.engine, "ranges": [_range(r) for r in run.results]}
            for run in (report.runs if report else ())
        ],
        "findings": _findings(report) if report else [],
    }


def _findings(report: Report) -> list[dict[str, Any]]:
    """All findings, causes first, each with the engine that showed it."""
    engines = {id(finding): run.engine for run in report.runs for finding in run.findings}
    return [{"engine": engines.get(id(finding)), **_finding(finding)} for finding in report.every_finding]


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


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "severity": finding.severity,
        "range": finding.range,
        "cell": finding.cell,
        "message": finding.message,
        "formula": finding.formula,
        "found": _plain(finding.found),
        "expected": _plain(finding.expected),
        "round": finding.round,
        "follows": finding.follows,
    }


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a cell holds
    """A value as JSON has it: numbers that JSON lacks become null."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        return str(value)
    number = float(value)
    return number if math.isfinite(number) else None


def _junit(outcomes: Sequence[FileOutcome], *, strict: bool) -> str:
    """A suite a file, a case a range; findings that belong to no range are cases of their own."""
    suites = ET.Element("testsuites", name="xlsxattn check")
    for outcome in outcomes:
        suite = ET.SubElement(suites, "testsuite", name=outcome.path)
        if outcome.skipped:
            case = ET.SubElement(suite, "testcase", classname=outcome.path, name="can be checked")
            ET.SubElement(case, "skipped", message=_why_skipped(outcome))
        elif outcome.report is None:
            case = ET.SubElement(suite, "testcase", classname=outcome.path, name="can be checked")
            ET.SubElement(case, "error", message=outcome.sentence)
        else:
            _cases(suite, outcome, strict=strict)
        failures = len(suite.findall("testcase/failure"))
        suite.attrib |= {
            "tests": str(len(suite)),
            "failures": str(failures),
            "errors": str(len(suite.findall("testcase/error"))),
            "skipped": str(len(suite.findall("testcase/skipped"))),
        }
    for key in ("tests", "failures", "errors", "skipped"):
        suites.set(key, str(sum(int(suite.get(key, "0")) for suite in suites)))
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode")


def _why_skipped(outcome: FileOutcome) -> str:
    """Why a file was passed over, without its name."""
    return str(skipped(outcome)).removeprefix(f"{outcome.path}: skipped, ")


def _cases(suite: ET.Element, outcome: FileOutcome, *, strict: bool) -> None:
    report = outcome.report
    assert report is not None
    runs = [(run.engine, run.results, run.findings) for run in report.runs] + [("file", (), report.findings)]
    for engine, results, findings in runs:
        by_range: dict[str, list[Finding]] = {result.range: [] for result in results}
        for finding in findings:
            by_range.setdefault(finding.range, []).append(finding)
        for name, found in sorted(by_range.items(), key=_follows):  # causes first
            case = ET.SubElement(
                suite, "testcase", classname=f"{outcome.path}.{engine}", name=name or "no range"
            )
            wrong = [f for f in found if strict or f.severity == "error"]
            if wrong:
                failure = ET.SubElement(case, "failure", message=_clean(wrong[0].message), type=wrong[0].kind)
                failure.text = _clean("\n".join(f"{f.cell}: {f.message} {f.formula}".strip() for f in wrong))


def _follows(case: tuple[str, list[Finding]]) -> bool:
    """Whether a range holds what follows from another, and nothing else."""
    return bool(case[1]) and all(finding.follows for finding in case[1])


def _clean(text: str) -> str:
    """Text without the control characters that XML cannot hold."""
    return "".join(c if c >= " " or c in "\t\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _github(outcomes: Sequence[FileOutcome], *, strict: bool, language: Language) -> str:
    """Workflow commands, a line a cause; GitHub shows them beside the file. The last line counts the files.

    GitHub shows ten errors of a step at most, so that what follows from a cause is only counted.
    """

    def tell(text: str) -> str:
        return message(language.tell(text))

    lines = []
    for outcome in outcomes:
        if outcome.skipped:
            lines.append(_annotation("notice", outcome.path, tell("skipped"), tell(skipped(outcome))))
        elif outcome.report is None:
            title = tell("not checkable")
            lines.append(_annotation("error", outcome.path, title, tell(outcome.sentence)))
        else:
            lines += _causes(outcome, outcome.report, strict=strict, language=language)
    return "\n".join([*lines, tell(overall(outcomes, strict=strict))])


def _causes(outcome: FileOutcome, report: Report, *, strict: bool, language: Language) -> Iterator[str]:
    def tell(text: str) -> str:
        return message(language.tell(text))

    for group in alike(report.causes):
        for finding, more in summed_up(group):
            said = (
                say("{said} (and {more})", said=say(finding.message), more=more) if more else finding.message
            )
            where = " ".join(part for part in (finding.cell, finding.formula) if part)
            text = f"{tell(said)} ({where})" if where else tell(said)
            level = "error" if strict else finding.severity
            yield _annotation(level, outcome.path, f"xlsxattn: {tell(finding.kind)}", text)
    if followed := distinct(finding for finding in report.every_finding if finding.follows):
        title = tell("what follows")
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

"""The command that proves workbooks: its files, its output, and the exit code."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from xlsxattn.cli.build_command import FAILED, HOLDS, UNUSABLE, message_of, print_error
from xlsxattn.cli.language import current_language, tell
from xlsxattn.cli.progress import progress
from xlsxattn.cli.verbosity import common_options, is_quiet, is_verbose
from xlsxattn.contract.values import ENGINES, Engine, Inputs
from xlsxattn.language import MessageError, say

if TYPE_CHECKING:
    from xlsxattn.checker.report import EngineReport, FileOutcome

MAX_SEED = 2**64 - 1
STYLES = ("table", "json", "junit", "github")
REPORTS = {".json": "json", ".xml": "junit"}
"""Formats of reports by the extension of their file."""


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--engine", type=click.Choice(get_args(Engine)), default=ENGINES[0], show_default=True)
@click.option("--inputs", type=click.Choice(get_args(Inputs)), default=get_args(Inputs)[0], show_default=True)
@click.option(
    "--seed",
    type=click.IntRange(0, MAX_SEED),
    help="The seed of the last set of inputs; by default the file's digest.",
)
@click.option("--format", "style", type=click.Choice(STYLES), default=STYLES[0], show_default=True)
@click.option(
    "--explain", "cell", metavar="RANGE", help="Explain a cell in numbers: RANGE or RANGE[row,column]."
)
@click.option(
    "--report",
    "target",
    type=click.Path(path_type=Path),
    help="Also write a report: .json, or .xml for JUnit.",
)
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
@click.option("--skip-foreign", is_flag=True, help="Skip workbooks made by other programs.")
@common_options
def check(
    files: tuple[str, ...],
    engine: Engine,
    inputs: Inputs,
    seed: int | None,
    style: str,
    cell: str | None,
    target: Path | None,
    strict: bool,
    skip_foreign: bool,
) -> int:
    """Recalculate workbooks and compare every computed cell with NumPy.

    The formulas are proved with the inputs in the file and, unless --inputs is as-saved, with others drawn
    from a seed. With -q and several files, only those that fail are listed. Exit code: 0 if all hold, 1 if
    there are findings, 2 if a file or an engine cannot be used.

    --explain shows one cell, with the inputs in the file: its formula, the cells it reads, the terms, and the
    values of the engine and of NumPy. For a whole RANGE, it shows the cell with the largest error or, if all
    hold, the largest value.
    """
    from xlsxattn.checker import formats, report
    from xlsxattn.checker.reading.file_type import is_foreign, is_owner_file
    from xlsxattn.checker.report import FileOutcome

    matching = _matching(files)
    if cell:
        return _explain(matching, cell, engine, style)
    report_style = _report_style(target)
    outcomes: list[FileOutcome] = []
    for file in matching:
        over = is_owner_file(file) or (skip_foreign and is_foreign(Path(file)))
        outcome = FileOutcome(file, skipped=True) if over else _outcome(file, engine, inputs, seed)
        outcomes.append(outcome)
        if style == "table":
            _show(outcome, strict=strict, short=is_quiet() and len(matching) > 1)
        elif outcome.report is None and not outcome.skipped:
            print_error(outcome.sentence, UNUSABLE)
    verdicts = [outcome.verdict(strict=strict) for outcome in outcomes]
    if style != "table":
        click.echo(formats.render(style, outcomes, strict=strict, language=current_language()))
    elif len(outcomes) > 1:
        click.echo(tell(report.overall(outcomes, strict=strict)))
    if target:
        _write_report(
            target, formats.render(report_style, outcomes, strict=strict, language=current_language())
        )
    codes = {"holds": HOLDS, "skipped": HOLDS, "fails": FAILED, "not checkable": UNUSABLE}
    return max(codes[verdict] for verdict in verdicts)


def _matching(files: tuple[str, ...]) -> list[str]:
    """The files that match patterns, which some shells do not expand."""
    import glob

    paths: list[str] = []
    for file in files:
        pattern = any(c in file for c in "*?[") and not Path(file).exists()
        paths += sorted(glob.glob(file, recursive=True)) or [file] if pattern else [file]  # noqa: PTH207 - absolute ones too
    return list(dict.fromkeys(paths))


def _report_style(place: Path | None) -> str:
    """The format of a report, by the extension of its file."""
    if place is None:
        return ""
    if place.suffix.lower() not in REPORTS:
        sentence = "{path}: a report's name must end in .json or .xml"
        raise click.ClickException(say(sentence, path=place))
    return REPORTS[place.suffix.lower()]


def _write_report(place: Path, text: str) -> None:
    from xlsxattn.output_files import write
    from xlsxattn.system_errors import not_written

    def make(path: Path) -> None:
        path.write_text(text + "\n", "utf-8")

    try:
        if place.exists() and not place.is_file():  # such as a pipe
            make(place)
        else:
            write(place, make)
    except OSError as error:
        raise click.ClickException(not_written(place, error)) from None


def _explain(files: list[str], cell: str, engine: Engine, style: str) -> int:
    """Print one cell of each file in numbers, and return the exit code."""
    import json

    from xlsxattn.checker.explanation import all_as_data, as_text
    from xlsxattn.proof import explain

    if style not in ("table", "json"):
        raise click.ClickException(
            say("--explain: --format is {style!r}, expected table or json", style=style)
        )
    explained, code = [], HOLDS
    for file in files:
        try:
            with progress():
                explanation = explain(file, cell, engine)
        except MessageError as error:
            code = print_error(message_of(file, error), UNUSABLE)
            continue
        explained.append(explanation)
        code = max(code, HOLDS if explanation.holds else FAILED)
        if style == "table":
            text = as_text(explanation, current_language())
            click.echo(f"{file}:\n{text}" if len(files) > 1 else text)
    if style == "json":
        click.echo(json.dumps(all_as_data(explained), ensure_ascii=False, indent=2, allow_nan=False))
    return code


def _outcome(file: str, engine: Engine, inputs: Inputs, seed: int | None) -> FileOutcome:
    from xlsxattn.checker.engines import EngineFailed
    from xlsxattn.checker.report import FileOutcome
    from xlsxattn.proof import check as prove

    try:
        with progress():
            return FileOutcome(file, prove(file, engine, inputs, seed=seed))
    except MessageError as error:
        said = message_of(file, error)
        if engine == ENGINES[0] and isinstance(error, EngineFailed):
            said = say("{failed} Try --engine libreoffice.", failed=said)
        return FileOutcome(file, sentence=said)


def _show(outcome: FileOutcome, *, strict: bool, short: bool) -> None:
    """Print a file's report: one line if it holds, else its findings, the ranges that fail, the verdict.

    ``short`` omits files that hold, which a last line counts.
    """
    from xlsxattn.checker import report

    found, verdict = outcome.report, outcome.verdict(strict=strict)
    if short and verdict in ("holds", "skipped"):
        return
    if outcome.skipped:
        click.echo(tell(report.skipped(outcome)))
        return
    if found is None:
        print_error(outcome.sentence, UNUSABLE)
        return
    details = is_verbose() or found.every_finding
    if details and found.runs:  # if nothing was calculated, one message is enough
        by = say("{path}, saved by {program}", path=outcome.path, program=found.saved_by)
        click.echo(tell(by) if found.saved_by else outcome.path)
    for line in (
        report.describe(found.every_finding, current_language(), short=not is_verbose()) if found.runs else ()
    ):
        _echo(line.text, "red" if line.severity == "error" else "yellow")
    for run in () if is_quiet() else found.runs:
        _show_ranges(run)
    _echo(tell(report.summary(found)), "green" if verdict == "holds" else "red")


def _show_ranges(run: EngineReport) -> None:
    """Print the table of an engine's ranges with -v, else of those that fail."""
    from xlsxattn.checker import report

    table = (report.table if is_verbose() else report.failing)(run, current_language()) if run.results else ""
    if table:
        how = say("recalculated by {engine}:", engine=run.engine)
        click.echo(f"\n{tell(say('as saved:') if run.engine == 'saved' else how)}\n{table}")


def _echo(text: str, colour: str) -> None:
    """Print in colour if the terminal supports it and colours are not turned off."""
    click.secho(text, fg=colour, color=False if os.environ.get("NO_COLOR") else None)

"""The command: ``python -m dev.campaign [NAME...] [--jobs N] [--list VERDICT]``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from dev.campaign import report, run
from dev.campaign.outcome import Verdict

if TYPE_CHECKING:
    from dev.campaign.outcome import Outcome


@click.command()
@click.argument("chosen", metavar="[NAME]...", nargs=-1, type=click.Choice(run.names()))
@click.option("--jobs", default=2, show_default=True, help="Number of parallel processes.")
@click.option(
    "--list",
    "verdicts",
    multiple=True,
    type=click.Choice(get_args(Verdict)),
    help="Print every mutant with this verdict; can be repeated.",
)
def main(chosen: tuple[str, ...], jobs: int, verdicts: tuple[str, ...]) -> None:
    """Break every formula of templates and imported models, one at a time, and tamper with their files."""
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="xlsxattn-campaign-") as folder:
        paths = {name: run.built(name, Path(folder)) for name in chosen or run.names()}
        for name, made, seconds in run.outcomes(paths, jobs):
            outcomes += made
            click.echo(f"{name}: {len(made):,} mutants, {seconds:.0f} s")
    for line in report.listed(outcomes, verdicts):
        click.echo(line)
    for table in (report.table, report.published, report.reasons):
        click.echo(f"\n{table(outcomes)}")
    click.echo()
    unmade = [] if chosen else [*report.unmade(outcomes), *report.untampered(outcomes)]
    for line in (*report.failures(outcomes), *unmade):
        click.echo(line)
    line, good = report.score(outcomes)
    click.echo(line)
    sys.exit(0 if good and not unmade else 1)


if __name__ == "__main__":
    main()

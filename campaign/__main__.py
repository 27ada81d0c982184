"""The command: ``python -m campaign [TEMPLATE...] [--jobs N] [--list]``."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from campaign import report, run
from xlsxattn import templates

if TYPE_CHECKING:
    from campaign.judge import Outcome


@click.command()
@click.argument("chosen", metavar="[TEMPLATE]...", nargs=-1, type=click.Choice(templates.names()))
@click.option("--jobs", default=2, show_default=True, help="How many processes work at once.")
@click.option("--list", "listed", is_flag=True, help="Print every mutant and what became of it.")
def main(chosen: tuple[str, ...], jobs: int, *, listed: bool) -> None:
    """Break every formula of the templates, all or those named, one at a time, and print what was found."""
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="xlsxattn-campaign-") as folder:
        for template in chosen or templates.names():
            start = time.monotonic()
            path = run.built(template, Path(folder))
            made = run.judged(path, run.mutants(path), jobs)
            outcomes += made
            click.echo(f"{template}: {len(made):,} mutants, {time.monotonic() - start:.0f} s")
    for line in report.listed(outcomes) if listed else ():
        click.echo(line)
    click.echo(f"\n{report.table(outcomes)}\n\n{report.reasons(outcomes)}\n")
    for line in report.failures(outcomes):
        click.echo(line)
    line, good = report.score(outcomes)
    click.echo(line)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()

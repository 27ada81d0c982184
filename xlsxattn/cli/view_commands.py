"""The commands that show workbooks, and those that help editors and shells."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import click

from xlsxattn.cli.build_command import errors_as_messages
from xlsxattn.cli.language import current_language, language_option, tell
from xlsxattn.cli.verbosity import common_options, is_quiet
from xlsxattn.contract.values import SAVED, Source
from xlsxattn.language import say
from xlsxattn.suggestions import nearest

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem
    from rich.console import Console

    from xlsxattn.view.look import OpenWorkbook
    from xlsxattn.view.matrix import Matrix

MAX_TABLES = 12
SHELLS = ("bash", "zsh", "fish")


def _ranges(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Completions: the ranges of the workbook that is on the command line."""
    from click.shell_completion import CompletionItem

    from xlsxattn.view.look import look

    try:
        names = look(ctx.params["file"]).matrices
    except Exception:  # noqa: BLE001 - completions cannot show errors
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("ranges", nargs=-1, metavar="[RANGE]...", shell_complete=_ranges)
@click.option("--list", "listed", is_flag=True, help="List all ranges with shape, address and formula.")
@click.option("--engine", type=click.Choice(get_args(Source)), default=SAVED, show_default=True)
@common_options
def show(file: Path, ranges: tuple[str, ...], listed: bool, engine: Source) -> None:
    """Show matrices of a workbook as coloured tables.

    RANGE is a name such as attn_cat_Attention, or a pattern such as 'attn_*'. Without one, the attention
    matrices and the outputs are shown. The values are those saved in the file; another --engine recalculates
    it.
    """
    from xlsxattn.view.look import look
    from xlsxattn.view.show import listing, table

    with errors_as_messages(file):
        seen = look(file, engine)
    if seen.engine != engine and not is_quiet():
        said = say("{file}: values are missing; recalculated by {engine}", file=file, engine=seen.engine)
        click.echo(tell(said), err=True)
    console = _console()
    if listed:
        console.print(listing(seen.matrices.values(), current_language()))
        return
    chosen = _chosen(seen, ranges)
    shown = chosen if ranges else chosen[:MAX_TABLES]
    for matrix in shown:
        console.print(table(matrix, console.width, current_language()))
        console.print()
    if not ranges and len(shown) < len(seen.matrices) and not is_quiet():
        rest = len(seen.matrices) - len(shown)
        said = say("{n} more ranges: name them, or see them all with --list", n=rest)
        click.echo(tell(said), err=True)


def _chosen(seen: OpenWorkbook, patterns: tuple[str, ...]) -> list[Matrix]:
    for pattern in patterns:
        if not seen.matching([pattern]):
            near = nearest(pattern, [*seen, *(f"{sheet.id}_*" for sheet in seen.manifest.sheets)])
            hint = say("did you mean '{near}'?", near=near) if near else say("--list shows them all")
            sentence = "{path}: there is no range '{pattern}'; {hint}"
            raise click.ClickException(say(sentence, path=seen.path, pattern=pattern, hint=hint))
    return seen.matching(patterns) if patterns else seen.story()


def _console() -> Console:
    """Standard output: in colour and as wide as the terminal, or plain and of any width in a pipe."""
    from rich.console import Console

    wide = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 100_000
    colours: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"  # none: no bold either
    return Console(file=sys.stdout, highlight=False, emoji=False, width=wide, color_system=colours)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="The file to write: .png, .pdf or .html."
)
@click.option("--sheet", default="", help="One sheet for .png or .pdf, by id or tab.")
@click.option("--engine", type=click.Choice(get_args(Source)), default=SAVED, show_default=True)
@click.option("--still", is_flag=True, help="Write an HTML page that only shows the values.")
@common_options
def preview(file: Path, output: Path | None, sheet: str, engine: Source, still: bool) -> None:
    """Write a preview of a workbook: PNG, PDF, or a self-contained HTML page.

    LibreOffice prints PNG (one sheet) and PDF (one page per sheet; only the beginning of Contract). The HTML
    page has all sheets, with tables, heat maps and formulas; it recalculates them when a word or number is
    changed, and can save the changed workbook. Without -o, it is FILE.html in this folder.
    """
    from xlsxattn.view.preview import preview as draw

    target = output or Path(file.with_suffix(".html").name)
    with errors_as_messages(file):
        draw(file, target, sheet, engine, language_option(), still=still)
    click.echo(tell(say("written: {path}", path=target)))


@click.command()
@common_options
def schema() -> None:
    """Print the JSON schema of a spec, for editors."""
    import json

    from xlsxattn.spec_schema import schema as made

    click.echo(json.dumps(made(current_language().code), ensure_ascii=False, indent=2))


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@common_options
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a shell script that completes commands, templates, options and ranges.

    In bash: eval "$(xlsxattn completion bash)"; in zsh the same with zsh; in fish: xlsxattn completion fish |
    source
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(ctx.find_root().command, {}, "xlsxattn", "_XLSXATTN_COMPLETE").source())

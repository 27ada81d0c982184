"""The command line: parse, call, print, exit code. Heavy modules are loaded when a command needs them."""

from __future__ import annotations

import gc
import io
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from xlsxattn.cli import check_command, import_command, language, view_commands
from xlsxattn.cli.build_command import (
    HOLDS,
    INTERRUPTED,
    UNUSABLE,
    as_typed,
    build_copies,
    build_workbook,
    errors_as_messages,
    print_error,
)
from xlsxattn.cli.language import language_option, tell
from xlsxattn.cli.verbosity import common_options, is_quiet
from xlsxattn.contract.values import Explain, Level
from xlsxattn.language import say
from xlsxattn.suggestions import with_near

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


BLAS_THREADS = "1"
"""Number of NumPy's threads, unless the environment sets it. On the small matrices of a few sentences, two
threads take three times the processor time, because they wait for each other."""

COLLECTED = 500_000, 2, 100
"""Thresholds of the garbage collector: reading a workbook creates many objects, few of them garbage."""


def main() -> None:
    """Run the command line; a failure prints one sentence and has its own exit code."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", BLAS_THREADS)
    gc.set_threshold(*COLLECTED)
    _open_streams()
    chosen = language.choose(sys.argv, os.environ)
    with language.use_language(chosen):
        code = _run(language.translated(cli, chosen))
    gc.freeze()  # the interpreter looks for garbage once more when it exits
    sys.exit(code)


def _open_streams() -> None:
    """Reopen closed streams, so that no file gets their descriptor, and let them print any text."""
    for name in ("stdout", "stderr"):
        stream: Any = getattr(sys, name)
        if stream is None:
            stream = os.fdopen(os.open(os.devnull, os.O_RDWR), "w", encoding="utf-8")
            setattr(sys, name, stream)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _run(command: click.Command) -> int:
    """Run a command, report its error, and return the exit code."""
    debug = "--debug" in sys.argv
    try:
        code = command.main(sys.argv[1:] or ["--help"], standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        code = print_error(say("interrupted"), INTERRUPTED)
    except click.exceptions.Exit as leave:
        code = leave.exit_code
    except click.ClickException as error:
        code = print_error(language.with_punctuation(error.format_message()), UNUSABLE)
    except MemoryError:
        code = print_error(say("there is not enough memory for this workbook"), UNUSABLE)
    except Exception as error:  # noqa: BLE001 - last resort: any error becomes one sentence
        if debug:
            import traceback

            traceback.print_exc()
        code = print_error(_internal_error(error), UNUSABLE)
    return code if isinstance(code, int) else HOLDS


def _internal_error(error: Exception) -> str:
    """The message of an unhandled error; a full disk is one of them."""
    from xlsxattn.output_files import FULL
    from xlsxattn.system_errors import reason

    if isinstance(error, OSError) and error.errno in FULL:
        sentence = "cannot write to standard output or to temporary files: {reason}"
        return say(sentence, reason=reason(error))
    sentence = "internal error: {kind}: {error} (--debug shows more)"
    return say(sentence, kind=type(error).__name__, error=error)


class _Commands(click.Group):
    """Commands; for an unknown one, the most similar name is suggested in every release of click."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self.commands and not name.startswith("-") and not ctx.resilient_parsing:
            raise click.ClickException(
                with_near(say("there is no command {name!r}", name=name), name, self.commands)
            )
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="xlsxattn")
@common_options
def cli() -> None:
    """Attention and Transformers as spreadsheets of live formulas, proved cell by cell."""


def _templates(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Completions of a word: the templates, and the specs in this folder."""
    from click.shell_completion import CompletionItem

    from xlsxattn import templates

    specs = [path.name for path in sorted(Path().glob("*.toml"))] if _param.name == "source" else []
    return [CompletionItem(name) for name in [*templates.names(), *specs] if name.startswith(incomplete)]


@cli.command()
@click.argument("source", shell_complete=_templates)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The workbook to write.")
@click.option("--force", is_flag=True, help="Replace a workbook even if it was edited.")
@click.option(
    "--explain", type=click.Choice(get_args(Explain)), help="How much explanation the workbook contains."
)
@common_options
def build(source: str, output: Path | None, force: bool, explain: str | None) -> int:
    """Build a workbook from SOURCE, a template's name or a .toml file, and prove it."""
    from xlsxattn import templates

    spec = _source(source)
    target = output or Path("output") / f"{spec.stem}.xlsx"
    changed = {"explain": explain} if explain else {}
    return build_workbook(
        spec, templates.shown(spec), target, force=force, make_folder=output is None, changed=changed
    )


@cli.command()
@click.argument("source", shell_complete=_templates)
@click.option("--blank", metavar="RANGE", multiple=True, help="A range to compute, such as attn_*_Scores.")
@click.option("--level", type=click.Choice(get_args(Level)), help="What to compute if no range is given.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The workbook or folder to write.")
@click.option("--solutions", type=click.Path(path_type=Path), help="Also write a workbook with the answers.")
@click.option(
    "--students", type=click.Path(path_type=Path), help="A CSV file of student ids: build a copy for each."
)
@click.option(
    "--key",
    type=click.Path(path_type=Path),
    help="The key file that determines the copies' numbers; created if missing.",
)
@click.option("--force", is_flag=True, help="Replace workbooks even if they were edited.")
@common_options
def exercise(
    source: str,
    blank: tuple[str, ...],
    level: Level | None,
    output: Path | None,
    solutions: Path | None,
    students: Path | None,
    key: Path | None,
    force: bool,
) -> int:
    """Build an exercise from SOURCE, a template's name or a .toml file: a workbook with cells to compute.

    Marks below the answers show whether they are right. Without --blank, the spec's table [exercise]
    determines what to compute, or else the level: one cell and one row (first), whole blocks (middle), or
    more (whole).
    """
    from xlsxattn import exercises, templates

    spec, level = _source(source), level or "middle"
    if (students is None) != (key is None):
        raise click.ClickException(say("--students and --key must be given together"))
    if students is not None and key is not None:
        if solutions is not None:
            raise click.ClickException(say("--solutions cannot be used with --students"))
        folder = output or Path("output") / f"{spec.stem}-exercises"
        changed = {"lang": language_option()} if language_option() else {}
        build = partial(exercises.personal_copies, spec, students, key, folder, level=level, blank=blank)
        return build_copies(partial(build, force=force, changed=changed), templates.shown(spec))
    target = output or Path("output") / f"{spec.stem}-exercise.xlsx"
    if solutions is not None and solutions.suffix.lower() != ".xlsx":
        raise click.ClickException(say("{target}: the workbook's name must end in .xlsx", target=solutions))
    make = partial(exercises.exercise, level=level, blank=blank, solutions=solutions)
    return build_workbook(
        spec, templates.shown(spec), target, force=force, make_folder=output is None, build=make
    )


def _source(source: str) -> Path:
    """The spec that an argument names: a file or a template."""
    from xlsxattn import templates

    if source.endswith((".toml", ".xlsx")) or "/" in source or "\\" in source:
        return Path(source)
    if source in templates.names():
        return templates.path(source)
    if source and Path(source).is_dir():
        sentence = "{path}: this is a folder; name a spec in it, a text file that ends in .toml"
        raise click.ClickException(say(sentence, path=source))
    raise click.ClickException(
        templates.unknown(source, [path.name for path in sorted(Path().glob("*.toml"))])
    )


@cli.command("templates")
@common_options
def list_templates() -> None:
    """List the specs that come with the program."""
    from xlsxattn import templates

    width = max(map(len, templates.names()))
    for name in templates.names():
        click.echo(f"{name:{width}}  {tell(templates.title(name))}")


def _hint_untranslated(template: str, code: str) -> None:
    """Say that the comments of a copy are not translated, and which templates are in the language."""
    from xlsxattn import templates

    written = [name for name in templates.names() if templates.lang(name) == code]
    if written and template not in written:
        sentence = "Its comments and texts are not translated; templates written in this language: {names}"
        click.echo(tell(say(sentence, names=", ".join(written))), err=True)


@cli.command()
@click.argument("template", shell_complete=_templates)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@common_options
def new(template: str, file: Path | None) -> None:
    """Copy TEMPLATE to FILE (default: my-TEMPLATE.toml) for editing."""
    from xlsxattn import templates

    if template not in templates.names():
        raise click.ClickException(templates.unknown(template))
    target = file or Path(f"my-{template}.toml")
    if target.suffix != ".toml":
        raise click.ClickException(say("{target}: a spec's name must end in .toml", target=target))
    with errors_as_messages(target):
        templates.copy(template, target, language_option())
    click.echo(tell(say("written: {path}", path=target)))
    if language_option() and not is_quiet():
        _hint_untranslated(template, language_option())
    click.echo(tell(say("Edit it, then run:")))
    click.echo(f"\n    {as_typed('build', str(target))}")


for command in (
    check_command.check,
    import_command.import_model,
    view_commands.show,
    view_commands.preview,
    view_commands.schema,
    view_commands.completion,
):
    cli.add_command(command)

"""What commands that build a workbook print: the proof, the path, hints; and their exit codes."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xlsxattn.cli.language import current_language, language_option, tell
from xlsxattn.cli.progress import progress
from xlsxattn.cli.verbosity import is_quiet, is_verbose
from xlsxattn.language import ENGLISH, MAX_MESSAGE_LENGTH, MessageError, message, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from xlsxattn.builder.specification import Spec
    from xlsxattn.language import Phrase
    from xlsxattn.press import Pressed

HOLDS, FAILED, UNUSABLE, INTERRUPTED = 0, 1, 2, 130
MAX_QUOTED, MAX_HINTS = 8, 3
"""Maximum numbers of words in a hint, and of hints after a build; with the verdict these are five lines."""


def print_error(sentence: str, code: int) -> int:
    """Print a message to standard error, and return the exit code."""
    click.echo(message(tell(say("xlsxattn: {said}", said=" ".join(tell(sentence).split())))), err=True)
    return code


def message_of(file: object, error: MessageError) -> str:
    """The message of an error with the name of its file, which those of engines lack."""
    from xlsxattn.checker.engines import EngineFailed, EngineMissing

    if isinstance(error, EngineMissing | EngineFailed):
        return say("{file}: {error}", file=file, error=say(str(error)))
    return str(error)


def as_typed(*words: str) -> str:
    """A command of this program as it can be typed: by its name if the shell finds it, else by its path."""
    import shlex
    import shutil

    on_path, called = shutil.which("xlsxattn"), sys.argv[0]
    needs_path = Path(called).stem == "xlsxattn" and (
        on_path is None or Path(on_path).resolve() != Path(called).resolve()
    )
    return shlex.join([called if needs_path else "xlsxattn", *words])


def build_workbook(
    source: Path | Spec,
    named: str,
    target: Path,
    *,
    force: bool,
    make_folder: bool,
    changed: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
    build: Callable[..., Pressed] | None = None,
) -> int:
    """Build a workbook, print the result of its proof, and return the exit code.

    Args:
        source: the spec.
        named: the name of the spec in messages.
        target: the workbook to write.
        force: replace the workbook even if it was edited.
        make_folder: create the target's folder if it is missing.
        changed: keys that override those of the spec.
        notes: messages about the source, which are printed with the hints.
        build: the function that builds it, by default `press.build`.
    """
    from xlsxattn import press

    if target.suffix.lower() != ".xlsx":
        raise click.ClickException(say("{target}: the workbook's name must end in .xlsx", target=target))
    if language_option():
        changed = {**(changed or {}), "lang": language_option()}
    with errors_as_messages(named), progress():
        make = build or press.build
        pressed = make(source, target, force=force, make_folder=make_folder, changed=changed)
    return print_result(pressed, target, notes)


def build_copies(build: Callable[[], Sequence[Pressed]], named: str) -> int:
    """Build personal copies, print the verdict on each, and return the exit code."""
    with errors_as_messages(named), progress():
        copies = build()
    return max(print_result(pressed, pressed.path, brief=True) for pressed in copies)


@contextmanager
def errors_as_messages(named: object) -> Iterator[None]:
    """Report errors in one sentence."""
    try:
        yield
    except MessageError as error:
        raise click.ClickException(message_of(named, error)) from None


def print_result(pressed: Pressed, target: Path, notes: Sequence[str] = (), *, brief: bool = False) -> int:
    """Print the verdict and the path, with hints unless ``brief``, and return the exit code."""
    from xlsxattn.checker import report

    for run in () if is_quiet() else pressed.report.runs:
        if table := (report.table if is_verbose() else report.failing)(run, current_language()):
            click.echo(table)
    for line in report.describe(pressed.report.every_finding, current_language(), short=not is_verbose()):
        click.echo(line.text, err=True)
    if pressed.report.holds:
        for path in filter(None, (pressed.path, pressed.solutions)):
            click.echo(tell(say("written: {path}", path=path)))
        click.echo(tell(say("proved: {said}", said=report.verdict(pressed.report))))
        for hint in () if is_quiet() or brief else _hints(pressed, notes):
            click.echo(tell(hint), err=True)
        return HOLDS
    click.echo(tell(report.summary(pressed.report)))
    sentence = "the proof failed: the workbook is in {path}, {target} is unchanged"
    return print_error(say(sentence, path=pressed.path, target=target), FAILED)


def _hints(pressed: Pressed, notes: Sequence[str]) -> list[str]:
    """What to know about a new workbook and what to do next; only a few lines without -v."""
    known = [*_not_in_vocabulary(pressed.quoted), *_alone(pressed.alone)]
    terminal = say("Or see it in the terminal: {command}", command=_show(pressed))
    following: list[str] = [_open(pressed), terminal]
    if is_verbose():
        return [*_lines(notes), *known, *following]
    if notes:
        return [*_lines(notes), following[0]]
    return [*known[: MAX_HINTS - 1], *following][:MAX_HINTS]


def _lines(notes: Sequence[str]) -> list[str]:
    """Notes joined to as few lines as the length of a message allows."""
    lines: list[str] = []
    for note in (message(tell(note)) for note in notes):
        if lines and len(lines[-1]) + len(note) < MAX_MESSAGE_LENGTH:
            lines[-1] += f" {note}"
        else:
            lines.append(note)
    return lines


def _open(pressed: Pressed) -> Phrase:
    """The first step for a newcomer."""
    begin = (
        "Open it in Excel, LibreOffice or Gnumeric: on the sheet {first}, change a yellow word; the other "
        "sheets update."
    )
    if pressed.keeps_words:
        begin = (
            "Open it in Excel, LibreOffice or Gnumeric: on the sheet {first}, choose another focus word; "
            "keep the sentences, since layers were left out."
        )
    if pressed.exercise:
        begin = "Open it in Excel, LibreOffice or Gnumeric, and fill in the green cells."
    said = say(begin, first=pressed.tabs[0])
    if current_language().code not in (ENGLISH.code, pressed.lang):
        other = "{said} (for a workbook in this language, add --lang {code})"
        said = say(other, said=said, code=current_language().code)
    return said


def _show(pressed: Pressed) -> str:
    return as_typed("show", str(pressed.path))


def _alone(word: str) -> list[Phrase]:
    """A hint that only one sentence contains the word to compare."""
    sentence = "{word!r} is in only one sentence, so nothing is compared."
    return [say(sentence, word=word)] if word else []


def _not_in_vocabulary(quoted: Sequence[str]) -> list[Phrase]:
    """A hint that the texts of a spec, often those of a template, quote words that its vocabulary lacks."""
    if not quoted:
        return []
    listed = [say("{word!r}", word=word) for word in quoted[:MAX_QUOTED]]
    words = reduce(lambda one, other: say("{one}, {other}", one=one, other=other), listed)
    sentence = (
        "The texts (title, about, try) quote {words}, which the vocabulary lacks: adapt them to your words."
    )
    return [say(sentence, words=words)]

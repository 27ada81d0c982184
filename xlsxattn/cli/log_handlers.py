"""Shows log messages of the program's modules on standard error or on a progress bar."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import click

from xlsxattn.cli.language import tell
from xlsxattn.language import say

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class ToStandardError(logging.Handler):
    """Prints the modules' log messages; looks up the stream each time, as it may be redirected."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line."""
        click.echo(tell(say("xlsxattn: {said}", said=tell(record.getMessage()))), err=True)


class ToBar(logging.Handler):
    """Shows steps on a progress bar."""

    def __init__(self, bar: Progress, task: TaskID) -> None:
        super().__init__(logging.DEBUG)
        self.bar, self.task = bar, task

    def emit(self, record: logging.LogRecord) -> None:
        """Show a step; other messages are ignored."""
        if (step := getattr(record, "step", None)) is not None:
            done, of = getattr(record, "done", 0), getattr(record, "of", None)
            self.bar.update(self.task, description=tell(step), completed=done, total=of)

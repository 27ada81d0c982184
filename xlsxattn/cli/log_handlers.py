"""Where what the program's modules log is shown: on standard error, or on a bar."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import click

from xlsxattn.cli.language import tell
from xlsxattn.language import say

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class ToStandardError(logging.Handler):
    """Passes on what the program's modules log; looks up the stream each time, as it may be redirected."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line."""
        click.echo(tell(say("xlsxattn: {said}", said=tell(record.getMessage()))), err=True)


class ToBar(logging.Handler):
    """Passes steps on to a bar."""

    def __init__(self, bar: Progress, task: TaskID) -> None:
        super().__init__(logging.DEBUG)
        self.bar, self.task = bar, task

    def emit(self, record: logging.LogRecord) -> None:
        """Show one step; what is no step is not for the bar."""
        if (step := getattr(record, "step", None)) is not None:
            done, of = getattr(record, "done", 0), getattr(record, "of", None)
            self.bar.update(self.task, description=tell(step), completed=done, total=of)

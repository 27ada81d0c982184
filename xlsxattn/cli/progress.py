"""Shows what a command is doing, if standard error is a terminal and it takes longer than a second.

The program's modules log steps at the level DEBUG: ``step`` is what begins, ``done`` and ``of``
its progress, if known.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING

from xlsxattn.cli.language import tell
from xlsxattn.cli.verbosity import is_quiet

if TYPE_CHECKING:
    from collections.abc import Iterator


SOON = 1.0
"""Seconds before the bar is shown."""


@contextmanager
def progress() -> Iterator[None]:
    """Show the current step, and clear it at the end; nothing with -q, or with -v, which prints all steps."""
    import logging

    log = logging.getLogger("xlsxattn")
    if is_quiet() or not sys.stderr.isatty() or log.handlers:
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from xlsxattn.cli.log_handlers import ToBar

    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    handler, level = ToBar(bar, bar.add_task(tell("starting"), total=None)), log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    timer = Timer(SOON, bar.start)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        bar.stop()
        log.removeHandler(handler)
        log.setLevel(level)

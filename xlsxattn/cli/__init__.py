"""The command line."""

from __future__ import annotations

import signal
import sys
from _thread import interrupt_main
from threading import Timer, current_thread, main_thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

__all__ = ["main"]

INTERRUPTED = 130
_RETRY_SECONDS = 0.05


def main() -> None:
    """Run the command line; an interrupt ends it in one sentence, even while it is being loaded."""
    try:
        _interrupt_on_signals()
        from xlsxattn.cli.commands import main as run

        run()
    except KeyboardInterrupt:
        if sys.stderr is not None:
            sys.stderr.write("xlsxattn: interrupted\n")
        sys.exit(INTERRUPTED)


def _interrupt_on_signals() -> None:
    """Let SIGTERM and SIGHUP end the program like Ctrl-C, so that it removes its files and engines."""
    if current_thread() is not main_thread():
        return
    sys.unraisablehook = _interrupt_again
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores SIGHUP
            signal.signal(number, signal.default_int_handler)


def _interrupt_again(ignored: UnraisableHookArgs) -> None:
    """Repeat an interrupt that was raised in a destructor or callback, where Python ignores it."""
    if ignored.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(ignored)
        return
    timer = Timer(_RETRY_SECONDS, interrupt_main)
    timer.daemon = True
    timer.start()

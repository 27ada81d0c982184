"""Processes that cannot hang or outlive their call, and the words for how they ended."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, TypeAlias

from xlsxattn.language import say

if sys.platform == "linux":
    import resource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from xlsxattn.checker.cells import Area, Grid
    from xlsxattn.checker.reading.runs import NumberRuns

TITLES = {"ironcalc": "IronCalc", "libreoffice": "LibreOffice", "gnumeric": "Gnumeric"}
PROGRAMS = {"libreoffice": ("soffice", "libreoffice-calc"), "gnumeric": ("ssconvert", "gnumeric")}
"""Per engine that is a program: its command and Debian's package."""

_LONGEST_REASON = 200
_SHELL_SIGNALS = 128  # a shell script such as soffice ends with this much more than the signal of its program


class EngineFailed(Exception):
    """An engine gave no values for a workbook: one sentence on what happened."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an engine may take for one workbook.

    Attributes:
        seconds: time by the clock.
        memory: address space in bytes, for IronCalc and (on Linux) Gnumeric. LibreOffice has only the clock:
            a large workbook takes it beyond this default in earnest.
    """

    seconds: float = 120.0
    memory: int = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Job:
    """One workbook to recalculate.

    Attributes:
        path: a workbook without saved values, so that an engine which computes nothing cannot pass.
        areas: the areas to read, by any names.
        runs: long runs of plain numbers by tab, for IronCalc: they are typed into the workbook, in which they
            do not stand. It reads them from a file in six times the time.
    """

    path: Path
    areas: Mapping[str, Area]
    runs: Mapping[str, NumberRuns] = field(default_factory=dict)


"""What to type into which cells: (sheet, row, column) → number or text; "" empties a cell."""

Answer: TypeAlias = "dict[str, Grid] | EngineFailed"
"""What an engine makes of one job."""


def run(
    command: Sequence[str],
    folder: Path,
    seconds: float,
    *,
    memory: int | None = None,
    progress: Callable[[], int] = lambda: 0,
) -> int | None:
    """Run a program to its end, silently, and leave nothing of it running whatever happens.

    Args:
        command: the program and its arguments.
        folder: where it puts its own temporary files.
        seconds: how long it may go without progress.
        memory: address space in bytes, where the system can set that from outside.
        progress: a count that grows as the program gets on; each change starts the time anew.

    Returns:
        Its exit code, negative for a signal; None if it was stopped for taking too long.
    """
    environment = os.environ | {"LC_ALL": "C.UTF-8", "TMPDIR": str(folder)}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(  # noqa: S603 - a list, so no shell; its paths are absolute and ours
        command, env=environment, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
    )
    try:
        if memory and sys.platform == "linux":
            _bound_memory(process.pid, memory)
        done, since = progress(), monotonic()
        while (left := since + seconds - monotonic()) > 0:
            if _ended(process, min(left, 0.2)):
                return process.wait()
            if (now_done := progress()) != done:
                done, since = now_done, monotonic()
        return None
    finally:
        _kill(process)


def _ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait for a process to end, for a while; on Linux the kernel says at once when it does."""
    if not hasattr(os, "pidfd_open"):
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        return process.poll() is not None
    with suppress(ProcessLookupError):
        end = os.pidfd_open(process.pid)
        try:
            select.select([end], [], [], seconds)
        finally:
            os.close(end)
    return process.poll() is not None


def _bound_memory(pid: int, memory: int) -> None:
    """Set the address space of a process that has just started."""
    with suppress(ProcessLookupError, ValueError, OSError):  # gone already, or a stricter limit is set
        resource.prlimit(pid, resource.RLIMIT_AS, (memory, memory))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started: soffice's program would outlive the script that is soffice."""
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group that has ended
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def failure(engine: str, code: int | None, limits: Limits) -> EngineFailed:
    """The sentence for a process that ended without an answer."""
    title = TITLES[engine]
    number = -code if code and code < 0 else (code or 0) - _SHELL_SIGNALS
    name = signal.Signals(number).name if number in set(signal.Signals) else ""
    if code is None or name == "SIGXCPU":
        return EngineFailed(
            say("{title} gave no answer within {seconds:g} s.", title=title, seconds=limits.seconds)
        )
    if name:
        if engine == "libreoffice":
            return EngineFailed(
                say("{title} died of {name}: perhaps formulas nested too deeply.", title=title, name=name)
            )
        sentence = (
            "{title} died of {name}: perhaps formulas nested too deeply or more memory than {memory:.0f} MB."
        )
        return EngineFailed(say(sentence, title=title, name=name, memory=limits.memory / 1024**2))
    return EngineFailed(
        say("{title} could not load or recalculate the workbook (exit code {code}).", title=title, code=code)
    )


def failed(engine: str, sentence: str, why: str) -> EngineFailed:
    """The sentence for a failure of which an engine or a library gives its reason: bounded and printable."""
    printable = "".join(letter if letter.isprintable() else " " for letter in why[: 4 * _LONGEST_REASON])
    bounded = " ".join(printable.split())[:_LONGEST_REASON].rstrip(".")
    return EngineFailed(say(sentence, title=TITLES[engine], why=bounded))

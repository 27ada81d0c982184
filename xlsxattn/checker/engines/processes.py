"""Processes that cannot hang or outlive their call, and messages for how they failed."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, TypeAlias

from xlsxattn.language import MessageError, say

if sys.platform == "linux":
    import resource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from xlsxattn.checker.cells import Area, Edits, Grid
    from xlsxattn.checker.reading.runs import NumberRuns

TITLES = {"ironcalc": "IronCalc", "libreoffice": "LibreOffice", "gnumeric": "Gnumeric"}
PROGRAMS = {"libreoffice": ("soffice", "libreoffice-calc"), "gnumeric": ("ssconvert", "gnumeric")}
"""The command and the Debian package of each engine that is a program."""

MIN_FREE_BYTES = 1 << 20
"""Disk space without which LibreOffice and Gnumeric fail."""
_MAX_REASON_LENGTH = 200
_SHELL_SIGNALS = 128  # a shell script such as soffice exits with 128 + the signal of its program


class EngineFailed(MessageError):
    """An engine could not compute a workbook; the message says why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of an engine for one workbook.

    Attributes:
        seconds: wall-clock time.
        memory: address space in bytes, for IronCalc and (on Linux) Gnumeric. LibreOffice has only a timeout,
            as it really needs more than this default for a large workbook.
    """

    seconds: float = 120.0
    memory: int = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Job:
    """A workbook to recalculate.

    Attributes:
        path: a workbook without saved values, so that an engine that computes nothing cannot pass.
        areas: the areas to read, by arbitrary names.
        runs: long runs of plain numbers by tab, which are not in the file, but entered into IronCalc's model:
            reading them from the file would take six times as long.
    """

    path: Path
    areas: Mapping[str, Area]
    runs: Mapping[str, NumberRuns] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rest:
    """What IronCalc calculates in the same model after a job, without some of its cells.

    Attributes:
        cleared: the cells that are cleared first.
        areas: the areas to read, by arbitrary names.
        edits: sets of edits, after those of the job.
    """

    cleared: Sequence[Area]
    areas: Mapping[str, Area]
    edits: Sequence[Edits]


JobResult: TypeAlias = "dict[str, Grid] | EngineFailed"
"""The result of a job: the values of its areas, or the failure."""


def run(
    command: Sequence[str],
    folder: Path,
    seconds: float,
    *,
    memory: int | None = None,
    progress: Callable[[], int] = lambda: 0,
) -> int | None:
    """Run a program silently, and always end all its processes.

    Args:
        command: the program and its arguments.
        folder: the folder for its temporary files.
        seconds: the timeout without progress.
        memory: address space in bytes, on Linux.
        progress: a counter of the program's progress; each change restarts the timeout.

    Returns:
        Its exit code, negative for a signal; None if it timed out.
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
    """Wait some seconds for a process to end; on Linux, return as soon as it does."""
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
    """Limit the address space of a process that has just started."""
    with suppress(ProcessLookupError, ValueError, OSError):  # it has ended, or a stricter limit is set
        resource.prlimit(pid, resource.RLIMIT_AS, (memory, memory))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its children: the soffice script starts a program that would outlive it."""
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(
            ProcessLookupError, PermissionError
        ):  # macOS raises the latter for a group that has ended
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def failure(engine: str, code: int | None, limits: Limits) -> EngineFailed:
    """The failure of a process that ended without an answer."""
    title = TITLES[engine]
    number = -code if code and code < 0 else (code or 0) - _SHELL_SIGNALS
    name = signal.Signals(number).name if number in set(signal.Signals) else ""
    if code is None or name == "SIGXCPU":
        return EngineFailed(
            say("{title} timed out after {seconds:g} s.", title=title, seconds=limits.seconds)
        )
    if name:
        if engine == "libreoffice":
            return EngineFailed(
                say("{title} was ended by {name}; formulas may be nested too deeply.", title=title, name=name)
            )
        sentence = (
            "{title} was ended by {name}; formulas may be nested too deeply or need more than "
            "{memory:.0f} MB of memory."
        )
        return EngineFailed(say(sentence, title=title, name=name, memory=limits.memory / 1024**2))
    folder = tempfile.gettempdir()
    if shutil.disk_usage(folder).free < MIN_FREE_BYTES:
        sentence = "{title} could not load or recalculate the workbook: the disk of {folder} is full."
        return EngineFailed(say(sentence, title=title, folder=folder))
    return EngineFailed(
        say("{title} could not load or recalculate the workbook (exit code {code}).", title=title, code=code)
    )


def failed(engine: str, sentence: str, why: str) -> EngineFailed:
    """A failure with the reason that an engine or library gave, shortened and printable."""
    printable = "".join(letter if letter.isprintable() else " " for letter in why[: 4 * _MAX_REASON_LENGTH])
    bounded = " ".join(printable.split())[:_MAX_REASON_LENGTH].rstrip(".")
    return EngineFailed(say(sentence, title=TITLES[engine], why=bounded))

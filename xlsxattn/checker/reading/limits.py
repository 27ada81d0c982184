"""What a workbook may hold and a check may take: files that strangers send are read with limits."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from xlsxattn.language import say

if sys.platform == "linux":
    import resource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

MB = 1024**2
_AGAIN = 0.25
"""So many seconds later the clock strikes again: Python drops what is raised while an object is deleted."""
_TIDYING = {"__del__", "__exit__", "_kill", "stop"}
"""What is not to be interrupted: processes are ended and files removed there."""


class NotCheckableError(ValueError):
    """A file that no proof can be made of; its text is the sentence a person reads.

    Attributes:
        name: the defined name that is at fault; "" where none is.
    """

    def __init__(self, sentence: str, name: str = "") -> None:
        super().__init__(sentence)
        self.name = name


class ValuesOnlyError(NotCheckableError):
    """A workbook of ours of which nothing but values is left; its text is the sentence a person reads."""


class AmbiguousError(ValueError):
    """A file that programs read in different ways; its text says what stands there twice, or differently."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a workbook may hold and a check may take.

    Four sentences of 256 words in 64 dimensions are 1.75 million cells, and stay below all of it.

    Attributes:
        packed: bytes of the file.
        directory: bytes of the archive's directory, about ten thousand parts.
        unpacked: bytes of all parts together, as the archive declares them; no more is ever unpacked.
        text: bytes between two XML tags, or in one: Excel allows a cell 32,767 characters.
        plain: numbers in long runs in large sheets, which cost little.
        cells: other cells written down in the sheets, empty ones too.
        elements: XML elements of all parts that are opened, counted each time a part is opened, without those
            of such numbers.
        details: those that are neither cells nor in cells: styles, rows, columns, names.
        shared: characters of all shared formulas if each cell spelled the longest of them out.
        names: defined names.
        sheets: sheets, in the workbook and in the manifest.
        area: cells that all names cover together, and likewise all array formulas, and all scores.
        seconds: time by the clock for a whole check; an engine has a limit of its own besides.
        memory: bytes of this process.
    """

    packed: int = 128 * MB
    directory: int = MB
    unpacked: int = 1024 * MB
    text: int = MB
    plain: int = 24_000_000
    cells: int = 2_000_000
    elements: int = 6_000_000
    details: int = 250_000
    shared: int = 20_000_000
    names: int = 20_000
    sheets: int = 1_000
    area: int = 4_000_000
    seconds: float = 600.0
    memory: int = 2048 * MB


STANDARD = Allowance()


class _TimeIsUp(BaseException):
    """Not an Exception, so that nobody's handler for broken files takes it for one."""


@contextmanager
def guarded(path: object, allowed: Allowance = STANDARD) -> Iterator[None]:
    """Bound what a check takes: time by the clock and, on Linux, memory.

    Only in the main thread, and not on Windows: elsewhere what was counted beforehand must do. The memory is
    a soft limit on the address space, which is put back afterwards.

    Raises:
        NotCheckableError: time or memory ran out.
    """
    if threading.current_thread() is not threading.main_thread() or sys.platform == "win32":
        yield
        return
    try:
        with _clock(allowed.seconds), _memory(allowed.memory):
            yield
    except _TimeIsUp as clock:
        raise NotCheckableError(
            say("{path}: the check was stopped after {seconds:g} s", path=path, seconds=clock.args[0])
        ) from None
    except MemoryError:
        sentence = "{path}: the check needs more than {memory:,.0f} MB of memory"
        raise NotCheckableError(say(sentence, path=path, memory=allowed.memory / MB)) from None


@contextmanager
def _clock(seconds: float) -> Iterator[None]:
    if 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= seconds:
        yield  # somebody's clock strikes before ours
        return

    def stop(_signal: int, frame: FrameType | None) -> None:
        while frame is not None:
            if frame.f_code.co_name in _TIDYING:
                return
            frame = frame.f_back
        raise _TimeIsUp(seconds)

    before = signal.signal(signal.SIGALRM, stop)
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, left)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _memory(most: int) -> Iterator[None]:
    if sys.platform != "linux":
        yield
        return
    pages = Path("/proc/self/statm").read_text("ascii").split()
    mapped, resident = (int(count) * resource.getpagesize() for count in pages[:2])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = mapped + max(most - resident, 0)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY:
        wanted = min(wanted, soft)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))

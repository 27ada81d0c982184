"""Limits on the contents of a workbook and on the resources of a check, for untrusted files."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from xlsxattn.language import MessageError, say

if sys.platform == "linux":
    import resource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

MIB = 1024**2
_RETRY_SECONDS = 0.25
"""Re-arm the timer after this many seconds: Python discards an exception raised in ``__del__``."""
_UNINTERRUPTIBLE = {"__del__", "__exit__", "_kill", "stop"}
"""Functions that must not be interrupted, as they end processes and remove files."""


class NotCheckableError(MessageError, ValueError):
    """A file that cannot be checked; the message is shown to the user.

    Attributes:
        name: the defined name that is at fault; "" if there is none.
    """

    def __init__(self, sentence: str, name: str = "") -> None:
        super().__init__(sentence)
        self.name = name


class ValuesOnlyError(NotCheckableError):
    """A workbook whose formulas were replaced by values; the message is shown to the user."""


class AmbiguousError(MessageError, ValueError):
    """A file that programs read in different ways; the message says why."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """Limits on the contents of a workbook and on the resources of a check.

    For scale: four sentences of 256 words in 64 dimensions have 1.75 million cells, within all limits.

    Attributes:
        packed: size of the file in bytes.
        directory: size of the archive's directory in bytes, for about ten thousand parts.
        unpacked: total declared size of all parts in bytes; no more is unpacked.
        text: size of an XML tag or text in bytes; Excel allows 32,767 characters in a cell.
        plain: plain numbers in long runs of large sheets, which are cheap.
        cells: other cells in the sheets, including empty ones.
        elements: XML elements of all opened parts, counted each time a part is opened, without those of
            plain numbers.
        details: XML elements outside cells: styles, rows, columns, names.
        shared: number of shared formulas times the length of the longest.
        names: defined names.
        sheets: sheets, in the workbook and in the manifest.
        area: total cells of all names, of all array formulas, and of all scores.
        seconds: wall-clock time of a check; engines have their own limits.
        memory: memory of this process in bytes.
    """

    packed: int = 128 * MIB
    directory: int = MIB
    unpacked: int = 1024 * MIB
    text: int = MIB
    plain: int = 24_000_000
    cells: int = 2_000_000
    elements: int = 6_000_000
    details: int = 250_000
    shared: int = 20_000_000
    names: int = 20_000
    sheets: int = 1_000
    area: int = 4_000_000
    seconds: float = 600.0
    memory: int = 2048 * MIB


STANDARD = Allowance()


class _Timeout(BaseException):
    """Not an Exception, so that handlers for broken files do not catch it."""


@contextmanager
def guarded(path: object, allowed: Allowance = STANDARD) -> Iterator[None]:
    """Limit the wall-clock time and, on Linux, the memory of a check.

    This works only in the main thread and not on Windows; otherwise only the other limits apply. Memory is
    limited by a soft limit on the address space, which is restored afterwards.

    Raises:
        NotCheckableError: time or memory ran out.
    """
    if threading.current_thread() is not threading.main_thread() or sys.platform == "win32":
        yield
        return
    try:
        with _timer(allowed.seconds), _memory(allowed.memory):
            yield
    except _Timeout as timeout:
        raise NotCheckableError(
            say("{path}: the check was stopped after {seconds:g} s", path=path, seconds=timeout.args[0])
        ) from None
    except MemoryError:
        sentence = "{path}: the check needs more than {memory:,.0f} MB of memory"
        raise NotCheckableError(say(sentence, path=path, memory=allowed.memory / MIB)) from None


@contextmanager
def _timer(seconds: float) -> Iterator[None]:
    if 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= seconds:
        yield  # another timer expires first
        return

    def stop(_signal: int, frame: FrameType | None) -> None:
        while frame is not None:
            if frame.f_code.co_name in _UNINTERRUPTIBLE:
                return
            frame = frame.f_back
        raise _Timeout(seconds)

    before = signal.signal(signal.SIGALRM, stop)
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds, _RETRY_SECONDS)
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

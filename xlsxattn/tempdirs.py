"""Temporary folders that are always removed, including those that killed processes have left.

An interrupt between the creation of a folder and the ``try`` block that removes it would leave it behind, so
its name is chosen before it is created.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LEFTOVER = ".xlsxattn-"
_DAY = 24 * 60 * 60


@cache
def _host() -> str:
    """This computer or container: on a shared disk, the processes of others cannot be seen."""
    try:
        processes = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        processes = ""
    return hashlib.sha256(f"{platform.node()} {processes}".encode()).hexdigest()[:8]


@contextmanager
def workplace(parent: Path | None = None) -> Iterator[Path]:
    """A temporary folder of this process, in the system's temporary folder or in ``parent``.

    Raises:
        OSError: it cannot be created.
    """
    parent = Path(tempfile.gettempdir()) if parent is None else parent
    _sweep(parent)
    folder = parent / f"{LEFTOVER}{os.getpid()}-{_host()}-{os.urandom(8).hex()}"
    try:
        folder.mkdir(0o700)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Remove the temporary folders of processes that have ended; those of other computers after a day."""
    for folder in parent.glob(f"{LEFTOVER}*"):
        owner, _, rest = folder.name.removeprefix(LEFTOVER).partition("-")
        host, _, _ = rest.rpartition("-")
        if owner.isdigit() and (_is_old(folder) if host not in ("", _host()) else not _alive(int(owner))):
            shutil.rmtree(folder, ignore_errors=True)


def _is_old(folder: Path) -> bool:
    try:
        return time.time() - folder.stat().st_mtime > _DAY
    except OSError:
        return False


def _alive(process: int) -> bool:
    if sys.platform == "win32":  # os.kill would end the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True

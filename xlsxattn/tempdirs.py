"""Working folders: each is gone when its work ends, however that ends; what killed processes left is swept.

Nothing may come between making a folder and seeing to its end, neither Ctrl-C nor a clock: so its name is
known before it is there.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LEFTOVER = ".xlsxattn-"


@contextmanager
def workplace(parent: Path | None = None) -> Iterator[Path]:
    """A folder of this process alone, in the system's temporary folder or in another.

    Raises:
        OSError: it cannot be made.
    """
    parent = Path(tempfile.gettempdir()) if parent is None else parent
    _sweep(parent)
    folder = parent / f"{LEFTOVER}{os.getpid()}-{os.urandom(8).hex()}"
    try:
        folder.mkdir(0o700)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Remove the working folders of processes that are gone."""
    for folder in parent.glob(f"{LEFTOVER}*"):
        owner = folder.name.removeprefix(LEFTOVER).partition("-")[0]
        if owner.isdigit() and not _alive(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _alive(process: int) -> bool:
    if sys.platform == "win32":  # where the question would be a signal
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True

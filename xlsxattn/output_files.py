"""Output files: each is written next to its target and moved over it when it is complete.

A target that is a link stays one, and the file that it leads to is replaced. A file keeps its permissions,
and one that is read-only is kept.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from xlsxattn.language import say
from xlsxattn.tempdirs import workplace

if TYPE_CHECKING:
    from collections.abc import Callable

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of a full disk."""
_WRITABLE = 0o222


def place_of(target: Path) -> Path:
    """The file that a target leads to.

    Raises:
        OSError: it is a link to itself.
    """
    place = Path(os.path.realpath(target))
    if place.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return place


def refuse_other(target: Path) -> None:
    """Refuse a target that is no ordinary file, or is read-only.

    Raises:
        OSError: it is one of these.
    """
    place = place_of(target)
    if place.exists() and not place.is_dir():
        if not place.is_file():
            raise OSError(errno.EINVAL, say("this is not a file"))
        if not place.stat().st_mode & _WRITABLE:
            raise PermissionError(errno.EACCES, say("the file is read-only"))


def put(draft: Path, target: Path) -> None:
    """Move a complete file to its target, on the same disk.

    Raises:
        OSError: the target is no ordinary file, is read-only, or cannot be written.
    """
    refuse_other(target)
    place = place_of(target)
    if place.is_file():
        shutil.copymode(place, draft)
    draft.replace(place)


def write(target: Path, make: Callable[[Path], object]) -> None:
    """Write a file: `make` writes it to the given path, from where it is moved to its target.

    Raises:
        OSError: it cannot be written.
    """
    with workplace(place_of(target).parent) as folder:
        draft = folder / "draft"
        make(draft)
        put(draft, target)

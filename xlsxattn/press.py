"""The round: write, evaluate, write again with the engine's values, check, put in place.

Nothing takes its place in the output folder until an engine has recalculated it and NumPy agrees.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from xlsxattn.builder import layout, pages, writer
from xlsxattn.builder import spec as specs
from xlsxattn.builder.table import SpecError
from xlsxattn.checker import check as checking
from xlsxattn.checker.reader import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxattn.checker.report import Report

LEFTOVER = ".xlsxattn-"
PROPERTIES, MAKER = "docProps/custom.xml", "docProps/app.xml"
DIGEST = re.compile(rb"<vt:lpwstr>([0-9a-f]{64})</vt:lpwstr>")


class PressError(Exception):
    """A workbook that cannot be put in place; its text is the sentence a person reads."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """A finished round: the file that was written, and the report of its proof."""

    path: Path
    report: Report


def build(source: Path, target: Path, *, force: bool = False) -> Pressed:
    """Build a workbook from a spec, prove it, and put it in place.

    Args:
        source: the spec, a TOML file.
        target: the workbook to write; its folder must exist.
        force: replace a target even if a person has changed it.

    Raises:
        SpecError: the spec cannot be built.
        PressError: the target cannot be written, or a person has changed it.

    Returns:
        The report, and where the workbook went: the target when the proof holds, else ``<name>.failed.xlsx``
        beside it, the target staying as it was.
    """
    spec = specs.load(source)
    book = pages.book(spec)
    try:
        sheets = layout.lay_out(book)
    except layout.TooLargeError as error:
        raise SpecError(f"{source}: {error}") from None
    refuse_changed(target, force=force)
    with _workplace(target) as folder:
        try:
            draft, final = folder / "draft.xlsx", folder / "final.xlsx"
            writer.write(draft, book.title, sheets)
            ((values,),) = checking.recalculate(read(draft), [checking.DEFAULT_ENGINE]).values()
            writer.write(final, book.title, sheets, values)
            _seal(final)
            report = checking.check(final)
            place = target if report.holds else target.with_name(f"{target.stem}.failed.xlsx")
            with final.open("rb+") as file:
                os.fsync(file.fileno())
            final.replace(place)
        except OSError as error:
            raise PressError(f"{target}: cannot be written: {_why(error)}") from None
    return Pressed(place, _renamed(report, place))


def _renamed(report: Report, place: Path) -> Report:
    return replace(report, path=str(place))


def _why(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "the disk is full"
    return error.strerror or str(error)


@contextmanager
def _workplace(target: Path) -> Iterator[Path]:
    """A folder beside the target, so that the last step is a rename; what killed builds left is swept."""
    parent = target.parent
    if not parent.is_dir():
        raise PressError(f"{target}: the folder {parent} does not exist, make it or choose another with -o")
    if target.is_dir():
        raise PressError(f"{target}: this is a folder, the name of a file is needed")
    try:
        _sweep(parent)
        with tempfile.TemporaryDirectory(prefix=f"{LEFTOVER}{os.getpid()}-", dir=parent) as folder:
            yield Path(folder)
    except OSError as error:
        raise PressError(f"{target}: the folder {parent} cannot be written: {_why(error)}") from None


def _sweep(parent: Path) -> None:
    """Remove the working folders of builds whose process is gone."""
    for folder in parent.glob(f"{LEFTOVER}*"):
        owner = folder.name.removeprefix(LEFTOVER).partition("-")[0]
        if owner.isdigit() and not _alive(int(owner)):
            for file in folder.iterdir():
                file.unlink()
            folder.rmdir()


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


# --- whether a person has changed a workbook ---------------------------------------------------------------


def refuse_changed(target: Path, *, force: bool) -> None:
    """Keep a workbook that a person has changed since it was built, unless forced.

    Raises:
        PressError: the target holds something that this program did not write.
    """
    if target.exists() and not target.is_dir() and not force and not _as_built(target):
        raise PressError(
            f"{target}: it was changed since it was built and is kept; use --force to replace it"
        )


def _seal(path: Path) -> None:
    """Say who made the workbook, and put the digest of all other parts into its custom property."""
    parts = _parts(path)
    parts[MAKER] = re.sub(rb"<Application>[^<]*<", b"<Application>xlsxattn<", parts[MAKER])
    digest = _digest(parts).encode()
    parts[PROPERTIES] = DIGEST.sub(b"<vt:lpwstr>" + digest + b"</vt:lpwstr>", parts[PROPERTIES])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def _as_built(path: Path) -> bool:
    try:
        parts = _parts(path)
    except (OSError, zipfile.BadZipFile, NotImplementedError):
        return False
    found = DIGEST.search(parts.get(PROPERTIES, b""))
    return found is not None and found[1].decode() == _digest(parts)


def _parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _digest(parts: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(parts):
        if name != PROPERTIES:
            digest.update(f"{name}\0{len(parts[name])}\0".encode())
            digest.update(parts[name])
    return digest.hexdigest()

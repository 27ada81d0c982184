"""Detects the type of a file, and whether xlsxattn built it, without parsing its contents."""

from __future__ import annotations

import re
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from xlsxattn.checker.reading.archive import GuardedArchive
from xlsxattn.checker.reading.limits import MIB, STANDARD
from xlsxattn.contract.names import WORDS
from xlsxattn.language import say
from xlsxattn.system_errors import reason

if TYPE_CHECKING:
    from xlsxattn.language import Phrase

_WORKBOOK = re.compile(r"(?:\w+/)*workbook\d*\.xml")
_PROPERTIES = "docProps/custom.xml"
_MARK, _NAMES = b"xlsxattn", (b'"vocab_Tokens"', b'"vocab_E"')
_CELLS = re.compile(r"sharedStrings\d*\.xml$|worksheets/[^/]+\.xml$")
LISTED = tuple(WORDS[part] for part in ("Focus", "Tokens", "Dims", "E"))
"""Inputs of every workbook, each listed in a cell of its manifest."""
_UNREADABLE = (OSError, ValueError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error)
_POINTER = b"version https://git-lfs.github.com/spec/"
_ARCHIVE = b"PK\x03\x04"
_OTHERS = (
    ("mimetype", say("this is an OpenDocument file (.ods): save it as .xlsx")),
    ("xl/workbook.bin", say("this is a binary workbook (.xlsb): save it as .xlsx")),
    ("word/document.xml", say("this is a text document (.docx), not a workbook")),
    ("ppt/presentation.xml", say("this is a presentation (.pptx), not a workbook")),
)
"""Other kinds of archives: a characteristic part, and the message."""
_MOST = 64 * MIB
_LARGE = replace(STANDARD, packed=16_384 * MIB, unpacked=16_384 * MIB)
"""Other programs' workbooks may be large, as only their names are read."""


def is_foreign(path: Path) -> bool:
    """Whether a file is a workbook of another program: without our names, properties and manifest.

    A workbook whose Contract sheet was deleted still has broken names, names on other sheets, or the property
    with its digest. One whose cells were copied still has the texts of the Contract sheet. A file that is not
    a workbook at all is not foreign.
    """
    try:
        with GuardedArchive(path, _LARGE) as archive:
            parts = [name for name in archive.namelist() if _WORKBOOK.fullmatch(name)]
            texts = [_start(archive, name) for name in parts]
            properties = _start(archive, _PROPERTIES) if _PROPERTIES in archive.namelist() else b""
            named = any(_MARK in text or all(name in text for name in _NAMES) for text in texts)
            marked = named or _MARK in properties
            return bool(texts) and not marked and not _has_manifest(archive)
    except _UNREADABLE:
        return False


def is_owner_file(path: str | Path) -> bool:
    """Whether a file is an owner file, which Excel creates next to an open workbook."""
    return Path(path).name.startswith("~$")


def _has_manifest(archive: GuardedArchive) -> bool:
    """Whether a part contains the names of the inputs that every manifest lists."""
    left = _MOST
    for name in (name for name in archive.namelist() if _CELLS.search(name)):
        text = _start(archive, name, left)
        if all(f">{name}<".encode() in text for name in LISTED):
            return True
        left -= len(text)
    return False


def _start(archive: GuardedArchive, name: str, most: int = _MOST) -> bytes:
    """The start of a part, without the zero bytes of UTF-16 and with double quotes only."""
    with archive.charged(name) as part:
        return part.read(most).replace(b"\0", b"").replace(b"'", b'"')


def no_workbook(path: Path, error: Exception) -> Phrase:
    """Why a file cannot be opened as a workbook, and how to fix it; without the file name."""
    try:
        with path.open("rb") as file:
            start = file.read(len(_POINTER))
    except OSError as refused:
        return say("it cannot be read: {reason}; check its permissions", reason=reason(refused))
    if not start:
        return say("this file is empty: build or download it again")
    if start == _POINTER:
        return say("this is a Git LFS pointer instead of the workbook; get the workbook with: git lfs pull")
    if start.startswith(_ARCHIVE):
        return _archive(path)
    if isinstance(error, zipfile.BadZipFile):
        return say("this is not an .xlsx workbook: save it as .xlsx in a spreadsheet program")
    return say("it cannot be read: {reason}; check its permissions", reason=reason(error))


def other_kind(path: Path) -> Phrase | None:
    """The type of an archive that is not a workbook; None if it may be one."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.namelist()
    if any(_WORKBOOK.fullmatch(part) for part in parts):
        return None
    unknown = say("this is an archive without a workbook: save the workbook as .xlsx")
    return next((said for part, said in _OTHERS if part in parts), unknown)


def _archive(path: Path) -> Phrase:
    """Why an archive cannot be opened as a workbook."""
    try:
        other = other_kind(path)
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return say(
            "this file is truncated or damaged: the end of its archive is missing; download or build it again"
        )
    broken = "this file is truncated or damaged: a part of its archive is corrupt; download or build it again"
    return other or say(broken)

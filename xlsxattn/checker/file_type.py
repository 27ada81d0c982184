"""Whose a file is, and what it is where it is no workbook: told before anything in it is parsed."""

from __future__ import annotations

import re
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from xlsxattn.checker.reading.archive import GuardedArchive
from xlsxattn.checker.reading.limits import MB, STANDARD
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
"""Inputs of every workbook of ours, which its manifest lists, each in a cell of its own."""
_UNREADABLE = (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error)
_POINTER = b"version https://git-lfs.github.com/spec/"
_ARCHIVE = b"PK\x03\x04"
_OTHERS = (
    ("mimetype", say("this is an OpenDocument file (.ods): save it as .xlsx")),
    ("xl/workbook.bin", say("this is a binary workbook (.xlsb): save it as .xlsx")),
    ("word/document.xml", say("this is a text document (.docx), and no workbook")),
    ("ppt/presentation.xml", say("this is a presentation (.pptx), and no workbook")),
)
"""Archives of other kinds: a part that each has, and what is said of it."""
_MOST = 64 * MB
_LARGE = replace(STANDARD, packed=16_384 * MB, unpacked=16_384 * MB)
"""A stranger's workbook may be large: nothing but its names is read."""


def is_foreign(path: Path) -> bool:
    """Whether a file is a workbook, and bears no mark of ours: no name, no property, no manifest's texts.

    A workbook of which somebody has deleted the Contract still has marks: names that lead nowhere, names of
    other sheets, the property of its digest. One whose cells were copied still has the Contract's texts.
    What is no workbook at all is nobody's.
    """
    try:
        with GuardedArchive(path, _LARGE) as archive:
            parts = [name for name in archive.namelist() if _WORKBOOK.fullmatch(name)]
            texts = [_start(archive, name) for name in parts]
            own = _start(archive, _PROPERTIES) if _PROPERTIES in archive.namelist() else b""
            named = any(_MARK in text or all(name in text for name in _NAMES) for text in texts)
            return bool(texts) and _MARK not in own and not named and not _holds_manifest(archive)
    except _UNREADABLE:
        return False


def is_owner_file(path: str | Path) -> bool:
    """Whether a file is what Excel puts beside an open workbook: who has opened it, and no workbook."""
    return Path(path).name.startswith("~$")


def _holds_manifest(archive: GuardedArchive) -> bool:
    """Whether some part lists the ranges that every workbook of ours has, each in a text of its own."""
    left = _MOST
    for name in (name for name in archive.namelist() if _CELLS.search(name)):
        text = _start(archive, name, left)
        if all(f">{name}<".encode() in text for name in LISTED):
            return True
        left -= len(text)
    return False


def _start(archive: GuardedArchive, name: str, most: int = _MOST) -> bytes:
    """A part's text as far as it is looked at, without the zeros of UTF-16, with double quotes."""
    with archive.charged(name) as part:
        return part.read(most).replace(b"\0", b"").replace(b"'", b'"')


def no_workbook(path: Path, error: Exception) -> Phrase:
    """Why a file cannot be opened as a workbook, and what would be right; without the file's name."""
    try:
        with path.open("rb") as file:
            start = file.read(len(_POINTER))
    except OSError as refused:
        return say("it cannot be read: {reason}; check who may read it", reason=reason(refused))
    if not start:
        return say("this file is empty: build it, or fetch it, anew")
    if start == _POINTER:
        return say("this is a Git LFS pointer in place of the workbook: fetch that with: git lfs pull")
    if start.startswith(_ARCHIVE):
        return _archive(path)
    if isinstance(error, zipfile.BadZipFile):
        return say("this is not an .xlsx workbook: save it as .xlsx in a spreadsheet program")
    return say("it cannot be read: {reason}; check who may read it", reason=reason(error))


def other_kind(path: Path) -> Phrase | None:
    """What an archive is that holds something else than a workbook; None where it may hold one."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.namelist()
    if any(_WORKBOOK.fullmatch(part) for part in parts):
        return None
    nothing = say("this is an archive without a workbook in it: save the workbook as .xlsx")
    return next((said for part, said in _OTHERS if part in parts), nothing)


def _archive(path: Path) -> Phrase:
    """What is wrong with an archive."""
    try:
        other = other_kind(path)
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return say("this file is cut short or damaged: its archive has no end; fetch or build it anew")
    broken = "this file is cut short or damaged: a part of its archive is broken; fetch or build it anew"
    return other or say(broken)

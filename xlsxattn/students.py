"""Inputs of personal copies: the list of students, and the key of their random numbers."""

from __future__ import annotations

import codecs
import csv
import os
import re
import secrets
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from xlsxattn.language import say
from xlsxattn.press import PressError
from xlsxattn.suggestions import no_file
from xlsxattn.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY_BYTES, KEY_BEGINS = 32, "xlsxattn key "
MAX_STUDENTS, MAX_STUDENT_ID_LENGTH = 2000, 64
ID_HEADINGS = ("id", "student id", "sis user id", "identifier", "student number", "matrikelnummer", "学号")
"""Headings of the column of ids in a list of students, lower-case."""
ENCODINGS = ("utf-8-sig", "gb18030", "cp1252")
ID = re.compile(r"\w(?:[\w .@+-]*[\w@+-])?")
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that Windows reserves for devices, with any extension."""


class StudentsError(PressError):
    """A list of students or a key that cannot be used; the message is shown to the user."""


def read_ids(path: Path) -> list[str]:
    """The ids in a list of students: CSV with commas, semicolons or tabs.

    Raises:
        StudentsError: the file cannot be read, or its ids cannot be used.
    """
    try:
        text, is_certain = _decoded(path.read_bytes())
        rows = _rows(text)
    except FileNotFoundError:
        raise StudentsError(no_file(path)) from None
    except OSError as error:
        raise StudentsError(say("{path}: cannot be read: {why}", path=path, why=reason(error))) from None
    except (csv.Error, UnicodeError):
        raise StudentsError(say("{path}: not a CSV file: save it as CSV, UTF-8", path=path)) from None
    if not rows:
        sentence = "{path}: is empty; expected a line with the heading id, then a line for each student"
        raise StudentsError(say(sentence, path=path))
    headings = [heading.strip().lower() for heading in rows[0][1]]
    column = next((headings.index(name) for name in ID_HEADINGS if name in headings), None)
    if column is None:
        sentence = "{path}: line {line}: no column is called id: found {found}"
        shown = _shortened(", ".join(map(str.strip, rows[0][1])))
        raise StudentsError(say(sentence, path=path, line=rows[0][0], found=shown))
    cells = [(line, row[column] if column < len(row) else "") for line, row in rows[1:]]
    ids = [(line, unicodedata.normalize("NFC", cell.strip())) for line, cell in cells]
    if not 0 < len(ids) <= MAX_STUDENTS:
        sentence = "{path}: lists {n} students; 1 to {most} are allowed"
        raise StudentsError(say(sentence, path=path, n=len(ids), most=MAX_STUDENTS))
    if not is_certain and any(not one.isascii() for _, one in ids):
        raise StudentsError(
            say("{path}: the encoding of its ids is unknown: save it as CSV, UTF-8", path=path)
        )
    _refuse_ids(path, ids)
    return [one for _, one in ids]


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """The lines of a CSV file that are not blank, each with its number.

    Raises:
        csv.Error: it is not CSV.
    """
    lines = text.splitlines(keepends=True)
    head = next(filter(str.strip, lines), "")
    unquoted = re.sub('"[^"]*"', "", head)
    separator = max(",;\t", key=unquoted.count)
    if head.startswith("sep="):  # tells Excel the separator
        separator = head.strip().removeprefix("sep=")[:1] or separator
        lines[lines.index(head)] = "\n"
    reader = csv.reader(lines, delimiter=separator, strict=True)
    return [(reader.line_num, row) for row in reader if any(map(str.strip, row))]


def _decoded(content: bytes) -> tuple[str, bool]:
    """The text of a file, and whether its encoding is certain.

    Raises:
        UnicodeError: it is not text.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16"), True
    if b"\0" in content:
        raise UnicodeError
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding), encoding == ENCODINGS[0]
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1"), False


def _refuse_ids(path: Path, ids: Sequence[tuple[int, str]]) -> None:
    """Refuse ids, given with their lines, that are missing, duplicate, or not valid as file names."""
    before = dict[str, int]()
    for line, one in ids:
        if not one:
            raise StudentsError(say("{path}: line {line}: the id is missing", path=path, line=line))
        if not ID.fullmatch(one) or RESERVED.fullmatch(one) or len(one) > MAX_STUDENT_ID_LENGTH:
            sentence = (
                "{path}: line {line}: the id {id!r} cannot be the name of a file; letters, digits, - and _ "
                "can, at most {most}"
            )
            shown = _shortened(one)
            raise StudentsError(say(sentence, path=path, line=line, id=shown, most=MAX_STUDENT_ID_LENGTH))
        alike = one.casefold()
        if alike in before:
            sentence = "{path}: line {line}: the id {id!r} is in line {first} already"
            raise StudentsError(say(sentence, path=path, line=line, id=one, first=before[alike]))
        before[alike] = line


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_STUDENT_ID_LENGTH else f"{text[:MAX_STUDENT_ID_LENGTH]}…"


def _create_key(path: Path) -> None:
    path.touch(mode=0o600, exist_ok=False)
    try:
        path.write_text(f"{KEY_BEGINS}{secrets.token_hex(KEY_BYTES)}\n", encoding="ascii")
    except OSError:
        path.unlink()
        raise


def read_key(path: Path, folder: Path) -> bytes:
    """The key of personal copies; it is created if there is none.

    Raises:
        StudentsError: the file is not a key, cannot be read or written, or is in the folder of the copies.
    """
    if Path(os.path.realpath(folder)) in Path(os.path.realpath(path)).parents:
        sentence = "{path}: the key must not be in {folder}, which is handed out"
        raise StudentsError(say(sentence, path=path, folder=folder))
    try:
        if not path.exists():
            _create_key(path)
        text = path.read_text(encoding="ascii").strip()
        key = bytes.fromhex(text.removeprefix(KEY_BEGINS)) if text.startswith(KEY_BEGINS) else b""
    except OSError as error:
        sentence = "{path}: the key cannot be read or written: {why}"
        raise StudentsError(say(sentence, path=path, why=reason(error))) from None
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        sentence = "{path}: is not a key file of xlsxattn; to create one, give the name of a new file"
        raise StudentsError(say(sentence, path=path))
    return key

"""What reaches outside a workbook: links to other files and programs, macros; reported, never followed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xlsxattn.checker.compare import Finding
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxattn.checker.reader import Book

_TEXT = re.compile(r'"[^"]*"')
_OTHER_FILE = re.compile(r"\[[^\[\]]*\][^!,;()+*/&=<>^]*!")
_OTHER_PROGRAM = re.compile(r"[\w.]\|(?:'[^']*'|[^'!|]+)!")
_FETCHES = re.compile(
    r"\b(?:WEBSERVICE|RTD|DDE|IMAGE|CALL|REGISTER|REGISTER\.ID|EXEC|STOCKHISTORY|SQL\.REQUEST|CUBE\w+|IMPORT\w+)"
    r"\s*\(",
    re.IGNORECASE,
)
_PARTS = (
    (re.compile(r"vbaProject|macrosheets/|activeX/|embeddings/", re.IGNORECASE), "macros",
     say("{part} holds macros or embedded programs: none was run, and nothing says what they would do")),
    (re.compile(r"externalLinks/[^/]*$|connections\.xml$|queryTables/", re.IGNORECASE), "external link",
     say("{part} links the workbook to something outside: it was not followed")),
)  # fmt: skip


def reaches(formula: str) -> str:
    """What in a formula reaches outside the workbook: another file, another program, the network; or ""."""
    bare = _TEXT.sub('""', formula)
    found = _OTHER_FILE.search(bare) or _OTHER_PROGRAM.search(bare) or _FETCHES.search(bare)
    return found[0].strip() if found else ""


def outside(book: Book) -> Iterator[Finding]:
    """Links and macros; the formulas that follow a link are errors, as nobody can prove them."""
    for formula in book.formulas.values():
        if link := reaches(formula.text):
            message = say(
                "a formula reaches outside the workbook by {link}: it was not calculated", link=link[:80]
            )
            yield Finding("external link", "", formula.area.address(), message, formula.text)
    for name, link in book.links:
        message = say(
            "the name {name} reaches outside the workbook by {link}: it was not followed",
            name=name,
            link=link[:80],
        )
        yield Finding("external link", name, "", message, severity="warning")
    for part in book.parts:
        for pattern, kind, sentence in _PARTS:
            if pattern.search(part):
                yield Finding(kind, "", "", say(sentence, part=part), severity="warning")

"""What reaches outside a workbook: links to other files and programs, macros; reported, never followed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xlsxattn.checker.compare import Finding
from xlsxattn.checker.reading.links import reaches
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxattn.checker.reading.book import Book

_PARTS = (
    (re.compile(r"vbaProject|macrosheets/|activeX/|embeddings/", re.IGNORECASE), "macros",
     say("{part} holds macros or embedded programs: none was run, and nothing says what they would do")),
    (re.compile(r"externalLinks/[^/]*$|connections\.xml$|queryTables/", re.IGNORECASE), "external link",
     say("{part} links the workbook to something outside: it was not followed")),
)  # fmt: skip


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

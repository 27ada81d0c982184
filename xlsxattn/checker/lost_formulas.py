"""A workbook of ours whose formulas are values, or spelled in another program's way: one cause."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xlsxattn.checker.compare import Finding
from xlsxattn.language import say

if TYPE_CHECKING:
    from xlsxattn.checker.reading.book import Book

_GOOGLE = re.compile(
    r"=\s*(?:ARRAY_CONSTRAIN\(|ARRAYFORMULA\(|IFERROR\(__xludf\.DUMMYFUNCTION\()", re.IGNORECASE
)


def lost_formulas(book: Book) -> Finding | None:
    """Why no formula of a workbook can be proved; None where some can."""
    if book.manifest.formulas and not book.formulas:
        message = say("its formulas were replaced by values: take an earlier copy, or build it anew")
        return Finding("formulas lost", "", "", message)
    google = [formula for formula in book.formulas.values() if _GOOGLE.match(formula.text)]
    if not google:
        return None
    sentence = (
        "Google Sheets has saved {n} array formulas as ARRAY_CONSTRAIN(ARRAYFORMULA(...)), which no other "
        "program computes: take the workbook as it was before"
    )
    first = google[0]
    return Finding("formulas lost", "", first.area.address(), say(sentence, n=len(google)), first.text)

"""Workbooks whose formulas were replaced by values, or rewritten by Google Sheets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding

if TYPE_CHECKING:
    from xlsxattn.checker.reading.book import Book

_GOOGLE = re.compile(
    r"=\s*(?:ARRAY_CONSTRAIN\(|ARRAYFORMULA\(|IFERROR\(__xludf\.DUMMYFUNCTION\()", re.IGNORECASE
)


def lost_formulas(book: Book) -> Finding | None:
    """Why the formulas of a workbook cannot be proved; None if they can."""
    if book.manifest.formulas and not book.formulas:
        return Finding(Kind.FORMULAS_LOST)
    google = [formula for formula in book.formulas.values() if _GOOGLE.match(formula.text)]
    if not google:
        return None
    where, text = google[0].area.address(), google[0].text
    return Finding(Kind.FORMULAS_LOST, "", where, formula=text, values={"n": len(google)})

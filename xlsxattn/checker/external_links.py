"""Links to other files and programs, and macros: reported, but never followed or run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding
from xlsxattn.checker.reading.links import reaches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxattn.checker.reading.book import Book

_KINDS = {"macros": Kind.MACROS, "links": Kind.EXTERNAL_LINK}
MAX_SHOWN_LENGTH = 80


def external_content(book: Book) -> Iterator[Finding]:
    """Links and macros; a formula with a link is an error, as it cannot be proved."""
    for formula in book.formulas.values():
        if link := reaches(formula.text):
            yield Finding(
                Kind.EXTERNAL_LINK,
                cell=formula.area.address(),
                formula=formula.text,
                values={"link": link[:MAX_SHOWN_LENGTH]},
                severity="error",
            )
    for name, link in book.links:
        yield Finding(Kind.EXTERNAL_LINK, name, values={"link": link[:MAX_SHOWN_LENGTH]})
    for part, activity in book.active.items():
        yield Finding(_KINDS[activity], values={"part": part})

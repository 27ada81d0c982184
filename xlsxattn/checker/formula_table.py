"""A table of formulas that was made without the manifest, and where the manifest differs from it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from xlsxattn.checker.cell_formulas import differing_part, shortened
from xlsxattn.checker.findings import Finding, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlsxattn.checker.reading.book import Book
    from xlsxattn.checker.reading.manifest import Manifest


WORDS = re.compile(r'(\w+)\[1\](?:&" "&\1\[\d+\])*', re.ASCII)
"""A sentence's words one after another, as many as it had when it was written."""
WORD = re.compile(r"\d+E[+-]?\d+|\w+|.", re.ASCII | re.DOTALL)
SENTENCES = ("Sentence", "Text")


@dataclass(frozen=True, slots=True)
class FormulaTable:
    """The formulas that a workbook should hold, whatever its manifest says.

    Attributes:
        version: of the program that made this table.
        formulas: for each computed range, how its formula is entered, and the formula.
        kept: live checks whose formula in the manifest is another one, but stood so in the release that made
            the workbook.
    """

    version: str
    formulas: Mapping[str, tuple[str, str]]
    kept: frozenset[str] = frozenset()


Rebuild = Callable[..., FormulaTable | None]
"""Makes the table of a workbook that was read; None where that cannot be."""


def held_against(book: Book, table: FormulaTable) -> tuple[Book, tuple[Finding, ...]]:
    """The workbook with the formulas that its cells are held against, and where its manifest differs.

    Where the same version made the table, the table is right. Of another version's workbook it is right for
    live checks, which no value proves; all else is held against the manifest, and one warning says how much.
    """
    manifest, strict = book.manifest, book.manifest.program == table.version
    own, ours = manifest.formulas, table.formulas
    others = [n for n in {**own, **ours} if not same(manifest, n, own.get(n), ours.get(n))]
    wrong = [n for n in others if strict or (manifest.parse(n).is_live_check and n not in table.kept)]
    found = [Finding(Kind.MANIFEST, n, values=_difference(own.get(n), ours.get(n))) for n in wrong]
    if more := len(others) - len(wrong):
        values: dict[str, Any] = {"n": more, "all": len(own), "ours": table.version}
        values |= {"made": manifest.program} if manifest.program else {}
        found.append(Finding(Kind.OTHER_VERSION, values=values))
    right = {**own, **{name: ours[name] for name in wrong if name in ours}}
    return replace(book, manifest=replace(manifest, formulas=right)), tuple(found)


def same(manifest: Manifest, name: str, own: tuple[str, str] | None, ours: tuple[str, str] | None) -> bool:
    """Whether two ways to enter a range's formula are one; a sentence may have had fewer words."""
    if own == ours or own is None or ours is None:
        return own == ours
    if manifest.parse(name).block not in SENTENCES:
        return False
    return own[0] == ours[0] and WORDS.sub(r"\1", own[1]) == WORDS.sub(r"\1", ours[1])


def _difference(own: tuple[str, str] | None, ours: tuple[str, str] | None) -> dict[str, str]:
    """How the manifest's formula differs from the right one; nothing where there should be none."""
    if ours is None:
        return {}
    if own is None:
        return {"right": shortened(ours[1])}
    if own[0] != ours[0]:
        return {"entered": shortened(own[0]), "right_entered": ours[0]}
    return differing_part(WORD.findall(ours[1]), WORD.findall(own[1]))

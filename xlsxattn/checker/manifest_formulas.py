"""The independent table of expected formulas, and comparison of the manifest with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from xlsxattn.checker.cell_formulas import differing_part, shortened
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlsxattn.checker.reading.book import Book
    from xlsxattn.checker.reading.manifest import Manifest


Formulas: TypeAlias = "Mapping[str, tuple[str, str]]"
"""Computed range → how its formula is entered, and the formula."""
WORDS = re.compile(r'(\w+)\[1\](?:&" "&\1\[\d+\])*', re.ASCII)
"""The joined words of a sentence, whose number is that of the original sentence."""
WORD = re.compile(r"\d+E[+-]?\d+|\w+|.", re.ASCII | re.DOTALL)
SENTENCES = ("Sentence", "Text")


@dataclass(frozen=True, slots=True)
class FormulaTable:
    """The expected formulas of a workbook, independent of its manifest.

    Attributes:
        version: the version of the program that generated the table.
        formulas: computed range → how its formula is entered, and the formula.
        kept: live checks whose formula in the manifest differs, but is the one of the release that built the
            workbook.
    """

    version: str
    formulas: Formulas
    kept: frozenset[str] = frozenset()


Rebuild = Callable[..., FormulaTable | None]
"""Generates the table for a workbook; None if that is impossible."""


def with_expected_formulas(book: Book, table: FormulaTable) -> tuple[Book, tuple[Finding, ...]]:
    """The workbook with its expected formulas, and the findings where its manifest differs from the table.

    For a workbook of the same version, the table is right. For a workbook of another version, it is right for
    live checks, whose values prove nothing; all other cells are compared with the manifest, with a warning.
    """
    manifest, strict = book.manifest, book.manifest.program == table.version
    listed, ours = manifest.formulas, table.formulas
    others = [n for n in {**listed, **ours} if not same(manifest, n, listed.get(n), ours.get(n))]
    wrong = [n for n in others if strict or (manifest.parse(n).is_live_check and n not in table.kept)]
    findings = [Finding(Kind.MANIFEST, n, values=_difference(listed.get(n), ours.get(n))) for n in wrong]
    if more := len(others) - len(wrong):
        values: dict[str, Any] = {"n": more, "all": len(listed), "ours": table.version}
        values |= {"made": manifest.program} if manifest.program else {}
        findings.append(Finding(Kind.OTHER_VERSION, values=values))
    right = {**listed, **{name: ours[name] for name in wrong if name in ours}}
    return replace(book, manifest=replace(manifest, formulas=right)), tuple(findings)


def same(manifest: Manifest, name: str, own: tuple[str, str] | None, ours: tuple[str, str] | None) -> bool:
    """Whether two formulas of a range are the same; the number of words of a sentence may differ."""
    if own == ours or own is None or ours is None:
        return own == ours
    if manifest.parse(name).block not in SENTENCES:
        return False
    return own[0] == ours[0] and WORDS.sub(r"\1", own[1]) == WORDS.sub(r"\1", ours[1])


def _difference(own: tuple[str, str] | None, ours: tuple[str, str] | None) -> dict[str, str]:
    """How the formula of the manifest differs from the expected one; empty if none is expected."""
    if ours is None:
        return {}
    if own is None:
        return {"right": shortened(ours[1])}
    if own[0] != ours[0]:
        return {"entered": shortened(own[0]), "right_entered": ours[0]}
    return differing_part(WORD.findall(ours[1]), WORD.findall(own[1]))

"""Findings: problems of a workbook.

A finding is data: its kind, its location, its values. `Finding.message` formats a sentence of its kind with
the values; no code depends on the sentence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from string import Formatter
from typing import TYPE_CHECKING, Any

from xlsxattn.checker.finding_kinds import About, Effect
from xlsxattn.language import bounded, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from xlsxattn.checker.finding_kinds import Kind, Severity
    from xlsxattn.language import Phrase

_OTHER_NAMES = ("input", "other", "before", "labels")
"""Values that are range names."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem of a workbook.

    Attributes:
        kind: the kind of problem; it equals its identifier, such as ``"constant"``.
        range: the name of the range; "" if no range contains the cell.
        cell: the address, ``Sheet!B7``; "" if the finding refers to a whole range, sheet or workbook.
        sheet: the sheet's tab; "" if the finding refers to no particular sheet.
        formula: the formula of the cell in the file.
        found: the value that the engine computed.
        expected: the value that NumPy computed.
        values: other values for the message.
        severity: ``"error"`` or ``"warning"``.
        more: the number of further cells of the range with the same problem.
        round: 0 for the saved inputs, otherwise the number of the set of perturbed inputs.
        unread: whether IronCalc cannot parse the formula.
        follows: the range (or the cell) with the fault that explains this finding; "" for a cause.
    """

    kind: Kind
    range: str = ""
    cell: str = ""
    sheet: str = ""
    formula: str = ""
    found: Any = None
    expected: Any = None
    values: Mapping[str, Any] = field(default_factory=dict, hash=False)
    severity: Severity = None  # type: ignore[assignment]  # None: that of the kind
    more: int = 0
    round: int = 0
    unread: bool = False
    follows: str = ""

    def __post_init__(self) -> None:
        """Derive the severity from the kind and the sheet from the cell."""
        if self.severity is None:
            object.__setattr__(self, "severity", self.kind.severity)
        if not self.sheet:
            object.__setattr__(self, "sheet", self.cell.rpartition("!")[0])
        given = {About.RANGE: self.range, About.CELL: self.cell, About.SHEET: self.sheet}
        assert given.get(self.kind.about, "all"), (self.kind, self.kind.about)

    @property
    def names(self) -> tuple[str, ...]:
        """The ranges that the finding mentions, its own first."""
        others = (str(self.values[key]) for key in _OTHER_NAMES if key in self.values)
        return tuple(dict.fromkeys(name for name in (self.range, *others) if name))

    @property
    def is_symptom(self) -> bool:
        """Whether it is a wrong value, which usually has another cause."""
        return self.kind.effect is Effect.SYMPTOM

    @property
    def message(self) -> Phrase:
        """The message in English, which can be translated."""
        attributes = {
            "name": self.range or None,
            "cell": self.cell or None,
            "sheet": self.sheet or None,
            "formula": self.formula or None,
            "found": self.found,
            "expected": self.expected,
        }
        given = {key: value for key, value in attributes.items() if value is not None} | dict(self.values)
        sentence = _fitting(self.kind.sentences, given)
        said = say(sentence, **{key: _shown(given[key]) for key in _fields(sentence)})
        if self.more:
            one, many = (
                say("{message}; 1 more cell has the same problem"),
                say("{message}; {n} more cells have the same problem"),
            )
            said = say(one if self.more == 1 else many, message=said, n=self.more)
        if self.round:
            said = say("{message} (inputs perturbed, round {i})", message=said, i=self.round)
        if self.unread:
            hint = (
                "{message}: IronCalc cannot parse this formula; if it is correct, try xlsxattn "
                "check --engine libreoffice"
            )
            said = say(hint, message=said)
        return say(bounded(said))


def shape_text(*shape: int) -> str:
    """A shape in text form: ``2 × 3``."""
    return " × ".join(map(str, shape))


def distinct(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Remove duplicates from several engines: keep the last finding of each kind, location and values."""
    return tuple({(f.kind, f.range, f.cell, f.sheet, repr(f.values)): f for f in findings}.values())


class _Number(float):
    """A number that is formatted with at most 15 digits."""

    def __repr__(self) -> str:
        return f"{float(self):.15g}"

    __str__ = __repr__


def _shown(value: object) -> object:
    return _Number(value) if isinstance(value, float) else value


def _fitting(sentences: tuple[Phrase, ...], given: Mapping[str, object]) -> Phrase:
    """The first sentence whose values are all available."""
    return next((s for s in sentences if _fields(s) <= given.keys()), sentences[-1])


@cache
def _fields(sentence: str) -> frozenset[str]:
    """The names of the placeholders in a sentence."""
    return frozenset(name for _, name, _, _ in Formatter().parse(sentence) if name)

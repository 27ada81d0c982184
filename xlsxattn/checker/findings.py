"""What can be wrong with a workbook: every kind of finding, declared once; sentences are made from the data.

A finding is data: its kind, what it is about, its values. `Finding.message` puts the values into the kind's
sentence, and no code reads that sentence. CONTRIBUTING.md says how to add a kind.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from functools import cache
from string import Formatter
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from xlsxattn.language import Phrase

Severity: TypeAlias = Literal["error", "warning"]

_OTHER_NAMES = ("input", "other", "before", "labels")
"""Values that are names of ranges."""


class About(Enum):
    """What a kind of finding is about, and so must be given."""

    RANGE = auto()
    CELL = auto()
    SHEET = auto()
    WORKBOOK = auto()


class Effect(Enum):
    """What a finding does to the values of its range, and so to all that is made from them."""

    NONE = auto()
    SPOILS = auto()  # whatever the range was made from
    MAY_SPOIL = auto()  # where the range's values differ, and nothing that it is made from does
    SYMPTOM = auto()  # it tells what a cell shows: nearly always because of something else


@dataclass(frozen=True, slots=True)
class Declaration:
    """A kind of finding.

    Attributes:
        identifier: what programs know it by, in JSON and JUnit; it stays.
        about: what it is about.
        sentences: what is wrong; the first one is taken whose values are all there. ``name``, ``cell``,
            ``sheet``, ``formula``, ``found`` and ``expected`` are those of the finding, where it has them; a
            value ``n`` is given where there are several.
        severity: an error or a warning, unless a finding says otherwise.
        effect: what it does to the values of its range.
    """

    identifier: str
    about: About
    sentences: tuple[Phrase, ...]
    severity: Severity = "error"
    effect: Effect = Effect.NONE


class Kind(StrEnum):
    """The kinds of findings; each is its identifier, a text."""

    about: About
    sentences: tuple[Phrase, ...]
    severity: Severity
    effect: Effect

    def __new__(cls, declared: Declaration) -> Self:
        """A text with what was declared."""
        kind = str.__new__(cls, declared.identifier)
        kind._value_ = declared.identifier
        kind.about, kind.sentences = declared.about, declared.sentences
        kind.severity, kind.effect = declared.severity, declared.effect
        return kind

    # --- names ---------------------------------------------------------------------------------------------

    MISSING = Declaration(
        "missing",
        About.RANGE,
        (
            say("the name {name} must cover cells as Sheet!$A$1:$B$2 does, and stands for {text}"),
            say(
                "the input range {input} is missing: "
                "give this name to the cells from {first}, beside {labels}"
            ),
            say("the input range {input} is missing"),
            say("the range {name} is missing: give this name to {there}, where its formulas stand"),
            say("the range {name} is missing"),
        ),
        effect=Effect.SPOILS,
    )
    RESIZED = Declaration(
        "resized",
        About.RANGE,
        (
            say("{name} covers {shape} cells, it should cover {right_shape}"),
            say("{name} is {shape} but must be {needed}, as {other} is {other_shape}"),
            say("{name} is {shape} but must be {needed}"),
            say("{name} is {shape} but must be {rows} × a multiple of {heads}, the number of heads"),
            say("{name} makes {columns} columns a head, but rotary positions need an even number"),
            say("{name} has {rows} rows, but {sheet_id} shows the {k} largest logits"),
        ),
        effect=Effect.SPOILS,
    )
    MOVED = Declaration(
        "moved",
        About.RANGE,
        (
            say("{name} covers {here}, but its formulas stand in {there}: the name was moved"),
            say("{name} does not stand beside {other} at {place}: one of the names was moved"),
            say("{name} stands on another tab than the rest of {page}: it was moved"),
            say("{name} stands before {before}, which should come first: one of the names was moved"),
        ),
        severity="warning",
        effect=Effect.MAY_SPOIL,
    )
    OVERLAP = Declaration(
        "overlap",
        About.CELL,
        (say("this cell belongs to two computed ranges, {other} and {name}"),),
    )
    UNKNOWN_RANGE = Declaration(
        "unknown range",
        About.RANGE,
        (say("nothing says what {name} should hold"),),
    )

    # --- formulas ------------------------------------------------------------------------------------------

    CONSTANT = Declaration(
        "constant",
        About.CELL,
        (
            say(
                "{name} holds {n} constants, the first {found!r}, "
                "where the array formula {right} over {cells} belongs"
            ),
            say("{name} holds the constant {found!r} where the array formula {right} over {cells} belongs"),
            say("{name} holds the constant {found!r} where the formula {right} belongs"),
            say("{name} holds the constant {found!r} where a formula belongs"),
        ),
        effect=Effect.SPOILS,
    )
    OTHER_FORMULA = Declaration(
        "other formula",
        About.CELL,
        (
            say("{name}: the manifest expects {right}; {broken} is no formula"),
            say("{name}: the manifest expects {right}; {there} stands where it has {part}"),
            say("{name}: the manifest expects {right}; {there} stands where it has nothing"),
            say("{name}: the manifest expects {right}; nothing stands where it has {part}"),
            say("{name}: the manifest expects {right}; it should fill {cells} cells, and fills {filled}"),
            say("{name}: the manifest expects {right}; it is not entered as an array formula"),
        ),
        severity="warning",
        effect=Effect.MAY_SPOIL,
    )
    MANIFEST = Declaration(
        "manifest",
        About.RANGE,
        (
            say(
                "the manifest enters the formula of {name} as {entered!r}, "
                "by the settings it is {right_entered!r}"
            ),
            say("the manifest's formula of {name} has {there} where by the settings {part} belongs"),
            say("the manifest's formula of {name} has {there} where by the settings nothing belongs"),
            say("the manifest's formula of {name} lacks {part}, which by the settings belongs there"),
            say("the manifest has no formula for {name}, by the settings it is {right}"),
            say("the manifest has a formula for {name}, and by the settings there is no such range"),
        ),
    )
    OTHER_VERSION = Declaration(
        "other version",
        About.WORKBOOK,
        (
            say(
                "xlsxattn {made} made this workbook: {n} of its {all} formulas are not those of "
                "xlsxattn {ours}, and were held against the manifest"
            ),
            say(
                "an earlier version made this workbook: {n} of its {all} formulas are not those of "
                "xlsxattn {ours}, and were held against the manifest"
            ),
        ),
        severity="warning",
    )
    ASTRAY_FORMULA = Declaration(
        "astray formula",
        About.CELL,
        (
            say(
                "the array formula in {cell} must stand in {first}, the first of the cells {cells} "
                "that it fills; cells were moved without {n} array formulas"
            ),
            say(
                "the array formula in {cell} must stand in {first}, the first of the cells {cells} "
                "that it fills"
            ),
        ),
    )
    STRAY_FORMULA = Declaration(
        "stray formula",
        About.CELL,
        (say("a formula stands in no named range, so nothing checks it"),),
    )
    OWN_FORMULAS = Declaration(
        "own formulas",
        About.CELL,
        (
            say("{n} formulas stand on a sheet without named ranges, so nothing checks them"),
            say("a formula stands on a sheet without named ranges, so nothing checks it"),
        ),
        severity="warning",
    )

    # --- values --------------------------------------------------------------------------------------------

    VALUE = Declaration(
        "value",
        About.CELL,
        (
            say("{name} holds {found!r}, NumPy has a text that begins with {mark}"),
            say("{name} holds {found!r}, NumPy has {expected!r}"),
            say("{name} holds {found!r} in a cell that must be blank"),
        ),
        effect=Effect.SYMPTOM,
    )
    ERROR_VALUE = Declaration(
        "error value",
        About.CELL,
        (
            say("the input {input} shows the error {found}"),
            say("{name} shows the error {found}"),
        ),
        effect=Effect.SYMPTOM,
    )
    OVERFLOW = Declaration(
        "overflow",
        About.RANGE,
        (say("the numbers of {name} become too large for a spreadsheet, beyond 1.8e308"),),
        effect=Effect.SYMPTOM,
    )
    EMPTY = Declaration(
        "empty",
        About.CELL,
        (
            say("{name} has nothing in {cells} where the array formula {right} belongs"),
            say("{name} has an empty cell where the formula {right} belongs"),
            say("{name} has an empty cell"),
        ),
        effect=Effect.SYMPTOM,
    )
    ENGINES_DISAGREE = Declaration(
        "engines disagree",
        About.CELL,
        (say("{name}: {first} computes {one!r}, {second} {two!r}"),),
        effect=Effect.SYMPTOM,
    )
    STALE_VALUE = Declaration(
        "stale value",
        About.CELL,
        (
            say("{name}: the file has {saved!r} saved, its formulas give {fresh!r}"),
            say("no formula has a value saved, cells beside do: {name} has {beside!r}, not {fresh!r}"),
            say("{name}: no value is saved for this formula, though {others:,} formulas have one"),
        ),
        severity="warning",
        effect=Effect.SYMPTOM,
    )

    # --- inputs --------------------------------------------------------------------------------------------

    TEXT_IN_NUMBERS = Declaration(
        "text in a numeric input",
        About.CELL,
        (say("the input {name} holds {found!r}, a number is needed"),),
    )
    UNKNOWN_WORD = Declaration(
        "unknown word",
        About.CELL,
        (
            say("{word!r} is not in the vocabulary"),
            say("the cell is blank, a word of the vocabulary is needed"),
        ),
        severity="warning",
    )
    WORD_TWICE = Declaration(
        "word twice",
        About.CELL,
        (say("{word!r} stands in the vocabulary already, and that row counts"),),
        severity="warning",
    )
    TYPED_ROWS = Declaration(
        "typed rows",
        About.CELL,
        (say("{name} holds {found!r}: the rows typed on sheet {tab} were computed for the words {words!r}"),),
    )
    CALCULATED_INPUT = Declaration(
        "calculated input",
        About.CELL,
        (
            say("{n} inputs hold formulas and were not varied"),
            say("1 input holds a formula and was not varied"),
        ),
        severity="warning",
    )

    # --- what other programs read otherwise, or compute otherwise than it says ------------------------------

    DOUBTFUL_VALUE = Declaration(
        "doubtful value",
        About.CELL,
        (
            say("{name} holds {infinite!r}, which is beyond the numbers of a spreadsheet"),
            say("{name} holds {date!r}, a date spelled out, which programs read differently"),
            say(
                "{name} holds {rich!r} for a rich value (a data type, a picture), which not all programs show"
            ),
            say("{name} holds {escape!r}, in which some programs read an escaped letter"),
            say("{name} holds {blanks!r}, of which some programs leave out the blanks at the ends"),
        ),
    )
    SHADOWED_NAME = Declaration(
        "shadowed name",
        About.RANGE,
        (say("on sheet {tab}, the name {name} means other cells than elsewhere"),),
    )
    HIDDEN_NAME = Declaration(
        "hidden name",
        About.RANGE,
        (
            say("the name {name} and {n} others are hidden"),
            say("the name {name} is hidden"),
        ),
        severity="warning",
    )
    HIDDEN_SHEET = Declaration(
        "hidden sheet",
        About.SHEET,
        (
            say("sheet {sheet} is hidden, and readers see sheet {poser} in its place"),
            say("sheet {sheet} is hidden"),
        ),
        severity="warning",
    )
    OVERLAPPING_FORMULAS = Declaration(
        "overlapping formulas",
        About.CELL,
        (say("the formula over {cells} fills cells of the one over {filled}"),),
    )
    UNSTEADY_FORMULA = Declaration(
        "unsteady formula",
        About.CELL,
        (
            say("a formula calls {function}, whose value does not follow from the inputs alone"),
            say("a formula uses the name {used}, which stands for {what} and for no range"),
        ),
    )
    FORMULAS_LOST = Declaration(
        "formulas lost",
        About.WORKBOOK,
        (
            say(
                "Google Sheets has saved {n} array formulas as ARRAY_CONSTRAIN(ARRAYFORMULA(...)), which no "
                "other program computes: take the workbook as it was before"
            ),
            say("its formulas were replaced by values: take an earlier copy, or build it anew"),
        ),
    )
    PRECISION_AS_DISPLAYED = Declaration(
        "precision as displayed",
        About.WORKBOOK,
        (say("the workbook is calculated with precision as displayed: numbers lose what cells do not show"),),
    )
    ITERATIVE_CALCULATION = Declaration(
        "iterative calculation",
        About.WORKBOOK,
        (say("the workbook is calculated iteratively: a circle shows a number and not an error"),),
    )
    MANUAL_CALCULATION = Declaration(
        "manual calculation",
        About.WORKBOOK,
        (say("the workbook is calculated only on demand: after a change, old numbers stay"),),
        severity="warning",
    )
    DATES_1904 = Declaration(
        "1904 dates",
        About.WORKBOOK,
        (say("the workbook counts days from 1904: a date is another number than elsewhere"),),
        severity="warning",
    )

    # --- what a reader sees --------------------------------------------------------------------------------

    MISLEADING_FORMAT = Declaration(
        "misleading format",
        About.CELL,
        (
            say("the number format {hiding!r} hides the value of {name}"),
            say("the number format {format!r} shows something else than the value of {name}"),
        ),
        severity="warning",
    )
    UNREADABLE = Declaration(
        "unreadable",
        About.CELL,
        (
            say("{name} is written in {ink} on {paper}, which nobody can read"),
            say("{name} is written in letters of {points} points, which nobody can read"),
            say("{name} is written in the font {font!r}, which shows signs for letters and digits"),
        ),
        severity="warning",
    )
    MISLEADING_RULE = Declaration(
        "misleading conditional format",
        About.CELL,
        (
            say("a conditional format shows {format!r} in the place of values of {name}"),
            say("a conditional format writes {name} in {ink} on {paper}, which nobody can read"),
            say("a conditional format shows bars or icons in the place of the values of {name}"),
        ),
        severity="warning",
    )
    HIDDEN_CELLS = Declaration(
        "hidden cells",
        About.SHEET,
        (
            say("on sheet {sheet}, rows {rows} are hidden, and with them cells of {name}"),
            say("on sheet {sheet}, columns {columns} are hidden, and with them cells of {name}"),
            say("sheet {sheet} shows {what} in the place of values"),
            say("sheet {sheet} shows nothing where a value is 0"),
        ),
        severity="warning",
    )
    MERGED_CELLS = Declaration(
        "merged cells",
        About.CELL,
        (say("the cells {cells} are merged, and show one value where {name} has several"),),
        severity="warning",
    )
    CHART = Declaration(
        "other chart",
        About.SHEET,
        (
            say("a chart on sheet {sheet} reads {reference}, which is not what its charts show"),
            say("a chart on sheet {sheet} shows numbers that are typed into it"),
        ),
        severity="warning",
    )
    CAPTION = Declaration(
        "other caption",
        About.CELL,
        (say("above {name} stands {stated}, but its formula is {right}"),),
        severity="warning",
    )
    DROP_DOWN = Declaration(
        "drop-down list",
        About.RANGE,
        (
            say("the drop-down list of {name} offers {offered} in the place of {source}"),
            say("{name} has lost its drop-down list, which offers {source}"),
        ),
        severity="warning",
    )
    HEAT_MAP = Declaration(
        "heat map",
        About.RANGE,
        (
            say("{n} ranges have lost their heat maps, {name} first"),
            say("{name} has lost its heat map"),
        ),
        severity="warning",
    )

    # --- what reaches outside ------------------------------------------------------------------------------

    EXTERNAL_LINK = Declaration(
        "external link",
        About.WORKBOOK,
        (
            say("the name {name} reaches outside the workbook by {link}: it was not followed"),
            say("a formula reaches outside the workbook by {link}: it was not calculated"),
            say("{part} links the workbook to something outside: it was not followed"),
        ),
        severity="warning",
    )
    MACROS = Declaration(
        "macros",
        About.WORKBOOK,
        (say("{part} holds macros or embedded programs: none was run, and nothing says what they would do"),),
        severity="warning",
    )


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong with a workbook.

    Attributes:
        kind: which sort of fault; it equals its identifier, such as ``"constant"``.
        range: the name it was found in; "" where no name covers the cell.
        cell: its address, ``Sheet!B7``; "" where the whole range, sheet or workbook is meant.
        sheet: the sheet's tab; "" where it concerns no sheet, or all.
        formula: the formula of the cell, as the file has it.
        found: what the engine computed.
        expected: what NumPy computed.
        values: what else the sentence says, by the names in it.
        severity: an error, or a warning.
        more: how many more cells of the range have the same fault.
        round: 0 with the inputs as saved; else which set of perturbed inputs showed it.
        unread: whether IronCalc, of all engines, cannot read the formula.
        follows: the range (or the cell) whose own fault explains this one; "" for a cause, or an unknown one.
    """

    kind: Kind
    range: str = ""
    cell: str = ""
    sheet: str = ""
    formula: str = ""
    found: Any = None
    expected: Any = None
    values: Mapping[str, Any] = field(default_factory=dict, hash=False)
    severity: Severity = None  # type: ignore[assignment]  # None: the kind's
    more: int = 0
    round: int = 0
    unread: bool = False
    follows: str = ""

    def __post_init__(self) -> None:
        """Fill in what follows from the kind and from the cell."""
        if self.severity is None:
            object.__setattr__(self, "severity", self.kind.severity)
        if not self.sheet:
            object.__setattr__(self, "sheet", self.cell.rpartition("!")[0])
        given = {About.RANGE: self.range, About.CELL: self.cell, About.SHEET: self.sheet}
        assert given.get(self.kind.about, "all"), (self.kind, self.kind.about)

    @property
    def names(self) -> tuple[str, ...]:
        """The ranges that it names: its own, then others that are concerned."""
        others = (str(self.values[key]) for key in _OTHER_NAMES if key in self.values)
        return tuple(dict.fromkeys(name for name in (self.range, *others) if name))

    @property
    def is_symptom(self) -> bool:
        """Whether it tells what a cell shows, nearly always because of something else."""
        return self.kind.effect is Effect.SYMPTOM

    @property
    def message(self) -> Phrase:
        """What is wrong, in one sentence, in English; a language can tell it in its own words."""
        own = {
            "name": self.range or None,
            "cell": self.cell or None,
            "sheet": self.sheet or None,
            "formula": self.formula or None,
            "found": self.found,
            "expected": self.expected,
        }
        given = {key: value for key, value in own.items() if value is not None} | dict(self.values)
        sentence = _fitting(self.kind.sentences, given)
        said = say(sentence, **{key: _shown(given[key]) for key in _fields(sentence)})
        if self.more:
            one, many = (
                say("{message}; so it is in 1 more cell"),
                say("{message}; so it is in {n} more cells"),
            )
            said = say(one if self.more == 1 else many, message=said, n=self.more)
        if self.round:
            said = say("{message} (inputs perturbed, round {i})", message=said, i=self.round)
        if self.unread:
            hint = (
                "{message}: IronCalc cannot read this formula; where it is right, "
                "try xlsxattn check --engine libreoffice"
            )
            said = say(hint, message=said)
        return said


def shape_text(*shape: int) -> str:
    """A shape as a person reads it: ``2 × 3``."""
    return " × ".join(map(str, shape))


def distinct(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings without those that several engines show: the last of each kind, place and values."""
    return tuple({(f.kind, f.range, f.cell, f.sheet, repr(f.values)): f for f in findings}.values())


class _Number(float):
    """A number as a person reads it, with at most 15 digits."""

    def __repr__(self) -> str:
        return f"{float(self):.15g}"

    __str__ = __repr__


def _shown(value: object) -> object:
    return _Number(value) if isinstance(value, float) else value


def _fitting(sentences: tuple[Phrase, ...], given: Mapping[str, object]) -> Phrase:
    """The first sentence whose values are all given."""
    return next((s for s in sentences if _fields(s) <= given.keys()), sentences[-1])


@cache
def _fields(sentence: str) -> frozenset[str]:
    """The names of the values in a sentence."""
    return frozenset(name for _, name, _, _ in Formatter().parse(sentence) if name)

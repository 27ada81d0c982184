"""The kinds of findings: everything that can be wrong with a workbook, with the messages of each kind.

CONTRIBUTING.md explains how to add a kind.
"""

from __future__ import annotations

from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING, Literal, Self, TypeAlias

from xlsxattn.language import say

if TYPE_CHECKING:
    from xlsxattn.language import Phrase

Severity: TypeAlias = Literal["error", "warning"]


class About(Enum):
    """What findings of a kind refer to, which is then required."""

    RANGE = auto()
    CELL = auto()
    SHEET = auto()
    WORKBOOK = auto()


class Effect(Enum):
    """The effect of a finding on the values of its range, and so on all dependents."""

    NONE = auto()
    SPOILS = auto()  # always, whatever the precedents are
    MAY_SPOIL = auto()  # if the values of the range are wrong, and those of its precedents are not
    SYMPTOM = auto()  # the finding is a wrong value, usually with another cause


class Declaration:
    """A kind of finding.

    Attributes:
        identifier: its stable name in JSON and JUnit.
        about: what findings of this kind refer to.
        sentences: the messages; the first one whose values are all available is used. ``name``, ``cell``,
            ``sheet``, ``formula``, ``found`` and ``expected`` are attributes of the finding, the others its
            values; ``n`` is given if there are several.
        severity: the default severity.
        effect: the effect on the values of the range.
    """

    def __init__(
        self,
        identifier: str,
        about: About,
        *sentences: Phrase,
        severity: Severity = "error",
        effect: Effect = Effect.NONE,
    ) -> None:
        self.identifier, self.about, self.sentences = identifier, about, sentences
        self.severity, self.effect = severity, effect


class Kind(StrEnum):
    """The kinds of findings; the value of each is its identifier."""

    about: About
    sentences: tuple[Phrase, ...]
    severity: Severity
    effect: Effect

    def __new__(cls, declared: Declaration) -> Self:
        """Create a member from its declaration."""
        kind = str.__new__(cls, declared.identifier)
        kind._value_ = declared.identifier
        kind.about, kind.sentences = declared.about, declared.sentences
        kind.severity, kind.effect = declared.severity, declared.effect
        return kind

    # --- names ---------------------------------------------------------------------------------------------

    MISSING = Declaration(
        "missing",
        About.RANGE,
        say("the name {name} must refer to cells, such as Sheet!$A$1:$B$2, but refers to {text}"),
        say(
            "the input range {input} is missing: give this name to the cells that start at "
            "{first}, next to {labels}"
        ),
        say("the input range {input} is missing"),
        say("the range {name} is missing: give this name to {there}, where its formulas are"),
        say("the range {name} is missing"),
        effect=Effect.SPOILS,
    )
    RESIZED = Declaration(
        "resized",
        About.RANGE,
        say("{name} covers {shape} cells, but should cover {right_shape}"),
        say("{name} is {shape} but must be {needed}, as {other} is {other_shape}"),
        say("{name} is {shape} but must be {needed}"),
        say("{name} is {shape} but must be {rows} × a multiple of {heads}, the number of heads"),
        say("{name} has {columns} columns per head, but rotary positions need an even number"),
        say("{name} has {rows} rows, but {sheet_id} shows the {k} largest logits"),
        effect=Effect.SPOILS,
    )
    MOVED = Declaration(
        "moved",
        About.RANGE,
        say("{name} refers to {here}, but its formulas are in {there}: the name was moved"),
        say("{name} is not next to {other} at {place}: one of the names was moved"),
        say("{name} is on a different sheet than the rest of {page}: it was moved"),
        say("{name} comes before {before}, which should be first: one of the names was moved"),
        severity="warning",
        effect=Effect.MAY_SPOIL,
    )
    OVERLAP = Declaration(
        "overlap", About.CELL, say("this cell belongs to two computed ranges, {other} and {name}")
    )
    UNKNOWN_RANGE = Declaration(
        "unknown range", About.RANGE, say("the expected contents of {name} are unknown")
    )

    # --- formulas ------------------------------------------------------------------------------------------

    CONSTANT = Declaration(
        "constant",
        About.CELL,
        say(
            "{name} has {n} constants, the first is {found!r}, instead of the array formula "
            "{right} in {cells}"
        ),
        say("{name} has the constant {found!r} instead of the array formula {right} in {cells}"),
        say("{name} has the constant {found!r} instead of the formula {right}"),
        say("{name} has the constant {found!r} instead of a formula"),
        effect=Effect.SPOILS,
    )
    OTHER_FORMULA = Declaration(
        "other formula",
        About.CELL,
        say("{name}: the manifest expects {right}; {broken} is not a formula"),
        say("{name}: the manifest expects {right}; found {there} instead of {part}"),
        say("{name}: the manifest expects {right}; found an extra {there}"),
        say("{name}: the manifest expects {right}; {part} is missing"),
        say("{name}: the manifest expects {right}; it should fill {cells} cells, but fills {filled}"),
        say("{name}: the manifest expects {right}; it is not entered as an array formula"),
        severity="warning",
        effect=Effect.MAY_SPOIL,
    )
    MANIFEST = Declaration(
        "manifest",
        About.RANGE,
        say(
            "in the manifest, the formula of {name} is entered as {entered!r}; the settings "
            "require {right_entered!r}"
        ),
        say("in the manifest, the formula of {name} has {there}; the settings require {part}"),
        say("in the manifest, the formula of {name} has an extra {there}, which the settings do not allow"),
        say("in the manifest, the formula of {name} lacks {part}, which the settings require"),
        say("the manifest has no formula for {name}; the settings require {right}"),
        say("the manifest has a formula for {name}, but the settings imply no such range"),
    )
    OTHER_VERSION = Declaration(
        "other version",
        About.WORKBOOK,
        say(
            "this workbook was made by xlsxattn {made}: {n} of its {all} formulas differ from "
            "those of xlsxattn {ours} and were compared with the manifest only"
        ),
        say(
            "this workbook was made by an earlier version: {n} of its {all} formulas differ "
            "from those of xlsxattn {ours} and were compared with the manifest only"
        ),
        severity="warning",
    )
    ASTRAY_FORMULA = Declaration(
        "astray formula",
        About.CELL,
        say(
            "the array formula in {cell} must be in {first}, the first cell of its range "
            "{cells}; {n} array formulas were not moved with their cells"
        ),
        say("the array formula in {cell} must be in {first}, the first cell of its range {cells}"),
    )
    STRAY_FORMULA = Declaration(
        "stray formula", About.CELL, say("this formula is not in a named range, so it is not checked")
    )
    OWN_FORMULAS = Declaration(
        "own formulas",
        About.CELL,
        say("{n} formulas are on a sheet without named ranges, so they are not checked"),
        say("this formula is on a sheet without named ranges, so it is not checked"),
        severity="warning",
    )

    # --- values --------------------------------------------------------------------------------------------

    VALUE = Declaration(
        "value",
        About.CELL,
        say("{name} holds {found!r}, NumPy has a text that starts with {mark}"),
        say("{name} holds {found!r}, NumPy has {expected!r}"),
        say("{name} holds {found!r} in a cell that must be blank"),
        effect=Effect.SYMPTOM,
    )
    ERROR_VALUE = Declaration(
        "error value",
        About.CELL,
        say("the input {input} shows the error {found}"),
        say("{name} shows the error {found}"),
        effect=Effect.SYMPTOM,
    )
    OVERFLOW = Declaration(
        "overflow",
        About.RANGE,
        say("the values of {name} exceed the largest number that a spreadsheet can hold (1.8e308)"),
        effect=Effect.SYMPTOM,
    )
    EMPTY = Declaration(
        "empty",
        About.CELL,
        say("{name} lacks the array formula {right}: {cells} is empty"),
        say("{name} has an empty cell instead of the formula {right}"),
        say("{name} has an empty cell"),
        effect=Effect.SYMPTOM,
    )
    ENGINES_DISAGREE = Declaration(
        "engines disagree",
        About.CELL,
        say("{name}: {first} computes {one!r}, {second} {two!r}"),
        effect=Effect.SYMPTOM,
    )
    STALE_VALUE = Declaration(
        "stale value",
        About.CELL,
        say("{name}: the saved value is {saved!r}, the formula gives {fresh!r}"),
        say(
            "no formula has a saved value, but other cells of array formulas do: {name} has "
            "{beside!r} instead of {fresh!r}"
        ),
        say("{name}: this cell has no saved value, although {others:,} formulas have one"),
        severity="warning",
        effect=Effect.SYMPTOM,
    )

    WRONG_ANSWER = Declaration(
        "wrong answer",
        About.CELL,
        say("{name} has the answer {found!r}, NumPy has {expected!r}"),
        say("{name} has no number, NumPy has {expected!r}"),
    )

    # --- inputs --------------------------------------------------------------------------------------------

    TEXT_IN_NUMBERS = Declaration(
        "text in a numeric input", About.CELL, say("the input {name} holds {found!r}, but must be a number")
    )
    NUMBER_AS_WORD = Declaration(
        "number as word",
        About.CELL,
        say(
            "the input {name} holds the number {found!r}, which programs convert to different texts: type it "
            "as text, with an apostrophe before it"
        ),
    )
    UNKNOWN_WORD = Declaration(
        "unknown word",
        About.CELL,
        say("{word!r} is not in the vocabulary"),
        say(
            "the cell is blank, but no sheet has a padding mask or generates words: type a word, or build "
            "with mask = {mask!r} on a sheet or without length"
        ),
        say("the cell is blank, but must hold a word of the vocabulary"),
        severity="warning",
    )
    WORD_TWICE = Declaration(
        "word twice",
        About.CELL,
        say("{word!r} is in the vocabulary twice; its first row is used"),
        severity="warning",
    )
    TYPED_ROWS = Declaration(
        "typed rows",
        About.CELL,
        say(
            "{name} holds {found!r}, but the rows typed on sheet {tab} were computed for the words {words!r}"
        ),
    )
    CALCULATED_INPUT = Declaration(
        "calculated input",
        About.CELL,
        say("{n} inputs contain formulas and were not perturbed"),
        say("1 input contains a formula and was not perturbed"),
        severity="warning",
    )

    # --- content that other programs read or calculate differently -----------------------------------------

    DOUBTFUL_VALUE = Declaration(
        "doubtful value",
        About.CELL,
        say("{name} holds {infinite!r}, which exceeds the largest number that a spreadsheet can hold"),
        say("{name} holds {date!r}, an ISO 8601 date, which programs read in different ways"),
        say("{name} holds a rich value (a data type or a picture), for which some programs show {rich!r}"),
        say("{name} holds {escape!r}, which contains an escape sequence that only some programs decode"),
        say("{name} holds {blanks!r}, from which some programs strip the spaces at the ends"),
        say("{name} holds {empty!r}, an empty text, which only some programs treat as a blank cell"),
        say("{name} holds {faint!r}, some of whose letters are unreadable"),
    )
    SHADOWED_NAME = Declaration(
        "shadowed name",
        About.RANGE,
        say("on sheet {tab}, the name {name} refers to different cells than in the rest of the workbook"),
    )
    HIDDEN_NAME = Declaration(
        "hidden name",
        About.RANGE,
        say("the name {name} and {n} others are hidden"),
        say("the name {name} is hidden"),
        severity="warning",
    )
    HIDDEN_SHEET = Declaration(
        "hidden sheet",
        About.SHEET,
        say("sheet {sheet} is hidden, and sheet {lookalike} is shown in its place"),
        say("sheet {sheet} is hidden"),
        severity="warning",
    )
    OVERLAPPING_FORMULAS = Declaration(
        "overlapping formulas",
        About.CELL,
        say("the array formula in {cells} overlaps the formula in {filled}"),
    )
    VOLATILE_FORMULA = Declaration(
        "volatile formula",
        About.CELL,
        say("the formula calls {function}, whose value does not depend on the inputs alone"),
        say("the formula uses the name {used}, which refers to {what} instead of a range"),
    )
    FORMULAS_LOST = Declaration(
        "formulas lost",
        About.WORKBOOK,
        say(
            "Google Sheets saved {n} array formulas as ARRAY_CONSTRAIN(ARRAYFORMULA(...)), "
            "which other programs cannot compute: use an earlier copy"
        ),
        say("its formulas were replaced by values: use an earlier copy, or build it again"),
    )
    PRECISION_AS_DISPLAYED = Declaration(
        "precision as displayed",
        About.WORKBOOK,
        say("the workbook calculates with precision as displayed, which rounds numbers to the digits shown"),
    )
    ITERATIVE_CALCULATION = Declaration(
        "iterative calculation",
        About.WORKBOOK,
        say("iterative calculation is on: a circular reference shows a number instead of an error"),
    )
    MANUAL_CALCULATION = Declaration(
        "manual calculation",
        About.WORKBOOK,
        say("calculation is manual: values are not updated after a change"),
        severity="warning",
    )
    DATES_1904 = Declaration(
        "1904 dates",
        About.WORKBOOK,
        say("the workbook uses the 1904 date system, which changes the numbers of dates"),
        severity="warning",
    )

    # --- appearance ----------------------------------------------------------------------------------------

    MISLEADING_FORMAT = Declaration(
        "misleading format",
        About.CELL,
        say("the number format {hiding!r} hides the value of {name}"),
        say("the number format {format!r} does not show the value of {name}"),
        severity="warning",
    )
    UNREADABLE = Declaration(
        "unreadable",
        About.CELL,
        say("{name} is unreadable: its text is {ink} on {paper}"),
        say("{name} is unreadable: its font size is {points} points"),
        say("{name} is unreadable: the font {font!r} shows symbols instead of letters and digits"),
        say("{name} is unreadable: {how}"),
        severity="warning",
    )
    MISLEADING_RULE = Declaration(
        "misleading conditional format",
        About.CELL,
        say("a conditional format shows {format!r} instead of values of {name}"),
        say("a conditional format makes {name} unreadable: its text is {ink} on {paper}"),
        say("a conditional format makes {name} unreadable: its font size is {points} points"),
        say("a conditional format makes {name} unreadable: {how}"),
        say("a conditional format stops the others of {name} (stopIfTrue): {stops}"),
        say("a conditional format shows bars or icons instead of the values of {name}"),
        severity="warning",
    )
    HIDDEN_WINDOW = Declaration(
        "hidden window",
        About.WORKBOOK,
        say("the window of the workbook has no {what}"),
        say("the window of the workbook is hidden"),
        severity="warning",
    )
    HIDDEN_CELLS = Declaration(
        "hidden cells",
        About.SHEET,
        say("on sheet {sheet}, rows {rows} are hidden, including cells of {name}"),
        say("on sheet {sheet}, columns {columns} are hidden, including cells of {name}"),
        say("sheet {sheet} shows {what} instead of values"),
        say("on sheet {sheet}, the first {frozen} rows are frozen and fill the window"),
        say("on sheet {sheet}, the first {frozen_columns} columns are frozen and fill the window"),
        say("sheet {sheet} does not show zero values"),
        severity="warning",
    )
    MERGED_CELLS = Declaration(
        "merged cells",
        About.CELL,
        say("the cells {cells} are merged and show only one of several values of {name}"),
        severity="warning",
    )
    COVERED_CELLS = Declaration(
        "covered cells",
        About.CELL,
        say("{what} in {cells} covers cells of {name}"),
        say("{behind} is behind cells of {name} and may change what they show"),
        severity="warning",
    )
    CHART = Declaration(
        "other chart",
        About.SHEET,
        say("a chart on sheet {sheet} plots {reference}, which is not the data that its charts should plot"),
        say("a chart stores {old!r} for {cell}, which has another value; previews show the stored one"),
        say("a chart on sheet {sheet} plots typed numbers instead of cells"),
        severity="warning",
    )
    CAPTION = Declaration(
        "other caption",
        About.CELL,
        say("the caption of {name} states {stated}, but its formula is {right}"),
        severity="warning",
    )
    DROP_DOWN = Declaration(
        "drop-down list",
        About.RANGE,
        say("the drop-down list of {name} offers {offered} instead of {source}"),
        say("the drop-down list of {name} is missing; it should offer {source}"),
        severity="warning",
    )
    HEAT_MAP = Declaration(
        "heat map",
        About.RANGE,
        say("{n} ranges have no heat map, the first is {name}"),
        say("{name} has no heat map"),
        severity="warning",
    )

    # --- external content ----------------------------------------------------------------------------------

    EXTERNAL_LINK = Declaration(
        "external link",
        About.WORKBOOK,
        say("the name {name} refers to something outside the workbook ({link}), which was not read"),
        say("the formula refers to something outside the workbook ({link}) and was not calculated"),
        say("{part} links to something outside the workbook, which was not read"),
        severity="warning",
    )
    MACROS = Declaration(
        "macros",
        About.WORKBOOK,
        say("{part} contains macros or embedded programs, which were neither run nor checked"),
        severity="warning",
    )

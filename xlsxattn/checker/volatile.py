"""Formulas whose values depend on more than the inputs: time, randomness, the machine, or texts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xlsxattn.checker.answer_cells import asked_cells
from xlsxattn.checker.cell_formulas import braced
from xlsxattn.checker.cell_sets import Cover
from xlsxattn.checker.cells import Area
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding
from xlsxattn.checker.reading.links import reaches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxattn.checker.reading.book import Book

_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_FUNCTION = re.compile(
    r"""(?<![\w.])(?:_xl(?:fn|ws)\.|(?:ORG|COM)\.[A-Z]+\.)*
    (TABLE|_+xl(?:l|udf)\.[\w.]*|TODAY|NOW|RAND[\w.]*|INFO|CELL|INDIRECT|OFFSET|HYPERLINK|FORMULATEXT|GETPIVOTDATA
    |WEBSERVICE|FILTERXML|ENCODEURL|RTD|DDE|CUBE\w+|CALL|REGISTER[\w.]*|EXEC|SQL\.REQUEST|EVALUATE|GET\.\w+
    |IMAGE|STOCKHISTORY|FIELDVALUE|TRANSLATE|DETECTLANGUAGE|COPILOT|PY|GOOGLE\w+|IMPORT\w+|CURRENT|GETENV|EXECSQL
    |MULTIPLE\.OPERATIONS)\s*\(""",
    re.IGNORECASE | re.VERBOSE,
)
_IN_ANSWERS = ("OFFSET", "INDIRECT")
"""Functions that an answer may call: it is checked with several inputs anyway."""
_WORD = re.compile(r"[^\W\d][\w.]*")


def volatile_formulas(book: Book) -> Iterator[Finding]:
    """Formulas with volatile functions, or with names that are not ranges, on our sheets and those they read.

    They are reported even if the manifest lists them.
    """
    tabs = _tabs_read(book)
    others = {name.lower(): name for name in book.no_ranges}
    asked = Cover(asked_cells(book))
    for formula in book.formulas.values():
        if formula.area.sheet not in tabs:
            continue
        bare = _QUOTED.sub(" ", formula.text)
        functions = [match[1].upper() for match in _FUNCTION.finditer(bare)]
        if functions and (formula.area.sheet, formula.area.row, formula.area.col) in asked:
            functions = [name for name in functions if name not in _IN_ANSWERS]
        words = _WORD.findall(bare.lower()) if others else ()
        named = next((others[word] for word in words if word in others), None)
        if reaches(formula.text):
            continue  # reported elsewhere
        values = {}
        if functions:
            values = {"function": functions[0]}
        elif named:
            values = {"used": named, "what": book.no_ranges[named][:80]}
        if values:
            name, where = _range_of(book, formula.area), formula.area.address()
            text = braced(formula.text, array=formula.array)
            yield Finding(Kind.VOLATILE_FORMULA, name, where, formula=text, values=values)


def _tabs_read(book: Book) -> set[str]:
    """The sheets with our ranges, and those that formulas on them read, directly or through others."""
    tabs = {area.sheet for area in book.own_names.values()}
    formulas: dict[str, list[str]] = {}
    for formula in book.formulas.values():
        formulas.setdefault(formula.area.sheet, []).append(formula.text.lower())
    if formulas.keys() <= tabs:
        return tabs
    named: dict[str, set[str]] = {}
    for name, area in book.names.items():
        named.setdefault(area.sheet, set()).add(name.lower())
    new = [*tabs]
    while new:
        texts = formulas.get(new.pop(), ())
        for tab in formulas.keys() - tabs:
            quoted, names = tab.lower().replace("'", "''"), named.get(tab, set())
            if any(f"{quoted}!" in t or f"{quoted}'!" in t or names & {*_WORD.findall(t)} for t in texts):
                tabs.add(tab)
                new.append(tab)
    return tabs


def _range_of(book: Book, cells: Area) -> str:
    """The range that contains the first cell of a formula; "" if none does."""
    known = book.own_names
    for name in dict.fromkeys([*book.manifest.formulas, *book.manifest.inputs, *known]):
        area = known.get(name)
        if area is None:
            continue
        down, right = cells.row - area.row, cells.col - area.col
        if area.sheet == cells.sheet and 0 <= down < area.rows and 0 <= right < area.cols:
            return name
    return ""


def calculated_inputs(book: Book) -> Iterator[Finding]:
    """Inputs with formulas, which are not perturbed, so that nothing is proved for other values."""
    areas = [book.names[name] for name in book.manifest.inputs if name in book.names]
    inputs = Cover(areas)
    entered = [formula.area for formula in book.formulas.values() if inputs.meets(formula.area)]
    cells = [at for area in entered for at in area.cells() if at in inputs]
    if cells:
        first = Area(*cells[0], 1, 1)
        values = {"n": len(cells)} if cells[1:] else {}
        yield Finding(Kind.CALCULATED_INPUT, _range_of(book, first), first.address(), values=values)

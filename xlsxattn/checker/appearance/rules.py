"""Conditional formats that hide or replace values, and missing heat maps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from xlsxattn.checker.appearance.blank_values import hides_nothing
from xlsxattn.checker.appearance.cell_styles import STRUCK
from xlsxattn.checker.appearance.colours import MIN_CONTRAST, contrast, spelled
from xlsxattn.checker.appearance.number_formats import sections, verdict
from xlsxattn.checker.cell_formulas import shortened
from xlsxattn.checker.cells import Area
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding
from xlsxattn.checker.reading.strings import MIN_POINTS
from xlsxattn.contract.exercise import answered, mark_of
from xlsxattn.contract.names import FRONT, SHOWN, STEPS, parse
from xlsxattn.contract.values import HIDDEN_BELOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxattn.checker.appearance.cell_styles import CellStyle, Styles
    from xlsxattn.checker.appearance.colours import Palette
    from xlsxattn.checker.appearance.own_ranges import OwnRanges
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.checker.reading.sheet_view import Rule

HEATED = {
    "Activation", "Asked", "Attention", "CausalMask", "Concat", "CrossMask", "Exp", "FeedForward", "Final",
    "FocusAttention", "FocusWeights", "Goal", "Hidden", "Input", "K", "KRot", "LogitExp", "Logits", "Map",
    "Mask", "Masked", "MultiHead", "Norm1", "Norm2", "Norm3", "Normed", "Output", "P", "PaddingMask",
    "PairWeights", "Pooled", "Probability", "Q", "QRot", "Residual1", "Residual2", "Residual3", "Scaled",
    "Scores", "Start", "Sum", "Tempered", "TopProbabilities", "Track", "Trained", "Up", "V", "X",
}  # fmt: skip
"""The computed blocks that have a heat map."""
IN_PARTS = ("Track", "Start", "Final", "Asked")
"""Those of them whose names have a further part."""
SINGLE = ("RowMax", "Loss", "Alive", "Correction1", "Correction2")
"""Quantities of the shown step of a training that have no heat map."""
MASKED, NO_WORD, ABSENT = map(sections, ('"−∞";"−∞";"−∞"', '"–";"–";"–"', ";;;"))
"""Number formats of built rules: masked cells; cells without a word; an unknown word, or no focus word."""
_IS_BLANK = re.compile(r"LEN\(\$?([A-Z]{1,3})\$?(\d{1,7})\)=0")
_BUILT_STOP = re.compile(
    r"ISTEXT\(\$?[A-Z]{1,3}\$?\d{1,7}\)|AND\(LEN\(\$[A-Z]{1,3}\d{1,7}\)>0,\$[A-Z]{1,3}\d{1,7}=0\)|-1E\+?50",
    re.ASCII | re.IGNORECASE,
)
"""Built rules that stop others: a text or too large a number in a numeric input, and an unknown word."""
_CLOSE = 1 - 1e-12


def misleading_rules(ranges: OwnRanges, styles: Styles) -> Iterator[Finding]:
    """Conditional formats on our ranges that hide or replace values."""
    for tab in ranges.sheets:
        for rule in styles.book.views[tab].rules if tab in styles.book.views else ():
            if _is_doubtful(rule):
                yield from _check(rule, ranges, styles)


def lost_heat_maps(book: Book, ranges: OwnRanges) -> Iterator[Finding]:
    """Computed ranges without their heat map: one finding for all."""
    heated: set[str] = set()
    for tab in ranges.sheets:
        for rule in book.views[tab].rules if tab in book.views else ():
            if rule.colours:
                heated |= {name for area in rule.areas for name, _ in ranges.touched(area)}
    asked = book.manifest.exercise
    marks = {part(name) for name in (asked.answers if asked else ()) for part in (answered, mark_of)}
    computed = (name for name in book.manifest.formulas if name not in marks)
    lost = [name for name in computed if _is_heated(name) and name in ranges.areas]
    if lost := [name for name in lost if name not in heated]:
        area = ranges.areas[lost[0]]
        values = {"n": len(lost)} if len(lost) > 1 else {}
        yield Finding(Kind.HEAT_MAP, lost[0], area.address(), values=values)


def _is_heated(name: str) -> bool:
    place = parse(name)
    if place.sheet == FRONT:
        return False
    if place.block == SHOWN:
        return place.part not in SINGLE and not place.label
    held_out = place.context and (place.block, place.part) == ("Attention", STEPS)
    whole = not place.part or place.block in IN_PARTS or held_out
    return place.block in HEATED and not place.label and bool(whole)


def _is_doubtful(rule: Rule) -> bool:
    """Whether a rule may hide something; most only change a border or the font weight."""
    look = rule.look
    coloured = look is not None and bool(look.fill or look.font)
    worded = look is not None and look.numFmt is not None and verdict(str(look.numFmt.formatCode))
    return bool(rule.colours or rule.bars or not rule.shows_value or coloured or worded or rule.stops)


def _check(rule: Rule, ranges: OwnRanges, styles: Styles) -> Iterator[Finding]:
    touched = [one for area in rule.areas for one in ranges.touched(area)]
    for name, cells in touched:
        values = _harm(rule, name, cells, ranges, styles)
        if values is not None:
            yield Finding(Kind.MISLEADING_RULE, name, cells.address(), values=values)
            return


def _harm(rule: Rule, name: str, cells: Area, ranges: OwnRanges, styles: Styles) -> dict[str, Any] | None:
    """The values for the message if a rule makes a range misleading or unreadable; otherwise None."""
    if rule.stops and not _is_built_stop(rule) and not styles.book.by_gnumeric:  # it saves all rules so
        return {"stops": shortened(", ".join(rule.formulas) or rule.kind)}
    if not rule.shows_value:
        return {}
    look = rule.look
    if look is not None and look.numFmt is not None:
        code = str(look.numFmt.formatCode)
        if verdict(code) and not _is_built(rule, code, name, cells, ranges, styles.book):
            return {"format": shortened(code)}
    own = styles.first(cells)
    if own is None or contrast(own.ink, own.paper) < MIN_CONTRAST:  # the cell itself has a finding
        return None
    return _unreadable(rule, own, styles.palette)


def _unreadable(rule: Rule, own: CellStyle, palette: Palette) -> dict[str, Any] | None:
    """How a rule makes the text of a cell unreadable; None if it does not."""
    look, ink, papers = rule.look, own.ink, [own.paper]
    if colours := (*rule.colours, *rule.bars):
        papers = [palette.seen(colour, own.paper) for colour in colours]
    elif look is not None:
        ink = palette.seen(look.font.color if look.font else None, ink)
        papers = [*palette.behind(look.fill, own.paper, differential=True)]
        if look.font is not None and look.font.sz is not None and float(look.font.sz) < MIN_POINTS:
            return {"points": float(look.font.sz)}
        if look.font is not None and look.font.strike:
            return {"how": STRUCK}
    paper = min(papers, key=lambda paper: contrast(ink, paper))
    return {"ink": spelled(ink), "paper": spelled(paper)} if contrast(ink, paper) < MIN_CONTRAST else None


def _is_built_stop(rule: Rule) -> bool:
    """Whether a rule that stops others is built; those that also hide values are examined elsewhere."""
    hides = rule.look is not None and rule.look.numFmt is not None
    formula = rule.formulas[0].replace(" ", "") if rule.formulas else ""
    return hides or bool(_BUILT_STOP.fullmatch(formula))


def _is_built(rule: Rule, code: str, name: str, cells: Area, ranges: OwnRanges, book: Book) -> bool:
    """Whether a rule that replaces or hides a value is one of those that are built."""
    parsed = sections(code)
    if parsed == ABSENT:
        return hides_nothing(rule, name, cells, ranges, book.manifest)
    if parsed == MASKED:
        return (rule.kind, rule.operator) == ("cellIs", "lessThan") and _number(rule) <= HIDDEN_BELOW * _CLOSE
    blank = _IS_BLANK.fullmatch(rule.formulas[0].replace(" ", "")) if rule.formulas else None
    if blank is None or parsed != NO_WORD or parse(name).block != "Ids":
        return False
    return _is_word(blank, rule.areas[0], ranges)


def _is_word(blank: re.Match[str], area: Area, ranges: OwnRanges) -> bool:
    """Whether a rule tests the word to the right of its first cell."""
    beside = Area(area.sheet, area.row, area.col + 1, 1, 1)
    words = any(parse(name).block in ("Tokens", "Text") for name, _ in ranges.touched(beside))
    return words and beside.address().endswith(f"!{blank[1]}{blank[2]}")


def _number(rule: Rule) -> float:
    try:
        return float(rule.formulas[0])
    except (ValueError, IndexError):
        return 0.0

"""Checks of the main part of a workbook: sheets, names, calculation settings."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from openpyxl.xml.constants import SHEET_MAIN_NS
from openpyxl.xml.functions import fromstring

from xlsxattn.checker.reading.limits import AmbiguousError
from xlsxattn.checker.reading.one_reading import is_on
from xlsxattn.checker.reading.package import check_namespace, tag_of
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xlsxattn.checker.reading.package import Link
    from xlsxattn.language import Phrase

_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_SINGLE = ("sheets", "definedNames", "calcPr", "workbookPr")
"""Elements that occur at most once, as children of the root."""
_WITHIN = {"sheet": "sheets", "definedName": "definedNames"}
_PLACES = {*_SINGLE, *_WITHIN, "bookViews", "workbookView"}
_AUTOMATIC = ("auto", "autoNoTable")
VISIBLE = "visible"
_MACRO = ("function", "vbProcedure", "xlm")
"""Attributes of names that are macros rather than ranges."""


@dataclass(frozen=True, slots=True)
class Calculation:
    """The calculation settings of a workbook, its special names, and its windows.

    Attributes:
        full_precision: not "precision as displayed".
        iterates: iterative calculation of circular references.
        manual: manual calculation.
        from_1904: the 1904 date system.
        macros: names of macros, in lower case.
        hidden: hidden names, in lower case.
        hides_window: whether all windows of the workbook are hidden.
        hides_tabs: whether one of its windows has no sheet tabs.
    """

    full_precision: bool = True
    iterates: bool = False
    manual: bool = False
    from_1904: bool = False
    macros: frozenset[str] = field(default_factory=frozenset)
    hidden: frozenset[str] = field(default_factory=frozenset)
    hides_window: bool = False
    hides_tabs: bool = False


def read_workbook_part(xml: bytes, links: Mapping[str, Link], tables: Sequence[str] = ()) -> Calculation:
    """Refuse an ambiguous main part, and read its calculation settings.

    Raises:
        AmbiguousError: elements are duplicated, or where only some programs find them.
    """
    root = fromstring(xml)
    if root.tag != _tag("workbook"):
        raise AmbiguousError(say("its main part is a {kind} instead of a workbook", kind=root.tag))
    _check_places(root)
    _check_sheets([*root.iter(_tag("sheet"))], links)
    names = [*root.iter(_tag("definedName"))]
    _check_names(names, tables, sheets=len([*root.iter(_tag("sheet"))]))
    calculated: Any = next(root.iter(_tag("calcPr")), {})
    properties: Any = next(root.iter(_tag("workbookPr")), {})
    windows = [*root.iter(_tag("workbookView"))]
    return Calculation(
        full_precision=_flag(calculated, "fullPrecision", default=True),
        iterates=_flag(calculated, "iterate"),
        manual=str(calculated.get("calcMode", "auto")) not in _AUTOMATIC,
        from_1904=_flag(properties, "date1904"),
        macros=frozenset(_called(one) for one in names if any(_flag(one, key) for key in _MACRO)),
        hidden=frozenset(_called(one) for one in names if _flag(one, "hidden")),
        hides_window=bool(windows) and all(one.get("visibility", VISIBLE) != VISIBLE for one in windows),
        hides_tabs=any(not _flag(one, "showSheetTabs", default=True) for one in windows),
    )


def _check_places(root: Any) -> None:
    """Each element occurs once, in its namespace, and not in alternatives, of which programs choose one."""
    extensions = {inside for one in root if one.tag == _tag("extLst") for inside in one.iter()}
    places = (one for one in root.iter() if tag_of(one) in _PLACES and one not in extensions)
    check_namespace("xl/workbook.xml", places, SHEET_MAIN_NS)
    for name in _SINGLE:
        here = [one for one in root if one.tag == _tag(name)]
        if len([*root.iter(_tag(name))]) != len(here) or len(here) > 1:
            raise AmbiguousError(say("{name} appears twice or inside another element", name=name))
    for name, around in _WITHIN.items():
        inside = [one for parent in root if parent.tag == _tag(around) for one in parent]
        others = len([*root.iter(_tag(name))]) != len(inside)
        if others or any(one.tag != _tag(name) or len(one) for one in inside):
            sentence = "{around} contains other elements than {name}, or {name} elements are elsewhere"
            raise AmbiguousError(say(sentence, around=around, name=name))


def _check_sheets(sheets: list[Any], links: Mapping[str, Link]) -> None:
    """Every sheet has its own name, id and part."""
    tabs = [str(one.get("name")) for one in sheets]
    _refuse_duplicates([tab.casefold() for tab in tabs], say("the sheet name {name} is used twice"))
    _refuse_duplicates((str(one.get("sheetId")) for one in sheets), say("the sheet ID {name} is used twice"))
    for tab, one in zip(tabs, sheets, strict=True):
        link = links.get(str(one.get(_RELATION)))
        if link is None or not link.part:
            raise AmbiguousError(say("the sheet {tab} has no part", tab=tab))
    used = [links[str(one.get(_RELATION))].part for one in sheets]
    _refuse_duplicates(used, say("two sheets share the part {name}"))


def _check_names(names: list[Any], tables: Sequence[str], sheets: int) -> None:
    """Every name is unique in its scope, which is an existing sheet, and none is that of a table."""
    for one in names:
        scope = one.get("localSheetId")
        if scope is not None and not (scope.isascii() and scope.isdigit() and int(scope) < sheets):
            sentence = "the name {name} belongs to a sheet that does not exist"
            raise AmbiguousError(say(sentence, name=one.get("name")))
    scoped = (f"{_called(one)}\0{one.get('localSheetId', '')}" for one in names)
    sentence = say("the name {name} is defined twice")
    _refuse_duplicates(scoped, sentence)
    _refuse_duplicates([*{_called(one) for one in names}, *map(str.casefold, tables)], sentence)


def _refuse_duplicates(names: Iterable[str], sentence: Phrase) -> None:
    name, times = next(iter(Counter(names).most_common(1)), ("", 0))
    if times > 1:
        raise AmbiguousError(say(sentence.sentence, name=name.partition("\0")[0]))


def _called(name: Any) -> str:
    """A name in lower case, as names are case-insensitive."""
    return str(name.get("name")).strip().casefold()


def _flag(element: Any, key: str, *, default: bool = False) -> bool:
    value = element.get(key)
    return default if value is None else is_on(value)


def _tag(name: str) -> str:
    return f"{{{SHEET_MAIN_NS}}}{name}"

"""The workbook's main part, looked over before it is parsed: sheets, names, how it is calculated."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from openpyxl.xml.constants import SHEET_MAIN_NS
from openpyxl.xml.functions import fromstring

from xlsxattn.checker.reading.limits import AmbiguousError
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from xlsxattn.checker.reading.package import Link
    from xlsxattn.language import Phrase

_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_SINGLE = ("sheets", "definedNames", "calcPr", "workbookPr")
"""Elements that a workbook has once at most, right below its root."""
_WITHIN = {"sheet": "sheets", "definedName": "definedNames"}
_AUTOMATIC = ("auto", "autoNoTable")
_TRUE, _FALSE = ("1", "true"), ("0", "false")
_MACRO = ("function", "vbProcedure", "xlm")
"""Attributes of names that are no ranges but macros."""


@dataclass(frozen=True, slots=True)
class Calculation:
    """How a workbook asks to be calculated.

    Attributes:
        full_precision: with all digits, and not with those that are shown.
        iterates: circles are calculated some times over.
        manual: only when somebody asks for it.
        from_1904: days are counted from 1904.
        macros: names that stand for macros, in small letters.
        hidden: names that no list of names shows.
    """

    full_precision: bool = True
    iterates: bool = False
    manual: bool = False
    from_1904: bool = False
    macros: frozenset[str] = field(default_factory=frozenset)
    hidden: frozenset[str] = field(default_factory=frozenset)


def read_workbook_part(xml: bytes, links: Mapping[str, Link]) -> Calculation:
    """Refuse a main part that can be read in two ways, and say how it asks to be calculated.

    Raises:
        AmbiguousError: something stands twice, or where some programs look and others do not.
    """
    root = fromstring(xml)
    if root.tag != _tag("workbook"):
        raise AmbiguousError(say("its main part is a {kind}, and no workbook", kind=root.tag))
    _judge_places(root)
    _judge_sheets([*root.iter(_tag("sheet"))], links)
    names = [*root.iter(_tag("definedName"))]
    _judge_names(names, sheets=len([*root.iter(_tag("sheet"))]))
    calculated: Any = next(root.iter(_tag("calcPr")), {})
    properties: Any = next(root.iter(_tag("workbookPr")), {})
    return Calculation(
        full_precision=_flag(calculated, "fullPrecision", default=True),
        iterates=_flag(calculated, "iterate"),
        manual=str(calculated.get("calcMode", "auto")) not in _AUTOMATIC,
        from_1904=_flag(properties, "date1904"),
        macros=frozenset(_called(one) for one in names if any(_flag(one, key) for key in _MACRO)),
        hidden=frozenset(_called(one) for one in names if _flag(one, "hidden")),
    )


def _judge_places(root: Any) -> None:
    """Each element stands once, and where it belongs: alternatives round it are chosen by the program."""
    for name in _SINGLE:
        here = [one for one in root if one.tag == _tag(name)]
        if len([*root.iter(_tag(name))]) != len(here) or len(here) > 1:
            raise AmbiguousError(say("its {name} stand twice, or inside something else", name=name))
    for name, around in _WITHIN.items():
        inside = [one for parent in root if parent.tag == _tag(around) for one in parent]
        others = len([*root.iter(_tag(name))]) != len(inside)
        if others or any(one.tag != _tag(name) or len(one) for one in inside):
            sentence = "its {around} hold something else than {name}, or some stand elsewhere"
            raise AmbiguousError(say(sentence, around=around, name=name))


def _judge_sheets(sheets: list[Any], links: Mapping[str, Link]) -> None:
    """Every sheet has a tab, a number and a part of its own."""
    tabs = [str(one.get("name")) for one in sheets]
    _refuse_twice([tab.lower() for tab in tabs], say("its tab {name} stands twice"))
    _refuse_twice((str(one.get("sheetId")) for one in sheets), say("its sheet number {name} stands twice"))
    for tab, one in zip(tabs, sheets, strict=True):
        link = links.get(str(one.get(_RELATION)))
        if link is None or not link.part:
            raise AmbiguousError(say("its tab {tab} leads to no part", tab=tab))
    used = [links[str(one.get(_RELATION))].part for one in sheets]
    _refuse_twice(used, say("its part {name} is that of two sheets"))


def _judge_names(names: list[Any], sheets: int) -> None:
    """Every name stands once in its scope, and a scope is a sheet that is there."""
    for one in names:
        scope = one.get("localSheetId")
        if scope is not None and not (scope.isascii() and scope.isdigit() and int(scope) < sheets):
            sentence = "the name {name} belongs to a sheet that is not there"
            raise AmbiguousError(say(sentence, name=one.get("name")))
    scoped = (f"{_called(one)}\0{one.get('localSheetId', '')}" for one in names)
    _refuse_twice(scoped, say("the name {name} stands twice"))


def _refuse_twice(names: Iterable[str], sentence: Phrase) -> None:
    name, times = next(iter(Counter(names).most_common(1)), ("", 0))
    if times > 1:
        raise AmbiguousError(say(sentence.sentence, name=name.partition("\0")[0]))


def _called(name: Any) -> str:
    """A name in small letters: no program minds the case."""
    return str(name.get("name")).lower()


def _flag(element: Any, key: str, *, default: bool = False) -> bool:
    said = element.get(key)
    if said is not None and said not in (*_TRUE, *_FALSE):
        raise AmbiguousError(say("its {key} is {said}, which is neither 1 nor 0", key=key, said=said))
    return default if said is None else said in _TRUE


def _tag(name: str) -> str:
    return f"{{{SHEET_MAIN_NS}}}{name}"

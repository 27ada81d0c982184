"""Checks of the styles and the theme: refused if programs could find other formats or colours in them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from openpyxl.styles.numbers import BUILTIN_FORMATS_MAX_SIZE
from openpyxl.xml.constants import SHEET_MAIN_NS
from openpyxl.xml.functions import fromstring

from xlsxattn.checker.reading.limits import AmbiguousError
from xlsxattn.checker.reading.one_reading import NUMBER
from xlsxattn.checker.reading.package import tag_of
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Sequence

_SECTIONS = {
    "numFmts": "numFmt",
    "fonts": "font",
    "fills": "fill",
    "borders": "border",
    "cellStyleXfs": "xf",
    "cellXfs": "xf",
    "dxfs": "dxf",
}
"""The sections of the styles, and their elements, to which cells refer by index."""
_INDICES = {"fontId": "fonts", "fillId": "fills", "borderId": "borders", "xfId": "cellStyleXfs"}
_SYSTEM_COLOURS = {"window": "FFFFFF", "windowText": "000000"}
"""The usual colours of the system, which some programs use instead of the stated ones."""


def judge_styles(xml: bytes) -> None:
    """Refuse styles in which a cell's format could be found in two ways.

    Raises:
        AmbiguousError: a section is duplicated or contains other elements, or a number format is duplicated.
    """
    root = fromstring(xml)
    for section, name in _SECTIONS.items():
        here = [one for one in root if one.tag == _tag(section)]
        if len([*root.iter(_tag(section))]) != len(here) or len(here) > 1:
            raise AmbiguousError(say("{name} appears twice or inside another element", name=section))
        if any(one.tag != _tag(name) for parent in here for one in parent):
            sentence = "{around} contains other elements than {name}, or {name} elements are elsewhere"
            raise AmbiguousError(say(sentence, around=section, name=name))
    sizes = {name: sum(len(one) for one in root if one.tag == _tag(name)) for name in _INDICES.values()}
    for look in (one for section in root.iter(_tag("cellXfs")) for one in section):
        for key, section in _INDICES.items():
            index = look.get(key, "0")
            if not (index.isascii() and index.isdigit() and int(index) < max(sizes[section], 1)):
                raise AmbiguousError(
                    say("{key} is {said}, which is not in {name}", key=key, said=index, name=section)
                )
    _judge_fonts(root)
    formats = Counter(str(one.get("numFmtId")) for section in root.iter(_tag("numFmts")) for one in section)
    for number in (look.get("numFmtId", "0") for section in root.iter(_tag("cellXfs")) for look in section):
        known = number.isascii() and number.isdigit() and int(number) < BUILTIN_FORMATS_MAX_SIZE
        if not known and number not in formats:
            raise AmbiguousError(say("the number format {number} is not defined", number=number))
    for number in (number for number, times in formats.items() if times > 1):
        raise AmbiguousError(say("the number format {number} is defined twice", number=number))


def _judge_fonts(root: Any) -> None:
    """Refuse fonts with two names, sizes or colours, or with a size or tint that is no number."""
    for font in root.iter(_tag("font")):
        name, times = next(iter(Counter(tag_of(one) for one in font).most_common(1)), ("", 0))
        if times > 1:
            raise AmbiguousError(say("{name} appears twice or inside another element", name=name))
    given = [one.get("val") for one in root.iter(_tag("sz"))] + [one.get("tint") for one in root.iter()]
    for said in given:
        if said is not None and not NUMBER.fullmatch(said):
            raise AmbiguousError(say("a setting is {said}, but must be a number", said=said))


def judge_theme(xml: bytes) -> None:
    """Refuse a theme whose colours are not plain RGB or the usual colours of the system.

    Raises:
        AmbiguousError: a colour is stated in another way.
    """
    schemes = [one for one in fromstring(xml).iter() if tag_of(one) == "clrScheme"]
    if len(schemes) > 1:
        raise AmbiguousError(say("{name} appears twice or inside another element", name="clrScheme"))
    for place in (place for scheme in schemes for place in scheme if tag_of(place) != "extLst"):
        if not _is_plain([*place]):
            raise AmbiguousError(say("the theme colour {name} is not a plain colour", name=tag_of(place)))


def _is_plain(colours: Sequence[Any]) -> bool:
    if len(colours) != 1 or len(colours[0]):
        return False
    kind, value = tag_of(colours[0]), str(colours[0].get("val"))
    stated = str(colours[0].get("lastClr")).upper()
    return kind == "srgbClr" or (kind == "sysClr" and _SYSTEM_COLOURS.get(value) == stated)


def _tag(name: str) -> str:
    return f"{{{SHEET_MAIN_NS}}}{name}"

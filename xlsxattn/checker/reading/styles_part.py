"""Checks of the styles and the theme: refused if programs could find other formats or colours in them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from openpyxl.styles.numbers import BUILTIN_FORMATS_MAX_SIZE
from openpyxl.xml.constants import ARC_STYLE, SHEET_MAIN_NS
from openpyxl.xml.functions import fromstring

from xlsxattn.checker.reading.limits import AmbiguousError
from xlsxattn.checker.reading.one_reading import NUMBER
from xlsxattn.checker.reading.package import check_namespace, tag_of
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
_COLOURS = ("rgb", "theme", "indexed", "auto")
_DRAWING = (
    "http://schemas.openxmlformats.org/drawingml/2006/main",
    "http://purl.oclc.org/ooxml/drawingml/main",
)
_THEME = ("theme", "clrScheme", "fontScheme", "majorFont", "minorFont", "latin")
"""The elements of a theme that are read."""
_SYSTEM_COLOURS = {"window": "FFFFFF", "windowText": "000000"}
"""The usual colours of the system, which some programs use instead of the stated ones."""


def check_styles(xml: bytes) -> None:
    """Refuse styles in which a cell's format could be found in two ways.

    Raises:
        AmbiguousError: a section is duplicated or contains other elements, or a number format is duplicated.
    """
    root = fromstring(xml)
    extensions = {inside for one in root.iter(_tag("extLst")) for inside in one.iter()}
    check_namespace(ARC_STYLE, (one for one in root.iter() if one not in extensions), SHEET_MAIN_NS)
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
    _check_fonts(root)
    formats = Counter(str(one.get("numFmtId")) for section in root.iter(_tag("numFmts")) for one in section)
    for number in (look.get("numFmtId", "0") for section in root.iter(_tag("cellXfs")) for look in section):
        known = number.isascii() and number.isdigit() and int(number) < BUILTIN_FORMATS_MAX_SIZE
        if not known and number not in formats:
            raise AmbiguousError(say("the number format {number} is not defined", number=number))
    for number in (number for number, times in formats.items() if times > 1):
        raise AmbiguousError(say("the number format {number} is defined twice", number=number))


def _check_fonts(root: Any) -> None:
    """Refuse fonts with two names, sizes or colours, or with a size or tint that is no number."""
    for font in root.iter(_tag("font")):
        name, times = next(iter(Counter(tag_of(one) for one in font).most_common(1)), ("", 0))
        if times > 1:
            raise AmbiguousError(say("{name} appears twice or inside another element", name=name))
    for colour in root.iter():
        if sum(colour.get(key) is not None for key in _COLOURS) > 1:
            raise AmbiguousError(say("a colour of the styles is stated in two ways"))
    given = [one.get("val") for one in root.iter(_tag("sz"))] + [one.get("tint") for one in root.iter()]
    for said in given:
        if said is not None and not NUMBER.fullmatch(said):
            raise AmbiguousError(say("a setting is {said}, but must be a number", said=said))


def check_theme(xml: bytes) -> None:
    """Refuse a theme whose colours are not plain RGB or the usual colours of the system.

    Raises:
        AmbiguousError: a colour is stated in another way.
    """
    root = fromstring(xml)
    namespace = next((name for name in _DRAWING if root.tag == f"{{{name}}}theme"), _DRAWING[0])
    check_namespace("theme", (one for one in root.iter() if tag_of(one) in _THEME), namespace)
    schemes = [one for one in root.iter() if tag_of(one) == "clrScheme"]
    if len(schemes) > 1:
        raise AmbiguousError(say("{name} appears twice or inside another element", name="clrScheme"))
    for place in (place for scheme in schemes for place in scheme if tag_of(place) != "extLst"):
        check_namespace("theme", place.iter(), namespace)
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

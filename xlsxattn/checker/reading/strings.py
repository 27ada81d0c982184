"""Shared and inline strings, and texts that programs read in different ways."""

from __future__ import annotations

import re
from typing import IO, Any, Literal, TypeAlias

from openpyxl.xml.constants import SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

from xlsxattn.checker.reading.limits import AmbiguousError
from xlsxattn.language import say

Doubt: TypeAlias = Literal["infinite", "date", "rich value", "escape", "blanks", "faint", "empty"]
"""Why programs or readers read a cell in different ways: an infinite number, an ISO 8601 date, a rich value;
a text with an escape sequence, with unmarked spaces at its ends, with unreadable letters, or empty."""

_STRING, _TEXT, _RUN, _READING, _READINGS, _EXTENSIONS = (
    f"{{{SHEET_MAIN_NS}}}{name}" for name in ("si", "t", "r", "rPh", "phoneticPr", "extLst")
)
_LOOKS, _HIDES, _SIZE, _FONT, _COLOUR = (
    f"{{{SHEET_MAIN_NS}}}{name}" for name in ("rPr", "vanish", "sz", "rFont", "color")
)
SYMBOL_FONTS = (
    *("wingdings", "webdings", "symbol", "opensymbol", "standardsymbols", "marlett", "mtextra", "d050000l"),
    *("zapfdingbats", "itczapfdingbats", "dingbats", "bookshelfsymbol", "msoutlook", "msreferencespecialty"),
    *("segoemdl2", "segoefluent", "hololensmdl2"),
)
"""Fonts that show symbols instead of letters and digits, in lower case and without spaces."""
MIN_POINTS = 4.0
"""Minimum readable font size in points; built workbooks use at least 8."""
_WHITES = (("theme", "0"), ("indexed", "1"), ("indexed", "9"), ("indexed", "65"))
_MAX_LIGHTNESS = 0.82
"""The lightness of an RGB colour, from 0 to 1, above which it is hardly visible on white."""
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_ESCAPE = re.compile(r"_x(?!005F_)[0-9A-Fa-f]{4}_")
_ESCAPED = "x005F_"
"""Written after the first _ of a text that looks like an escape sequence."""


def read_strings(source: IO[bytes]) -> tuple[list[str], dict[int, Doubt]]:
    """The shared strings, and the doubtful ones by index.

    Raises:
        AmbiguousError: a string is stored in two forms, or is outside the list.
    """
    texts: list[str] = []
    doubts: dict[int, Doubt] = {}
    root: Any = None
    for _, root in iterparse(source):
        if root.tag == _STRING:
            text, doubt = text_of(root)
            if doubt:
                doubts[len(texts)] = doubt
            texts.append(text)
            root.clear()
    others = root is None or any(one.tag not in (_STRING, _EXTENSIONS) for one in root)
    if others or sum(one.tag == _STRING for one in root) != len(texts):
        raise AmbiguousError(say("its shared strings are in more than one list"))
    return texts, doubts


def text_of(element: Any) -> tuple[str, Doubt | None]:
    """The text of a shared or inline string, without phonetic hints.

    Raises:
        AmbiguousError: the string is stored in two forms.
    """
    children = [one for one in element if one.tag not in (_READING, _READINGS)]
    plain = [one for one in children if one.tag == _TEXT]
    runs = [one for one in children if one.tag == _RUN]
    pieces = plain or [one for run in runs for one in run if one.tag == _TEXT]
    ambiguous = len(plain) > 1 or (plain and runs) or (runs and len(pieces) != len(runs))
    if ambiguous or len(plain) + len(runs) < len(children) or any(len(one) for one in pieces):
        raise AmbiguousError(say("a string is stored in two forms"))
    raw = "".join(one.text or "" for one in pieces)
    preserved = all(
        one.get(_SPACE) == "preserve" for one in pieces if (one.text or "").strip() != (one.text or "")
    )
    doubt = doubt_of(raw) or (None if preserved else "blanks")
    if any(_is_faint(look) for run in runs for look in run if look.tag == _LOOKS):
        doubt = doubt or "faint"
    return raw.replace(_ESCAPED, ""), doubt


def _is_faint(look: Any) -> bool:
    """Whether the letters of a run are hidden, tiny, symbols, or nearly white."""
    said = {one.tag: str(one.get("val", "")) for one in look}
    font = "".join(said.get(_FONT, "").split()).lower()
    tiny = _SIZE in said and float(said[_SIZE]) < MIN_POINTS
    return _HIDES in said or tiny or font.startswith(SYMBOL_FONTS) or any(map(_is_light, look.iter(_COLOUR)))


def _is_light(colour: Any) -> bool:
    if any(colour.get(key) == value for key, value in _WHITES):
        return float(colour.get("tint") or 0) >= 0
    red, green, blue = bytes.fromhex(colour.get("rgb") or "FF000000")[-3:]
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255 > _MAX_LIGHTNESS


def doubt_of(text: str) -> Doubt | None:
    """Whether a text has an escape sequence, which only some programs decode."""
    return "escape" if "_x" in text and _ESCAPE.search(text) else None

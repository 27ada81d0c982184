"""Number formats: whether they show the value of a cell, or hide or replace it."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Literal

from openpyxl.styles.colors import COLOR_INDEX

from xlsxattn.language import codes, language

if TYPE_CHECKING:
    from collections.abc import Iterator

    Token = tuple[str, str]
    Section = tuple[Token, ...]

Verdict = Literal["", "hides", "replaces"]
"""The effect of a number format on the value: none, hidden, or replaced."""

_TOKENS = re.compile(
    r"""
    "(?P<quoted>[^"]*)"                             # quoted text
    | \\(?P<escaped>.) | \*(?P<repeated>.)          # an escaped character; one that fills the cell
    | _(?P<space>.)                                 # a space of the width of a character
    | \[(?P<colour>black|blue|cyan|green|magenta|red|white|yellow|colou?r\s*\d+)\]
    | \[\$-(?P<locale>0*[0-9a-e][0-9a-f]{0,3})\]  # a language; longer codes choose other digits
    | \[(?P<bracket>[^\]]*)\]                       # a condition, a currency, hours
    | (?P<end>;)
    | (?P<general>general)
    | (?P<exponent>e[+-])
    | (?P<digit>[0\#?.,/%])
    | (?P<text>@)
    | (?P<other>.)                                  # letters of dates; any other character
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_WHOLE = re.compile(r"(?!%.*%)%?(?:[0#?](?:[0#?,]*[0#?])?)?(?:\.[0#?]*)?%?")
"""The digits of a whole number: a comma behind them would divide by 1000, as in ``0,.0``."""
_GAP = re.compile(r"0 +[0#?]")
"""A blank behind a digit that is always shown: ``0_.00`` shows 0.84 as 0 01."""
_COLOURS = {
    "black": "000000",
    "blue": "0000FF",
    "cyan": "00FFFF",
    "green": "00FF00",
    "magenta": "FF00FF",
    "red": "FF0000",
    "white": "FFFFFF",
    "yellow": "FFFF00",
}
_FIRST_INDEX = 7
"""Colour 1 of number formats is this much before its index in styles."""
_BLANK = " \u00a0\u2007\u2009\u202f"
_NEGATIVE, _TEXT = 1, 3
"""Indices of the sections; section 0 is for positive numbers, section 2 for 0."""


def sections(code: str) -> tuple[Section, ...]:
    """Parse a number format, so that two spellings of the same format are equal.

    A section is a sequence of (kind, text) pairs; adjacent literal characters are merged into one
    ``literal``. Colours and locales are omitted.
    """
    parsed: list[list[Token]] = [[]]
    for match in _TOKENS.finditer(code):
        kind, text = str(match.lastgroup), match[str(match.lastgroup)]
        section = parsed[-1]
        if kind == "end":
            parsed.append([])
        elif kind in ("quoted", "escaped", "repeated", "space", "other"):
            text = " " if kind == "space" else text
            if section and section[-1][0] == "literal":
                text = section.pop()[1] + text
            section += [("literal", text)] if text else []
        elif kind not in ("colour", "locale"):
            section.append((kind, text.lower()))
    return tuple(map(tuple, parsed))


def colours(code: str) -> tuple[str, ...]:
    """The text colours that a number format sets, in hexadecimal.

    >>> colours("[Red]0.00;[Color 2]-0.00")
    ('FF0000', 'FFFFFF')
    """
    named = (match["colour"].lower() for match in _TOKENS.finditer(code) if match["colour"])
    return tuple(_COLOURS.get(name) or _numbered(int(re.sub(r"\D", "", name))) for name in named)


def _numbered(number: int) -> str:
    index = number + _FIRST_INDEX
    return COLOR_INDEX[index][-6:] if index < len(COLOR_INDEX) else "000000"


@cache
def verdict(code: str) -> Verdict:
    """The effect of a number format on the value of a cell."""
    parsed = sections(code)
    n = len(parsed)
    if any(not section for section in parsed):
        return "hides"
    if n > _TEXT + 1 or not all(_is_plain(section, i, n) for i, section in enumerate(parsed)):
        return "replaces"
    return ""


def _is_plain(section: Section, place: int, of: int) -> bool:
    """Whether a section shows the number with its sign, or, in the text section, the text."""
    kinds = {kind for kind, _ in section}
    literal = "".join(text for kind, text in section if kind == "literal")
    signs = "".join(character for character in literal if character not in _BLANK)
    if kinds & {"bracket"}:
        return False
    if "text" in kinds:
        only = "".join(text for kind, text in section if kind != "literal") == "@" and not signs
        return only and (of == 1 or place == _TEXT)
    allowed = {""}
    if place == _NEGATIVE:
        allowed = {"-", "()", "(-)"}
    elif place == 0 and of > 1:
        allowed = {"", "+"}
    digits = "".join(text for kind, text in section if kind not in ("literal", "exponent"))
    spaced = "".join(" " if kind == "literal" else text for kind, text in section).partition(".")[0]
    whole = digits == "general" or ("0" in digits and _WHOLE.fullmatch(digits) and not _GAP.search(spaced))
    return place != _TEXT and bool(whole) and signs in allowed


def same(code: str, other: str) -> bool:
    """Whether two number formats are the same, possibly in different languages."""
    return sections(code) in _translations(other)


@cache
def _translations(code: str) -> tuple[tuple[Section, ...], ...]:
    """A number format in every language, parsed."""
    return tuple(sections(text) for text in _spelled(code))


def _spelled(code: str) -> Iterator[str]:
    pieces = code.split('"')  # every second piece is quoted
    for known in map(language, codes()):
        yield '"'.join(known.tell(piece) if i % 2 and piece else piece for i, piece in enumerate(pieces))

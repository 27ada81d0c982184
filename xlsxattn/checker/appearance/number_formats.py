"""Number formats: whether one shows a cell's own value, or words and digits in its place."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Literal

from xlsxattn.language import codes, language

if TYPE_CHECKING:
    from collections.abc import Iterator

    Token = tuple[str, str]
    Section = tuple[Token, ...]

Verdict = Literal["", "hides", "replaces"]
"""What a number format does to the value: nothing, or it hides it, or shows something else."""

_TOKENS = re.compile(
    r"""
    "(?P<quoted>[^"]*)"                             # words
    | \\(?P<escaped>.) | \*(?P<repeated>.)          # a character by itself, or until the cell is full
    | _(?P<space>.)                                 # a space as wide as a character
    | \[(?P<colour>black|blue|cyan|green|magenta|red|white|yellow|colou?r\s*\d+)\]
    | \[\$-(?P<locale>[0-9a-e][0-9a-f]*)\]         # a language
    | \[(?P<bracket>[^\]]*)\]                       # a condition, a currency, hours
    | (?P<end>;)
    | (?P<general>general)
    | (?P<exponent>e[+-])
    | (?P<digit>[0\#?.,/%])
    | (?P<text>@)
    | (?P<other>.)                                  # letters of dates; any character by itself
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_BLANK = " \u00a0\u2007\u2009\u202f"
_NEGATIVE, _ZERO, _TEXT = 1, 2, 3
"""Which section is for what; the first is for positive numbers."""


def sections(code: str) -> tuple[Section, ...]:
    """A number format taken apart, so that two spellings of one format are equal.

    Each section is pairs of what something is and its text; characters side by side that stand for themselves
    are one ``literal``. Colours, languages and spaces are left out.
    """
    found: list[list[Token]] = [[]]
    for match in _TOKENS.finditer(code):
        kind, text = str(match.lastgroup), match[str(match.lastgroup)]
        own = found[-1]
        if kind == "end":
            found.append([])
        elif kind in ("quoted", "escaped", "repeated", "other"):
            if own and own[-1][0] == "literal":
                text = own.pop()[1] + text
            own += [("literal", text)] if text else []
        elif kind not in ("space", "colour", "locale"):
            own.append((kind, text.lower()))
    return tuple(map(tuple, found))


@cache
def verdict(code: str) -> Verdict:
    """What a number format does to the values of a cell."""
    found = sections(code)
    if any(not section for section in found):
        return "hides"
    if len(found) > _TEXT + 1 or not all(_is_plain(part, i, len(found)) for i, part in enumerate(found)):
        return "replaces"
    return ""


def _is_plain(section: Section, place: int, of: int) -> bool:
    """Whether a section shows the number with its sign, or, in its place, the text."""
    kinds = {kind for kind, _ in section}
    literal = "".join(text for kind, text in section if kind == "literal")
    signs = "".join(character for character in literal if character not in _BLANK)
    if kinds & {"bracket"}:
        return False
    if "text" in kinds:
        return kinds == {"text"} and (of == 1 or place == _TEXT)
    allowed = {"-", "()", "(-)"} if place == _NEGATIVE else {"", "+"} if place == 0 and of > 1 else {""}
    digits = "".join(text for kind, text in section if kind == "digit")
    whole = "general" in kinds or ("0" in digits and not digits.rstrip("%").endswith(","))
    return place != _TEXT and whole and signs in allowed


def same(code: str, other: str) -> bool:
    """Whether two number formats are one, spelled in the same language or not."""
    return sections(code) in _told(other)


@cache
def _told(code: str) -> tuple[tuple[Section, ...], ...]:
    """A number format in every language there is."""
    return tuple(sections(text) for text in _spelled(code))


def _spelled(code: str) -> Iterator[str]:
    pieces = code.split('"')  # every second one stands in quotes
    for known in map(language, codes()):
        yield '"'.join(known.tell(piece) if i % 2 and piece else piece for i, piece in enumerate(pieces))

"""Displayed colours and their contrast."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from openpyxl.styles import GradientFill, PatternFill
from openpyxl.styles.colors import COLOR_INDEX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openpyxl.styles import Color
    from openpyxl.styles.fills import Fill

    RGB = tuple[int, int, int]

BLACK, WHITE = (0, 0, 0), (255, 255, 255)
MIN_CONTRAST = 1.5
"""Minimum contrast ratio of readable text; WCAG requires 4.5."""
_COVERED = {"solid": 1.0, "darkGray": 0.75, "lightGray": 0.25, "gray125": 0.125, "gray0625": 0.0625}
_COVERED_BY_LINES = 0.5
"""How much of a cell the front colour of a pattern covers."""
_AUTOMATIC = (("rgb", "00000000"), ("indexed", 64), ("indexed", 65))
"""Colours of fills that are not set: openpyxl's default, and the text and the background of the system."""
_BACKGROUND = 65
"""The index of the background colour of the system."""
_PLACES = ("lt1", "dk1", "lt2", "dk2", *(f"accent{i}" for i in range(1, 7)), "hlink", "folHlink")
"""The colours of a theme, in the order of their index in styles."""
_OFFICE = (
    *("FFFFFF", "000000", "EEECE1", "1F497D", "4F81BD", "C0504D"),
    *("9BBB59", "8064A2", "4BACC6", "F79646", "0000FF", "800080"),
)
_THEME = re.compile(
    rb"""<(?:\w+:)?(\w+)\s*>\s*<(?:\w+:)?(?:srgbClr\s[^>]*?val|sysClr\s[^>]*?lastClr)=["']([0-9A-Fa-f]{6})"""
)

_FONT = re.compile(rb"""(minor|major)Font\s*>\s*<(?:\w+:)?latin\s[^>]*?typeface=["']([^"']+)""")


class Palette:
    """The colours of a theme, which styles refer to by index, and its fonts by scheme."""

    def __init__(self, theme: bytes, indexed: Sequence[str] = COLOR_INDEX) -> None:
        """Read the colours of a theme part; missing ones are those of Office.

        Args:
            theme: the theme part.
            indexed: the colours that styles refer to by number.
        """
        self.indexed = indexed
        colours = {place.decode(): colour.decode() for place, colour in _THEME.findall(theme)}
        pairs = zip(_PLACES, _OFFICE, strict=True)
        found = dict(_FONT.findall(theme))
        self.fonts = {scheme.decode(): font.decode("utf-8", "replace") for scheme, font in found.items()}
        self.theme = [rgb(colours.get(place, default)) for place, default in pairs]

    def seen(self, colour: Color | None, default: RGB) -> RGB:
        """The displayed colour; the default if none is set."""
        if colour is None:
            return default
        kind, value = colour.type, colour.value
        if kind == "rgb":
            base = rgb(str(value)[-6:])
        elif kind == "indexed" and int(value) == _BACKGROUND:
            base = WHITE
        elif kind == "indexed" and int(value) < len(self.indexed):
            base = rgb(str(self.indexed[int(value)])[-6:])
        elif kind == "theme" and int(value) < len(self.theme):
            base = self.theme[int(value)]
        else:
            return default
        return _tinted(base, float(colour.tint or 0))

    def behind(self, fill: Fill | None, default: RGB, *, differential: bool = False) -> tuple[RGB, ...]:
        """The colours of a fill: one, mixed if it is a pattern, or those of a gradient.

        Conditional formats store a solid colour as the background, maybe without a type.
        """
        if isinstance(fill, GradientFill):
            return tuple(self.seen(stop.color, default) for stop in fill.stop) or (default,)
        if not isinstance(fill, PatternFill) or (fill.fill_type is None and not differential):
            return (default,)
        front, back = self._set(fill.fgColor, BLACK), self._set(fill.bgColor, default)
        if differential and fill.fill_type in (None, "solid"):
            return (back if _is_set(fill.bgColor) else self._set(fill.fgColor, default),)
        return (_mixed(front, back, _COVERED.get(str(fill.fill_type), _COVERED_BY_LINES)),)

    def _set(self, colour: Color | None, default: RGB) -> RGB:
        """The displayed colour of a fill; the default for the automatic one."""
        return self.seen(colour, default) if _is_set(colour) else default


def contrast(one: RGB, other: RGB) -> float:
    """The WCAG contrast ratio of two colours, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def spelled(colour: RGB) -> str:
    """A colour in hexadecimal notation: ``#FFFFFF``."""
    return "#" + "".join(f"{part:02X}" for part in colour)


def _is_set(colour: Color | None) -> bool:
    if colour is None or colour.type == "auto":
        return False
    return (colour.type, colour.value) not in _AUTOMATIC


def rgb(text: str) -> RGB:
    """A colour from hexadecimal notation."""
    red, green, blue = (int(text[i : i + 2], 16) for i in (0, 2, 4))
    return red, green, blue


def _mixed(front: RGB, back: RGB, share: float) -> RGB:
    """The colour of a pattern from a distance."""
    red, green, blue = (round(share * a + (1 - share) * b) for a, b in zip(front, back, strict=True))
    return red, green, blue


def _tinted(colour: RGB, tint: float) -> RGB:
    """A colour lightened (1: white) or darkened (−1: black)."""
    red, green, blue = (round(part * (1 - abs(tint)) + 255 * max(tint, 0)) for part in colour)
    return red, green, blue


def _luminance(colour: RGB) -> float:
    """The relative luminance of WCAG."""
    parts = [part / 255 for part in colour]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)  # noqa: PLR2004 - constants of WCAG
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

"""Displayed colours and their contrast."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from openpyxl.styles import PatternFill
from openpyxl.styles.colors import COLOR_INDEX

if TYPE_CHECKING:
    from openpyxl.styles import Color
    from openpyxl.styles.fills import Fill

    RGB = tuple[int, int, int]

BLACK, WHITE = (0, 0, 0), (255, 255, 255)
MIN_CONTRAST = 1.5
"""Minimum contrast ratio of readable text; WCAG requires 4.5."""
_PLACES = ("lt1", "dk1", "lt2", "dk2", *(f"accent{i}" for i in range(1, 7)), "hlink", "folHlink")
"""The colours of a theme, in the order of their index in styles."""
_OFFICE = (
    *("FFFFFF", "000000", "EEECE1", "1F497D", "4F81BD", "C0504D"),
    *("9BBB59", "8064A2", "4BACC6", "F79646", "0000FF", "800080"),
)
_THEME = re.compile(
    rb"""<(?:\w+:)?(\w+)\s*>\s*<(?:\w+:)?(?:srgbClr\s[^>]*?val|sysClr\s[^>]*?lastClr)=["']([0-9A-Fa-f]{6})"""
)


_FONT = re.compile(rb"""minorFont\s*>\s*<(?:\w+:)?latin\s[^>]*?typeface=["']([^"']+)""")


class Palette:
    """The colours of a theme, which styles refer to by index, and its font for cells."""

    def __init__(self, theme: bytes) -> None:
        """Read the colours of a theme part; missing ones are those of Office."""
        colours = {place.decode(): colour.decode() for place, colour in _THEME.findall(theme)}
        pairs = zip(_PLACES, _OFFICE, strict=True)
        found = _FONT.search(theme)
        self.font = found[1].decode("utf-8", "replace") if found else ""
        self.theme = [rgb(colours.get(place, default)) for place, default in pairs]

    def seen(self, colour: Color | None, default: RGB) -> RGB:
        """The displayed colour; the default if none is set."""
        if colour is None:
            return default
        kind, value = colour.type, colour.value
        if kind == "rgb":
            base = rgb(str(value)[-6:])
        elif kind == "indexed" and int(value) < len(COLOR_INDEX):
            base = rgb(COLOR_INDEX[int(value)][-6:])
        elif kind == "theme" and int(value) < len(self.theme):
            base = self.theme[int(value)]
        else:
            return default
        return _tinted(base, float(colour.tint or 0))

    def behind(self, fill: Fill | None, default: RGB, *, differential: bool = False) -> RGB:
        """The colour of a fill; conditional formats store it as the background, maybe without a type."""
        if not isinstance(fill, PatternFill):
            return default
        if fill.fill_type != "solid" and not (differential and fill.fill_type is None):
            return default
        if differential:
            return self.seen(fill.bgColor if _is_set(fill.bgColor) else fill.fgColor, default)
        return self.seen(fill.fgColor, default)


def contrast(one: RGB, other: RGB) -> float:
    """The WCAG contrast ratio of two colours, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def spelled(colour: RGB) -> str:
    """A colour in hexadecimal notation: ``#FFFFFF``."""
    return "#" + "".join(f"{part:02X}" for part in colour)


def _is_set(colour: Color | None) -> bool:
    return colour is not None and (colour.type, colour.value) != ("rgb", "00000000")


def rgb(text: str) -> RGB:
    """A colour from hexadecimal notation."""
    red, green, blue = (int(text[i : i + 2], 16) for i in (0, 2, 4))
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

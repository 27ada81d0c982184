"""Colours as a reader sees them, and whether one can be read on another."""

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
"""The least ratio of two colours that can be told apart; WCAG asks for 4.5."""
_PLACES = ("lt1", "dk1", "lt2", "dk2", *(f"accent{i}" for i in range(1, 7)), "hlink", "folHlink")
"""The colours of a theme by their numbers in styles."""
_OFFICE = (
    *("FFFFFF", "000000", "EEECE1", "1F497D", "4F81BD", "C0504D"),
    *("9BBB59", "8064A2", "4BACC6", "F79646", "0000FF", "800080"),
)
_THEME = re.compile(
    rb"""<(?:\w+:)?(\w+)\s*>\s*<(?:\w+:)?(?:srgbClr\s[^>]*?val|sysClr\s[^>]*?lastClr)=["']([0-9A-Fa-f]{6})"""
)


class Palette:
    """The colours that styles refer to by number."""

    def __init__(self, theme: bytes) -> None:
        """Take them out of a theme's part; those that it lacks are Office's."""
        own = {place.decode(): colour.decode() for place, colour in _THEME.findall(theme)}
        pairs = zip(_PLACES, _OFFICE, strict=True)
        self.theme = [_rgb(own.get(place, usual)) for place, usual in pairs]

    def seen(self, colour: Color | None, usual: RGB) -> RGB:
        """A colour as it is shown; the usual one where nothing is said."""
        if colour is None:
            return usual
        kind, value = colour.type, colour.value
        if kind == "rgb":
            found = _rgb(str(value)[-6:])
        elif kind == "indexed" and int(value) < len(COLOR_INDEX):
            found = _rgb(COLOR_INDEX[int(value)][-6:])
        elif kind == "theme" and int(value) < len(self.theme):
            found = self.theme[int(value)]
        else:
            return usual
        return _tinted(found, float(colour.tint or 0))

    def behind(self, fill: Fill | None, usual: RGB, *, differential: bool = False) -> RGB:
        """The colour of a fill; a conditional format has it in the other place, and may not say its kind."""
        if not isinstance(fill, PatternFill):
            return usual
        if fill.fill_type != "solid" and not (differential and fill.fill_type is None):
            return usual
        if differential:
            return self.seen(fill.bgColor if _is_set(fill.bgColor) else fill.fgColor, usual)
        return self.seen(fill.fgColor, usual)


def contrast(one: RGB, other: RGB) -> float:
    """The contrast ratio of two colours, from 1 to 21, as WCAG has it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def spelled(colour: RGB) -> str:
    """A colour as people write it: ``#FFFFFF``."""
    return "#" + "".join(f"{part:02X}" for part in colour)


def _is_set(colour: Color | None) -> bool:
    return colour is not None and (colour.type, colour.value) != ("rgb", "00000000")


def _rgb(text: str) -> RGB:
    red, green, blue = (int(text[i : i + 2], 16) for i in (0, 2, 4))
    return red, green, blue


def _tinted(colour: RGB, tint: float) -> RGB:
    """A colour made lighter (to 1, white) or darker (to −1, black)."""
    red, green, blue = (round(part * (1 - abs(tint)) + 255 * max(tint, 0)) for part in colour)
    return red, green, blue


def _luminance(colour: RGB) -> float:
    parts = [part / 255 for part in colour]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)  # noqa: PLR2004 - as WCAG has it
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

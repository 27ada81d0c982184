"""Colours, number formats, heat maps and widths: one style per kind of block."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xlsxattn.contract.values import HIDDEN_BELOW, MAX_ABS
from xlsxattn.language import is_wide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlsxattn.language import Language

INK, MUTED, LINE = "#1F2933", "#52606D", "#CBD2D9"
INPUT_FILL, INPUT_INK = "#FFF4CC", "#1D4ED8"
LANES = ("#1F4E79", "#9A3412", "#166534", "#6B21A8")
"""Accent colours of the lanes, in turn; white text on each passes WCAG AA."""
SERIES = ("#6B7785", *LANES, "#B45309", "#0E7490", "#BE185D")
"""Colours of a chart's sentences, the first for inputs; contrast with white is at least 4.5:1."""
OTHER_SERIES = ("#52606D", "#B45309", "#0E7490", "#BE185D", "#4D7C0F", "#4338CA")
"""Colours of sheets and heads in a chart, none of them that of a sentence."""
MARKS = ("circle", "square", "diamond", "triangle", "star", "plus")
"""Marker shapes of a chart's points."""
WHITE, GREY, ABOVE, BELOW, SHARE = "#FFFFFF", "#D9DEE3", "#7FC4B5", "#F4B183", "#9F8FD0"
"""The full colours of heat maps: above and below 0, and of a share of 1. None is a sentence's, and teal and
orange can be told apart by readers with the common kinds of colour blindness."""
SILVER = "#BAC3CB"
"""The full colour of probabilities."""
AXIS = {"major_tick_mark": "none", "minor_tick_mark": "none", "line": {"color": LINE}}
GRID = {"visible": True, "line": {"color": LINE, "width": 0.75}}
FROM_0_TO_1 = {"min": 0, "max": 1, "major_unit": 0.2}
ANY_MAGNITUDE = {"num_format": "[>=100000]0.0E+0;General"}
"""Axis and grid styles of a chart; losses of a run that diverges can be very large."""
BAD_INK, BAD_FILL = "#B91C1C", "#FDE2E1"
"""Style of errors: a failed live check, a text in a cell for numbers."""
OUTLINE = {"top": 1, "bottom": 1, "top_color": INK, "bottom_color": INK, "bold": True}

FONT, MONO = "Calibri", "Consolas"
WIDE_FONT = "Microsoft YaHei"
"""The font of Chinese texts, part of Windows since Vista and of Excel for Mac. Calibri lacks the characters,
and its fallback fonts are coarser; where this font is missing, the system uses a fallback."""
ROW, WIDE_ROW = 15.0, 16.5
"""Row heights in points, for Calibri and for the Chinese font."""
NUMBER, FINE = "0.00", "0.000"
ANY_TEXT = "@"


def cell_width(text: str) -> float:
    """Width of a text in characters; wide (CJK) characters count twice."""
    wide = 0 if text.isascii() else sum(map(is_wide, text))
    return float(len(text) + wide)


PIXELS = {
    "title": 11.0,
    "lead": 6.2,
    "fact": 6.2,
    "why": 5.6,
    "try": 6.2,
    "answer": 6.2,
    "step": 8.0,
    "formula": 6.7,
}
"""Average width of a character in pixels, for texts that overflow to the right, by look."""
WIDE_PIXELS = 4 / 3
"""Pixels per point: a wide (CJK) character is as wide as its font size."""
QUOTES, WIDER = "“”", 1.2
"""Characters that are as wide in a text with wide ones; how much wider its other characters are."""


def pixels(text: str, look: str) -> float:
    """Width in pixels of a text that overflows to the right; 0 for other looks."""
    if look not in PIXELS:
        return 0.0
    wide, narrow = cell_width(text) - len(text), PIXELS[look]
    if wide:
        wide += sum(map(text.count, QUOTES))
        narrow *= WIDER
    size: float = LOOKS[look].format.get("font_size", 11)
    return narrow * (len(text) - wide) + WIDE_PIXELS * size * wide


def is_in_wide(language: Language) -> bool:
    """True if a language is written in wide (CJK) characters."""
    return any(map(is_wide, language.tell("Contents")))


POWERS_OF_TEN = 8
"""Width of a number in scientific notation, such as −1.0E+05."""
LETTER, MAX_DIGITS = 0.85, 15
"""Width of a letter relative to a digit, and the number of digits that spreadsheets show."""
FIXED = re.compile(r"(?:#,##)?0?(?:\.(0+))?%?")
"""A number format with fixed decimals, and its decimals."""


@dataclass(frozen=True, slots=True)
class Room:
    """The numbers that fit in a column, and how others are shown.

    Attributes:
        largest: the largest number that fits.
        negative: True if negative numbers are shown as numbers; else they are shown as words, which fit.
        overflow: format properties of numbers with a larger absolute value.
    """

    largest: int
    negative: bool
    overflow: Mapping[str, Any]


def room(look: Look, width: float) -> Room | None:
    """The numbers that fit in a column; None if all do, as in the formats General and 0.0E+00."""
    num_format = str(look.format.get("num_format", ANY_TEXT))
    positive, *others = re.sub(r"\[[^]]*\]", "", num_format).split(";")
    words = "".join(re.findall('"([^"]*)"', positive))
    digits = FIXED.fullmatch(re.sub('"[^"]*"', "", positive))
    if not digits or not digits[0]:
        return None
    characters = width * 11 / look.format.get("font_size", 11)
    signs = len(digits[1] or "") + (3 if digits[0].endswith("%") else 0)
    places = int(characters - LETTER * cell_width(words) - signs - 1)
    places = min(max(places, 1), MAX_DIGITS)
    negative = not others or "0" in others[0]
    return Room(10**places - 1, negative, LARGE if characters >= POWERS_OF_TEN else LARGE_IN_NARROW)


def localized(properties: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """Translate the words in a number format, and choose the font of a language.

    Texts in wide (CJK) characters are never italic, which is hard to read.
    """
    result = dict(properties)
    if is_in_wide(language):
        result.pop("italic", None)
        if result.get("font_name") == FONT:
            result["font_name"] = WIDE_FONT
    if '"' in str(result.get("num_format", "")):
        result["num_format"] = re.sub(
            '"([^"]+)"', lambda match: f'"{language.tell(match[1])}"', result["num_format"]
        )
    return result


@dataclass(frozen=True, slots=True)
class Look:
    """The style of a kind of block: XlsxWriter's format properties, heat map, column width in characters.

    ``takes`` is the kind of value that users type there, a key of `TAKES`.
    """

    format: Mapping[str, Any] = field(default_factory=dict)
    heat: str = ""
    width: float = 8.5
    takes: str = ""


def _number(num_format: str, heat: str = "", takes: str = "", **more: object) -> Look:
    return Look({"num_format": num_format, "border": 1, "border_color": LINE, **more}, heat, takes=takes)


IN_LATIN = ("col label", "name above", "dimension", "word result", "lane")
"""Looks of words with little room, in the narrow font of English if they have no wide characters."""
LANE_SAMPLES = ("legend first", "legend second", "legend third", "legend fourth")
"""Looks of the legend's cells for the lanes' colours."""


def _sample(background: str, ink: str = INK) -> Look:
    """The look of a cell of the legend."""
    style = {"bg_color": background, "font_color": ink, "border": 1, "border_color": LINE, "align": "center"}
    return Look({**style, "shrink": True})


MIDDLE = {"align": "center", "valign": "vcenter"}
SHRUNK = {"shrink": True, "indent": 0, "border": 1, "border_color": LINE}
TYPED = {
    "num_format": ANY_TEXT,
    "border": 1,
    "border_color": LINE,
    "bg_color": INPUT_FILL,
    "font_color": INPUT_INK,
    "locked": False,
}
CHIP_FILL, LINK_FILL = "#F1F3F5", "#E3E9FB"
CHIP = {"bold": True, "font_size": 11, "font_color": INK, "indent": 1, "valign": "vcenter"}

ANSWER_FILL, ANSWER_INK = "#E5F5E5", "#2F7D46"

LOOKS: Mapping[str, Look] = {
    "input": _number(NUMBER, takes="number", bg_color=INPUT_FILL, font_color=INPUT_INK, locked=False),
    "token": Look(TYPED, width=10),
    "dimension": Look({**TYPED, "bold": True, "align": "center", "shrink": True}),
    "embedding": _number(NUMBER, "diverging"),
    "output": _number(NUMBER, "diverging", bold=True),
    "scores": _number(NUMBER, "diverging"),
    "masked": _number(NUMBER, "masked"),
    "mask": _number("0", "masks", align="center"),
    "typed mask": _number("General", "masks", align="center"),
    "exp": _number(FINE, "weights"),
    "attention": _number(FINE, "weights", bold=True),
    "probability": _number(FINE, "probabilities", bold=True),
    "unnormalized": _number(FINE, "probabilities"),
    "map": Look(
        {"num_format": ".00", "border": 1, "border_color": LINE, "font_size": 8, "align": "center"},
        "weights",
        3.6,
    ),
    "map label": Look({"font_size": 9, "font_color": INK, "rotation": 90, "align": "center"}, width=3.6),
    "map letter": Look({"font_size": 9, "font_color": INK, "align": "center", "shrink": True}, width=3.6),
    "map label wide": Look(
        {"font_size": 9, "font_color": INK, "rotation": 270, "align": "center", "valign": "bottom"}, width=3.6
    ),
    "number": _number(NUMBER),
    "result number": _number(NUMBER, bold=True),
    "weight": _number(FINE),
    "any number": _number("General"),
    "setting": _number("General", takes="positive", bg_color=INPUT_FILL, font_color=INPUT_INK, locked=False),
    "word result": Look(
        {
            "num_format": ANY_TEXT,
            "border": 1,
            "border_color": LINE,
            "bold": True,
            "align": "center",
            "shrink": True,
        },
        width=11,
    ),
    "said": Look({"num_format": ANY_TEXT, "bold": True, "font_size": 13, "font_color": INK}, width=0),
    "tiny": _number("0.0E+00"),
    "count": _number("0", align="center"),
    "index": Look({"num_format": "0", "font_color": MUTED, "align": "center"}),
    "position": Look({"num_format": '"position "0', "font_color": MUTED, "align": "center"}),
    "times": Look({"num_format": '[>1]"occurs "0" times";""', "font_color": BAD_INK, "bold": True}, width=14),
    "word number": Look(
        {"num_format": '0;-0;"not in the vocabulary"', "border": 1, "border_color": LINE, "align": "center"},
        width=22,
    ),
    "minus infinity": _number('0;"−∞";0', align="center"),
    "row label": Look({"bold": True, "font_color": INK, "align": "right", "indent": 1, "shrink": True}),
    "result label": Look(
        {"font_size": 10, "font_color": INK, "align": "right", "valign": "vcenter", "shrink": True}
    ),
    "word label": Look(
        {"bold": True, "font_color": INK, "align": "right", "indent": 1, "shrink": True}, width=12
    ),
    "rank": Look(
        {
            "num_format": '"no. "0',
            "bold": True,
            "font_size": 9,
            "font_color": INK,
            "align": "center",
            "shrink": True,
        }
    ),
    "col label": Look({"bold": True, "font_size": 9, "font_color": INK, "align": "center", "shrink": True}),
    "col label wrapped": Look(
        {
            "bold": True,
            "font_size": 9,
            "font_color": INK,
            "align": "center",
            "valign": "bottom",
            "text_wrap": True,
        }
    ),
    "lane": Look(
        {"bold": True, "font_size": 13, "font_color": WHITE, "valign": "vcenter", "indent": 1}, width=0
    ),
    "status": Look({"bold": True, "font_color": "#166534"}, width=0),
    "manifest": Look(
        {
            "num_format": ANY_TEXT,
            "font_size": 9,
            "font_color": MUTED,
            "font_name": MONO,
            "text_wrap": True,
            "valign": "top",
        }
    ),
    # the first screen
    "story": Look({"font_color": INK, "font_size": 12, "valign": "vcenter"}, width=0),
    "chip": Look({**CHIP, "bg_color": CHIP_FILL}, width=0),
    "chip input": Look({**CHIP, "bg_color": INPUT_FILL}),
    "chip link": Look({**CHIP, "bg_color": LINK_FILL, "font_color": INPUT_INK, "underline": 0}),
    "closing": Look({"bold": True, "font_size": 16, "font_color": INK, "valign": "vcenter"}, width=0),
    "says": Look({"bold": True, "font_size": 12, "font_color": INK, "valign": "vcenter"}, width=0),
    "check": Look({"bold": True, "font_color": "#166534", "align": "right", "valign": "vcenter"}, width=0),
    "made of": Look({"font_color": INK, "valign": "vcenter"}, width=0),
    "place": Look({"num_format": "0", "font_color": MUTED, "font_size": 9, **MIDDLE}),
    "yellow word": Look({**TYPED, **MIDDLE, "bold": True, "align": "left", "indent": 1, "shrink": True}),
    "share": _number(NUMBER, "shares", valign="vcenter"),
    "aligned": _number(NUMBER, "shares", valign="vcenter"),
    "own number": _number(NUMBER, "sizes", valign="vcenter"),
    "result": _number(NUMBER, "sizes", bold=True, valign="vcenter"),
    "alike": _number(NUMBER, bold=True, valign="vcenter"),
    "chance": _number("0%", "chances", valign="vcenter"),
    "word": Look({"num_format": ANY_TEXT, "border": 1, "border_color": LINE, **MIDDLE, "shrink": True}),
    "next word": Look(
        {"num_format": ANY_TEXT, "border": 1, "border_color": LINE, "bold": True, **MIDDLE, "shrink": True}
    ),
    "head": Look({"font_color": MUTED, "align": "right", "valign": "bottom"}, width=0),
    "head of words": Look({"font_color": MUTED, **MIDDLE, "valign": "bottom"}, width=0),
    "beside": Look({"font_color": MUTED, "align": "right", "valign": "vcenter", "indent": 1}),
    "name above": Look({"bold": True, "font_color": INK, "align": "right", "shrink": True}),
    "name beside": Look({"font_color": INK, "align": "right", "indent": 1, "valign": "vcenter"}, width=0),
    "result beside": Look(
        {"bold": True, "font_color": INK, "align": "right", "indent": 1, "valign": "vcenter"}, width=0
    ),
    # texts around the blocks
    "title": Look({"bold": True, "font_size": 20, "font_color": INK}),
    "lead": Look({"font_color": MUTED, "font_size": 11}),
    "long lead": Look({"font_color": MUTED, "font_size": 11, "text_wrap": True, "valign": "top"}),
    "paragraph": Look({"font_color": INK, "font_size": 11, "text_wrap": True, "valign": "top"}),
    "fact": Look({"font_color": MUTED, "align": "right", "indent": 1}),
    "step": Look({"bold": True, "font_size": 13, "font_color": INK}),
    "why": Look({"italic": True, "font_color": MUTED, "font_size": 10}),
    "try": Look({"font_color": INK, "font_size": 11}),
    "answer": Look({"font_color": MUTED, "font_size": 11}),
    "meaning": Look({"font_color": INK}),
    "sentence": Look({"font_color": INK, "indent": 1}, width=0),
    "paper": Look({"italic": True, "font_color": MUTED, "font_size": 10}),
    "formula": Look({"font_name": MONO, "font_size": 9, "font_color": INPUT_INK}),
    "group": Look({"bold": True, "font_color": INK}),
    "side": Look(
        {"font_color": MUTED, "font_size": 9, "align": "center", "valign": "bottom", "text_wrap": True}
    ),
    "box": Look({**CHIP, **MIDDLE, "bg_color": CHIP_FILL, "font_color": INPUT_INK, "underline": 0, **SHRUNK}),
    "box text": Look({"font_size": 10, "font_color": MUTED, **MIDDLE, "shrink": True}),
    "link": Look({"font_color": LANES[0], "underline": 1}),
    "way back": Look({"font_color": LANES[0], "underline": 1, "font_size": 9, "valign": "vcenter"}),
    "arrow": Look({"font_size": 16, "font_color": MUTED, "align": "center", "valign": "vcenter"}),
    "stage": Look({**CHIP, **MIDDLE, "bg_color": CHIP_FILL, **SHRUNK}),
    "stage text": Look({"font_size": 10, "font_color": MUTED, **MIDDLE, "shrink": True}),
    "legend input": Look(
        {
            "bg_color": INPUT_FILL,
            "font_color": INPUT_INK,
            "border": 1,
            "border_color": LINE,
            "align": "center",
        }
    ),
    "mark": Look(
        {
            "num_format": ANY_TEXT,
            "font_size": 9,
            "font_color": MUTED,
            "align": "center",
            "shrink": True,
            "border": 1,
            "border_color": LINE,
        }
    ),
    "progress": _number("0%", "chances", bold=True, valign="vcenter"),
    "your turn": Look({"bold": True, "font_color": ANSWER_INK, "underline": 1}),
    "hint": Look({"font_color": INK, "font_size": 12}, width=0),
    "legend answer": Look(
        {"bg_color": ANSWER_FILL, "border": 1, "border_color": ANSWER_INK, "align": "center", "shrink": True}
    ),
    "legend formula": Look({"border": 1, "border_color": LINE, "align": "center"}),
    "legend result": Look({"bold": True, "border": 1, "border_color": LINE, "align": "center"}),
    "legend focus": Look({**OUTLINE, "align": "center"}),
    "legend positive": _sample(ABOVE),
    "legend negative": _sample(BELOW),
    "legend weight": _sample(SHARE),
    "legend probability": _sample(SILVER),
    "legend unseen": _sample(GREY),
    **{name: _sample(colour, WHITE) for name, colour in zip(LANE_SAMPLES, LANES, strict=True)},
}

ANSWER = {"bg_color": ANSWER_FILL, "border": 1, "border_color": ANSWER_INK, "locked": False}
"""Style of the cells to compute in an exercise, in addition to the style of their block."""
VIOLET, TEAL, APRICOT = "#B8A9DE", "#B5DAD2", "#F8D3B4"
BESIDE_BAR = 2.0
"""Width of a cell as a multiple of its longest bar, so that there is room for the number."""
BAR = {
    "type": "data_bar",
    "bar_solid": True,
    "bar_border_color": WHITE,
    "bar_axis_color": LINE,
    "data_bar_2010": True,
}

HEATS: Mapping[str, Mapping[str, Any]] = {
    "diverging": {"type": "3_color_scale", "min_color": BELOW, "mid_color": WHITE, "max_color": ABOVE,
                  "mid_type": "num", "mid_value": 0, "min_type": "formula", "max_type": "formula"},
    "masked": {"type": "3_color_scale", "min_color": GREY, "mid_color": WHITE, "max_color": ABOVE,
               "min_type": "num", "min_value": HIDDEN_BELOW, "mid_type": "num", "mid_value": 0,
               "max_type": "max"},
    "weights": {"type": "2_color_scale", "min_color": WHITE, "max_color": SHARE, "min_type": "num",
                "min_value": 0, "max_type": "num", "max_value": 1},
    "masks": {"type": "2_color_scale", "min_color": GREY, "max_color": WHITE, "min_type": "num",
              "min_value": 0, "max_type": "num", "max_value": 1},
    "probabilities": {"type": "2_color_scale", "min_color": WHITE, "max_color": SILVER, "min_type": "num",
                      "min_value": 0, "max_type": "num", "max_value": 1},
    "shares": {**BAR, "bar_color": VIOLET, "min_type": "num", "min_value": 0, "max_type": "num",
               "max_value": BESIDE_BAR},
    "sizes": {**BAR, "bar_color": TEAL, "bar_negative_color": APRICOT, "min_type": "formula",
              "max_type": "formula"},
    "chances": {**BAR, "bar_color": SILVER, "min_type": "num", "min_value": 0, "max_type": "num",
                "max_value": BESIDE_BAR},
}  # fmt: skip
BARS = ("shares", "sizes", "chances")
"""Heat maps: diverging ones reach from minus to plus the largest absolute value, with 0 in white; weights
have a fixed scale from 0 to 1, so that lanes and sheets can be compared; −∞ is grey, as is 0 in a mask. On
the first screen numbers have bars: violet for attention, teal and orange above and below 0, grey for
probabilities."""

TAKES: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "number": (
        "A number is needed",
        "A text makes every formula that reads this cell show an error.",
        {"criteria": "between", "minimum": -MAX_ABS, "maximum": MAX_ABS},
    ),
    "positive": (
        "A number above 0 is needed",
        "Zero, a negative number or a text counts as a number very close to 0.",
        {"criteria": ">", "value": 0},
    ),
}
"""Kinds of values for input cells: title and text of a warning, and XlsxWriter's validation rule. Other
values are not blocked."""

MASKED_OUT = {"num_format": '"−∞";"−∞";"−∞"', "bg_color": GREY, "font_color": MUTED}
NO_WORD = {"num_format": '"–";"–";"–"', "font_color": MUTED}
LARGE, LARGE_IN_NARROW = {"num_format": "0.0E+00"}, {"num_format": "0E+0"}
BAD = {"font_color": BAD_INK}
GOOD = {"font_color": "#166534", "bold": True}
STATES = {"unknown": BAD, "absent": {"num_format": ";;;"}}
"""Formats on the first screen for an unknown word, and for numbers of unknown or missing words."""
NOTED = {"font_color": MUTED}
_CHECK = {"✗": BAD, "–": NOTED}
FIRST_CHARACTERS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "status": _CHECK,
    "check": _CHECK,
    "mark": {"✓": GOOD, **_CHECK},
}
"""Styles of live checks and marks by their first character."""
NO_NUMBER = {"bg_color": BAD_FILL, "font_color": BAD_INK, "bold": True}

"""The rules of docs/design.md that can be tested."""

from __future__ import annotations

import shutil
import subprocess
from itertools import pairwise

import pytest
from conftest import require

from xlsxattn.builder import theme, writer
from xlsxattn.builder.graph import Block
from xlsxattn.builder.layout import measures
from xlsxattn.builder.layout.placed import Placed, PlacedSheet
from xlsxattn.builder.layout.printing import PIXELS_A_CHARACTER, PIXELS_A_COLUMN
from xlsxattn.checker.engines.printing import printed
from xlsxattn.checker.engines.processes import Limits
from xlsxattn.language import ENGLISH, language

MIN_COUNT = 4.5
"""WCAG 2.1, contrast (minimum), level AA."""
DIGIT = 7
"""Maximum width in pixels of a bold digit of 11 points, and of the point with the padding of the cell."""


def luminance(colour: str) -> float:
    """WCAG's relative luminance of a colour such as #1F4E79."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def backgrounds(look: theme.Look) -> list[str]:
    """All possible background colours of a look's text."""
    heat = theme.HEATS.get(look.heat, {})
    ends = [heat[key] for key in ("min_color", "mid_color", "max_color") if key in heat]
    return ends or [look.format.get("bg_color", theme.WHITE)]


@pytest.mark.parametrize("name", [name for name in theme.LOOKS if name != "lane"])
def test_text_is_readable_on_all_backgrounds(name):
    look = theme.LOOKS[name]
    ink = look.format.get("font_color", "#000000")
    assert all(contrast(ink, behind) >= MIN_COUNT for behind in backgrounds(look))


@pytest.mark.parametrize("colour", theme.LANES)
def test_white_headings_are_readable_on_every_lanes_accent(colour):
    assert contrast(theme.LOOKS["lane"].format["font_color"], colour) >= MIN_COUNT


@pytest.mark.parametrize("colour", theme.SERIES)
def test_every_series_of_a_chart_stands_out_from_the_page(colour):
    assert contrast(colour, theme.WHITE) >= MIN_COUNT


@pytest.mark.parametrize("rule", [theme.MASKED_OUT, theme.NO_WORD, theme.BAD])
def test_conditional_formats_are_readable(rule):
    assert contrast(rule["font_color"], rule.get("bg_color", theme.WHITE)) >= MIN_COUNT


@pytest.mark.parametrize(
    ("look", "width", "largest", "negative", "beyond"),
    [
        ("scores", 8.5, 99_999, True, "0.0E+00"),  # -99999.00
        ("attention", 8.5, 9_999, True, "0.0E+00"),  # -9999.000
        ("count", 8.5, 9_999_999, True, "0.0E+00"),
        ("map", 3.6, 9, True, "0E+0"),  # -9.00 in a small font
        ("word number", 22, 10**15 - 1, True, "0.0E+00"),
        ("rank", 8.5, 99_999, True, "0.0E+00"),  # no. 99999 in a small font
        ("times", 14, 9, False, "0.0E+00"),  # occurs 9 times; below 2 it says nothing
        ("minus infinity", 8.5, 9_999_999, False, "0.0E+00"),  # its negative number is a word
    ],
)
def test_a_column_has_room_for_numbers_of_any_format(look, width, largest, negative, beyond):
    found = theme.room(theme.LOOKS[look], width)
    assert (found.largest, found.negative, found.overflow["num_format"]) == (largest, negative, beyond)


def test_only_formats_without_fixed_decimals_fit_any_number():
    formats = {look.format.get("num_format") for look in theme.LOOKS.values()}
    alone = {look.format.get("num_format") for look in theme.LOOKS.values() if theme.room(look, 8.5) is None}
    assert alone & formats == {None, "@", "General", "0.0E+00"}


def test_numbers_too_long_for_their_columns_are_in_scientific_notation(tmp_path):
    require("libreoffice")
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed (Debian: poppler-utils)")
    sheet = PlacedSheet("a", "A", last=(6, len(theme.LOOKS)))
    for col, (name, look) in enumerate(theme.LOOKS.items()):
        if look.format.get("num_format", theme.ANY_TEXT) != theme.ANY_TEXT:
            room = theme.room(look, look.width)
            most, far = room.largest if room else 1, 1e9 if name == "map" else 1e299
            values = tuple((float(value),) for value in (most, -most, most + 1, -most - 1, far, -far))
            sheet.widths[col] = look.width
            sheet.placed.append(Placed(Block(f"block_{col}", 6, 1, "constant", name, values), 1, col))
    writer.write(tmp_path / "a.xlsx", "A", [sheet])
    assert printed(tmp_path / "a.xlsx", tmp_path / "a.pdf", Limits()) is None
    command = ["pdftotext", "-layout", tmp_path / "a.pdf", "-"]
    text = subprocess.run(command, capture_output=True, check=True, text=True, encoding="utf-8").stdout
    assert "#" not in text
    assert text.count("E+299") > len(sheet.placed)


def test_pale_text_would_be_seen():
    assert contrast("#CCCCCC", theme.WHITE) < MIN_COUNT


def test_a_heat_map_gets_darker_away_from_its_middle():
    """Without colour vision, the distance of a value from zero is still visible."""
    for heat in (one for one in theme.HEATS.values() if one["type"] != "data_bar"):
        ends = [heat[key] for key in ("mid_color", "min_color", "max_color") if key in heat]
        shades = sorted((luminance(colour) for colour in ends), reverse=True)
        assert luminance(theme.WHITE) == shades[0]
        assert all(one - other > 0.03 for one, other in pairwise(shades[:2]))


def test_violet_is_attention_and_grey_is_masked():
    by_colour = {
        heat: {name for name, look in theme.LOOKS.items() if look.heat == heat} for heat in theme.HEATS
    }
    assert by_colour["weights"] == {"exp", "attention", "map"}
    assert by_colour["masks"] == {"mask", "typed mask"}
    assert theme.HEATS["masks"]["min_color"] == theme.GREY == theme.MASKED_OUT["bg_color"]


def test_a_number_is_beside_the_longest_bar():
    """In the narrowest column, which LibreOffice draws 1.107 times as wide as XlsxWriter."""
    column = 1.107 * (measures.NARROW * PIXELS_A_CHARACTER + PIXELS_A_COLUMN)
    assert column / theme.BESIDE_BAR + 4 * DIGIT <= column


def test_sizes_of_type_are_those_of_the_design():
    sizes = {name: look.format.get("font_size", 11) for name, look in theme.LOOKS.items()}
    wanted = {"title": 20, "step": 13, "lead": 11, "why": 10, "formula": 9, "map": 8, "attention": 11}
    assert {name: sizes[name] for name in wanted} == wanted


def test_inputs_and_nothing_else_are_yellow():
    yellow = {name for name, look in theme.LOOKS.items() if look.format.get("bg_color") == theme.INPUT_FILL}
    assert yellow == {"input", "token", "dimension", "setting", "legend input", "yellow word", "chip input"}


def test_chinese_is_not_italic():
    aslant = theme.LOOKS["why"].format
    assert theme.localized(aslant, ENGLISH) == aslant
    assert theme.localized(aslant, language("zh")) == {key: aslant[key] for key in aslant if key != "italic"}
